//! Online keys at rest: sealed under one key, made of a passphrase or a key file.
//!
//! A sealed key is `1 | number | nonce | ciphertext | tag` (1, 8, 12, …, 16 bytes; AES-256-GCM over
//! PKCS#8). The number is that of the seal, and with the key's id, repository, role and algorithm
//! it is bound to the ciphertext: a blob in another row, or of an older seal, does not open.
//!
//! All keys of a store have the same seal. [`Sealer::rekey`] puts another one on all of them in
//! one transaction. A server that runs meanwhile keeps the keys it has opened, for they are the
//! same keys; it can open and add no others ([`SealError::Resealed`]) until it is started with the
//! new secret.

mod error;
mod row;
mod source;

use std::sync::Arc;

use jiff::Timestamp;
use zeroize::Zeroizing;

pub use error::SealError;
pub(super) use row::{SealRow, replace_seal};
pub use source::SealSource;

use super::{NewKey, SealedKey, Store, StoreError};
use crate::keys::{Algorithm, PrivateKey, fill_randomly, from_pkcs8, to_pkcs8};
use crate::seal_key::SealKey;
use row::KeptSeal;

/// Opens the online keys of one store and makes new ones.
#[derive(Debug)]
pub struct Sealer {
    key: SealKey,
    number: i64,
}

impl Sealer {
    /// The sealer of this store; on a store without a seal, the secret becomes the one it needs.
    ///
    /// Of several processes that are the first at the same time, one fixes the seal, and the
    /// others need the same secret.
    ///
    /// # Errors
    /// [`SealError::WrongPassphrase`], [`SealError::WrongKeyFile`] or [`SealError::OtherKind`] if
    /// the secret is not that of the store, also when it holds no key yet.
    pub async fn open(store: &Store, source: SealSource) -> Result<Self, SealError> {
        let source = Arc::new(source);
        if let Some(kept) = store.kept_seal().await? {
            return Self::of(kept, &source).await;
        }
        let (row, key) = new_seal(&source).await?;
        let kept = store.put_first_seal(&row, new_number()?).await?;
        if kept.row != row {
            return Self::of(kept, &source).await;
        }
        let number = kept.number;
        Ok(Self { key, number })
    }

    /// The role's pending key: a new one, or the one that is still waiting for its first use
    /// (Notary v1 signer with a database).
    ///
    /// # Errors
    /// [`SealError::Resealed`] if this process could not open the key.
    pub async fn create(
        &self,
        store: &Store,
        gun: &str,
        role: &str,
        algorithm: Algorithm,
        now: Timestamp,
    ) -> Result<SealedKey, SealError> {
        let name = name(algorithm);
        let kept = if let Some(kept) = store.pending_key(gun, role, name).await? {
            kept
        } else {
            let key = self.seal_new(gun, role, algorithm)?;
            let put = store.put_key(&key, self.number, now).await;
            put.map_err(resealed)?
        };
        self.contents(&kept)?;
        Ok(kept)
    }

    /// The private key; it signs, and is wiped when dropped.
    ///
    /// # Errors
    /// [`SealError::Resealed`] if all keys were sealed anew since this process started, and
    /// [`SealError::Damaged`] if the row was changed in any other way.
    pub fn unseal(&self, key: &SealedKey) -> Result<PrivateKey, SealError> {
        let opened = self.open_bytes(key)?;
        let private = from_pkcs8(&opened).map_err(|_| damaged(key))?;
        if private.id() == key.id && *private.public() == key.public_key() {
            return Ok(private);
        }
        Err(damaged(key))
    }

    /// A secret that all servers with this seal have, and another one for each purpose.
    pub fn secret(&self, purpose: &str) -> Zeroizing<[u8; 32]> {
        self.key.secret(purpose)
    }

    /// All keys of the store are sealed with a new secret, or none is; gives their number.
    ///
    /// # Errors
    /// [`SealError::Resealed`] if somebody else did so first, [`SealError::Damaged`] if one of
    /// the keys does not open.
    pub async fn rekey(
        &self,
        store: &Store,
        source: SealSource,
    ) -> Result<(Self, usize), SealError> {
        let (row, key) = new_seal(&Arc::new(source)).await?;
        let next = Self {
            key,
            number: self.number.checked_add(1).ok_or(SealError::Resealed)?,
        };
        let reseal = |key: &SealedKey| {
            let place = Place::of(key);
            next.seal(&place, &self.open_bytes(key)?)
        };
        let count = store.reseal(self.number, &row, reseal).await;
        let count = count.map_err(|error| match error {
            SealError::Store(error) => resealed(error),
            other => other,
        })?;
        Ok((next, count))
    }

