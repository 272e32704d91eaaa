//! Public keys and the ids that name them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::digest::{SHA256, digest};

use super::public_file::certificate_key;

/// A public key in the words of the metadata: its type and its bytes.
///
/// The bytes are DER `SubjectPublicKeyInfo` for `ecdsa` and `rsa`, 32 raw bytes for `ed25519` and
/// PEM for the certificate types `ecdsa-x509` and `rsa-x509`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PublicKey {
    /// `ecdsa`, `rsa`, `ed25519`, `ecdsa-x509` or `rsa-x509`.
    pub key_type: String,
    /// The key as the metadata hold it, before base64.
    pub bytes: Vec<u8>,
}

impl PublicKey {
    /// The canonical id, 64 hex digits: a certificate's is that of the plain key inside.
    ///
    /// Key files, prompts and signer lists use this id (Notary v1, `CanonicalKeyID`).
    pub fn id(&self) -> String {
        certificate_key(self).map_or_else(|| hash_of_entry(self), |plain| hash_of_entry(&plain))
    }
}

/// SHA-256 over the canonical JSON of the key's entry in the metadata.
fn hash_of_entry(key: &PublicKey) -> String {
    let PublicKey { key_type, bytes } = key;
    let public = STANDARD.encode(bytes);
    let entry =
        format!(r#"{{"keytype":"{key_type}","keyval":{{"private":null,"public":"{public}"}}}}"#);
    hex::encode(digest(&SHA256, entry.as_bytes()))
}
