//! What others say about a manifest: signatures, attestations, bills of materials.
//!
//! Nobody signed these for us. They go out for manifests that are allowed, under the condition that
//! no engine would run them; about all others there is nothing to say.

use super::reach::Kind;
use super::reply::{self, Refusal, Reply};
use super::route::parameter;
use super::{Asking, Proxy};
use crate::gate::Answer;
use crate::reference::{Digest, ImageReference};
use crate::registry::{Listing, Registry, RegistryError};
use bytes::Bytes;
use hyper::header::HeaderName;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use std::sync::Arc;

#[derive(Deserialize)]
struct Index {
    manifests: Vec<Named>,
}

#[derive(Deserialize)]
struct Named {
    digest: String,
}

/// The manifest that a tag is about: `sha256-HEX` stands for `referrers/sha256:HEX` where a registry
/// has no such address (OCI distribution, referrers tag schema).
pub(super) fn subject_of_tag(image: &ImageReference) -> Option<Digest> {
    let hex = image.tag()?.strip_prefix("sha256-")?;
    Digest::parse(&format!("sha256:{hex}")).ok()
}

impl Proxy {
    /// The list of what is about this digest; an empty one if it is not allowed.
    pub(super) async fn referrers(
        &self,
        repository: &ImageReference,
        subject: &Digest,
        asking: &Asking<'_>,
    ) -> Result<Reply, Refusal> {
        let Some(root) = self.allowed(repository, subject, asking).await? else {
            return Ok(listed(&Bytes::from_static(NOTHING), asking));
        };
        let wanted = parameter(asking.uri.query().unwrap_or_default(), "artifactType")?;
        let query = wanted.map(|wanted| {
            let encoded = utf8_percent_encode(&wanted, NON_ALPHANUMERIC);
            format!("artifactType={encoded}")
        });
        let query = query.as_deref();
        let question = |registry: Arc<Registry>| async move {
            let listing = Listing::Referrers(subject);
            registry.list(repository, listing, query).await
        };
        let found = match self.upstreams.ask(repository, question).await {
            Ok(found) => found,
            Err(RegistryError::NotFound { .. }) => {
                return self.by_tag(repository, subject, &root, asking).await;
            }
            Err(error) => return Err(Refusal::upstream(&error, UNKNOWN)),
        };
        let filters = found.filters.clone();
        let mut reply = self.index(repository, &root, found.bytes, asking);
        if let Some(filters) = filters {
            reply.headers_mut().insert(FILTERS, filters);
        }
        Ok(reply)
    }

    /// The same list where a client asks for its tag.
    pub(super) async fn fallback(
        &self,
        image: &ImageReference,
        subject: &Digest,
        asking: &Asking<'_>,
    ) -> Result<Reply, Refusal> {
        match self.allowed(image, subject, asking).await? {
            Some(root) => self.by_tag(image, subject, &root, asking).await,
            None => Ok(listed(&Bytes::from_static(NOTHING), asking)),
        }
    }

    async fn by_tag(
        &self,
        repository: &ImageReference,
        subject: &Digest,
        root: &Digest,
        asking: &Asking<'_>,
    ) -> Result<Reply, Refusal> {
        let tag = subject.as_str().replace(':', "-");
        let Ok(image) = repository.with_tag(&tag) else {
            return Ok(listed(&Bytes::from_static(NOTHING), asking));
        };
        let image = &image;
        let question = |registry: Arc<Registry>| async move { registry.anything(image).await };
        match self.upstreams.ask(image, question).await {
            Ok(found) => Ok(self.index(repository, root, found.bytes, asking)),
            Err(RegistryError::NotFound { .. }) => Ok(listed(&Bytes::from_static(NOTHING), asking)),
            Err(error) => Err(Refusal::upstream(&error, UNKNOWN)),
        }
    }

    /// Passes a list on; from now on what it lists may be fetched. What is no list lists nothing.
    fn index(
        &self,
        repository: &ImageReference,
        root: &Digest,
        bytes: Vec<u8>,
        asking: &Asking<'_>,
    ) -> Reply {
        let Ok(index) = serde_json::from_slice::<Index>(&bytes) else {
            return listed(&Bytes::from_static(NOTHING), asking);
        };
        let named = index.manifests.iter();
        let named = named.filter_map(|named| Digest::parse(&named.digest).ok());
        let remarks: Vec<_> = named.map(|digest| (Kind::Remark, digest)).collect();
        self.reach.add(repository.gun(), root, &remarks);
        listed(&bytes.into(), asking)
    }

    /// The manifest because of which remarks about this one may be read, if it is allowed.
    async fn allowed(
        &self,
        repository: &ImageReference,
        subject: &Digest,
        asking: &Asking<'_>,
    ) -> Result<Option<Digest>, Refusal> {
        for kind in [Kind::Manifest, Kind::Remark] {
            if let Some(root) = self.reachable(repository, subject, kind, asking).await? {
                return Ok(Some(root));
            }
        }
        let policy = self.gate.policy();
        match self.decide(&repository.with_digest(subject), asking).await {
            Answer::Denied(denial) if denial.undecided => Err(denial.into()),
            Answer::Denied(_) => Ok(None),
            Answer::Passed { .. } | Answer::Signed(_) => {
                let gun = repository.gun();
                self.reach.allow(gun, subject, &policy);
                Ok(Some(subject.clone()))
            }
        }
    }
}

fn listed(bytes: &Bytes, asking: &Asking<'_>) -> Reply {
    let digest = Digest::of(bytes);
    let mut reply = reply::manifest(bytes, &digest, INDEX, asking.head, None);
    // A list changes, so its digest names nothing that could be asked for again.
    reply.headers_mut().remove(hyper::header::ETAG);
    reply
}

const FILTERS: HeaderName = HeaderName::from_static("oci-filters-applied");
const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const NOTHING: &[u8] =
    br#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}"#;
/// The code for a manifest that is not there.
const UNKNOWN: &str = "MANIFEST_UNKNOWN";
