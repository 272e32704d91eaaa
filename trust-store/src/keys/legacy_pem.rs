//! OpenSSL's old encrypted PEM (RFC 1421 headers): read, never written.
//!
//! The key comes from one round of MD5, so such a file protects little; it is opened so that its
//! key can be brought into a better one.

use aes::{Aes128Dec, Aes192Dec, Aes256Dec};
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockCipherDecrypt, BlockModeDecrypt, InnerIvInit, KeyInit};
use des::{Des, TdesEde3};
use md5::{Digest, Md5};
use pem::HeaderMap;
use zeroize::Zeroizing;

use super::error::KeyError;
use super::passphrase::Passphrase;

/// The ciphertext of a PEM block and what its `DEK-Info` says about it.
pub(super) struct LegacyCiphertext {
    cipher: Cipher,
    iv: Vec<u8>,
    bytes: Vec<u8>,
}

#[derive(Clone, Copy)]
enum Cipher {
    Aes128,
    Aes192,
    Aes256,
    Des,
    TripleDes,
}

impl LegacyCiphertext {
    /// Reads the headers; nothing if they do not say `ENCRYPTED`.
    pub(super) fn parse(headers: &HeaderMap, bytes: &[u8]) -> Result<Option<Self>, KeyError> {
        if !headers
            .get("Proc-Type")
            .is_some_and(|kind| kind.ends_with("ENCRYPTED"))
        {
            return Ok(None);
        }
        let info = headers.get("DEK-Info").unwrap_or_default();
        let (name, iv) = info
            .split_once(',')
            .ok_or_else(|| KeyError::damaged("malformed DEK-Info header"))?;
        let cipher = Cipher::named(name)?;
        let iv = hex::decode(iv.trim()).map_err(KeyError::damaged)?;
        if iv.len() != cipher.block_size() {
            return Err(KeyError::damaged(
                "the DEK-Info header has the wrong length",
            ));
        }
        if bytes.is_empty() || !bytes.len().is_multiple_of(cipher.block_size()) {
            return Err(KeyError::damaged("the encrypted part is cut off"));
        }
        Ok(Some(Self {
            cipher,
            iv,
            bytes: bytes.to_vec(),
        }))
    }

    /// The plain bytes; about one wrong passphrase in 256 passes here and fails when they are read.
    pub(super) fn decrypt(&self, passphrase: &Passphrase) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let key = self.derive_key(passphrase)?;
        let plain = match self.cipher {
            Cipher::Aes128 => self.decrypt_with::<Aes128Dec>(&key),
            Cipher::Aes192 => self.decrypt_with::<Aes192Dec>(&key),
            Cipher::Aes256 => self.decrypt_with::<Aes256Dec>(&key),
            Cipher::Des => self.decrypt_with::<Des>(&key),
            Cipher::TripleDes => self.decrypt_with::<TdesEde3>(&key),
        };
        plain.ok_or(KeyError::WrongPassphrase)
    }

    fn decrypt_with<C>(&self, key: &[u8]) -> Option<Zeroizing<Vec<u8>>>
    where
        C: BlockCipherDecrypt + KeyInit,
    {
        let cipher = C::new_from_slice(key).ok()?;
        let mode = cbc::Decryptor::inner_iv_slice_init(cipher, &self.iv).ok()?;
        let mut buffer = Zeroizing::new(self.bytes.clone());
        let length = mode.decrypt_padded::<Pkcs7>(&mut buffer).ok()?.len();
        buffer.truncate(length);
        Some(buffer)
    }

    /// OpenSSL's `EVP_BytesToKey` with MD5 and one round, salted with the start of the IV.
    fn derive_key(&self, passphrase: &Passphrase) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let salt = self
            .iv
            .get(..8)
            .ok_or_else(|| KeyError::damaged("the DEK-Info header is short"))?;
        let mut key = Zeroizing::new(Vec::with_capacity(48));
        let mut last = Zeroizing::new(Vec::new());
        while key.len() < self.cipher.key_size() {
            let hash = Md5::new()
                .chain_update(&*last)
                .chain_update(passphrase.as_bytes());
            last = Zeroizing::new(hash.chain_update(salt).finalize().to_vec());
            key.extend_from_slice(&last);
        }
        key.truncate(self.cipher.key_size());
        Ok(key)
    }
}

impl Cipher {
    fn named(name: &str) -> Result<Self, KeyError> {
        match name.trim() {
            "AES-128-CBC" => Ok(Self::Aes128),
            "AES-192-CBC" => Ok(Self::Aes192),
            "AES-256-CBC" => Ok(Self::Aes256),
            "DES-CBC" => Ok(Self::Des),
            "DES-EDE3-CBC" => Ok(Self::TripleDes),
            other => Err(KeyError::UnsupportedEncryption {
                scheme: other.to_owned(),
            }),
        }
    }

    /// In bytes.
    fn key_size(self) -> usize {
        match self {
            Self::Des => 8,
            Self::Aes128 => 16,
            Self::Aes192 | Self::TripleDes => 24,
            Self::Aes256 => 32,
        }
    }

    /// In bytes.
    fn block_size(self) -> usize {
        match self {
            Self::Des | Self::TripleDes => 8,
            Self::Aes128 | Self::Aes192 | Self::Aes256 => 16,
        }
    }
}