    async fn of(kept: KeptSeal, source: &Arc<SealSource>) -> Result<Self, SealError> {
        let key = source.derive(kept.row.method, &kept.row.salt).await?;
        key.open(PROOF, &kept.row.proof)
            .ok_or_else(|| source.wrong())?;
        Ok(Self {
            key,
            number: kept.number,
        })
    }

    fn seal_new(&self, gun: &str, role: &str, algorithm: Algorithm) -> Result<NewKey, SealError> {
        let private = PrivateKey::generate(algorithm)?;
        let place = Place {
            id: private.id(),
            gun,
            role,
            algorithm: name(algorithm),
        };
        Ok(NewKey {
            id: private.id().to_owned(),
            gun: gun.to_owned(),
            role: role.to_owned(),
            algorithm: name(algorithm).to_owned(),
            public: private.public().bytes.clone(),
            sealed: self.seal(&place, &to_pkcs8(&private)?)?,
        })
    }

    fn seal(&self, place: &Place<'_>, secret: &[u8]) -> Result<Vec<u8>, SealError> {
        let sealed = self.key.seal(&place.bound(self.number), secret)?;
        let number = self.number.to_be_bytes();
        Ok([&[FORM], number.as_slice(), sealed.as_slice()].concat())
    }

    fn open_bytes(&self, key: &SealedKey) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let bound = Place::of(key).bound(self.number);
        let opened = self.key.open(&bound, self.contents(key)?);
        opened.ok_or_else(|| damaged(key))
    }

    /// The bytes behind the head of a key that has our seal.
    fn contents<'k>(&self, key: &'k SealedKey) -> Result<&'k [u8], SealError> {
        let (form, rest) = key.sealed.split_first().ok_or_else(|| damaged(key))?;
        let (number, contents) = rest.split_first_chunk().ok_or_else(|| damaged(key))?;
        match (*form, i64::from_be_bytes(*number) == self.number) {
            (FORM, true) => Ok(contents),
            (FORM, false) => Err(SealError::Resealed),
            _ => Err(damaged(key)),
        }
    }
}

/// The row that a key was sealed for.
struct Place<'a> {
    id: &'a str,
    gun: &'a str,
    role: &'a str,
    algorithm: &'a str,
}

impl<'a> Place<'a> {
    fn of(key: &'a SealedKey) -> Self {
        Self {
            id: &key.id,
            gun: &key.gun,
            role: &key.role,
            algorithm: &key.algorithm,
        }
    }

    /// The same bytes for no other row and no other seal: each part has its length in front.
    fn bound(&self, number: i64) -> Vec<u8> {
        let mut bound = vec![FORM];
        bound.extend_from_slice(&number.to_be_bytes());
        for part in [self.id, self.gun, self.role, self.algorithm] {
            bound.extend_from_slice(&(part.len() as u64).to_be_bytes());
            bound.extend_from_slice(part.as_bytes());
        }
        bound
    }
}

async fn new_seal(source: &Arc<SealSource>) -> Result<(SealRow, SealKey), SealError> {
    let mut salt = vec![0; SALT];
    fill_randomly(&mut salt)?;
    let method = source.method();
    let key = source.derive(method, &salt).await?;
    let proof = key.seal(PROOF, &[])?;
    let row = SealRow {
        method,
        salt,
        proof,
    };
    Ok((row, key))
}

/// Unlike any other store's: whoever holds the sealer of a store that was replaced by a backup
/// finds out before it adds a key that nobody could open.
fn new_number() -> Result<i64, SealError> {
    let mut bytes = [0; 8];
    fill_randomly(&mut bytes)?;
    // Room for counting on.
    Ok(i64::from_be_bytes(bytes) & (i64::MAX >> 1))
}

/// The name of the algorithm in the metadata, where it is the type of the key.
fn name(algorithm: Algorithm) -> &'static str {
    match algorithm {
        Algorithm::EcdsaP256 => "ecdsa",
        Algorithm::Ed25519 => "ed25519",
    }
}

fn damaged(key: &SealedKey) -> SealError {
    SealError::Damaged { id: key.id.clone() }
}

fn resealed(error: StoreError) -> SealError {
    match error {
        StoreError::Conflict { .. } => SealError::Resealed,
        other => other.into(),
    }
}

/// The form of a sealed key, as its first byte says.
const FORM: u8 = 1;
/// What the proof of a seal is bound to; no key's place begins like this.
const PROOF: &[u8] = b"trust online keys: proof";
/// Bytes.
const SALT: usize = 16;
