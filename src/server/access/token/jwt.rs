//! The compact form of a signed token (RFC 7515).

use super::TokenError;
use super::key::hash_base64;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};

/// A token in its three parts, of which nothing is believed yet.
#[derive(Debug)]
pub(super) struct Jwt<'t> {
    signed: &'t str,
    header: &'t str,
    claims: &'t str,
    signature: &'t str,
}

/// How a token says it was signed.
#[derive(Debug, Deserialize)]
pub(super) struct Header {
    /// The algorithm; it has to be one of the key's
    pub(super) alg: String,
    /// The id of the key
    #[serde(default)]
    pub(super) kid: Option<String>,
    /// The key
    #[serde(default)]
    pub(super) jwk: Option<Jwk>,
    /// Certificates in base64, each vouched for by the next
    #[serde(default)]
    pub(super) x5c: Vec<String>,
    /// What one has to understand; nothing that is understood here
    #[serde(default)]
    crit: Option<IgnoredAny>,
}

/// A public key as JSON (RFC 7517): the members that tell it from all others.
#[derive(Debug, Deserialize)]
pub(super) struct Jwk {
    kty: String,
    #[serde(default)]
    crv: Option<String>,
    #[serde(default)]
    x: Option<String>,
    #[serde(default)]
    y: Option<String>,
    #[serde(default)]
    n: Option<String>,
    #[serde(default)]
    e: Option<String>,
}

impl<'t> Jwt<'t> {
    /// The parts of a token that is not too long.
    pub(super) fn split(token: &'t str) -> Result<Self, TokenError> {
        if token.len() > LONGEST_TOKEN {
            return Err(TokenError::Malformed("too long"));
        }
        let parts = || TokenError::Malformed("not three parts");
        let (signed, signature) = token.rsplit_once('.').ok_or_else(parts)?;
        let (header, claims) = signed.split_once('.').ok_or_else(parts)?;
        if claims.contains('.') {
            return Err(parts());
        }
        Ok(Self {
            signed,
            header,
            claims,
            signature,
        })
    }

    pub(super) fn header(&self) -> Result<Header, TokenError> {
        let header: Header = json(self.header, "header")?;
        if header.crit.is_some() {
            return Err(TokenError::Malformed("it asks for what is not understood"));
        }
        Ok(header)
    }

    /// Only what [`Self::signed`] covers; to be believed after the signature was checked.
    pub(super) fn claims<T: DeserializeOwned>(&self) -> Result<T, TokenError> {
        json(self.claims, "claims")
    }

    /// The bytes that are signed.
    pub(super) fn signed(&self) -> &'t [u8] {
        self.signed.as_bytes()
    }

    pub(super) fn signature(&self) -> Result<Vec<u8>, TokenError> {
        decoded(self.signature)
    }
}

impl Jwk {
    /// The name of the key that follows from the key (RFC 7638).
    pub(super) fn thumbprint(&self) -> Result<String, TokenError> {
        let incomplete = || TokenError::Malformed("a key that is incomplete");
        let member = |member: &Option<String>| {
            let text = member.as_deref().filter(|text| is_base64url(text));
            text.map(str::to_owned).ok_or_else(incomplete)
        };
        let curve = self.crv.as_deref().unwrap_or_default();
        Ok(match (self.kty.as_str(), curve) {
            ("EC", "P-256" | "P-384") => ec_thumbprint(curve, &member(&self.x)?, &member(&self.y)?),
            ("OKP", "Ed25519") => okp_thumbprint(&member(&self.x)?),
            ("RSA", _) => rsa_thumbprint(&member(&self.e)?, &member(&self.n)?),
            _ => return Err(TokenError::Malformed("a key of an unknown type")),
        })
    }
}

pub(super) fn ec_thumbprint(curve: &str, x: &str, y: &str) -> String {
    hash_base64(&format!(
        r#"{{"crv":"{curve}","kty":"EC","x":"{x}","y":"{y}"}}"#
    ))
}

pub(super) fn okp_thumbprint(x: &str) -> String {
    hash_base64(&format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#))
}

pub(super) fn rsa_thumbprint(e: &str, n: &str) -> String {
    hash_base64(&format!(r#"{{"e":"{e}","kty":"RSA","n":"{n}"}}"#))
}

fn is_base64url(text: &str) -> bool {
    let letters = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    !text.is_empty() && text.bytes().all(letters)
}

fn json<T: DeserializeOwned>(part: &str, what: &'static str) -> Result<T, TokenError> {
    serde_json::from_slice(&decoded(part)?).map_err(|_| TokenError::Malformed(what))
}

fn decoded(part: &str) -> Result<Vec<u8>, TokenError> {
    let decoded = URL_SAFE_NO_PAD.decode(part);
    decoded.map_err(|_| TokenError::Malformed("not in base64url"))
}

/// Bytes; a token with a chain of four certificates has half of it.
const LONGEST_TOKEN: usize = 16 * 1024;
