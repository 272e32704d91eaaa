//! The certificate in which a root key travels (Notary v1 `certificate.go`).

use super::Error;
use super::keyring::KeyringError;
use crate::tuf::certificate::Leaf;
use crate::tuf::key::{PublicKey, der_signature};
use jiff::Timestamp;
use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, KeyUsagePurpose,
    PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256, PublicKeyData, SignatureAlgorithm, SigningKey,
};
use std::cell::RefCell;
use std::time::{Duration, SystemTime};
use trust_store::keys::{KeyError, PrivateKey};
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;
use x509_parser::x509::SubjectPublicKeyInfo;

/// A self-signed certificate of `key` for the repository `gun`, ten years from `now`.
///
/// # Errors
/// The key is neither ECDSA P-256 nor RSA, or cannot sign, or the dates do not fit a certificate.
pub(super) fn certify(key: &PrivateKey, gun: &str, now: Timestamp) -> Result<PublicKey, Error> {
    let fault = |reason: &str| Error::RootCertificate(reason.to_owned());
    let algorithm = match key.public().key_type.as_str() {
        "ecdsa" => &PKCS_ECDSA_P256_SHA256,
        "rsa" => &PKCS_RSA_SHA256,
        _ => return Err(fault("a root key has to be an ECDSA or an RSA key")),
    };
    let (_, info) =
        SubjectPublicKeyInfo::from_der(&key.public().bytes).map_err(|e| fault(&e.to_string()))?;
    let signer = CertificateSigner {
        key,
        public: info.subject_public_key.data.to_vec(),
        algorithm,
        failure: RefCell::new(None),
    };
    let made = params(gun, now).self_signed(&signer);
    let certificate = match (made, signer.failure.take()) {
        (_, Some(failure)) => return Err(KeyringError::from(failure).into()),
        (made, None) => made.map_err(|e| fault(&e.to_string()))?,
    };
    let block = pem::Pem::new("CERTIFICATE", certificate.der().to_vec());
    let key_type = format!("{}-x509", key.public().key_type);
    PublicKey::new(&key_type, written(&[block])).map_err(|e| fault(&e.to_string()))
}

/// A certificate brought from elsewhere, if it names `gun` and is in force.
///
/// # Errors
/// It is for another repository, out of date, or of a key that cannot sign roots.
pub(super) fn adopt(bundle: &[u8], gun: &str, now: Timestamp) -> Result<PublicKey, Error> {
    let fault = |reason: &str| Error::RootCertificate(reason.to_owned());
    let blocks = pem::parse_many(bundle).map_err(|e| fault(&e.to_string()))?;
    let written = written(&blocks);
    let leaf = Leaf::parse(&written).map_err(|e| fault(&e.to_string()))?;
    let of_type = |key_type| PublicKey::new(key_type, written.clone());
    let mut public = of_type("ecdsa-x509").map_err(|e| fault(&e.to_string()))?;
    if !public.can_verify() {
        public = of_type("rsa-x509").map_err(|e| fault(&e.to_string()))?;
    }
    if !public.can_verify() {
        return Err(fault("no signature of its key can be checked"));
    }
    if !leaf.names(gun) {
        let name = &leaf.common_name;
        return Err(fault(&format!(
            "the certificate is for {name}, not for {gun}"
        )));
    }
    if !leaf.in_force(now) {
        return Err(fault("the certificate is not in force"));
    }
    Ok(public)
}

/// Whether nobody but its own key vouches for the certificate, so that a new one is as good.
pub(super) fn is_self_made(certificate: &PublicKey) -> bool {
    let Ok(blocks) = pem::parse_many(certificate.public()) else {
        return false;
    };
    let [only] = blocks.as_slice() else {
        return false;
    };
    X509Certificate::from_der(only.contents())
        .is_ok_and(|(_, certificate)| certificate.issuer() == certificate.subject())
}

/// The form in which Go's programs write a bundle again before they hash it.
fn written(blocks: &[pem::Pem]) -> Vec<u8> {
    let config = pem::EncodeConfig::new().set_line_ending(pem::LineEnding::LF);
    let texts = blocks.iter().map(|block| pem::encode_config(block, config));
    texts.collect::<String>().into_bytes()
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
    public: Vec<u8>,
    algorithm: &'static SignatureAlgorithm,
    /// What the key said, which the library in between does not pass on.
    failure: RefCell<Option<KeyError>>,
}

impl PublicKeyData for CertificateSigner<'_> {
    fn der_bytes(&self) -> &[u8] {
        &self.public
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        self.algorithm
    }
}

impl SigningKey for CertificateSigner<'_> {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        let signature = self.key.sign_certificate(message).map_err(|failure| {
            self.failure.replace(Some(failure));
            rcgen::Error::RemoteKeyError
        })?;
        match self.key.public().key_type.as_str() {
            "rsa" => Ok(signature),
            _ => der_signature(&signature, 32).ok_or(rcgen::Error::RemoteKeyError),
        }
    }
}

/// 3650 days (Notary v1).
const VALIDITY: Duration = Duration::from_hours(3650 * 24);
