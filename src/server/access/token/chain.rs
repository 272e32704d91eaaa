//! Chains of certificates in tokens, from the key that signed to a certificate that is configured.

use super::TokenError;
use super::key::Key;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::{CertificateDer, TrustAnchor, UnixTime};
use std::time::Duration;
use webpki::{
    EndEntityCert, ExtendedKeyUsageValidator, KeyPurposeIdIter, anchor_from_trusted_cert,
};
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;
use x509_parser::time::ASN1Time;

/// Certificates that are believed by themselves.
#[derive(Debug)]
pub(super) struct Authorities {
    named: Vec<CertificateDer<'static>>,
    anchors: Vec<TrustAnchor<'static>>,
}

impl Authorities {
    pub(super) fn new(named: Vec<CertificateDer<'static>>) -> Self {
        let anchors = named.iter().filter_map(|certificate| {
            // One that can vouch for nobody can still sign tokens itself.
            let anchor = anchor_from_trusted_cert(certificate).ok()?;
            Some(anchor.to_owned())
        });
        Self {
            anchors: anchors.collect(),
            named,
        }
    }

    /// The key of the first certificate, if the others lead from it to one that is configured.
    ///
    /// What the certificate is meant for does not matter (distribution, `ExtKeyUsageAny`).
    pub(super) fn key_of(&self, x5c: &[String], now: Timestamp) -> Result<Key, TokenError> {
        let chain = decoded(x5c)?;
        let (leaf, others) = chain.split_first().ok_or(TokenError::NoKey)?;
        let unusable = || TokenError::Malformed("a certificate that is none");
        let (_, parsed) = X509Certificate::from_der(leaf).map_err(|_| unusable())?;
        if self.named.contains(leaf) {
            check_dates(&parsed, now)?;
        } else {
            self.check_path(leaf, others, now)?;
        }
        Key::from_spki(parsed.public_key().raw).ok_or_else(unusable)
    }

    fn check_path(
        &self,
        leaf: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        now: Timestamp,
    ) -> Result<(), TokenError> {
        let broken = |error: webpki::Error| TokenError::Chain(error.to_string());
        let seconds = u64::try_from(now.as_second()).unwrap_or_default();
        EndEntityCert::try_from(leaf)
            .map_err(broken)?
            .verify_for_usage(
                default_provider().signature_verification_algorithms.all,
                &self.anchors,
                others,
                UnixTime::since_unix_epoch(Duration::from_secs(seconds)),
                AnyUsage,
                None,
                None,
            )
            .map(|_| ())
            .map_err(broken)
    }
}

/// Whatever a certificate is meant for.
struct AnyUsage;

impl ExtendedKeyUsageValidator for AnyUsage {
    fn validate(&self, _: KeyPurposeIdIter<'_, '_>) -> Result<(), webpki::Error> {
        Ok(())
    }
}

fn decoded(x5c: &[String]) -> Result<Vec<CertificateDer<'static>>, TokenError> {
    if x5c.len() > LONGEST_CHAIN {
        return Err(TokenError::Malformed("a chain that is too long"));
    }
    let certificates = x5c.iter().map(|text| {
        let der = STANDARD.decode(text);
        der.map(CertificateDer::from)
            .map_err(|_| TokenError::Malformed("a certificate that is not in base64"))
    });
    certificates.collect()
}

fn check_dates(certificate: &X509Certificate<'_>, now: Timestamp) -> Result<(), TokenError> {
    let now = ASN1Time::from_timestamp(now.as_second())
        .map_err(|_| TokenError::Chain("there is no such time".to_owned()))?;
    if certificate.validity().is_valid_at(now) {
        return Ok(());
    }
    Err(TokenError::Chain("it is out of its dates".to_owned()))
}

/// Certificates of one token.
const LONGEST_CHAIN: usize = 8;
