//! Images and indexes: the signed one for a tag, and by digest what is signed or a part of it.

use super::reach::Kind;
use super::reply::{self, Refusal, Reply};
use super::shelf::Kept;
use super::{Asking, Proxy, parts, remarks};
use crate::gate::{Answer, Pinned};
use crate::policy::{Mode, Rule};
use crate::reference::{Digest, ImageReference};
use crate::registry::{Registry, RegistryError};
use std::sync::Arc;

impl Proxy {
    pub(super) async fn manifest(
        &self,
        image: &ImageReference,
        asking: &Asking<'_>,
    ) -> Result<Reply, Refusal> {
        if let Some(subject) = remarks::subject_of_tag(image) {
            return self.fallback(image, &subject, asking).await;
        }
        if let Some(digest) = image.digest() {
            if let Some(root) = self
                .reachable(image, digest, Kind::Manifest, asking)
                .await?
            {
                return self.child(image, &root, asking).await;
            }
            if let Some(root) = self.reachable(image, digest, Kind::Remark, asking).await? {
                return self.remark(image, &root, asking).await;
            }
        }
        let policy = self.gate.policy();
        let (kept, notice) = self.decided(image, policy.rule(image), asking).await?;
        let (gun, root) = (image.gun(), &kept.digest);
        self.reach.allow(gun, root, &policy);
        self.reach.open(gun, root, root, &kept.parts.named);
        served(&kept, asking, notice.as_deref())
    }

    /// What the decision lets through, and what is to be said with it.
    async fn decided(
        &self,
        image: &ImageReference,
        rule: &Rule,
        asking: &Asking<'_>,
    ) -> Result<(Arc<Kept>, Option<String>), Refusal> {
        if rule.mode == Mode::Audit && image.digest().is_none() {
            // What enforcing would have refused depends on what the tag means there.
            let kept = self.whatever(image).await?;
            return match self.decide(&at(image, &kept.digest)?, asking).await {
                Answer::Denied(denial) => Err(denial.into()),
                Answer::Signed(_) => Ok((kept, None)),
                Answer::Passed { notice } => Ok((kept, notice)),
            };
        }
        match self.decide(image, asking).await {
            Answer::Signed(pinned) => Ok((self.signed(image, &pinned).await?, None)),
            Answer::Passed { notice } => Ok((self.whatever(image).await?, notice)),
            Answer::Denied(denial) if rule.exempt.is_empty() || image.digest().is_some() => {
                Err(denial.into())
            }
            Answer::Denied(denial) => {
                let exempt = self.exempt(image, rule, asking).await?;
                exempt.map_or(Err(denial.into()), |kept| Ok((kept, None)))
            }
        }
    }

    /// What the tag means in the registry, if policy exempts exactly that.
    async fn exempt(
        &self,
        image: &ImageReference,
        rule: &Rule,
        asking: &Asking<'_>,
    ) -> Result<Option<Arc<Kept>>, Refusal> {
        let Ok(kept) = self.whatever(image).await else {
            return Ok(None);
        };
        let hex = kept.digest.sha256_hex();
        if !rule
            .exempt
            .iter()
            .any(|exempt| Some(exempt.digest.as_str()) == hex)
        {
            return Ok(None);
        }
        let answer = self.decide(&at(image, &kept.digest)?, asking).await;
        Ok(matches!(answer, Answer::Passed { .. }).then_some(kept))
    }

    /// Exactly the manifest that was signed, whatever the tag points to by now.
    async fn signed(&self, image: &ImageReference, pinned: &Pinned) -> Result<Arc<Kept>, Refusal> {
        let exact = image.with_digest(&pinned.digest);
        let kept = self.by_digest(&exact).await?;
        let size = u64::try_from(kept.bytes.len()).unwrap_or(u64::MAX);
        if size != pinned.size {
            let what = format!(
                "the registry serves {size} bytes for {exact}, signed were {}",
                pinned.size
            );
            tracing::error!(%image, "ALARM: {what}");
            return Err(Refusal::forged(image, &what));
        }
        if let Err(error) = &kept.media_type {
            let line = format!("{} is refused: {error}", image.familiar_reference());
            return Err(Refusal::denied(line, "manifest"));
        }
        Ok(kept)
    }

