//! `trust key list`

use super::{Described, created, location};
use crate::cli::{failure::Failure, session::Session, table::table};
use std::collections::BTreeMap;
use trust::repository::known::{KnownKey, known_keys};
use trust_store::keys::{KeyStore, Place, StoredKey};

/// List the private keys on this machine and its tokens
///
/// The type of an encrypted key is known once trust data that name it have been seen.
#[derive(clap::Args)]
pub(super) struct Args {}

pub(super) fn run(_: &Args, session: &Session) -> Result<(), Failure> {
    let store = session.keys()?;
    let keys = store.list()?;
    for fault in store.damaged()? {
        session.out.warn_always(&fault.to_string());
    }
    let known = known_keys(&session.cache()?)?;
    if session.out.is_json() {
        let rows = keys
            .iter()
            .map(|key| Described::new(key, key_type(key, &store, &known)));
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
                key_type(key, &store, &known).unwrap_or_else(|| "-".to_owned()),
                created(key).unwrap_or_else(|| "-".to_owned()),
                location(key),
            ]
        })
        .collect();
    session.out.text(&table(HEADER, &rows));
    Ok(())
}

/// What the key is for, and the repository or the signer it belongs to.
fn owner(key: &StoredKey) -> (String, String) {
    let nobody = || "-".to_owned();
    match (&key.role, &key.gun) {
        (Some(role), Some(gun)) => (role.clone(), gun.clone()),
        (Some(role), None) if role == "root" => (role.clone(), nobody()),
        (Some(role), None) => ("signer".to_owned(), role.clone()),
        (None, gun) => (nobody(), gun.clone().unwrap_or_else(nobody)),
    }
}

fn key_type(
    key: &StoredKey,
    store: &KeyStore,
    known: &BTreeMap<String, KnownKey>,
) -> Option<String> {
    if let Some(known) = known.get(&key.id) {
        return Some(known.key.key_type.clone());
    }
    match &key.place {
        Place::Token(on) => Some(on.public.key_type.clone()),
        Place::File {
            encrypted: true, ..
        } => None,
        Place::File { .. } => {
            let opened = store.unlock(key, None).ok()?;
            Some(opened.public().key_type.clone())
        }
    }
}

const HEADER: [&str; 6] = [
    "KEY ID",
    "ROLE",
    "REPOSITORY/SIGNER",
    "TYPE",
    "CREATED",
    "LOCATION",
];
/// Digits of an id; any unambiguous prefix names the key.
const SHORT_ID: usize = 12;
