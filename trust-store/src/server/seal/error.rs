//! What can go wrong with the seal of the online keys.

use std::io;
use std::path::PathBuf;

use super::source::{MAX_KEY_FILE, MIN_KEY_FILE};
use crate::keys::KeyError;
use crate::server::StoreError;

/// Why online keys could not be sealed or opened. Never holds a secret.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SealError {
    /// What is stored as this key is not what was sealed for it.
    #[error("the online key {id} is damaged: what is stored is not what was sealed for it")]
    Damaged {
        /// The key's id.
        id: String,
    },
    /// A passphrase that protects nothing.
    #[error("the passphrase of the online keys is empty")]
    EmptyPassphrase,
    /// A key could not be made or read.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The key file could not be read or made.
    #[error("could not {action} the key file {}: {source}", path.display())]
    KeyFile {
        /// What was tried.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// A file that nobody made to be one.
    #[error("the key file {} has {size} bytes, not {MIN_KEY_FILE} to {MAX_KEY_FILE}", path.display())]
    KeyFileSize {
        /// The file.
        path: PathBuf,
        /// Its size in bytes, or one more than the largest accepted.
        size: usize,
    },
    /// The system gave no thread or memory to make the key.
    #[error("could not make a key of the passphrase: {reason}")]
    NoRoom {
        /// What was missing.
        reason: String,
    },
    /// The keys are sealed by the other kind of secret.
    #[error("the online keys of this store are sealed with a {kept}, not with a {given}")]
    OtherKind {
        /// What opens the keys.
        kept: &'static str,
        /// What was given.
        given: &'static str,
    },
    /// Another process sealed all keys anew, with a secret that this one was not given.
    #[error("the online keys of this store were sealed anew: start again with the new secret")]
    Resealed,
    /// The store could not be asked.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The key file is another one.
    #[error("the key file {} does not open the online keys of this store", path.display())]
    WrongKeyFile {
        /// The file.
        path: PathBuf,
    },
    /// The passphrase is another one.
    #[error("the passphrase does not open the online keys of this store")]
    WrongPassphrase,
}
