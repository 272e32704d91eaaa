//! Configurations and layers: of manifests that were let through, and streamed as they come.
//!
//! They are not hashed here: every client does that, and a gate that held them back until it knew
//! would need their size in memory. Manifests never go out this way, under whatever name.

use super::reach::Kind;
use super::reply::{self, Refusal, Reply};
use super::{Asking, Proxy, passes_everything};
use crate::gate::Answer;
use crate::reference::{Digest, ImageReference};
use crate::registry::{Found, Part, Registry, RegistryError, follow};
use std::sync::Arc;
use url::Url;

impl Proxy {
    pub(super) async fn blob(
        &self,
        repository: &ImageReference,
        digest: &Digest,
        asking: &Asking<'_>,
    ) -> Result<Reply, Refusal> {
        let is_part = self
            .reachable(repository, digest, Kind::Blob, asking)
            .await?;
        if is_part.is_none() {
            self.look_deeper(repository, digest).await;
            let is_part = self
                .reachable(repository, digest, Kind::Blob, asking)
                .await?;
            if is_part.is_none() {
                self.is_let_through(repository, digest, asking).await?;
            }
        }
        self.stream(repository, digest, asking).await
    }

    /// Opens what was allowed but never asked for: a client may have had it from an earlier pull.
    async fn look_deeper(&self, repository: &ImageReference, digest: &Digest) {
        let gun = repository.gun();
        for _ in 0..MAX_OPENED {
            let policy = self.gate.policy();
            if self.reach.find(gun, digest, Kind::Blob, &policy).is_some() {
                return;
            }
            let Some((root, manifest)) = self.reach.closed(gun) else {
                return;
            };
            let opened = self.by_digest(&repository.with_digest(&manifest)).await;
            // One that cannot be had has no parts that anybody could want.
            let named = opened.as_ref().map_or(&[][..], |kept| &kept.parts.named);
            self.reach.open(gun, &root, &manifest, named);
        }
    }

    /// What no manifest names goes out only where policy asks for no signature at all.
    async fn is_let_through(
        &self,
        repository: &ImageReference,
        digest: &Digest,
        asking: &Asking<'_>,
    ) -> Result<(), Refusal> {
        let policy = self.gate.policy();
        let image = repository.with_digest(digest);
        let kinds = [Kind::Manifest, Kind::Remark];
        let gun = repository.gun();
        let is_manifest = kinds
            .into_iter()
            .any(|kind| self.reach.find(gun, digest, kind, &policy).is_some());
        match self.decide(&image, asking).await {
            Answer::Denied(denial) => Err(denial.into()),
            Answer::Passed { .. } if !is_manifest && passes_everything(&policy, &image) => Ok(()),
            Answer::Passed { .. } | Answer::Signed(_) => {
                let name = image.familiar_reference();
                let line = format!("{name} is refused: it is a manifest, not a blob");
                Err(Refusal::denied(line, "blob"))
            }
        }
    }

    async fn stream(
        &self,
        repository: &ImageReference,
        digest: &Digest,
        asking: &Asking<'_>,
    ) -> Result<Reply, Refusal> {
        let part = Part {
            head: asking.head,
            range: asking.range.clone(),
        };
        let fault = |error: RegistryError| Refusal::upstream(&error, "BLOB_UNKNOWN");
        let over = self.upstreams.client(repository.registry());
        let (over, part) = (&over.map_err(fault)?, &part);
        let question = |registry: Arc<Registry>| async move {
            registry.blob(over, repository, digest, part).await
        };
        let mut found = self
            .upstreams
            .ask(repository, question)
            .await
            .map_err(fault)?;
        for _ in 0..MAX_HOPS {
            let url = match found {
                Found::Here(blob) => return Ok(reply::blob(blob, digest, asking.head)),
                Found::Elsewhere(url) => url,
            };
            if self.redirect
                && let Some(reply) = reply::elsewhere(url.as_str())
            {
                return Ok(reply);
            }
            let host = authority(&url);
            let over = self.upstreams.client(&host).map_err(fault)?;
            found = follow(&over, &url, part).await.map_err(fault)?;
        }
        Err(fault(RegistryError::BadResponse {
            host: repository.registry().to_owned(),
            reason: format!("{digest} is elsewhere more than {MAX_HOPS} times"),
        }))
    }
}

/// Host and port, the port only where it is not the usual one.
fn authority(url: &Url) -> String {
    match (url.host_str().unwrap_or_default(), url.port()) {
        (host, Some(port)) => format!("{host}:{port}"),
        (host, None) => host.to_owned(),
    }
}

/// Manifests fetched for one blob that none of those known names.
const MAX_OPENED: usize = 64;
/// Addresses one after another.
const MAX_HOPS: usize = 5;
