//! Another passphrase on a key file.

use pem::Pem;

use super::error::KeyError;
use super::file::{Form, encode_under, private_block};
use super::folder::read_regular;
use super::passphrase::Passphrase;
use super::private::PrivateKey;
use super::store::{KeyStore, StoredKey, in_file};
use crate::atomic::write_atomic;
use zeroize::Zeroizing;

impl KeyStore {
    /// The key's file opens with this passphrase and no other; what its headers say stays.
    ///
    /// The file is replaced in one step. `key` is what it holds, opened with the old passphrase.
    ///
    /// # Errors
    /// [`KeyError::OldForm`] for a file in the old folders or an old encryption.
    pub fn change_passphrase(
        &self,
        stored: &StoredKey,
        key: &PrivateKey,
        passphrase: &Passphrase,
    ) -> Result<(), KeyError> {
        let named = stored.id.clone();
        let path = stored.place.file(&stored.id)?.to_owned();
        if key.id() != named {
            let actual = key.id().to_owned();
            return Err(in_file(&path, KeyError::WrongId { named, actual }));
        }
        let block = block_of(stored)?;
        let form = Form::of(&block).map_err(|error| in_file(&path, error))?;
        if form == Form::OldEncryption || path != self.path_of(&stored.id) {
            return Err(KeyError::OldForm { path });
        }
        let text = encode_under(key, &labels(&block), passphrase)?;
        write_atomic(&path, text.as_bytes(), 0o600)
            .map_err(|source| KeyError::CannotWrite { path, source })
    }
}

/// The PEM block of a key's file.
pub(super) fn block_of(stored: &StoredKey) -> Result<Pem, KeyError> {
    let path = stored.place.file(&stored.id)?;
    let bytes = Zeroizing::new(read_regular(path)?);
    private_block(&bytes).map_err(|error| in_file(path, error))
}

/// The headers that say what a key is for, sorted, without those that say how it is encrypted.
pub(super) fn labels(block: &Pem) -> Vec<(&str, &str)> {
    let all = block.headers().iter();
    let mut labels: Vec<_> = all
        .filter(|(name, _)| !matches!(*name, PROC_TYPE | DEK_INFO))
        .collect();
    labels.sort_unstable();
    labels
}

pub(super) const PROC_TYPE: &str = "Proc-Type";
pub(super) const DEK_INFO: &str = "DEK-Info";
