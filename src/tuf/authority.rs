//! Authorities: whether a certificate leads to one that is trusted.

use super::certificate::Leaf;
use super::error::Malformed;
use super::limits;
use jiff::Timestamp;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::{CertificateDer, TrustAnchor, UnixTime};
use std::time::Duration;
use webpki::{
    EndEntityCert, Error, ExtendedKeyUsageValidator, KeyPurposeIdIter, anchor_from_trusted_cert,
};
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;
use x509_parser::time::ASN1Time;

/// The certificates in a PEM file, in DER; each may vouch for others.
///
/// # Errors
/// Another PEM block, none at all, a certificate that is broken or of no authority.
pub fn authorities(file: &[u8]) -> Result<Vec<Vec<u8>>, Malformed> {
    let fault = |words: &str| Malformed::Certificate(words.to_owned());
    if file.len() > limits::CERTIFICATE_BYTES {
        return Err(fault(&format!(
            "longer than {} bytes",
            limits::CERTIFICATE_BYTES
        )));
    }
    let blocks = pem::parse_many(file).map_err(|error| fault(&error.to_string()))?;
    if blocks.is_empty() {
        return Err(fault("there is none"));
    }
    let certificates = blocks.into_iter().map(|block| {
        if block.tag() != "CERTIFICATE" {
            return Err(fault("a PEM block that is not a certificate"));
        }
        let der = block.into_contents();
        let parsed = parse(&der).ok_or_else(|| fault("a certificate that is none"))?;
        if !parsed.is_ca() || anchor_from_trusted_cert(&CertificateDer::from(&*der)).is_err() {
            return Err(fault("a certificate that belongs to no CA"));
        }
        Ok(der)
    });
    certificates.collect()
}

/// Whether the leaf of a PEM bundle speaks for the repository `gun`, is in force, and leads to one
/// of these authorities that is in force (Notary v1 client, trustpin.go).
pub fn vouch_for(authorities: &[Vec<u8>], bundle: &[u8], gun: &str, now: Timestamp) -> bool {
    let leaf = Leaf::parse(bundle);
    if !leaf.is_ok_and(|leaf| leaf.names(gun) && leaf.in_force(now)) {
        return false;
    }
    let Ok(blocks) = pem::parse_many(bundle) else {
        return false;
    };
    let chain: Vec<_> = blocks
        .iter()
        .map(|block| CertificateDer::from(block.contents()))
        .collect();
    let Some((leaf, others)) = chain.split_first() else {
        return false;
    };
    let authorities: Vec<_> = authorities
        .iter()
        .filter(|authority| is_in_force(authority, now))
        .map(|authority| CertificateDer::from(authority.as_slice()))
        .collect();
    let anchors: Vec<_> = authorities
        .iter()
        .filter_map(|authority| anchor_from_trusted_cert(authority).ok())
        .collect();
    check_path(&anchors, leaf, others, now).is_ok()
}

/// Whether a certificate leads over others to one of these; what it is meant for does not matter.
///
/// # Errors
/// The library's; that an anchor is past its date is none.
pub fn check_path(
    anchors: &[TrustAnchor<'_>],
    leaf: &CertificateDer<'_>,
    others: &[CertificateDer<'_>],
    now: Timestamp,
) -> Result<(), Error> {
    let seconds = u64::try_from(now.as_second()).unwrap_or_default();
    EndEntityCert::try_from(leaf)?
        .verify_for_usage(
            default_provider().signature_verification_algorithms.all,
            anchors,
            others,
            UnixTime::since_unix_epoch(Duration::from_secs(seconds)),
            AnyUsage,
            None,
            None,
        )
        .map(|_| ())
}

/// Whatever a certificate is meant for.
struct AnyUsage;

impl ExtendedKeyUsageValidator for AnyUsage {
    fn validate(&self, _: KeyPurposeIdIter<'_, '_>) -> Result<(), Error> {
        Ok(())
    }
}

fn is_in_force(der: &[u8], now: Timestamp) -> bool {
    let now = ASN1Time::from_timestamp(now.as_second());
    let certificate = parse(der);
    certificate.is_some_and(|it| now.is_ok_and(|now| it.validity().is_valid_at(now)))
}

fn parse(der: &[u8]) -> Option<X509Certificate<'_>> {
    let (rest, certificate) = X509Certificate::from_der(der).ok()?;
    rest.is_empty().then_some(certificate)
}
