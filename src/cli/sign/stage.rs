//! `trust sign --stage`: the statement is put on the list of changes, and signed when that is published.

use super::{Args, source::Source};
use crate::cli::{failure::Failure, notice, session::Session};
use trust::{
    reference::ImageReference,
    repository::{
        Error, Repository,
        keyring::{Keyring, KeyringError},
        sign::SignRequest,
    },
};

/// What is to be signed as the command says it, if it says all; else it has to be looked up.
pub(super) fn named(
    image: &ImageReference,
    args: &Args,
    session: &Session,
) -> Result<Option<Source>, Failure> {
    match (image.digest(), args.size) {
        (Some(digest), Some(size)) => {
            let digest = digest.clone();
            Ok(Some(Source { digest, size }))
        }
        (None, Some(_)) => {
            let words = "--size goes with a digest: IMAGE:TAG@DIGEST";
            Err(Failure::wrong(words))
        }
        (_, None) if args.stage && session.globals.offline => {
            let words = "offline, the digest and the size of the manifest have to be named";
            Err(Failure::wrong(words).hint("write IMAGE:TAG@DIGEST and --size BYTES"))
        }
        (_, None) => Ok(None),
    }
}

/// Puts it on the list; false if others have to sign it as well, for whom a list here is no use.
pub(super) async fn stage(
    repository: &Repository,
    keyring: &mut Keyring<'_>,
    request: &SignRequest,
    session: &Session,
) -> Result<bool, Failure> {
    let out = &session.out;
    keyring.restrict(None);
    let mut watch = |event| notice::tell(out, event);
    let staged = repository
        .stage_sign(keyring, request, session.now(), &mut watch)
        .await;
    if let Err(Error::Keyring(KeyringError::Lacking(_))) = staged {
        return Ok(false);
    }
    let changes = staged.map_err(|error| match error {
        Error::Offline | Error::Tuf(_) | Error::NotInitialized { .. } => {
            Failure::from(error).hint("name the role that is to sign it with --role")
        }
        other => other.into(),
    })?;
    for change in changes {
        out.say(&format!(
            "Addition of target \"{}\" by sha256 hash to {} in repository \"{}\" staged for next publish.",
            request.tag,
            change.scope(),
            repository.gun()
        ));
    }
    Ok(true)
}
