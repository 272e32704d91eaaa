//! A key that seals: AES-256-GCM, and how one is made of a passphrase.

mod cost;

use std::fmt;

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hmac;
use zeroize::Zeroizing;

pub(crate) use cost::{Cost, CostError};

use crate::keys::{KeyError, fill_randomly};

/// Seals and opens; wiped when dropped.
pub(crate) struct SealKey(Zeroizing<[u8; 32]>);

impl SealKey {
    pub(crate) fn new(bytes: Zeroizing<[u8; 32]>) -> Self {
        Self(bytes)
    }

    /// `nonce | ciphertext | tag`; opens only together with the same `bound` bytes.
    ///
    /// Random nonces are enough for the number of keys that a store can hold.
    pub(crate) fn seal(&self, bound: &[u8], secret: &[u8]) -> Result<Vec<u8>, KeyError> {
        let mut nonce = [0; NONCE_LEN];
        fill_randomly(&mut nonce)?;
        let room = secret.len() + AES_256_GCM.tag_len();
        // What is sealed in place must not leave an unsealed copy behind by growing.
        let mut sealed = Zeroizing::new(Vec::with_capacity(room));
        sealed.extend_from_slice(secret);
        self.cipher()?
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(bound),
                &mut *sealed,
            )
            .map_err(|_| KeyError::damaged("it is too long to be sealed"))?;
        Ok([nonce.as_slice(), sealed.as_slice()].concat())
    }

    /// What was sealed together with these `bound` bytes, under this key.
    pub(crate) fn open(&self, bound: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE_LEN>()?;
        let mut opened = Zeroizing::new(sealed.to_vec());
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let cipher = self.cipher().ok()?;
        let length = cipher
            .open_in_place(nonce, Aad::from(bound), &mut opened)
            .ok()?
            .len();
        opened.truncate(length);
        Some(opened)
    }

    /// A secret for something else, which says nothing about this one.
    pub(crate) fn secret(&self, purpose: &str) -> Zeroizing<[u8; 32]> {
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.0.as_slice());
        let made = hmac::sign(&key, purpose.as_bytes());
        let mut secret = Zeroizing::new([0; 32]);
        for (to, from) in secret.iter_mut().zip(made.as_ref()) {
            *to = *from;
        }
        secret
    }

    /// Made for each use: ring's own form of a key is not wiped.
    fn cipher(&self) -> Result<LessSafeKey, KeyError> {
        UnboundKey::new(&AES_256_GCM, self.0.as_slice())
            .map(LessSafeKey::new)
            .map_err(|_| KeyError::damaged("the seal's key has the wrong length"))
    }
}

impl fmt::Debug for SealKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SealKey(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opens_only_what_it_sealed_for_the_same_place() {
        let key = SealKey::new(Zeroizing::new([7; 32]));
        let sealed = key.seal(b"place", b"secret").unwrap();
        assert_eq!(key.open(b"place", &sealed).unwrap().as_slice(), b"secret");
        assert!(key.open(b"other", &sealed).is_none());
        let other = SealKey::new(Zeroizing::new([8; 32]));
        assert!(other.open(b"place", &sealed).is_none());
        for place in 0..sealed.len() {
            let mut flipped = sealed.clone();
            flipped[place] ^= 1;
            assert!(key.open(b"place", &flipped).is_none(), "byte {place}");
            assert!(key.open(b"place", &sealed[..place]).is_none(), "{place}");
        }
        assert_ne!(key.seal(b"place", b"secret").unwrap(), sealed);
        assert_eq!(format!("{key:?}"), "SealKey(..)");
    }
}
