//! What stands for tokens where this crate is built without PKCS#11.

use std::path::Path;

use super::{TokenAlgorithm, TokenError, TokenKey};
use crate::keys::error::KeyError;
use crate::keys::passphrase::Passphrase;
use crate::keys::private::PrivateKey;
use crate::keys::store::StoredKey;

/// No tokens.
#[derive(Clone, Debug, Default)]
pub struct Tokens(());

/// There is no such key.
pub(in crate::keys) enum TokenSigner {}

impl Tokens {
    /// Nothing, where nothing is named.
    ///
    /// # Errors
    /// [`TokenError::Unsupported`] for any module.
    pub fn load(modules: &[impl AsRef<Path>]) -> Result<Self, KeyError> {
        match modules {
            [] => Ok(Self(())),
            _ => Err(TokenError::Unsupported.into()),
        }
    }

    /// Nothing is missed.
    pub fn all_here(&self) -> Result<(), KeyError> {
        let Self(()) = self;
        Ok(())
    }

    pub(in crate::keys) fn keys(&self) -> Result<Vec<StoredKey>, KeyError> {
        self.all_here().map(|()| Vec::new())
    }

    pub(in crate::keys) fn open(
        &self,
        _: &TokenKey,
        _: Option<&Passphrase>,
    ) -> Result<PrivateKey, KeyError> {
        self.none()
    }

    pub(in crate::keys) fn generate(
        &self,
        _: &str,
        _: TokenAlgorithm,
        _: &str,
        _: Option<&Passphrase>,
    ) -> Result<PrivateKey, KeyError> {
        self.none()
    }

    pub(in crate::keys) fn add(
        &self,
        _: &str,
        _: &PrivateKey,
        _: &str,
        _: Option<&Passphrase>,
    ) -> Result<PrivateKey, KeyError> {
        self.none()
    }

    fn none<T>(&self) -> Result<T, KeyError> {
        let Self(()) = self;
        Err(TokenError::Unsupported.into())
    }
}

impl TokenSigner {
    pub(in crate::keys) fn ecdsa(&self, _: &[u8]) -> Result<Vec<u8>, TokenError> {
        match *self {}
    }

    pub(in crate::keys) fn rsa_pss(&self, _: &[u8]) -> Result<Vec<u8>, TokenError> {
        match *self {}
    }

    pub(in crate::keys) fn rsa_pkcs1(&self, _: &[u8]) -> Result<Vec<u8>, TokenError> {
        match *self {}
    }
}
