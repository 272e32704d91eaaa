//! Images in OCI registries: manifest bytes hashed by us, never a header believed.
//!
//! The protocol is two requests, so the session that talks to trust servers is used here too: it
//! caps every body while it arrives, which `oci-client` cannot. That crate lends its manifest model.

mod blob;
mod error;
mod listing;
mod manifest;

pub use blob::{Blob, Found, Part, follow};
pub use error::RegistryError;
pub use listing::{Listing, Served};
pub use manifest::{Child, Manifest, Platform};

use crate::{
    config::Credentials,
    reference::{Digest, ImageReference},
    remote::{RemoteError, Session, TlsFault, read_body},
    tls::is_loopback,
};
use quick_cache::sync::Cache;
use reqwest::{Client, Url};
use std::sync::Arc;

/// One registry, read with one set of credentials.
pub struct Registry {
    http: Client,
    host: String,
    credentials: Credentials,
    sessions: Cache<String, Arc<Session>>,
}

impl Registry {
    /// The registry at `host`, as [`ImageReference::registry`] names it; nothing is sent yet.
    pub fn new(http: Client, host: &str, credentials: Credentials) -> Self {
        Self {
            http,
            host: host.to_owned(),
            credentials,
            sessions: Cache::new(MAX_SESSIONS),
        }
    }

    /// What the registry serves for this image: by digest if it has one, else by tag.
    ///
    /// # Errors
    /// [`RegistryError::Mismatch`] if a digest was asked for and the bytes have another.
    pub async fn manifest(&self, image: &ImageReference) -> Result<Manifest, RegistryError> {
        match image.digest() {
            Some(digest) => self.manifest_by_digest(image, digest).await,
            None => self.fetch(image, image.tag().unwrap_or(DEFAULT_TAG)).await,
        }
    }

    /// The manifest of this repository with exactly this digest.
    pub async fn manifest_by_digest(
        &self,
        image: &ImageReference,
        digest: &Digest,
    ) -> Result<Manifest, RegistryError> {
        let manifest = self.fetch(image, digest.as_str()).await?;
        if !digest.matches(&manifest.bytes) {
            return Err(RegistryError::Mismatch {
                asked: digest.clone(),
                served: manifest.digest,
            });
        }
        Ok(manifest)
    }

    async fn fetch(
        &self,
        image: &ImageReference,
        version: &str,
    ) -> Result<Manifest, RegistryError> {
        let fault = |error| RegistryError::from_remote(error, &self.host, image, version);
        let session = self.session(image).await.map_err(fault)?;
        let url = session
            .address(&format!("{}/manifests/{version}", image.path()))
            .map_err(fault)?;
        let response = session
            .get(&url, Some(manifest::ACCEPTED))
            .await
            .map_err(fault)?;
        let bytes = read_body(response, MAX_MANIFEST).await.map_err(fault)?;
        Manifest::from_bytes(bytes)
    }

    /// The conversation about one repository, opened once.
    async fn session(&self, image: &ImageReference) -> Result<Arc<Session>, RemoteError> {
        let open = async { self.open(image.path()).await.map(Arc::new) };
        self.sessions.get_or_insert_async(image.path(), open).await
    }

    /// Speaks https; plain http only to a registry on this machine that offers nothing else.
    async fn open(&self, path: &str) -> Result<Session, RemoteError> {
        let secure = self.session_at("https", path)?;
        let Err(error) = secure.reach().await else {
            return Ok(secure);
        };
        let no_tls = matches!(
            error,
            RemoteError::Tls {
                fault: TlsFault::PlainHttp,
                ..
            } | RemoteError::Unreachable { status: None, .. }
        );
        if !no_tls || !is_loopback(&self.address("https")?) {
            return Err(error);
        }
        let plain = self.session_at("http", path)?;
        plain.reach().await?;
        Ok(plain)
    }

    fn session_at(&self, scheme: &str, path: &str) -> Result<Session, RemoteError> {
        let scope = format!("repository:{path}:pull");
        let base = self.address(scheme)?;
        Ok(Session::new(
            self.http.clone(),
            &base,
            scope,
            self.credentials.clone(),
        ))
    }

    fn address(&self, scheme: &str) -> Result<Url, RemoteError> {
        let host = if self.host == "docker.io" {
            DOCKER_HUB
        } else {
            &self.host
        };
        let text = format!("{scheme}://{host}");
        Url::parse(&text).map_err(|error| RemoteError::BadResponse {
            url: text,
            reason: error.to_string(),
        })
    }
}

