//! Keys in old places and old forms, brought into the form of today.
//!
//! The old files stay. One that has today's name already is kept as `ID.key.old`, which no
//! program takes for a key, before the new one takes its name: whenever the process is
//! stopped, the key is in one of the two.

use std::io::{self, ErrorKind};
use std::path::PathBuf;

use super::error::KeyError;
use super::file::{Form, encode_under, private_block};
use super::folder::{candidates, read_regular};
use super::passphrase::Passphrase;
use super::private::PrivateKey;
use super::rewrite::{block_of, labels};
use super::store::{KeyStore, StoredKey, in_file, look_at};
use crate::atomic::{create_atomic, write_atomic};
use zeroize::Zeroizing;

/// A key file that Docker and Notary of today do not read, or not in its place.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct OldKey {
    /// The key as it is kept.
    pub stored: StoredKey,
    /// What is old about it.
    pub why: Why,
    /// The key of today with the same id that is there already, if any: there is nothing to do.
    pub done: Option<PathBuf>,
}

/// What is old about a key file.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Why {
    /// It lies in a folder of Notary before 0.4.
    Folder,
    /// It has its place, but is encrypted in a way they do not read, or badly.
    Encryption,
    /// It has its place, but no passphrase.
    Plain,
}

impl KeyStore {
    /// Every key file that is not in the form of today, and what is wrong with those that cannot
    /// be read.
    pub fn old_keys(&self) -> Result<Vec<Result<OldKey, KeyError>>, KeyError> {
        let found = candidates(&self.private)?.into_iter().map(|it| {
            let today = self.path_of(&it.id);
            let stored = look_at(it)?;
            let (why, done) = if stored.place.file(&stored.id)? == today {
                let form = Form::of(&block_of(&stored)?);
                match form.map_err(|error| in_file(&today, error))? {
                    Form::Todays => return Ok(None),
                    Form::OldEncryption => (Why::Encryption, None),
                    Form::Plain => (Why::Plain, None),
                }
            } else {
                let there = today.symlink_metadata().is_ok();
                (Why::Folder, there.then_some(today))
            };
            Ok(Some(OldKey { stored, why, done }))
        });
        Ok(found.filter_map(Result::transpose).collect())
    }

    /// The key is where Docker and Notary look for it, in the form they read; returns its file and,
    /// where the old one had that name, the old one's new name.
    ///
    /// `key` is what the old file holds. Its role and repository become headers, a repository only
    /// with roles that belong to one.
    ///
    /// # Errors
    /// [`KeyError::AlreadyThere`] if the old folders have a key that is there today.
    pub fn migrate(
        &self,
        old: &OldKey,
        key: &PrivateKey,
        passphrase: &Passphrase,
    ) -> Result<(PathBuf, Option<PathBuf>), KeyError> {
        let stored = &old.stored;
        let old_path = stored.place.file(&stored.id)?;
        let (named, actual) = (stored.id.clone(), key.id().to_owned());
        if named != actual {
            return Err(in_file(old_path, KeyError::WrongId { named, actual }));
        }
        let before = Zeroizing::new(read_regular(old_path)?);
        let block = private_block(&before).map_err(|error| in_file(old_path, error))?;
        let mut headers = labels(&block);
        headers.retain(|(name, _)| !matches!(*name, "gun" | "path" | "role"));
        headers.extend(stored.role.as_deref().map(|role| ("role", role)));
        let of_one = |role: &str| matches!(role, "targets" | "snapshot" | "timestamp");
        if stored.role.as_deref().is_some_and(of_one) {
            headers.extend(stored.gun.as_deref().map(|gun| ("gun", gun)));
        }
        headers.sort_unstable();
        let text = encode_under(key, &headers, passphrase)?;
        let path = self.path_of(&stored.id);
        let failed = |source| KeyError::CannotWrite {
            path: path.clone(),
            source,
        };
        if old_path == path {
            let kept = self.keep_beside(&stored.id, &before)?;
            write_atomic(&path, text.as_bytes(), 0o600).map_err(failed)?;
            return Ok((path, Some(kept)));
        }
        match create_atomic(&path, text.as_bytes(), 0o600) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                let id = stored.id.clone();
                Err(KeyError::AlreadyThere { id, path })
            }
            other => other.map_err(failed).map(|()| (path, None)),
        }
    }

    /// What a migration left beside the key with this id.
    pub(super) fn left_beside(&self, id: &str) -> Vec<PathBuf> {
        let names = (0..MOST_OLD).map(|number| self.old_name(id, number));
        names
            .filter(|path| path.symlink_metadata().is_ok())
            .collect()
    }

    /// The bytes are in a file beside the key of this id; one that holds them already will do.
    fn keep_beside(&self, id: &str, bytes: &[u8]) -> Result<PathBuf, KeyError> {
        let failed = |path: PathBuf| move |source| KeyError::CannotWrite { path, source };
        for number in 0..MOST_OLD {
            let path = self.old_name(id, number);
            match create_atomic(&path, bytes, 0o600) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                    let there = read_regular(&path).map(Zeroizing::new);
                    if there.is_ok_and(|there| *there == bytes) {
                        return Ok(path);
                    }
                }
                other => return other.map_err(failed(path.clone())).map(|()| path),
            }
        }
        let full = io::Error::other("too many old files of this key");
        Err(failed(self.old_name(id, 0))(full))
    }

    fn old_name(&self, id: &str, number: usize) -> PathBuf {
        let name = match number {
            0 => format!("{id}.key.old"),
            number => format!("{id}.key.old.{number}"),
        };
        self.private.join(name)
    }
}

/// Old files of one key that are kept.
const MOST_OLD: usize = 16;
