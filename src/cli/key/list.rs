//! `trust key list`

use super::{Described, Facts, created, location};
use crate::cli::{failure::Failure, session::Session, table::table};
use trust_store::keys::{KeptBackup, StoredKey};

/// List the private keys on this machine and its tokens
///
/// The type of an encrypted key, and the repositories that use a key, are known once trust data
/// that name it have been seen.
#[derive(clap::Args)]
pub(super) struct Args {}

pub(super) fn run(_: &Args, session: &Session) -> Result<(), Failure> {
    let facts = Facts::find(session)?;
    let keys = &facts.keys;
    for fault in facts.store.damaged()? {
        session.out.warn_always(&fault.to_string());
    }
    if session.out.is_json() {
        let rows = keys
            .iter()
            .map(|key| Described::new(key, facts.key_type(key), &facts));
        session.out.json(&rows.collect::<Vec<_>>());
        return Ok(());
    }
    let rows: Vec<_> = keys
        .iter()
        .map(|key| {
            let (role, whose) = owner(key);
            [
                key.id.get(..SHORT_ID).unwrap_or(&key.id).to_owned(),
                role,
                whose,
                facts.key_type(key).unwrap_or_else(nothing),
                used_in(facts.uses(key)),
                backed_up(facts.backups.of(key)),
                created(key).unwrap_or_else(nothing),
                location(key),
            ]
        })
        .collect();
    session.out.text(&table(HEADER, &rows));
    Ok(())
}

/// The repositories in which a key may sign.
fn used_in(uses: &[(String, String)]) -> String {
    let mut guns: Vec<_> = uses.iter().map(|(gun, _)| gun.as_str()).collect();
    guns.dedup();
    match guns.as_slice() {
        [] => nothing(),
        [only] => (*only).to_owned(),
        [first, others @ ..] => format!("{first} and {} more", others.len()),
    }
}

/// The day of the last backup.
fn backed_up(backup: Option<KeptBackup>) -> String {
    let Some(backup) = backup else {
        return nothing();
    };
    let moment = backup.at.to_string();
    let day = moment.split('T').next().unwrap_or_default();
    if backup.current {
        day.to_owned()
    } else {
        format!("{day}, changed since")
    }
}

fn nothing() -> String {
    "-".to_owned()
}

/// What the key is for, and the repository or the signer it belongs to.
fn owner(key: &StoredKey) -> (String, String) {
    match (&key.role, &key.gun) {
        (Some(role), Some(gun)) => (role.clone(), gun.clone()),
        (Some(role), None) if role == "root" => (role.clone(), nothing()),
        (Some(role), None) => ("signer".to_owned(), role.clone()),
        (None, gun) => (nothing(), gun.clone().unwrap_or_else(nothing)),
    }
}

const HEADER: [&str; 8] = [
    "KEY ID",
    "ROLE",
    "REPOSITORY/SIGNER",
    "TYPE",
    "USED IN",
    "BACKUP",
    "CREATED",
    "LOCATION",
];
/// Digits of an id; any unambiguous prefix names the key.
const SHORT_ID: usize = 12;
