//! Public keys, their ids, and the one place that checks a signature.

use super::canonical::Node;
use super::certificate::{self, Leaf};
use super::digest::{base64_text, bytes};
use super::error::Malformed;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::digest::{SHA256, digest};
use ring::signature::{self as algorithm, UnparsedPublicKey};
use std::fmt;
use x509_parser::prelude::FromDer;
use x509_parser::public_key::{PublicKey as Parsed, RSAPublicKey};
use x509_parser::x509::SubjectPublicKeyInfo;

/// The SHA-256 of a key's canonical JSON, in lower-case hex.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyId(String);

impl KeyId {
    /// Accepts 64 lower-case hex digits.
    pub fn parse(id: &str) -> Option<Self> {
        let hex = id.len() == 64 && id.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        hex.then(|| Self(id.to_owned()))
    }

    /// The id as metadata write it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first `digits` hex digits, for people.
    pub fn short(&self, digits: usize) -> &str {
        self.0.get(..digits).unwrap_or(&self.0)
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A public key as root and targets files carry it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    key_type: String,
    public: Vec<u8>,
    id: KeyId,
    material: Material,
}

/// What a signature is checked against.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Material {
    /// The point of a P-256 key, uncompressed
    P256(Vec<u8>),
    /// The point of a P-384 key, uncompressed
    P384(Vec<u8>),
    /// PKCS#1 `RSAPublicKey`
    Rsa(Vec<u8>),
    Ed25519(Vec<u8>),
    /// A type we do not know: kept, never verifies
    Unknown,
}

impl PublicKey {
    /// A key of type `ecdsa`, `rsa` (DER SPKI), `ed25519` (32 bytes) or `…-x509` (PEM bundle).
    ///
    /// # Errors
    /// A certificate bundle that breaks the rules of [`certificate::public_key`].
    pub fn new(key_type: &str, public: Vec<u8>) -> Result<Self, Malformed> {
        let material = match key_type {
            "ed25519" if public.len() == 32 => Material::Ed25519(public.clone()),
            "ecdsa" | "rsa" => spki(key_type, &public),
            "ecdsa-x509" | "rsa-x509" => spki(key_type, &certificate::public_key(&public)?),
            _ => Material::Unknown,
        };
        let id = key_id(key_type, &public);
        Ok(Self {
            key_type: key_type.to_owned(),
            public,
            id,
            material,
        })
    }

    /// The id under which metadata list this key.
    pub fn id(&self) -> &KeyId {
        &self.id
    }

    /// Whether there can be a signature that this key verifies.
    pub fn can_verify(&self) -> bool {
        match &self.material {
            Material::Rsa(key) => {
                RSAPublicKey::from_der(key).is_ok_and(|(_, key)| RSA_BITS.contains(&key.key_size()))
            }
            Material::Unknown => false,
            Material::P256(_) | Material::P384(_) | Material::Ed25519(_) => true,
        }
    }

    /// The key type as metadata write it.
    pub fn key_type(&self) -> &str {
        &self.key_type
    }

    /// The bytes behind the type: DER, raw, or a PEM bundle.
    pub fn public(&self) -> &[u8] {
        &self.public
    }

    /// The leaf of a certificate key, if it is one that a root key may travel in.
    pub fn leaf(&self) -> Option<Leaf> {
        self.is_certificate()
            .then(|| Leaf::parse(&self.public).ok())
            .flatten()
    }

    /// Whether the key travels in a certificate.
    pub fn is_certificate(&self) -> bool {
        self.key_type.ends_with("-x509")
    }

    /// The id of the bare key: names key files and people's keys, equal for every certificate of it.
    pub fn canonical_id(&self) -> KeyId {
        match self.certified() {
            Some((key_type, public)) => key_id(key_type, &public),
            None => self.id.clone(),
        }
    }

    /// Type and DER of the bare key in a certificate.
    pub fn certified(&self) -> Option<(&str, Vec<u8>)> {
        let key_type = self.key_type.strip_suffix("-x509")?;
        Some((key_type, certificate::public_key(&self.public).ok()?))
    }

