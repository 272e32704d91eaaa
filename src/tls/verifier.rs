//! Who vouches for a server: private authorities first, the system's only if those do not know it.

use super::TlsError;
use rustls::{
    CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        verify_server_name,
    },
    crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime},
    server::ParsedCertificate,
};
use std::sync::{Arc, OnceLock};
use x509_parser::{certificate::X509Certificate, prelude::FromDer, time::ASN1Time};

/// Verifies servers; reading the system's authorities waits until they are needed.
#[derive(Debug)]
pub(super) struct Verifier {
    private: Authorities,
    system: OnceLock<Authorities>,
    provider: Arc<CryptoProvider>,
}

/// Certificates that are believed, and the rules for those they vouch for.
#[derive(Debug)]
struct Authorities {
    named: Vec<CertificateDer<'static>>,
    vouching: Option<Arc<WebPkiServerVerifier>>,
}

impl Verifier {
    /// Believes these authorities besides the system's.
    pub(super) fn new(
        authorities: &[CertificateDer<'static>],
        provider: Arc<CryptoProvider>,
    ) -> Result<Self, TlsError> {
        let mut roots = RootCertStore::empty();
        for authority in authorities {
            roots
                .add(authority.clone())
                .map_err(|source| TlsError::Rejected { source })?;
        }
        let private = Authorities::new(authorities.to_vec(), roots, &provider);
        Ok(Self {
            private,
            system: OnceLock::new(),
            provider,
        })
    }

    fn system(&self) -> &Authorities {
        self.system.get_or_init(|| {
            let certificates = rustls_native_certs::load_native_certs().certs;
            let mut roots = RootCertStore::empty();
            // One broken file among the system's must not make all the others useless.
            roots.add_parsable_certificates(certificates.iter().cloned());
            Authorities::new(certificates, roots, &self.provider)
        })
    }
}

impl Authorities {
    fn new(
        named: Vec<CertificateDer<'static>>,
        roots: RootCertStore,
        provider: &Arc<CryptoProvider>,
    ) -> Self {
        let provider = Arc::clone(provider);
        let builder = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider);
        // Without any root there is no one to vouch.
        Self {
            named,
            vouching: builder.build().ok(),
        }
    }

    fn verify(&self, shown: &Shown<'_>) -> Result<ServerCertVerified, Error> {
        if self.named.iter().any(|named| named == shown.certificate) {
            return verify_named(shown);
        }
        match &self.vouching {
            Some(vouching) if !is_self_issued(shown.certificate) => vouching.verify_server_cert(
                shown.certificate,
                shown.intermediates,
                shown.name,
                &[],
                shown.now,
            ),
            // The path builder would call it a misused authority, which helps nobody.
            _ => Err(UNKNOWN),
        }
    }
}

/// What a server showed, to whom and when.
struct Shown<'a> {
    certificate: &'a CertificateDer<'a>,
    intermediates: &'a [CertificateDer<'a>],
    name: &'a ServerName<'a>,
    now: UnixTime,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let shown = Shown {
            certificate,
            intermediates,
            name,
            now,
        };
        let decided = self.private.verify(&shown);
        if decided.as_ref().err() == Some(&UNKNOWN) {
            return self.system().verify(&shown);
        }
        decided
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, cert, dss, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}

/// A server showing exactly a certificate the user named needs no one else to vouch for it.
///
/// Self-signed certificates with the authority flag set are what most private registries use; the
/// path builder refuses them as servers, Go (and so Docker) does not. Name and dates still count.
fn verify_named(shown: &Shown<'_>) -> Result<ServerCertVerified, Error> {
    let bad_encoding = || Error::InvalidCertificate(CertificateError::BadEncoding);
    let (_, parsed) = X509Certificate::from_der(shown.certificate).map_err(|_| bad_encoding())?;
    let now = i64::try_from(shown.now.as_secs())
        .ok()
        .and_then(|seconds| ASN1Time::from_timestamp(seconds).ok())
        .ok_or_else(bad_encoding)?;
    if now < parsed.validity().not_before {
        return Err(Error::InvalidCertificate(CertificateError::NotValidYet));
    }
    if now > parsed.validity().not_after {
        return Err(Error::InvalidCertificate(CertificateError::Expired));
    }
    verify_server_name(&ParsedCertificate::try_from(shown.certificate)?, shown.name)?;
    Ok(ServerCertVerified::assertion())
}

fn is_self_issued(certificate: &CertificateDer<'_>) -> bool {
    X509Certificate::from_der(certificate)
        .is_ok_and(|(_, parsed)| parsed.subject().as_raw() == parsed.issuer().as_raw())
}

const UNKNOWN: Error = Error::InvalidCertificate(CertificateError::UnknownIssuer);
