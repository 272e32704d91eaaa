//! Old key files, brought into the form of today.

use super::{KeyName, Keyring, KeyringError};
use std::path::PathBuf;
use trust_store::keys::OldKey;

impl Keyring<'_> {
    /// The key is in a file that Docker and Notary of today read, under its old passphrase or, if
    /// it had none, a new one; gives that file and where the old one is now.
    ///
    /// # Errors
    /// No passphrase, a damaged key, or the disk.
    pub fn migrate(&mut self, old: &OldKey) -> Result<(PathBuf, PathBuf), KeyringError> {
        let stored = &old.stored;
        let (key, passphrase) = self.unlock(stored, "signer")?;
        let passphrase = match passphrase {
            Some(passphrase) => passphrase,
            None => self.passphrases.fresh(&KeyName {
                role: stored.role.as_deref().unwrap_or("signer"),
                id: &stored.id,
            })?,
        };
        let (new, kept) = self.store.migrate(old, &key, &passphrase)?;
        let old = match kept {
            Some(kept) => kept,
            None => stored.place.file(&stored.id)?.to_owned(),
        };
        Ok((new, old))
    }
}