const DEFAULT_TAG: &str = "latest";
const DOCKER_HUB: &str = "registry-1.docker.io";
/// Repositories of one registry whose conversations are kept.
const MAX_SESSIONS: usize = 1024;
/// Bytes; what registries accept as one manifest (distribution, `defaultManifestSizeLimit`).
const MAX_MANIFEST: u64 = 4 * 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tls::{TlsFiles, http_client};
    use axum::{
        Router,
        body::Body,
        http::Response,
        routing::{any, get},
    };
    use tokio::net::TcpListener;

    type Expected = fn(&RegistryError) -> bool;

    const INDEX: &str = r#"{"schemaVersion":2,"manifests":[
        {"mediaType":"application/vnd.oci.image.manifest.v1+json","size":7,"digest":"sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","platform":{"os":"linux","architecture":"amd64"}},
        {"mediaType":"application/vnd.oci.image.manifest.v1+json","size":8,"digest":"sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb","platform":{"os":"linux","architecture":"arm64","variant":"v8"}},
        {"mediaType":"application/vnd.oci.image.manifest.v1+json","size":9,"digest":"sha256:cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc","platform":{"os":"unknown","architecture":"unknown"}}]}"#;

    /// Serves this for every manifest, claiming a digest that is not its own.
    async fn serving(status: u16, body: impl Into<Body> + Clone + Send + Sync + 'static) -> String {
        let answer = move || async move {
            Response::builder()
                .status(status)
                .header(
                    "docker-content-digest",
                    format!("sha256:{}", "0".repeat(64)),
                )
                .header(
                    "content-type",
                    "application/vnd.docker.distribution.manifest.v1+json",
                )
                .body(body.into())
                .unwrap()
        };
        let router = Router::new()
            .route("/v2/", get(|| async { "{}" }))
            .fallback(any(answer));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = listener.local_addr().unwrap().to_string();
        tokio::spawn(async move { axum::serve(listener, router).await });
        host
    }

    async fn fetch(host: &str, rest: &str) -> Result<Manifest, RegistryError> {
        let http = http_client(&TlsFiles::default(), host).unwrap();
        let image = ImageReference::parse(&format!("{host}/app{rest}")).unwrap();
        Registry::new(http, image.registry(), Credentials::Anonymous)
            .manifest(&image)
            .await
    }

    #[tokio::test]
    async fn the_digest_is_ours_and_headers_are_not_believed() {
        let host = serving(200, INDEX).await;
        let manifest = fetch(&host, ":1").await.unwrap();
        assert_eq!(manifest.digest, Digest::of(INDEX.as_bytes()));
        assert_eq!(
            manifest.media_type,
            "application/vnd.oci.image.index.v1+json"
        );
        assert_eq!(manifest.size, u64::try_from(INDEX.len()).unwrap());
        let wanted: Platform = "linux/arm64".parse().unwrap();
        assert_eq!(manifest.child(&wanted).unwrap().size, 8);
        let error = manifest
            .child(&"linux/s390x".parse().unwrap())
            .unwrap_err()
            .to_string();
        assert_eq!(
            error,
            "no image for platform linux/s390x, only for linux/amd64, linux/arm64/v8"
        );
        assert!(fetch(&host, &format!("@{}", manifest.digest)).await.is_ok());
        let other = Digest::of(b"other");
        let error = fetch(&host, &format!("@{other}")).await.unwrap_err();
        assert!(matches!(error, RegistryError::Mismatch { .. }), "{error}");
    }

    #[tokio::test]
    async fn answers_are_told_apart() {
        let table: [(u16, &str, Expected); 7] = [
            (404, "", |e| matches!(e, RegistryError::NotFound { .. })),
            (401, "", |e| matches!(e, RegistryError::Unauthorized { .. })),
            (500, "", |e| matches!(e, RegistryError::Unreachable { .. })),
            (200, "<html>", |e| {
                matches!(e, RegistryError::BadManifest { .. })
            }),
            (200, "{}", |e| {
                matches!(e, RegistryError::BadManifest { .. })
            }),
            (200, r#"{"schemaVersion":1}"#, |e| {
                matches!(e, RegistryError::BadManifest { .. })
            }),
            (
                200,
                r#"{"schemaVersion":2,"manifests":[],"layers":[]}"#,
                |e| matches!(e, RegistryError::BadManifest { .. }),
            ),
        ];
        for (status, body, expected) in table {
            let error = fetch(&serving(status, body).await, ":1").await.unwrap_err();
            assert!(expected(&error), "{status} {body}: {error:?}");
        }
        let large = serving(200, vec![b' '; 5 * 1024 * 1024]).await;
        assert!(matches!(
            fetch(&large, ":1").await,
            Err(RegistryError::TooLarge { .. })
        ));
    }
}
