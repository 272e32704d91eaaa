//! `trust key restore`

use crate::cli::{failure::Failure, prompt::Prompt, session::Session};
use serde::Serialize;
use std::path::PathBuf;
use trust::repository::keyring::{KeyName, KeyringError, Passphrases};
use trust_store::keys::{BackedUpKey, KeyError, KeyStore, open_backup, read_backup};

/// Bring keys back from a backup
///
/// A key that is here already is left alone.
#[derive(clap::Args)]
pub(super) struct Args {
    /// What `trust key backup` wrote
    file: PathBuf,
}

#[derive(Serialize)]
struct Told {
    id: String,
    role: Option<String>,
    restored: bool,
    location: String,
}

pub(super) fn run(args: &Args, session: &Session) -> Result<(), Failure> {
    let out = &session.out;
    // The command named the file, so it is the command that is wrong.
    let bytes = read_backup(&args.file).map_err(|error| Failure::wrong(error.to_string()))?;
    let keys = open_backup(&bytes, &session.backup_passphrase(false)?)?;
    let store = session.keys()?;
    let mut prompt = Prompt::new(session);
    let mut done = Vec::new();
    for key in &keys {
        let restored = restore(key, &store, &mut prompt)?;
        let role = key.role().unwrap_or("unknown");
        let (id, path) = (key.id(), restored.location.as_str());
        out.say(&if restored.restored {
            format!("Restored {id} (role {role})")
        } else {
            format!("Left alone {id} (role {role}): it is already in {path}")
        });
        done.push(restored);
    }
    if out.is_json() {
        out.json(&done);
    }
    Ok(())
}

fn restore(key: &BackedUpKey, store: &KeyStore, prompt: &mut Prompt<'_>) -> Result<Told, Failure> {
    let done = |restored, location| Told {
        id: key.id().to_owned(),
        role: key.role().map(str::to_owned),
        restored,
        location,
    };
    if let Some(there) = store.find(key.id())? {
        return Ok(done(false, super::location(&there)));
    }
    let fresh = if key.encrypted() {
        None
    } else {
        let (role, id) = (key.role().unwrap_or("signer"), key.id());
        let fresh = prompt.fresh(&KeyName { role, id });
        Some(fresh.map_err(KeyringError::from)?)
    };
    match store.restore(key, fresh.as_ref()) {
        Ok(path) => Ok(done(true, path.display().to_string())),
        Err(KeyError::AlreadyThere { path, .. }) => Ok(done(false, path.display().to_string())),
        Err(error) => Err(error.into()),
    }
}
