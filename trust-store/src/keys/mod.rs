//! Private keys that never leave, and the public halves that may.
//!
//! Key files have Docker's form: PEM with `role` and `gun` headers around PKCS#8, encrypted with
//! a passphrase. [`KeyFile`] reads that and everything else Docker and OpenSSL call a key.
//! [`Tokens`] hold keys that nobody can read.

mod backup;
mod backup_record;
mod encoding;
mod error;
mod export;
mod file;
mod folder;
mod legacy_pem;
mod migrate;
mod passphrase;
mod pkcs8_envelope;
mod private;
mod public;
mod public_file;
mod remove;
mod rewrite;
mod store;
mod token;

pub use backup::{BackedUpKey, BackupError, open_backup, read_backup};
pub use backup_record::{Backups, KeptBackup};
pub(crate) use encoding::{from_pkcs8, to_pkcs8};
pub use error::KeyError;
pub use file::{EncryptedKey, KeyFile, MAX_FILE_SIZE, read_file};
pub use migrate::{OldKey, Why};
pub use passphrase::Passphrase;
pub(crate) use private::fill_randomly;
pub use private::{Algorithm, PrivateKey, Signature};
pub use public::PublicKey;
pub use public_file::{encode_public, parse_public};
pub use store::{KeyStore, Label, Place, StoredKey};
pub use token::{TokenAlgorithm, TokenError, TokenKey, TokenName, Tokens, Tries};