    /// Whether `signature`, made by `method`, is this key's over `message`.
    ///
    /// The method picks the algorithm and must fit the key (NCC Group 2015, finding 1).
    pub fn verifies(&self, method: &str, message: &[u8], signature: &[u8]) -> bool {
        let fixed: &dyn algorithm::VerificationAlgorithm = match (method, &self.material) {
            ("ecdsa", Material::P256(_)) => &algorithm::ECDSA_P256_SHA256_FIXED,
            ("ecdsa", Material::P384(_)) => return self.verifies_p384(message, signature),
            ("eddsa", Material::Ed25519(_)) => &algorithm::ED25519,
            ("rsapss", Material::Rsa(_)) => &algorithm::RSA_PSS_2048_8192_SHA256,
            ("rsapkcs1v15", Material::Rsa(_)) => &algorithm::RSA_PKCS1_2048_8192_SHA256,
            _ => return false,
        };
        let (Material::P256(key) | Material::Rsa(key) | Material::Ed25519(key)) = &self.material
        else {
            return false;
        };
        UnparsedPublicKey::new(fixed, key)
            .verify(message, signature)
            .is_ok()
    }

    /// ring has P-384 with SHA-256 only for ASN.1 signatures; Notary writes r‖s.
    fn verifies_p384(&self, message: &[u8], signature: &[u8]) -> bool {
        let Material::P384(key) = &self.material else {
            return false;
        };
        let Some(der) = der_signature(signature, 48) else {
            return false;
        };
        UnparsedPublicKey::new(&algorithm::ECDSA_P384_SHA256_ASN1, key)
            .verify(message, &der)
            .is_ok()
    }

    /// Reads a key as a server's key endpoint gives it.
    ///
    /// # Errors
    /// Not JSON, or not a key.
    pub fn from_json(json: &[u8]) -> Result<Self, Malformed> {
        let node = Node::parse(json).map_err(|e| Malformed::Json(e.to_string()))?;
        Self::read(&node)
    }

    /// The key as a server's key endpoint gives it, in Go's order of members.
    pub fn to_json(&self) -> String {
        let public = STANDARD.encode(&self.public);
        format!(
            r#"{{"keytype":"{}","keyval":{{"public":"{public}","private":null}}}}"#,
            self.key_type
        )
    }

    pub(super) fn read(node: &Node<'_>) -> Result<Self, Malformed> {
        let Some(Node::Text(key_type)) = node.member("keytype") else {
            return Err(Malformed::Missing("keytype"));
        };
        let value = node.member("keyval").ok_or(Malformed::Missing("keyval"))?;
        let public = value.member("public").ok_or(Malformed::Missing("public"))?;
        Self::new(key_type, bytes(public, "public")?)
    }

    pub(super) fn node(&self) -> Node<'static> {
        key_node(&self.key_type, &self.public)
    }
}

fn key_node(key_type: &str, public: &[u8]) -> Node<'static> {
    Node::object([
        ("keytype", Node::text(key_type.to_owned())),
        (
            "keyval",
            Node::object([("private", Node::Null), ("public", base64_text(public))]),
        ),
    ])
}

fn key_id(key_type: &str, public: &[u8]) -> KeyId {
    KeyId(hex::encode(digest(
        &SHA256,
        &key_node(key_type, public).canonical(),
    )))
}

fn spki(key_type: &str, der: &[u8]) -> Material {
    let Ok((_, info)) = SubjectPublicKeyInfo::from_der(der) else {
        return Material::Unknown;
    };
    let bits = info.subject_public_key.data.to_vec();
    match (key_type.trim_end_matches("-x509"), info.parsed()) {
        ("ecdsa", Ok(Parsed::EC(_))) => {
            let curve = info
                .algorithm
                .parameters
                .as_ref()
                .and_then(|p| p.as_oid().ok());
            match curve.map(|oid| oid.to_id_string()).as_deref() {
                Some("1.2.840.10045.3.1.7") => Material::P256(bits),
                Some("1.3.132.0.34") => Material::P384(bits),
                _ => Material::Unknown,
            }
        }
        ("rsa", Ok(Parsed::RSA(_))) => Material::Rsa(bits),
        _ => Material::Unknown,
    }
}

/// An ASN.1 `ECDSA-Sig-Value` from r‖s, each `width` bytes.
pub fn der_signature(fixed: &[u8], width: usize) -> Option<Vec<u8>> {
    if fixed.len() != 2 * width || width > 60 {
        return None;
    }
    let (r, s) = fixed.split_at(width);
    let (r, s) = (der_integer(r), der_integer(s));
    let length = u8::try_from(r.len() + s.len()).ok().filter(|l| *l < 0x80)?;
    Some([&[0x30, length], r.as_slice(), s.as_slice()].concat())
}

