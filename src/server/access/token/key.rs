//! Public keys that tokens are signed with, their names, and the one place that checks a token's
//! signature.

use super::jwt::{ec_thumbprint, okp_thumbprint, rsa_thumbprint};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::{SHA256, digest};
use ring::signature::{self as algorithm, UnparsedPublicKey, VerificationAlgorithm};
use x509_parser::prelude::FromDer;
use x509_parser::public_key::{PublicKey, RSAPublicKey};
use x509_parser::x509::SubjectPublicKeyInfo;

/// A public key of a kind whose signatures are believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Key {
    spki: Vec<u8>,
    material: Material,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Material {
    Ed25519(Vec<u8>),
    /// The point, uncompressed
    P256(Vec<u8>),
    P384(Vec<u8>),
    /// PKCS#1 `RSAPublicKey`
    Rsa(Vec<u8>),
}

impl Key {
    /// Reads a `SubjectPublicKeyInfo`; none if the key is of another kind, or weak.
    pub(super) fn from_spki(der: &[u8]) -> Option<Self> {
        let (rest, info) = SubjectPublicKeyInfo::from_der(der).ok()?;
        let bits = info.subject_public_key.data.to_vec();
        let curve = || {
            let parameters = info.algorithm.parameters.as_ref()?;
            Some(parameters.as_oid().ok()?.to_id_string())
        };
        let material = match info.parsed() {
            Ok(PublicKey::RSA(key)) if RSA_BITS.contains(&key.key_size()) => Material::Rsa(bits),
            Ok(PublicKey::EC(_)) => match (curve()?.as_str(), bits.len()) {
                ("1.2.840.10045.3.1.7", 65) => Material::P256(bits),
                ("1.3.132.0.34", 97) => Material::P384(bits),
                _ => return None,
            },
            _ if info.algorithm.algorithm.to_id_string() == "1.3.101.112" && bits.len() == 32 => {
                Material::Ed25519(bits)
            }
            _ => return None,
        };
        rest.is_empty().then(|| Self {
            spki: der.to_vec(),
            material,
        })
    }

    /// The names by which tokens choose this key: libtrust's and that of RFC 7638.
    pub(super) fn ids(&self) -> [String; 2] {
        [self.libtrust_id(), self.thumbprint()]
    }

    /// Whether this key made the signature, by an algorithm of this key (RFC 7518, RFC 8037).
    pub(super) fn verifies(&self, alg: &str, message: &[u8], signature: &[u8]) -> bool {
        let (algorithm, key): (&dyn VerificationAlgorithm, _) = match (&self.material, alg) {
            (Material::Ed25519(key), "EdDSA") => (&algorithm::ED25519, key),
            (Material::P256(key), "ES256") => (&algorithm::ECDSA_P256_SHA256_FIXED, key),
            (Material::P384(key), "ES384") => (&algorithm::ECDSA_P384_SHA384_FIXED, key),
            (Material::Rsa(key), "RS256") => (&algorithm::RSA_PKCS1_2048_8192_SHA256, key),
            (Material::Rsa(key), "RS384") => (&algorithm::RSA_PKCS1_2048_8192_SHA384, key),
            (Material::Rsa(key), "RS512") => (&algorithm::RSA_PKCS1_2048_8192_SHA512, key),
            _ => return false,
        };
        let key = UnparsedPublicKey::new(algorithm, key);
        key.verify(message, signature).is_ok()
    }

    /// The first 30 bytes of the key's SHA-256, in base32, in twelve groups (libtrust, `util.go`).
    fn libtrust_id(&self) -> String {
        let hash = digest(&SHA256, &self.spki);
        let hash = hash.as_ref().get(..30).unwrap_or_default();
        let groups = hash.chunks(5).map(|five| {
            let bits = five.iter().fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
            let letter = |place: u32| base32((bits >> (35 - 5 * place)) & 31);
            let letters: String = (0..8).map(letter).collect();
            let (left, right) = letters.split_at(4);
            format!("{left}:{right}")
        });
        groups.collect::<Vec<_>>().join(":")
    }

    fn thumbprint(&self) -> String {
        let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let of_point = |curve, point: &[u8]| {
            let (x, y) = point.get(1..).unwrap_or_default().split_at(point.len() / 2);
            ec_thumbprint(curve, &encode(x), &encode(y))
        };
        match &self.material {
            Material::Ed25519(key) => okp_thumbprint(&encode(key)),
            Material::P256(point) => of_point("P-256", point),
            Material::P384(point) => of_point("P-384", point),
            Material::Rsa(der) => {
                let Ok((_, key)) = RSAPublicKey::from_der(der) else {
                    return String::new();
                };
                rsa_thumbprint(&encode(unsigned(key.exponent)), &encode(unsigned(key.modulus)))
            }
        }
    }
}

/// SHA-256 in base64url.
pub(super) fn hash_base64(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, text.as_bytes()))
}

/// A positive number without the zeros in front that DER needs.
fn unsigned(integer: &[u8]) -> &[u8] {
    let first = integer.iter().position(|byte| *byte != 0);
    first.and_then(|first| integer.get(first..)).unwrap_or(&[])
}

fn base32(value: u64) -> char {
    let value = u8::try_from(value & 31).unwrap_or_default();
    char::from(if value < 26 { b'A' + value } else { b'2' + value - 26 })
}

/// Bits of the RSA keys that are believed.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;
