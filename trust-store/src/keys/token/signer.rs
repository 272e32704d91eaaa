//! A private key that stays on its token.

use std::sync::{Mutex, PoisonError};

use cryptoki::error::{Error, RvError};
use cryptoki::mechanism::rsa::{PkcsMgfType, PkcsPssParams};
use cryptoki::mechanism::{Mechanism, MechanismType};
use cryptoki::object::ObjectHandle;
use cryptoki::session::Session;
use ring::digest::{SHA256, digest};

use super::TokenError;
use super::present::Present;

/// An open key; the token stays open while this lives.
pub(in crate::keys) struct TokenSigner {
    pub(super) token: Present,
    pub(super) session: Mutex<Session>,
    pub(super) key: ObjectHandle,
}

impl TokenSigner {
    /// `r` and `s` over the SHA-256 of these bytes.
    pub(in crate::keys) fn ecdsa(&self, message: &[u8]) -> Result<Vec<u8>, TokenError> {
        self.sign(&Mechanism::Ecdsa, digest(&SHA256, message).as_ref())
    }

    /// RSA-PSS over the SHA-256 of these bytes, with a salt of 32.
    pub(in crate::keys) fn rsa_pss(&self, message: &[u8]) -> Result<Vec<u8>, TokenError> {
        let parameters = PkcsPssParams {
            hash_alg: MechanismType::SHA256,
            mgf: PkcsMgfType::MGF1_SHA256,
            s_len: 32.into(),
        };
        let mechanism = Mechanism::RsaPkcsPss(parameters);
        self.sign(&mechanism, digest(&SHA256, message).as_ref())
    }

    /// PKCS#1 v1.5 with SHA-256 over these bytes, as certificates have it.
    pub(in crate::keys) fn rsa_pkcs1(&self, message: &[u8]) -> Result<Vec<u8>, TokenError> {
        self.sign(&Mechanism::Sha256RsaPkcs, message)
    }

    fn sign(&self, mechanism: &Mechanism<'_>, data: &[u8]) -> Result<Vec<u8>, TokenError> {
        let session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        let signed = session.sign(mechanism, self.key, data);
        signed.map_err(|error| match error {
            // The binding has no login between `C_SignInit` and `C_Sign`.
            Error::Pkcs11(RvError::UserNotLoggedIn, _) => TokenError::Failed {
                token: self.token.name.clone(),
                doing: "sign",
                reason: "the key wants the PIN for each signature, which is not supported"
                    .to_owned(),
            },
            error => self.token.fault("sign", &error),
        })
    }
}
