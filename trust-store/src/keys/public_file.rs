//! Public key files: PEM `PUBLIC KEY` with a role header, or an X.509 certificate.

use pem::{EncodeConfig, LineEnding, Pem};
use pkcs8::der::asn1::{AnyRef, BitStringRef, ObjectIdentifier};
use pkcs8::der::{self, Decode, Encode, Reader, SliceReader, Tag, TagNumber};
use pkcs8::spki::{AlgorithmIdentifierRef, SubjectPublicKeyInfoRef};

use super::encoding::{EC_OID, ED25519_OID, RSA_OID};
use super::error::KeyError;
use super::file::{MAX_FILE_SIZE, first_block};
use super::public::PublicKey;

/// Reads a public key file: the key, and the role its header names.
///
/// A certificate's key has type `ecdsa-x509` or `rsa-x509` and the PEM of that one certificate as
/// bytes (Notary v1, `ParsePEMPublicKey`).
pub fn parse_public(bytes: &[u8]) -> Result<(PublicKey, Option<String>), KeyError> {
    if bytes.len() > MAX_FILE_SIZE {
        return Err(KeyError::TooLarge {
            limit: MAX_FILE_SIZE as u64,
        });
    }
    let block = first_block(bytes).ok_or(KeyError::NoPublicKey)?;
    let key = match block.tag() {
        "PUBLIC KEY" => from_spki(block.contents()).map_err(|reason| KeyError::BadPublicKey {
            reason: reason.to_string(),
        })?,
        "CERTIFICATE" => from_certificate(block.contents())?,
        found => {
            return Err(KeyError::UnsupportedPublicPem {
                found: found.to_owned(),
            });
        }
    };
    Ok((key, block.headers().get("role").map(str::to_owned)))
}

/// The PEM text of a public key, in the form that `docker trust signer add` reads.
///
/// `role` becomes a header; a certificate is its own text and has none.
pub fn encode_public(key: &PublicKey, role: Option<&str>) -> Result<String, KeyError> {
    if key.key_type.ends_with("-x509") {
        return Ok(String::from_utf8_lossy(&key.bytes).into_owned());
    }
    let bytes = match key.key_type.as_str() {
        "ed25519" => ed25519_spki(&key.bytes).map_err(|reason| KeyError::BadPublicKey {
            reason: reason.to_string(),
        })?,
        _ => key.bytes.clone(),
    };
    let headers: Vec<_> = role.map(|role| ("role", role)).into_iter().collect();
    encode_pem("PUBLIC KEY", &headers, bytes)
}

/// PEM text with header lines, 64 columns wide, as Go writes it.
pub(super) fn encode_pem(
    tag: &str,
    headers: &[(&str, &str)],
    bytes: Vec<u8>,
) -> Result<String, KeyError> {
    let plain = pem::encode_config(
        &Pem::new(tag, bytes),
        EncodeConfig::new().set_line_ending(LineEnding::LF),
    );
    // The pem crate refuses a colon in a header's value; the name of a registry has one.
    let (begin, rest) = plain.split_once('\n').unwrap_or((&plain, ""));
    let mut lines = String::new();
    for (name, value) in headers {
        if value.is_empty() || value.trim() != *value || value.chars().any(char::is_control) {
            return Err(KeyError::BadLabel {
                value: (*value).to_owned(),
            });
        }
        lines.extend([name, ": ", value, "\n"]);
    }
    let gap = if headers.is_empty() { "" } else { "\n" };
    Ok(format!("{begin}\n{lines}{gap}{rest}"))
}

/// The plain key inside a certificate key; nothing for other types or other bytes.
pub(super) fn certificate_key(key: &PublicKey) -> Option<PublicKey> {
    if !key.key_type.ends_with("-x509") {
        return None;
    }
    let block = first_block(&key.bytes).filter(|block| block.tag() == "CERTIFICATE")?;
    Some(read_certificate(block.contents()).ok()?.1)
}

