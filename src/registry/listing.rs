//! What registries serve besides manifests that we understand: lists, and anything at all.

use super::{MAX_MANIFEST, Registry, RegistryError, manifest};
use crate::{
    reference::{Digest, ImageReference},
    remote::read_body,
};
use reqwest::{
    Method, StatusCode,
    header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue, LINK},
};

/// What is listed of a repository.
#[derive(Clone, Copy, Debug)]
pub enum Listing<'a> {
    /// Manifests that say they are about this one
    Referrers(&'a Digest),
    /// Its tags
    Tags,
}

/// Bytes that a registry served, at most 4 MiB.
#[derive(Clone, Debug)]
pub struct Served {
    /// What it says they are
    pub content_type: Option<HeaderValue>,
    /// Where it says that more is
    pub link: Option<HeaderValue>,
    /// What it says it did with the question
    pub filters: Option<HeaderValue>,
    /// The bytes
    pub bytes: Vec<u8>,
}

impl Registry {
    /// A list of the repository, as the registry gives it; `query` has to be encoded already.
    pub async fn list(
        &self,
        image: &ImageReference,
        listing: Listing<'_>,
        query: Option<&str>,
    ) -> Result<Served, RegistryError> {
        let (path, types) = match listing {
            Listing::Referrers(digest) => (format!("referrers/{digest}"), manifest::ACCEPTED),
            Listing::Tags => ("tags/list".to_owned(), "application/json"),
        };
        self.served(image, &path, query, types).await
    }

    /// Whatever the registry serves as the manifest of this image; by digest, only with that digest.
    pub async fn anything(&self, image: &ImageReference) -> Result<Served, RegistryError> {
        let version = image
            .digest()
            .map_or(image.tag(), |digest| Some(digest.as_str()));
        let path = format!("manifests/{}", version.unwrap_or(super::DEFAULT_TAG));
        let served = self.served(image, &path, None, manifest::ACCEPTED).await?;
        match image.digest() {
            Some(asked) if !asked.matches(&served.bytes) => Err(RegistryError::Mismatch {
                asked: asked.clone(),
                served: Digest::of(&served.bytes),
            }),
            _ => Ok(served),
        }
    }

    async fn served(
        &self,
        image: &ImageReference,
        path: &str,
        query: Option<&str>,
        types: &'static str,
    ) -> Result<Served, RegistryError> {
        let version = path.rsplit('/').next().unwrap_or_default();
        let fault = |error| RegistryError::from_remote(error, &self.host, image, version);
        let session = self.session(image).await.map_err(fault)?;
        let mut url = session
            .address(&format!("{}/{path}", image.path()))
            .map_err(fault)?;
        url.set_query(query);
        let headers = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static(types))]);
        let response = session
            .relay(&Method::GET, &url, &headers)
            .await
            .map_err(fault)?;
        if response.status() != StatusCode::OK {
            return Err(fault(session.fault(response).await));
        }
        let header = |name| response.headers().get(name).cloned();
        Ok(Served {
            content_type: header(CONTENT_TYPE.as_str()),
            link: header(LINK.as_str()),
            filters: header("oci-filters-applied"),
            bytes: read_body(response, MAX_MANIFEST).await.map_err(fault)?,
        })
    }
}
