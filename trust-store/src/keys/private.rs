//! Private keys: they sign, and show nothing but their public half.

use std::fmt;

use ed25519_dalek::Signer as _;
use p256::elliptic_curve::Generate as _;
use p256::pkcs8::EncodePublicKey as _;
use ring::rand::{SecureRandom, SystemRandom};
use ring::rsa;
use ring::signature::{KeyPair as _, RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaEncoding};
use zeroize::Zeroizing;

use super::encoding::RSA_OID;
use super::error::KeyError;
use super::public::PublicKey;
use super::public_file::encode_spki;
use super::token::TokenSigner;

/// The kinds of key we make.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Algorithm {
    /// ECDSA over P-256 with SHA-256, the only kind Docker makes.
    EcdsaP256,
    /// Ed25519.
    Ed25519,
}

/// A signature and the name of its method in the metadata.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Signature {
    /// `ecdsa`, `eddsa` or `rsapss`.
    pub method: &'static str,
    /// `ecdsa`: `r` and `s`, 32 bytes each; `eddsa`: 64 bytes; `rsapss`: as long as the modulus.
    pub bytes: Vec<u8>,
}

/// A private key; its bytes cannot be taken out and are wiped when it is dropped.
pub struct PrivateKey {
    pub(super) secret: Secret,
    public: PublicKey,
    id: String,
}

/// The secret half, in the form that signs.
pub(super) enum Secret {
    Ecdsa(p256::ecdsa::SigningKey),
    Ed25519(ed25519_dalek::SigningKey),
    /// PKCS#1 DER: ring keeps no form of its own that could be written again or wiped.
    Rsa(Zeroizing<Vec<u8>>),
    /// Not here: a token signs.
    #[cfg_attr(
        not(feature = "pkcs11"),
        expect(dead_code, reason = "there are no tokens")
    )]
    Token(TokenSigner),
}

impl PrivateKey {
    /// A new key from the system's randomness.
    pub fn generate(algorithm: Algorithm) -> Result<Self, KeyError> {
        match algorithm {
            Algorithm::EcdsaP256 => {
                let secret = p256::SecretKey::try_generate().map_err(|_| KeyError::Randomness)?;
                Self::from_p256(&secret)
            }
            Algorithm::Ed25519 => {
                let mut seed = Zeroizing::new([0; 32]);
                fill_randomly(seed.as_mut_slice())?;
                Ok(Self::from_ed25519(ed25519_dalek::SigningKey::from_bytes(
                    &seed,
                )))
            }
        }
    }

    /// The canonical id, 64 hex digits.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The public half.
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// Signs these bytes by the method that belongs to the key.
    pub fn sign(&self, message: &[u8]) -> Result<Signature, KeyError> {
        let failed = || KeyError::SigningFailed {
            id: self.id.clone(),
        };
        Ok(match &self.secret {
            Secret::Ecdsa(key) => {
                let signature: p256::ecdsa::Signature =
                    key.try_sign(message).map_err(|_| failed())?;
                Signature {
                    method: "ecdsa",
                    bytes: signature.to_bytes().to_vec(),
                }
            }
            Secret::Ed25519(key) => {
                let signature = key.try_sign(message).map_err(|_| failed())?;
                Signature {
                    method: "eddsa",
                    bytes: signature.to_bytes().to_vec(),
                }
            }
            Secret::Rsa(der) => Signature {
                method: "rsapss",
                bytes: rsa_signature(der, &RSA_PSS_SHA256, message).ok_or_else(failed)?,
            },
            Secret::Token(token) if self.public.key_type == "rsa" => Signature {
                method: "rsapss",
                bytes: token.rsa_pss(message)?,
            },
            Secret::Token(token) => Signature {
                method: "ecdsa",
                bytes: token.ecdsa(message)?,
            },
        })
    }

    /// Signs the body of a certificate: RSA keys by PKCS#1 v1.5 with SHA-256 (RFC 4055, 5), all
    /// others as [`sign`](Self::sign) does.
    pub fn sign_certificate(&self, body: &[u8]) -> Result<Vec<u8>, KeyError> {
        match &self.secret {
            Secret::Rsa(der) => {
                let failed = || KeyError::SigningFailed {
                    id: self.id.clone(),
                };
                rsa_signature(der, &RSA_PKCS1_SHA256, body).ok_or_else(failed)
            }
            Secret::Token(token) if self.public.key_type == "rsa" => Ok(token.rsa_pkcs1(body)?),
            _ => Ok(self.sign(body)?.bytes),
        }
    }

    /// Takes a key that a token signs with.
    #[cfg(feature = "pkcs11")]
    pub(super) fn on_token(signer: TokenSigner, public: PublicKey) -> Self {
        let id = public.id();
        Self {
            secret: Secret::Token(signer),
            public,
            id,
        }
    }

    pub(super) fn from_p256(secret: &p256::SecretKey) -> Result<Self, KeyError> {
        let spki = secret
            .public_key()
            .to_public_key_der()
            .map_err(KeyError::damaged)?;
        Ok(Self::new(
            Secret::Ecdsa(secret.into()),
            "ecdsa",
            spki.into_vec(),
        ))
    }

    pub(super) fn from_ed25519(key: ed25519_dalek::SigningKey) -> Self {
        let public = key.verifying_key().to_bytes().to_vec();
        Self::new(Secret::Ed25519(key), "ed25519", public)
    }

    /// Takes an RSA key whose parts fit together; `pkcs1` is its DER.
    pub(super) fn from_rsa(pkcs1: Zeroizing<Vec<u8>>) -> Result<Self, KeyError> {
        let key = rsa::KeyPair::from_der(&pkcs1).map_err(KeyError::damaged)?;
        let null = pkcs8::der::asn1::AnyRef::NULL;
        let spki = encode_spki(RSA_OID, Some(null), key.public_key().as_ref())
            .map_err(KeyError::damaged)?;
        Ok(Self::new(Secret::Rsa(pkcs1), "rsa", spki))
    }

    fn new(secret: Secret, key_type: &str, bytes: Vec<u8>) -> Self {
        let public = PublicKey {
            key_type: key_type.to_owned(),
            bytes,
        };
        let id = public.id();
        Self { secret, public, id }
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("PrivateKey")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

fn rsa_signature(
    pkcs1: &[u8],
    padding: &'static dyn RsaEncoding,
    message: &[u8],
) -> Option<Vec<u8>> {
    let key = rsa::KeyPair::from_der(pkcs1).ok()?;
    let mut bytes = vec![0; key.public().modulus_len()];
    key.sign(padding, &SystemRandom::new(), message, &mut bytes)
        .ok()?;
    Some(bytes)
}

pub(crate) fn fill_randomly(bytes: &mut [u8]) -> Result<(), KeyError> {
    SystemRandom::new()
        .fill(bytes)
        .map_err(|_| KeyError::Randomness)
}
