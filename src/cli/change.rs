//! Changes of who may sign: staged, or published at once.

use super::{failure::Failure, notice, prompt::Prompt, request::Delivery, session::Session};
use trust::{
    reference::ImageReference,
    remote::Actions,
    repository::keyring::Keyring,
    tuf::{change::Change, role::RoleName},
};

/// What became of changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// They wait in the list
    Staged,
    /// Everybody has them
    Published,
    /// They wait for others to sign them
    Requested,
    /// It was so already
    Unchanged,
}

impl Outcome {
    /// The end of a sentence that begins with what was changed.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Staged => "staged for next publish.",
            Self::Published => "published.",
            Self::Requested => "requested.",
            Self::Unchanged => "not needed: it is so already.",
        }
    }

    /// The same for programs.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Staged => "staged",
            Self::Published => "published",
            Self::Requested => "requested",
            Self::Unchanged => "unchanged",
        }
    }
}

/// When a change of who may sign reaches everybody.
#[derive(clap::Args)]
pub(crate) struct Way {
    /// Only put it on the list of changes, for `trust repo publish`
    #[arg(long, conflicts_with = "request")]
    pub(crate) stage: bool,
    #[command(flatten)]
    pub(crate) delivery: Delivery,
}

/// Stages the changes, requests them, or publishes them in one publish.
pub(crate) async fn carry_out(
    image: &ImageReference,
    changes: &[Change],
    way: &Way,
    session: &Session,
) -> Result<Outcome, Failure> {
    let repository = session.repository(image, Actions::PullPush).await?;
    let repository = way.delivery.of(repository)?;
    if way.stage {
        repository.stage(changes, session.now())?;
        return Ok(Outcome::Staged);
    }
    let mut prompt = Prompt::new(session);
    let mut keyring = Keyring::new(session.keys()?, &mut prompt);
    let mut watch = |event| notice::tell(&session.out, event);
    let published = repository
        .change(&mut keyring, changes, session.now(), &mut watch)
        .await?;
    if way.delivery.is_request() {
        way.delivery.finish(&repository, session)?;
        return Ok(Outcome::Requested);
    }
    Ok(if published {
        Outcome::Published
    } else {
        Outcome::Unchanged
    })
}

/// A delegation, named with or without `targets/` in front.
pub(crate) fn delegation(typed: &str) -> Result<RoleName, Failure> {
    let name = match typed.strip_prefix("targets/") {
        Some(_) => typed.to_owned(),
        None => format!("targets/{typed}"),
    };
    RoleName::parse(&name).ok_or_else(|| {
        Failure::wrong(format!(
            "tuf: invalid role {typed}. invalid delegation role name"
        ))
        .hint("lower-case letters, digits, `-`, `_`, and `/` between levels")
    })
}

/// `targets` itself, or a delegation.
pub(crate) fn targets_role(typed: &str) -> Result<RoleName, Failure> {
    match typed {
        "targets" => Ok(RoleName::targets()),
        typed => delegation(typed),
    }
}

/// Prints what became of a change of a role, where JSON is wanted.
pub(crate) fn report(image: &ImageReference, roles: &[String], done: Outcome, session: &Session) {
    // A request is described by itself.
    if session.out.is_json() && done != Outcome::Requested {
        session.out.json(&serde_json::json!({
            "repository": image.gun(),
            "roles": roles,
            "outcome": done.name(),
        }));
    }
}