fn from_certificate(certificate: &[u8]) -> Result<PublicKey, KeyError> {
    let bad = |reason: der::Error| KeyError::BadCertificate {
        reason: reason.to_string(),
    };
    let (_, plain) = read_certificate(certificate).map_err(bad)?;
    if plain.key_type == "ed25519" {
        return Err(KeyError::UnsupportedAlgorithm {
            algorithm: "ed25519 certificate".to_owned(),
        });
    }
    // The key id is the hash of exactly this text, so it is written anew, always the same way.
    let text = encode_pem("CERTIFICATE", &[], certificate.to_vec())?;
    Ok(PublicKey {
        key_type: format!("{}-x509", plain.key_type),
        bytes: text.into_bytes(),
    })
}

fn from_spki(spki: &[u8]) -> der::Result<PublicKey> {
    let info = SubjectPublicKeyInfoRef::from_der(spki)?;
    let (key_type, bytes) = match info.algorithm.oid {
        EC_OID => ("ecdsa", spki),
        RSA_OID => ("rsa", spki),
        ED25519_OID => ("ed25519", info.subject_public_key.raw_bytes()),
        oid => return Err(der::ErrorKind::OidUnknown { oid }.into()),
    };
    if key_type == "ed25519" && bytes.len() != 32 {
        return Err(Tag::BitString.length_error().into());
    }
    Ok(PublicKey {
        key_type: key_type.to_owned(),
        bytes: bytes.to_vec(),
    })
}

fn ed25519_spki(raw: &[u8]) -> der::Result<Vec<u8>> {
    encode_spki(ED25519_OID, None, raw)
}

/// DER `SubjectPublicKeyInfo` around the bytes of a key.
pub(super) fn encode_spki(
    oid: ObjectIdentifier,
    parameters: Option<AnyRef<'_>>,
    key: &[u8],
) -> der::Result<Vec<u8>> {
    SubjectPublicKeyInfoRef {
        algorithm: AlgorithmIdentifierRef { oid, parameters },
        subject_public_key: BitStringRef::from_bytes(key)?,
    }
    .to_der()
}

/// The common name in a certificate, and the plain key.
pub(super) fn read_certificate(certificate: &[u8]) -> der::Result<(Option<String>, PublicKey)> {
    let (subject, spki) = parts_of_certificate(certificate)?;
    Ok((common_name(subject), from_spki(spki)?))
}

/// The common name, if it is the last part of the name and its text is UTF-8, as ours and Go's are.
fn common_name(subject: &[u8]) -> Option<String> {
    let mut reader = SliceReader::new(subject).ok()?;
    let name = reader.sequence(|names| -> der::Result<_> {
        let mut last = None;
        while !names.is_finished() {
            let set = AnyRef::decode(names)?;
            let mut parts = SliceReader::new(set.value())?;
            last = Some(parts.sequence(|part| -> der::Result<_> {
                Ok((ObjectIdentifier::decode(part)?, AnyRef::decode(part)?))
            })?);
        }
        Ok(last)
    });
    let (oid, value) = name.ok()??;
    let text = str::from_utf8(value.value()).ok()?;
    (oid == COMMON_NAME_OID).then(|| text.to_owned())
}

/// Walks to the sixth and seventh field of the certificate's body (RFC 5280, 4.1), checking nothing else:
/// whether a certificate is valid is for those to judge who rely on it.
fn parts_of_certificate(certificate: &[u8]) -> der::Result<(&[u8], &[u8])> {
    let mut reader = SliceReader::new(certificate)?;
    let parts = reader.sequence(|outer| -> der::Result<_> {
        let parts = outer.sequence(|body| -> der::Result<_> {
            if Tag::peek(body)? == VERSION_TAG {
                body.tlv_bytes()?;
            }
            for _serial_signature_issuer_validity in 0..4 {
                body.tlv_bytes()?;
            }
            let subject = body.tlv_bytes()?;
            let spki = body.tlv_bytes()?;
            let extensions = body.remaining_len();
            body.read_slice(extensions)?;
            Ok((subject, spki))
        })?;
        let signature = outer.remaining_len();
        outer.read_slice(signature)?;
        Ok(parts)
    })?;
    reader.finish()?;
    Ok(parts)
}

const COMMON_NAME_OID: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.3");
/// `[0]`, which a certificate of version 1 leaves out.
const VERSION_TAG: Tag = Tag::ContextSpecific {
    constructed: true,
    number: TagNumber(0),
};
