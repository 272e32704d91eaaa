//! Where the key of the seal comes from: a passphrase, or a file of random bytes.

use std::fmt;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ring::hkdf::{HKDF_SHA256, Salt};
use tokio::task::spawn_blocking;
use zeroize::Zeroizing;

use super::SealError;
use crate::atomic::create_atomic;
use crate::keys::{Passphrase, fill_randomly};
use crate::seal_key::{Cost, CostError, SealKey};
use crate::server::StoreError;

/// The secret that opens the online keys.
pub enum SealSource {
    /// The key is made of a passphrase by argon2id, once per process.
    Passphrase(Passphrase),
    /// The key is made of the bytes in this file by HKDF; all of them count.
    KeyFile(PathBuf),
}

impl SealSource {
    /// A key file is there: true if it was made, readable by its owner only; never overwrites.
    pub fn create_key_file(path: &Path) -> Result<bool, SealError> {
        // The disk may be full by now, or the file a secret in a folder that is only read.
        if path.exists() {
            return Ok(false);
        }
        let mut bytes = Zeroizing::new([0; MIN_KEY_FILE]);
        fill_randomly(bytes.as_mut_slice())?;
        match create_atomic(path, bytes.as_slice(), 0o600) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
            Err(source) => Err(SealError::KeyFile {
                action: "make",
                path: path.to_owned(),
                source,
            }),
        }
    }

    /// How a key is made of a secret of this kind today.
    pub(super) fn method(&self) -> Method {
        match self {
            Self::Passphrase(_) => Method::Argon2id(Cost::TODAY),
            Self::KeyFile(_) => Method::Hkdf,
        }
    }

    /// The secret does not open the keys.
    pub(super) fn wrong(&self) -> SealError {
        match self {
            Self::Passphrase(_) => SealError::WrongPassphrase,
            Self::KeyFile(path) => SealError::WrongKeyFile { path: path.clone() },
        }
    }

    /// The key of this secret and salt, made where it holds nobody up.
    pub(super) async fn derive(
        self: &Arc<Self>,
        method: Method,
        salt: &[u8],
    ) -> Result<SealKey, SealError> {
        let (source, salt) = (Arc::clone(self), salt.to_vec());
        spawn_blocking(move || source.derive_now(method, &salt))
            .await
            .unwrap_or_else(|error| Err(no_room(error)))
    }

    fn derive_now(&self, method: Method, salt: &[u8]) -> Result<SealKey, SealError> {
        match (self, method) {
            (Self::Passphrase(passphrase), Method::Argon2id(cost)) => {
                from_passphrase(passphrase, cost, salt)
            }
            (Self::KeyFile(path), Method::Hkdf) => from_bytes(&read_key_file(path)?, salt),
            _ => Err(SealError::OtherKind {
                kept: method.secret(),
                given: self.method().secret(),
            }),
        }
    }
}

impl fmt::Debug for SealSource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Passphrase(_) => formatter.write_str("Passphrase(..)"),
            Self::KeyFile(path) => formatter.debug_tuple("KeyFile").field(path).finish(),
        }
    }
}

/// How a key is made of a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Method {
    /// Of a passphrase
    Argon2id(Cost),
    /// Of random bytes (HKDF with SHA-256)
    Hkdf,
}

impl Method {
    /// The secret it is for, as people call it.
    fn secret(self) -> &'static str {
        match self {
            Self::Argon2id(_) => "passphrase",
            Self::Hkdf => "key file",
        }
    }
}

fn from_passphrase(passphrase: &Passphrase, cost: Cost, salt: &[u8]) -> Result<SealKey, SealError> {
    cost.derive(passphrase, salt).map_err(|error| match error {
        CostError::EmptyPassphrase => SealError::EmptyPassphrase,
        CostError::NoRoom(reason) => SealError::NoRoom { reason },
        CostError::Unreasonable => {
            StoreError::damaged("nobody makes a key at the cost of its seal").into()
        }
    })
}

fn from_bytes(secret: &[u8], salt: &[u8]) -> Result<SealKey, SealError> {
    let mut key = Zeroizing::new([0; 32]);
    Salt::new(HKDF_SHA256, salt)
        .extract(secret)
        .expand(&[b"trust online keys"], HKDF_SHA256)
        .and_then(|made| made.fill(key.as_mut_slice()))
        .map_err(|_| no_room("HKDF"))?;
    Ok(SealKey::new(key))
}

fn read_key_file(path: &Path) -> Result<Zeroizing<Vec<u8>>, SealError> {
    // Room for all of it at once: growing would leave copies behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_KEY_FILE + 1));
    File::open(path)
        .and_then(|file| file.take(MAX_KEY_FILE as u64 + 1).read_to_end(&mut bytes))
        .map_err(|source| SealError::KeyFile {
            action: "read",
            path: path.to_owned(),
            source,
        })?;
    if (MIN_KEY_FILE..=MAX_KEY_FILE).contains(&bytes.len()) {
        return Ok(bytes);
    }
    Err(SealError::KeyFileSize {
        path: path.to_owned(),
        size: bytes.len(),
    })
}

#[expect(clippy::needless_pass_by_value, reason = "stands in map_err")]
fn no_room(reason: impl ToString) -> SealError {
    SealError::NoRoom {
        reason: reason.to_string(),
    }
}

/// Bytes of the shortest key file, and of those made here.
pub(super) const MIN_KEY_FILE: usize = 32;
/// Bytes of the longest key file.
pub(super) const MAX_KEY_FILE: usize = 4096;
