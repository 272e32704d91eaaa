//! `trust key backup`

use super::{create, location, occupied};
use crate::cli::{failure::Failure, session::Session};
use std::path::PathBuf;
use trust_store::keys::Place;

/// Write all keys into one encrypted file
///
/// Each key also keeps its own passphrase inside; one that has none is protected by that of the
/// backup alone. `trust key restore` brings the keys back.
#[derive(clap::Args)]
pub(super) struct Args {
    /// The new file
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
}

pub(super) fn run(args: &Args, session: &Session) -> Result<(), Failure> {
    let out = &session.out;
    let store = session.keys()?;
    let (mut keys, mut on_tokens) = (Vec::new(), Vec::new());
    for key in store.list()? {
        match key.place {
            Place::File { .. } => keys.push(key),
            Place::Token(_) => on_tokens.push(key),
        }
    }
    if keys.is_empty() {
        return Err(Failure::wrong("there are no keys here"));
    }
    for key in &on_tokens {
        let (id, place) = (&key.id, location(key));
        out.warn_always(&format!(
            "not in the backup: {id}, which {place} does not give away"
        ));
    }
    for fault in store.damaged()? {
        out.warn_always(&format!("not in the backup: {fault}"));
    }
    if args.output.symlink_metadata().is_ok() {
        // Nobody should choose a passphrase for nothing.
        return Err(occupied(&args.output));
    }
    let passphrase = session.backup_passphrase(true)?;
    let bytes = store.back_up(&keys, &passphrase)?;
    create(&args.output, &bytes)?;
    let file = std::path::absolute(&args.output).unwrap_or_else(|_| args.output.clone());
    if let Err(error) = store.remember_backup(&keys, &file, session.now()) {
        out.warn_always(&format!("the backup is made, but not noted: {error}"));
    }
    let count = keys.len();
    let keys_are = if count == 1 { "key" } else { "keys" };
    let name = args.output.display();
    out.say(&format!("Backed up {count} {keys_are} to {name}"));
    if out.is_json() {
        let ids: Vec<_> = keys.iter().map(|key| key.id.as_str()).collect();
        out.json(&serde_json::json!({ "backup": args.output, "keys": ids }));
    }
    Ok(())
}
