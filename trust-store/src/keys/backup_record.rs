//! Which keys were backed up, when and into which file: what is known here, not a promise.
//!
//! `key-backups.json` in the trust directory, ours: `{"version":1,"keys":{ID:{"at","file","sha256"}}}`.
//! The hash is that of the key's file, so that a key whose passphrase was changed since is noticed.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};

use super::error::KeyError;
use super::file::read_file;
use super::folder::read_regular;
use super::store::{KeyStore, StoredKey};
use crate::atomic::write_atomic;

/// The last backup of each key.
#[derive(Clone, Debug, Default)]
pub struct Backups(BTreeMap<String, Entry>);

/// The last backup of one key.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct KeptBackup {
    /// When it was made.
    pub at: Timestamp,
    /// The file it was written to.
    pub file: String,
    /// Whether it holds the key as it is now; else it opens with an earlier passphrase.
    pub current: bool,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    version: u32,
    keys: BTreeMap<String, Entry>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    at: Timestamp,
    file: String,
    sha256: String,
}

impl Backups {
    /// The last backup of this key.
    pub fn of(&self, stored: &StoredKey) -> Option<KeptBackup> {
        let entry = self.0.get(&stored.id)?;
        let now = hash_of(stored).ok();
        Some(KeptBackup {
            at: entry.at,
            file: entry.file.clone(),
            current: now.as_ref() == Some(&entry.sha256),
        })
    }
}

impl KeyStore {
    /// What is known of backups; nothing if none was made here.
    ///
    /// # Errors
    /// The record cannot be read, or is none.
    pub fn backups(&self) -> Result<Backups, KeyError> {
        let path = self.record();
        if path.symlink_metadata().is_err() {
            return Ok(Backups::default());
        }
        let bytes = read_file(&path)?;
        let document: Document =
            serde_json::from_slice(&bytes).map_err(|error| unknown(&path, error))?;
        if document.version != VERSION {
            return Err(unknown(&path, "it is of another version"));
        }
        Ok(Backups(document.keys))
    }

    /// It is known that these keys are in this backup; a record that could not be read begins anew.
    pub fn remember_backup(
        &self,
        keys: &[StoredKey],
        file: &Path,
        at: Timestamp,
    ) -> Result<(), KeyError> {
        let mut known = self.backups().unwrap_or_default().0;
        for key in keys {
            let entry = Entry {
                at,
                file: file.to_string_lossy().into_owned(),
                sha256: hash_of(key)?,
            };
            known.insert(key.id.clone(), entry);
        }
        let path = self.record();
        let document = Document {
            version: VERSION,
            keys: known,
        };
        serde_json::to_vec_pretty(&document)
            .map_err(io::Error::other)
            .and_then(|bytes| write_atomic(&path, &bytes, 0o600))
            .map_err(|source| KeyError::CannotWrite { path, source })
    }

    fn record(&self) -> PathBuf {
        self.private.with_file_name("key-backups.json")
    }
}

fn hash_of(key: &StoredKey) -> Result<String, KeyError> {
    Ok(hex::encode(digest(
        &SHA256,
        &read_regular(key.place.file(&key.id)?)?,
    )))
}

#[expect(clippy::needless_pass_by_value, reason = "stands in map_err")]
fn unknown(path: &Path, reason: impl ToString) -> KeyError {
    KeyError::CannotRead {
        path: path.to_owned(),
        source: io::Error::other(format!("no record of backups: {}", reason.to_string())),
    }
}

const VERSION: u32 = 1;
