//! What can be wrong with a key, its file or its passphrase.

use std::io;
use std::path::PathBuf;

use super::token::{TokenError, TokenName};

/// Why a key could not be read, opened, used or kept.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The store has this key already; its file was left as it is.
    #[error("key {id} is already in {}", path.display())]
    AlreadyThere {
        /// Canonical key id.
        id: String,
        /// The file that holds it.
        path: PathBuf,
    },
    /// A certificate that is not X.509, or holds no key we can use.
    #[error("could not parse provided certificate: {reason}")]
    BadCertificate {
        /// What stopped us.
        reason: String,
    },
    /// A role or repository name that does not fit on a header line.
    #[error("{value:?} cannot stand in the header of a key file")]
    BadLabel {
        /// The name as given.
        value: String,
    },
    /// A PEM `PUBLIC KEY` block whose content is not one.
    #[error("unable to parse pem encoded public key: {reason}")]
    BadPublicKey {
        /// What stopped us.
        reason: String,
    },
    /// A file of the store could not be read.
    #[error("could not read {}: {source}", path.display())]
    CannotRead {
        /// The file or directory.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// A key could not be written; nothing was changed.
    #[error("could not write {}: {source}", path.display())]
    CannotWrite {
        /// The file or directory.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// The content is not what its type says, with any passphrase.
    #[error("the key is damaged: {reason}")]
    Damaged {
        /// What stopped us.
        reason: String,
    },
    /// A private key would have been written without encryption.
    #[error("a private key is not kept without a passphrase")]
    EmptyPassphrase,
    /// The error is about this file of the store.
    #[error("{}: {source}", path.display())]
    InFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: Box<KeyError>,
    },
    /// Opening the file would cost more time or memory than any honest key needs.
    #[error("{parameter} is {got} in the key file, at most {limit} is accepted")]
    KdfTooCostly {
        /// The parameter of the key derivation.
        parameter: &'static str,
        /// Its value in the file.
        got: u64,
        /// The highest value accepted.
        limit: u64,
    },
    /// No PEM private key in the file.
    #[error("no valid private key found")]
    NoPrivateKey,
    /// No PEM public key or certificate in the file.
    #[error("no valid public key found")]
    NoPublicKey,
    /// The file holds a public key where a private key was expected.
    #[error("the file holds a {found}, not a private key")]
    NotPrivate {
        /// PEM type of the block.
        found: String,
    },
    /// A file that is only read: in an old folder, or encrypted in an old way.
    #[error("{} is in a form that is read and never rewritten", path.display())]
    OldForm {
        /// The file.
        path: PathBuf,
    },
    /// What was asked for needs the private key's bytes.
    #[error("key {id} is on a token, which does not give it away")]
    OnToken {
        /// Canonical key id.
        id: String,
    },
    /// The token has this key already; it was left as it is.
    #[error("key {id} is already on token {token}")]
    OnTokenAlready {
        /// Canonical key id.
        id: String,
        /// The token.
        token: TokenName,
    },
    /// The key is encrypted and no passphrase was given.
    #[error("key {id} needs a passphrase")]
    PassphraseNeeded {
        /// Canonical key id.
        id: String,
    },
    /// The system gave no randomness.
    #[error("the system gave no random numbers")]
    Randomness,
    /// The key could not make a signature.
    #[error("key {id} could not sign")]
    SigningFailed {
        /// Canonical key id.
        id: String,
    },
    /// A token, or the way to it.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// Larger than any key file.
    #[error("the file is larger than {limit} bytes, no key is")]
    TooLarge {
        /// Largest size read, in bytes.
        limit: u64,
    },
    /// A key algorithm we do not sign with.
    #[error("keys of algorithm {algorithm} are not supported")]
    UnsupportedAlgorithm {
        /// Its object identifier or name.
        algorithm: String,
    },
    /// An elliptic curve other than P-256.
    #[error("private keys on curve {curve} are not supported, only P-256")]
    UnsupportedCurve {
        /// Name or object identifier of the curve.
        curve: String,
    },
    /// The key is encrypted in a way we cannot undo.
    #[error("private key encryption {scheme} is not supported")]
    UnsupportedEncryption {
        /// Name or object identifier of the scheme.
        scheme: String,
    },
    /// A PEM block of another type.
    #[error("unsupported key type {found:?}")]
    UnsupportedPem {
        /// PEM type of the block.
        found: String,
    },
    /// A PEM block where a public key or certificate was expected.
    #[error("unsupported PEM block type {found:?}, expected CERTIFICATE or PUBLIC KEY")]
    UnsupportedPublicPem {
        /// PEM type of the block.
        found: String,
    },
    /// An RSA key whose signatures nobody would verify, or that cannot be used to sign.
    #[error("RSA keys of {bits} bits are not supported, only 2048 to 4096")]
    UnsupportedRsaSize {
        /// Length of the modulus.
        bits: usize,
    },
    /// The file is named after another key than the one it holds.
    #[error("the file named {named} holds the key {actual}")]
    WrongId {
        /// Key id in the name of the file.
        named: String,
        /// Id of the key inside.
        actual: String,
    },
    /// The passphrase does not open this key.
    #[error("password invalid, operation has failed")]
    WrongPassphrase,
}

impl KeyError {
    #[expect(clippy::needless_pass_by_value, reason = "stands in map_err")]
    pub(crate) fn damaged(reason: impl ToString) -> Self {
        Self::Damaged {
            reason: reason.to_string(),
        }
    }
}
