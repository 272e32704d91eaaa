//! `trust key remove`

use super::{Facts, find::only};
use crate::cli::{failure::Failure, session::Session};
use std::collections::BTreeSet;
use std::path::PathBuf;
use trust::repository::known::{Need, needs};
use trust_store::keys::StoredKey;

/// Remove a private key from this machine
///
/// Says first which repositories still need it, as far as is known here, and asks. Every file
/// that holds the key goes, also in the folders of old versions; backups stay.
#[derive(clap::Args)]
pub(super) struct Args {
    /// Id, the first digits of it, or name of the key
    #[arg(value_name = "ID|NAME")]
    pub(super) key: String,
    /// Do not ask
    #[arg(short, long)]
    force: bool,
}

pub(super) fn run(args: &Args, session: &Session) -> Result<(), Failure> {
    let out = &session.out;
    let facts = Facts::find(session)?;
    let stored = only(&facts.store, &args.key)?;
    let here: BTreeSet<_> = facts.keys.iter().map(|key| key.id.as_str()).collect();
    let needs = needs(&facts.known, &stored.id, &here);
    for line in warnings(&stored, &needs, &facts) {
        out.warn_always(&line);
    }
    let files = facts.store.files_of(&stored.id)?;
    if files.is_empty() {
        stored.place.file(&stored.id)?;
    }
    let names: Vec<_> = files.iter().map(|it| it.display().to_string()).collect();
    let role = stored.role.as_deref().unwrap_or("unknown");
    let what = format!("{} (role {role}) from {}", stored.id, names.join(", "));
    let question = format!("Are you sure you want to remove {what}?");
    let removed = args.force || session.confirm(&question, "-f")?;
    if removed {
        facts.store.remove(&files)?;
        out.say(&format!("Deleted {what}."));
    } else {
        out.note("Aborting action.");
    }
    if out.is_json() {
        report(&stored, &needs, &files, removed, session);
    }
    Ok(())
}

/// Who misses the key, and that nobody can bring it back.
fn warnings(stored: &StoredKey, needs: &[Need], facts: &Facts) -> Vec<String> {
    let mut lines: Vec<_> = needs
        .iter()
        .map(|Need { gun, role, last }| {
            let here = if *last {
                "it is the last key of that role here"
            } else {
                "another key of that role is here"
            };
            format!("{gun} needs this key for {role}; {here}")
        })
        .collect();
    match facts.backups.of(stored) {
        Some(kept) => lines.extend((!kept.current).then(|| {
            let file = kept.file;
            format!("the backup {file} holds it under an earlier passphrase")
        })),
        None => lines.push("no backup of this key is known here".to_owned()),
    }
    lines
}

fn report(stored: &StoredKey, needs: &[Need], files: &[PathBuf], removed: bool, session: &Session) {
    let needed = |need: &Need| {
        let Need { gun, role, last } = need;
        serde_json::json!({ "repository": gun, "role": role, "last": last })
    };
    session.out.json(&serde_json::json!({
        "id": stored.id,
        "role": stored.role,
        "needed_by": needs.iter().map(needed).collect::<Vec<_>>(),
        "files": files,
        "removed": removed,
    }));
}
