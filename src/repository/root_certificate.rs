//! The certificate in which a root key travels (Notary v1 `certificate.go`).

use super::Error;
use crate::tuf::key::{PublicKey, der_signature};
use jiff::Timestamp;
use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, KeyUsagePurpose,
    PKCS_ECDSA_P256_SHA256, PublicKeyData, SignatureAlgorithm, SigningKey,
};
use std::time::{Duration, SystemTime};
use trust_store::keys::PrivateKey;
use x509_parser::prelude::FromDer;
use x509_parser::x509::SubjectPublicKeyInfo;

/// A self-signed certificate of `key` for the repository `gun`, ten years from `now`.
///
/// # Errors
/// The key is not ECDSA P-256, or the dates do not fit a certificate.
pub(super) fn certify(key: &PrivateKey, gun: &str, now: Timestamp) -> Result<PublicKey, Error> {
    let fault = |reason: &str| Error::RootCertificate(reason.to_owned());
    if key.public().key_type != "ecdsa" {
        return Err(fault("a root key has to be an ECDSA key"));
    }
    let (_, info) =
        SubjectPublicKeyInfo::from_der(&key.public().bytes).map_err(|e| fault(&e.to_string()))?;
    let signer = CertificateSigner {
        key,
        point: info.subject_public_key.data.to_vec(),
    };
    let certificate = params(gun, now)
        .self_signed(&signer)
        .map_err(|e| fault(&e.to_string()))?;
    let pem = pem::Pem::new("CERTIFICATE", certificate.der().to_vec());
    let config = pem::EncodeConfig::new().set_line_ending(pem::LineEnding::LF);
    let bundle = pem::encode_config(&pem, config);
    PublicKey::new("ecdsa-x509", bundle.into_bytes()).map_err(|e| fault(&e.to_string()))
}

fn params(gun: &str, now: Timestamp) -> CertificateParams {
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, gun);
    let from = SystemTime::from(now);
    let mut params = CertificateParams::default();
    params.distinguished_name = name;
    params.not_before = from.into();
    params.not_after = (from + VALIDITY).into();
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![
        KeyUsagePurpose::DigitalSignature,
        KeyUsagePurpose::KeyEncipherment,
    ];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::CodeSigning];
    params
}

struct CertificateSigner<'k> {
    key: &'k PrivateKey,
    point: Vec<u8>,
}

impl PublicKeyData for CertificateSigner<'_> {
    fn der_bytes(&self) -> &[u8] {
        &self.point
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &PKCS_ECDSA_P256_SHA256
    }
}

impl SigningKey for CertificateSigner<'_> {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        let signature = self
            .key
            .sign(message)
            .map_err(|_| rcgen::Error::RemoteKeyError)?;
        der_signature(&signature.bytes, 32).ok_or(rcgen::Error::RemoteKeyError)
    }
}

/// 3650 days (Notary v1).
const VALIDITY: Duration = Duration::from_hours(3650 * 24);
