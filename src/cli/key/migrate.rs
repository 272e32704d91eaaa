//! `trust key migrate`

use crate::cli::{failure::Failure, failure::worst, prompt::Prompt, session::Session};
use serde::Serialize;
use std::path::{Path, PathBuf};
use trust::repository::keyring::Keyring;
use trust_store::keys::{OldKey, Why};

/// Copy keys of old versions into the form of today
///
/// Finds keys in the folders of Notary before 0.4, keys encrypted as they were then, and keys
/// without a passphrase, which get one. The old files are kept.
#[derive(clap::Args)]
pub(super) struct Args {}

#[derive(Serialize)]
struct Migrated {
    id: Option<String>,
    role: Option<String>,
    old: Option<PathBuf>,
    new: Option<PathBuf>,
    result: &'static str,
    message: Option<String>,
}

pub(super) fn run(_: &Args, session: &Session) -> Result<(), Failure> {
    let out = &session.out;
    let store = session.keys()?;
    let mut prompt = Prompt::new(session);
    let mut keyring = Keyring::new(store.clone(), &mut prompt);
    let (mut done, mut kinds) = (Vec::new(), Vec::new());
    for old in store.old_keys()? {
        let migrated = match old {
            Ok(old) => migrate(&old, &mut keyring, session),
            Err(error) => Err(error.into()),
        };
        done.push(migrated.unwrap_or_else(|failure: Failure| {
            kinds.push(failure.kind());
            failure.tell(out);
            Migrated {
                id: None,
                role: None,
                old: None,
                new: None,
                result: "failed",
                message: Some(failure.words().to_owned()),
            }
        }));
    }
    if done.is_empty() {
        out.say("Every key has the form of today");
    }
    if out.is_json() {
        out.json(&done);
    }
    worst(kinds).map_or(Ok(()), |kind| Err(Failure::told(kind)))
}

fn migrate(
    old: &OldKey,
    keyring: &mut Keyring<'_>,
    session: &Session,
) -> Result<Migrated, Failure> {
    let (out, stored) = (&session.out, &old.stored);
    let told = |result, old: &Path, new: PathBuf| Migrated {
        id: Some(stored.id.clone()),
        role: stored.role.clone(),
        old: Some(old.to_owned()),
        new: Some(new),
        result,
        message: None,
    };
    let (id, role) = (&stored.id, stored.role.as_deref().unwrap_or("unknown"));
    let old_path = stored.place.file(id)?;
    if let Some(there) = &old.done {
        let (old, new) = (old_path.display(), there.display());
        out.say(&format!(
            "Left alone {id} (role {role}): {old} is in {new} already"
        ));
        return Ok(told("already-there", old_path, there.clone()));
    }
    let (new, kept) = keyring.migrate(old).map_err(|error| {
        let doing = format!("could not migrate {}", old_path.display());
        Failure::from(error).after(&doing)
    })?;
    let (new_name, old_name) = (new.display(), kept.display());
    out.say(&format!(
        "Migrated {id} (role {role}) to {new_name}; the old file is {old_name}"
    ));
    if old.why == Why::Plain || !stored.place.is_closed() {
        out.warn_always(&format!(
            "{old_name} opens without a passphrase: remove it once you have a backup"
        ));
    }
    Ok(told("migrated", &kept, new))
}
