//! Keys on PKCS#11 tokens: smart cards, hardware security modules.
//!
//! A key is known by its public half, wherever its label and its `CKA_ID` come from; the private half
//! never leaves the token. Without the cargo feature `pkcs11` there are no tokens.

#[cfg(not(feature = "pkcs11"))]
mod absent;
mod error;
#[cfg(feature = "pkcs11")]
mod making;
#[cfg(feature = "pkcs11")]
mod module;
#[cfg(feature = "pkcs11")]
mod objects;
#[cfg(feature = "pkcs11")]
mod present;
#[cfg(feature = "pkcs11")]
mod signer;
#[cfg(feature = "pkcs11")]
mod tokens;

#[cfg(not(feature = "pkcs11"))]
pub(super) use absent::TokenSigner;
#[cfg(not(feature = "pkcs11"))]
pub use absent::Tokens;
pub use error::{TokenError, Tries};
#[cfg(feature = "pkcs11")]
pub(super) use signer::TokenSigner;
#[cfg(feature = "pkcs11")]
pub use tokens::Tokens;

use std::fmt;

use super::public::PublicKey;

/// How a token is called.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TokenName {
    /// The name people gave it.
    pub label: String,
    /// Its maker's number, for tokens of one name.
    pub serial: String,
}

/// A key on a token, as seen without its PIN.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TokenKey {
    /// The token that holds it.
    pub token: TokenName,
    /// The public half.
    pub public: PublicKey,
    /// `CKA_ID`, by which the token joins the halves.
    object: Vec<u8>,
}

/// The kinds of key that tokens make.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum TokenAlgorithm {
    /// ECDSA over P-256.
    EcdsaP256,
    /// RSA, 3072 bits or the most the token can do, if that is 2048 at least.
    Rsa,
}

impl TokenName {
    /// Whether this word means the token: its label or its serial number.
    pub fn is_called(&self, word: &str) -> bool {
        self.label == word || self.serial == word
    }
}

impl fmt::Display for TokenName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.label.as_str() {
            "" => formatter.write_str(&self.serial),
            label => formatter.write_str(label),
        }
    }
}
