//! Key files for other machines.

use super::error::KeyError;
use super::file::encode_under;
use super::passphrase::Passphrase;
use super::public_file::encode_pem;
use super::rewrite::{DEK_INFO, PROC_TYPE, block_of};
use super::store::{KeyStore, StoredKey};

impl KeyStore {
    /// The text of a key file that `trust key load` and `notary key import` take.
    ///
    /// An encrypted key stays as it is, under the same passphrase; one that has none is encrypted
    /// with `passphrase`. The headers are `role`, `gun` and, as notary needs it for an encrypted
    /// key, the id as `path`.
    ///
    /// # Errors
    /// [`KeyError::PassphraseNeeded`] if the key has no passphrase and none was given.
    pub fn export(
        &self,
        stored: &StoredKey,
        passphrase: Option<&Passphrase>,
    ) -> Result<String, KeyError> {
        let mut headers = vec![("path", stored.id.as_str())];
        headers.extend(stored.role.as_deref().map(|role| ("role", role)));
        headers.extend(stored.gun.as_deref().map(|gun| ("gun", gun)));
        if !stored.place.is_closed() {
            let needed = || KeyError::PassphraseNeeded {
                id: stored.id.clone(),
            };
            headers.sort_unstable();
            let key = self.unlock(stored, None)?;
            return encode_under(&key, &headers, passphrase.ok_or_else(needed)?);
        }
        let block = block_of(stored)?;
        let header = |name: &'static str| Some((name, block.headers().get(name)?));
        headers.extend(header(DEK_INFO));
        headers.sort_unstable();
        // Go reads encrypted PEM only if this one comes first (RFC 1421).
        headers.splice(0..0, header(PROC_TYPE));
        encode_pem(block.tag(), &headers, block.contents().to_vec())
    }
}
