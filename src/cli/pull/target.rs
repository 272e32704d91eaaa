//! What to pull: a digest somebody decided on, and the tag it is to have.

use crate::cli::{
    decision::decide_in, failure::Failure, failure::verdict, notice, session::Session,
};
use trust::{
    policy::{Reason, Requirement, Statement},
    reference::{Digest, ImageReference},
    registry::Registry,
    remote::Actions,
    repository::Repository,
};

/// One manifest to pull.
pub(super) struct Target {
    /// The tag it gets; none if it was asked for by digest
    pub(super) tag: Option<String>,
    /// Its digest
    pub(super) digest: Digest,
    /// The size that is signed, in bytes; none if nobody was asked
    pub(super) size: Option<u64>,
}

impl Target {
    /// How Docker names it.
    pub(super) fn line(&self, image: &ImageReference) -> String {
        let tag = self.tag.iter().map(|tag| format!(":{tag}"));
        let tag: String = tag.collect();
        format!("{}{tag}@{}", image.familiar(), self.digest)
    }

    fn of(statement: &Statement, tag: Option<&str>) -> Result<Self, Failure> {
        Ok(Self {
            tag: tag.map(str::to_owned),
            digest: Digest::parse(&format!("sha256:{}", statement.digest))?,
            size: Some(statement.size),
        })
    }
}

/// What is signed as this image, if it is trusted.
pub(super) async fn decided(image: &ImageReference, session: &Session) -> Result<Target, Failure> {
    let repository = session.repository(image, Actions::Pull).await?;
    decided_in(&repository, image, session).await
}

async fn decided_in(
    repository: &Repository,
    image: &ImageReference,
    session: &Session,
) -> Result<Target, Failure> {
    let decision = decide_in(repository, image, &Requirement::default(), session).await;
    if let Some(failure) = verdict(&decision.judgement, decision.hint.as_ref()) {
        return Err(failure);
    }
    let statement = decision.judgement.decided_by.as_ref();
    let statement = statement.ok_or_else(|| Failure::refused("nothing is signed"))?;
    // Who asks for a digest gets no tag, as from Docker.
    Target::of(statement, image.tag().filter(|_| image.digest().is_none()))
}

/// Every released tag, each decided on for itself.
pub(super) async fn everything(
    image: &ImageReference,
    session: &Session,
) -> Result<Vec<Target>, Failure> {
    let repository = session.repository(image, Actions::Pull).await?;
    let mut watch = |event| notice::tell(&session.out, event);
    let inspected = repository.inspect(None, session.now(), &mut watch).await?;
    let mut tags: Vec<String> = inspected
        .signed_tags
        .into_iter()
        .map(|row| row.tag)
        .collect();
    tags.dedup();
    if tags.is_empty() {
        let words = format!("No trusted tags for {}", image.gun());
        return Err(Failure::refused(words).because(Reason::Unsigned));
    }
    let mut targets = Vec::new();
    for tag in tags {
        targets.push(decided_in(&repository, &image.with_tag(&tag)?, session).await?);
    }
    Ok(targets)
}

/// What the registry serves, signed or not.
pub(super) async fn unchecked(
    image: &ImageReference,
    registry: &Registry,
) -> Result<Target, Failure> {
    let manifest = registry.manifest(image).await?;
    Ok(Target {
        tag: image
            .tag()
            .filter(|_| image.digest().is_none())
            .map(str::to_owned),
        digest: manifest.digest,
        size: None,
    })
}
