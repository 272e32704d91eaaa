//! Private keys as bytes: PKCS#8, SEC1, PKCS#1 and Notary's Ed25519, read and written.

use pkcs8::PrivateKeyInfoRef;
use pkcs8::der::asn1::{AnyRef, ObjectIdentifier, OctetStringRef};
use pkcs8::der::{self, Decode, Encode, Reader, SliceReader};
use pkcs8::spki::AlgorithmIdentifierRef;
use sec1::{EcParameters, EcPrivateKey};
use zeroize::Zeroizing;

use super::error::KeyError;
use super::private::{PrivateKey, Secret};

pub(super) const EC_OID: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
pub(super) const ED25519_OID: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
pub(super) const RSA_OID: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
/// What Notary writes for Ed25519 (GNU's arc; the key is 32 public and 64 private bytes).
const NOTARY_ED25519_OID: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.11591.15.1");
pub(super) const P256_OID: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");

/// Reads a PKCS#8 `PrivateKeyInfo`, plain.
///
/// Notary writes version 1 without the public key that version promises, so the version is read
/// and not believed, and whatever follows the key is skipped.
pub(crate) fn from_pkcs8(bytes: &[u8]) -> Result<PrivateKey, KeyError> {
    let (algorithm, key) = split_pkcs8(bytes).map_err(KeyError::damaged)?;
    match algorithm.oid {
        EC_OID => from_ec(key, curve_of(&algorithm)?),
        RSA_OID => from_pkcs1(key),
        ED25519_OID => from_ed25519_seed(key),
        NOTARY_ED25519_OID => from_notary_ed25519(key),
        oid => Err(KeyError::UnsupportedAlgorithm {
            algorithm: oid.to_string(),
        }),
    }
}

/// Reads a SEC1 `ECPrivateKey`.
pub(super) fn from_sec1(bytes: &[u8]) -> Result<PrivateKey, KeyError> {
    from_ec(bytes, None)
}

/// Reads a PKCS#1 `RSAPrivateKey`.
pub(super) fn from_pkcs1(bytes: &[u8]) -> Result<PrivateKey, KeyError> {
    let key = pkcs1::RsaPrivateKeyRef::from_der(bytes).map_err(KeyError::damaged)?;
    let modulus = key.modulus.as_bytes();
    let unused = modulus
        .first()
        .map_or(0, |byte| byte.leading_zeros() as usize);
    let bits = modulus.len() * 8 - unused;
    // Docker imports smaller keys and then refuses their signatures; larger ones ring cannot use.
    if !(2048..=4096).contains(&bits) {
        return Err(KeyError::UnsupportedRsaSize { bits });
    }
    PrivateKey::from_rsa(Zeroizing::new(bytes.to_vec()))
}

/// Reads Notary's Ed25519 form: the public key, then the private key, which ends in the public.
pub(super) fn from_notary_ed25519(bytes: &[u8]) -> Result<PrivateKey, KeyError> {
    let malformed = || KeyError::damaged("malformed ed25519 private key");
    let (public, pair) = bytes.split_first_chunk::<32>().ok_or_else(malformed)?;
    let pair: &[u8; 64] = pair.try_into().map_err(|_| malformed())?;
    let key = ed25519_dalek::SigningKey::from_keypair_bytes(pair).map_err(|_| malformed())?;
    if key.verifying_key().as_bytes() != public {
        return Err(malformed());
    }
    Ok(PrivateKey::from_ed25519(key))
}

/// Writes PKCS#8 that Docker, Notary and (but for Ed25519) OpenSSL read.
pub(crate) fn to_pkcs8(key: &PrivateKey) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let (oid, parameters, inner) = match &key.secret {
        Secret::Ecdsa(key) => (EC_OID, Some(AnyRef::from(&P256_OID)), sec1_der(key)),
        Secret::Ed25519(key) => (NOTARY_ED25519_OID, None, Ok(notary_ed25519(key))),
        Secret::Rsa(der) => (RSA_OID, Some(AnyRef::NULL), Ok(der.clone())),
        Secret::Token(_) => {
            return Err(KeyError::OnToken {
                id: key.id().to_owned(),
            });
        }
    };
    let inner = inner.map_err(KeyError::damaged)?;
    let key = OctetStringRef::new(&inner).map_err(KeyError::damaged)?;
    let algorithm = AlgorithmIdentifierRef { oid, parameters };
    let info = PrivateKeyInfoRef::new(algorithm, key);
    info.to_der().map(Zeroizing::new).map_err(KeyError::damaged)
}