    /// What the registry has: nobody asks for a signature here.
    async fn whatever(&self, image: &ImageReference) -> Result<Arc<Kept>, Refusal> {
        if image.digest().is_some() {
            return self.by_digest(image).await;
        }
        let question = |registry: Arc<Registry>| async move { registry.anything(image).await };
        match self.upstreams.ask(image, question).await {
            Ok(found) => Ok(Arc::new(Kept::new(found, None))),
            Err(error) => Err(Refusal::upstream(&error, UNKNOWN)),
        }
    }

    /// A manifest that one that was allowed names: an image of an index.
    async fn child(
        &self,
        image: &ImageReference,
        root: &Digest,
        asking: &Asking<'_>,
    ) -> Result<Reply, Refusal> {
        let kept = self.by_digest(image).await?;
        let named = &kept.parts.named;
        self.reach.open(image.gun(), root, &kept.digest, named);
        served(&kept, asking, None)
    }

    /// Something about a manifest that was allowed; nobody signed it, so it must not be runnable.
    async fn remark(
        &self,
        image: &ImageReference,
        root: &Digest,
        asking: &Asking<'_>,
    ) -> Result<Reply, Refusal> {
        let kept = self.by_digest(image).await?;
        let policy = self.gate.policy();
        let gun = image.gun();
        let is_about_it = parts::subject_of_remark(&kept.bytes).is_some_and(|subject| {
            let kinds = [Kind::Manifest, Kind::Remark];
            let is_known = |kind| self.reach.find(gun, &subject, kind, &policy).is_some();
            subject == *root || kinds.into_iter().any(is_known)
        });
        if !is_about_it {
            let name = image.familiar_reference();
            let line = format!(
                "{name} is refused: nobody signed it, and it is more than a remark about {root}"
            );
            return Err(Refusal::denied(line, "digest-not-signed"));
        }
        self.reach.open(gun, root, &kept.digest, &kept.parts.named);
        served(&kept, asking, None)
    }

    /// The manifest with the digest of the image.
    pub(super) async fn by_digest(&self, image: &ImageReference) -> Result<Arc<Kept>, Refusal> {
        let found = self.shelf.manifest(image, &self.upstreams).await;
        found.map_err(|error| match &error {
            RegistryError::Mismatch { asked, served } => {
                let what = format!("the registry serves {served} when asked for {asked}");
                tracing::error!(%image, "ALARM: {what}");
                Refusal::forged(image, &what)
            }
            error => Refusal::upstream(error, UNKNOWN),
        })
    }
}

/// The image at its tag and exactly this digest.
fn at(image: &ImageReference, digest: &Digest) -> Result<ImageReference, Refusal> {
    let both = ImageReference::parse(&format!("{image}@{digest}"));
    both.map_err(|error| Refusal::denied(error.to_string(), "name"))
}

/// The answer with a manifest, under the only name that fits its bytes.
fn served(kept: &Kept, asking: &Asking<'_>, notice: Option<&str>) -> Result<Reply, Refusal> {
    if kept.parts.is_ambiguous {
        let line = format!(
            "{} is refused: it is an image and an index at once",
            kept.digest
        );
        return Err(Refusal::denied(line, "manifest"));
    }
    let claimed = kept.claimed_type.as_deref();
    let content_type = match &kept.media_type {
        Ok(media_type) => media_type,
        Err(_) => claimed.unwrap_or("application/octet-stream"),
    };
    Ok(reply::manifest(
        &kept.bytes,
        &kept.digest,
        content_type,
        asking.head,
        notice,
    ))
}

/// The code for a manifest that is not there.
const UNKNOWN: &str = "MANIFEST_UNKNOWN";
