//! Chains of certificates in tokens, from the key that signed to a certificate that is configured.

use super::TokenError;
use super::key::Key;
use crate::tuf::authority::check_path;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use rustls::pki_types::{CertificateDer, TrustAnchor};
use webpki::anchor_from_trusted_cert;
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
        check_path(&self.anchors, leaf, others, now).map_err(broken)
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