fn split_pkcs8(bytes: &[u8]) -> der::Result<(AlgorithmIdentifierRef<'_>, &[u8])> {
    let mut reader = SliceReader::new(bytes)?;
    let parts = reader.sequence(|info| -> der::Result<_> {
        u8::decode(info)?;
        let algorithm = AlgorithmIdentifierRef::decode(info)?;
        let key = <&OctetStringRef>::decode(info)?.as_bytes();
        let attributes = info.remaining_len();
        info.read_slice(attributes)?;
        Ok((algorithm, key))
    })?;
    reader.finish()?;
    Ok(parts)
}

fn curve_of(algorithm: &AlgorithmIdentifierRef<'_>) -> Result<Option<ObjectIdentifier>, KeyError> {
    let decoded = algorithm.parameters.map(AnyRef::decode_as);
    decoded.transpose().map_err(KeyError::damaged)
}

fn from_ec(sec1: &[u8], curve: Option<ObjectIdentifier>) -> Result<PrivateKey, KeyError> {
    let key = EcPrivateKey::from_der(sec1).map_err(KeyError::damaged)?;
    let inner = key.parameters.and_then(EcParameters::named_curve);
    for curve in [curve, inner].into_iter().flatten() {
        if curve != P256_OID {
            return Err(KeyError::UnsupportedCurve {
                curve: curve_name(curve),
            });
        }
    }
    let secret = p256::SecretKey::try_from(key).map_err(KeyError::damaged)?;
    PrivateKey::from_p256(&secret)
}

fn curve_name(curve: ObjectIdentifier) -> String {
    match curve.to_string().as_str() {
        "1.3.132.0.33" => "P-224".to_owned(),
        "1.3.132.0.34" => "P-384".to_owned(),
        "1.3.132.0.35" => "P-521".to_owned(),
        "1.3.132.0.10" => "secp256k1".to_owned(),
        other => other.to_owned(),
    }
}

/// Reads the standard form (RFC 8410): an octet string with the seed inside the octet string.
fn from_ed25519_seed(bytes: &[u8]) -> Result<PrivateKey, KeyError> {
    let seed = <&OctetStringRef>::from_der(bytes)
        .map_err(KeyError::damaged)?
        .as_bytes();
    let seed = seed
        .try_into()
        .map_err(|_| KeyError::damaged("malformed ed25519 private key"))?;
    Ok(PrivateKey::from_ed25519(
        ed25519_dalek::SigningKey::from_bytes(seed),
    ))
}

fn sec1_der(key: &p256::ecdsa::SigningKey) -> der::Result<Zeroizing<Vec<u8>>> {
    p256::SecretKey::from(key).to_sec1_der()
}

fn notary_ed25519(key: &ed25519_dalek::SigningKey) -> Zeroizing<Vec<u8>> {
    let pair = Zeroizing::new(key.to_keypair_bytes());
    let mut bytes = Zeroizing::new(Vec::with_capacity(96));
    bytes.extend_from_slice(key.verifying_key().as_bytes());
    bytes.extend_from_slice(pair.as_slice());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    // RFC 8032, 7.1, test 2.
    const SEED: &str = "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb";
    const PUBLIC: &str = "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c";
    const SIGNATURE: &str = "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da\
                             085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00";

    fn notary_form(public: &str, seed: &str) -> Vec<u8> {
        hex::decode([public, seed, PUBLIC].concat()).unwrap()
    }

    #[test]
    fn notary_ed25519_keys_sign_as_the_standard_says() {
        let key = from_notary_ed25519(&notary_form(PUBLIC, SEED)).unwrap();
        assert_eq!(hex::encode(&key.public().bytes), PUBLIC);
        let signature = key.sign(&[0x72]).unwrap();
        assert_eq!(
            (signature.method, hex::encode(signature.bytes).as_str()),
            ("eddsa", SIGNATURE)
        );
        assert_eq!(from_pkcs8(&to_pkcs8(&key).unwrap()).unwrap().id(), key.id());
    }

    #[test]
    fn ed25519_halves_that_do_not_fit_are_refused() {
        let good = notary_form(PUBLIC, SEED);
        for bad in [
            &good[..95],
            &[&good[..], &[0]].concat(),
            &notary_form(SEED, SEED),
        ] {
            assert!(matches!(
                from_notary_ed25519(bad),
                Err(KeyError::Damaged { .. })
            ));
        }
        assert!(from_notary_ed25519(&notary_form(PUBLIC, PUBLIC)).is_err());
    }

    #[test]
    fn elliptic_keys_are_written_as_the_standard_says() {
        let key = PrivateKey::generate(super::super::private::Algorithm::EcdsaP256).unwrap();
        let der = to_pkcs8(&key).unwrap();
        let info = PrivateKeyInfoRef::try_from(der.as_slice()).unwrap();
        assert_eq!(info.version(), pkcs8::Version::V1);
        let inner = EcPrivateKey::from_der(info.private_key.as_bytes()).unwrap();
        assert!(inner.parameters.is_some() && inner.public_key.is_some());
    }
}
