//! What to pull: a digest somebody decided on, and the tag it is to have.

use crate::cli::{decision::Judge, failure::Failure, failure::verdict, session::Session};
use trust::{
    policy::{Mode, Reason, Statement},
    reference::{Digest, ImageReference},
    registry::Registry,
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

/// What passes as this image: what is signed, or whatever is there where the rule says so.
pub(super) async fn decided(
    image: &ImageReference,
    judge: &Judge<'_>,
    registry: &Registry,
    session: &Session,
) -> Result<Target, Failure> {
    let decision = judge.decide(image).await?;
    if let Some(failure) = verdict(&decision.judgement, decision.hint.as_ref()) {
        if judge.rule(image).mode == Mode::Enforce {
            return Err(failure);
        }
        let words = format!(
            "pulled all the same, the rule is only audited: {}",
            failure.words()
        );
        session.out.warn(&words);
        return unchecked(image, registry).await;
    }
    match decision.judgement.decided_by.as_ref() {
        // Who asks for a digest gets no tag, as from Docker.
        Some(statement) => Target::of(statement, image.tag().filter(|_| image.digest().is_none())),
        None => unchecked(image, registry).await,
    }
}

/// Every tag that passes, each decided on for itself.
pub(super) async fn everything(
    image: &ImageReference,
    judge: &Judge<'_>,
    registry: &Registry,
    session: &Session,
) -> Result<Vec<Target>, Failure> {
    let tags = match judge.tags(image).await? {
        Ok(tags) => tags,
        Err(decision) => {
            let failure = verdict(&decision.judgement, decision.hint.as_ref());
            return Err(failure.unwrap_or_else(|| Failure::refused("nothing is signed")));
        }
    };
    if tags.is_empty() {
        let words = format!("No trusted tags for {}", image.gun());
        return Err(Failure::refused(words).because(Reason::Unsigned));
    }
    let mut targets = Vec::new();
    for tag in tags {
        let image = image.with_tag(&tag)?;
        targets.push(decided(&image, judge, registry, session).await?);
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