fn der_integer(bytes: &[u8]) -> Vec<u8> {
    let significant = bytes
        .iter()
        .position(|b| *b != 0)
        .unwrap_or(bytes.len().saturating_sub(1));
    let digits = bytes.get(significant..).unwrap_or(bytes);
    let pad = digits.first().is_some_and(|b| b & 0x80 != 0);
    let length = u8::try_from(digits.len() + usize::from(pad)).unwrap_or(u8::MAX);
    let mut out = vec![0x02, length];
    if pad {
        out.push(0);
    }
    out.extend_from_slice(digits);
    out
}

/// Bits of the RSA keys whose signatures are believed.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;

#[cfg(test)]
mod tests {
    use super::*;
    use base64::engine::general_purpose::STANDARD;
    use ring::rand::SystemRandom;
    use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair};

    #[test]
    fn ids_are_those_of_notary() {
        for (key_type, public, id) in [
            (
                "ecdsa",
                "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEbMNj3qSkcoW9Umz0+4pDqVVYIJVb2Xu54kvvKCXUG4C7hbhhz1TvHMRmh19taFDCv5mklHpXDXlH6a6lOZ7/Aw==",
                "bf6bbfd7214c947d0f147b3bd54fcf8315f974b8c7511230d0450217bbc6b28f",
            ),
            (
                "ed25519",
                "iprEw+eMHiSSsqr0N/4VWjDgp4h6SCVk2oX7s07DGnw=",
                "efe9b40a9a3328af650f44f46541241f304eafd8b5c68118ae12ec406ce4d672",
            ),
        ] {
            let key = PublicKey::new(key_type, STANDARD.decode(public).unwrap()).unwrap();
            assert_eq!(key.id().as_str(), id);
            assert_eq!(key.canonical_id(), *key.id());
            assert_eq!(PublicKey::read(&key.node()).unwrap(), key);
        }
    }

    #[test]
    fn the_method_must_fit_the_key() {
        let pkcs8 = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        let pair = Ed25519KeyPair::from_pkcs8(pkcs8.as_ref()).unwrap();
        let key = PublicKey::new("ed25519", pair.public_key().as_ref().to_vec()).unwrap();
        let signature = pair.sign(b"message");
        assert!(key.verifies("eddsa", b"message", signature.as_ref()));
        assert!(!key.verifies("eddsa", b"massage", signature.as_ref()));
        for method in ["ecdsa", "rsapss", "rsapkcs1v15", "", "EDDSA"] {
            assert!(
                !key.verifies(method, b"message", signature.as_ref()),
                "{method}"
            );
        }
        let other = PublicKey::new("unheard-of", pair.public_key().as_ref().to_vec()).unwrap();
        assert!(!other.verifies("eddsa", b"message", signature.as_ref()));
    }

    #[test]
    fn an_ecdsa_signature_has_fixed_width() {
        let random = SystemRandom::new();
        let pkcs8 =
            EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        let pair =
            EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref(), &random)
                .unwrap();
        let prefix = STANDARD
            .decode("MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE")
            .unwrap();
        let der = [&prefix[..prefix.len() - 1], pair.public_key().as_ref()].concat();
        let key = PublicKey::new("ecdsa", der).unwrap();
        let signature = pair.sign(&random, b"message").unwrap();
        assert!(key.verifies("ecdsa", b"message", signature.as_ref()));
        let asn1 = der_signature(signature.as_ref(), 32).unwrap();
        assert!(
            !key.verifies("ecdsa", b"message", &asn1),
            "ASN.1 is not what Notary writes"
        );
    }

    #[test]
    fn integers_of_a_signature_are_minimal() {
        let fixed = [vec![0; 31], vec![0x80], vec![0x01; 32]].concat();
        let der = der_signature(&fixed, 32).unwrap();
        assert_eq!(der[..6], [0x30, 38, 0x02, 2, 0, 0x80]);
        assert_eq!(der_signature(&fixed[1..], 32), None);
        assert_eq!(
            der_signature(&[0; 64], 32).unwrap(),
            [0x30, 6, 2, 1, 0, 2, 1, 0]
        );
    }
}
