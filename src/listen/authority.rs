//! Certificates made here: an authority of the server's own, and what it vouches for.
//!
//! Keys are ECDSA P-256, which every client reads. Texts are PEM.

use super::facts::Facts;
use jiff::{SignedDuration, Timestamp};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PublicKeyData, SanType, SerialNumber,
};
use ring::rand::{SecureRandom, SystemRandom};
use std::{net::IpAddr, time::SystemTime};
use zeroize::Zeroizing;

/// Why a certificate could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuthorityError {
    /// An authority that cannot vouch for anything any more.
    #[error("the certificate of the authority expired on {until}")]
    Expired {
        /// Its last moment.
        until: Timestamp,
    },
    /// A host by no name that a certificate can hold.
    #[error("{given:?} is no host: give a name or an address, without scheme and port")]
    Host {
        /// What was given.
        given: String,
    },
    /// A certificate and a key of different pairs.
    #[error("the certificate of the authority and its key do not belong together")]
    Mismatch,
    /// A text that holds something else.
    #[error("this is no {expected}: {reason}")]
    Unreadable {
        /// What was looked for.
        expected: &'static str,
        /// What the library said.
        reason: String,
    },
    /// A certificate that the library will not make.
    #[error("cannot make a certificate: {reason}")]
    Unmakeable {
        /// What the library said.
        reason: String,
    },
}

/// A new private key.
pub fn new_key() -> Result<Zeroizing<String>, AuthorityError> {
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    Ok(Zeroizing::new(key.serialize_pem()))
}

/// The certificate of an authority with this key, for ten years.
pub fn certify_authority(key: &str, name: &str, now: Timestamp) -> Result<String, AuthorityError> {
    let key = read_key(key)?;
    let mut params = params(name, now, now + AUTHORITY_LIFETIME)?;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let made = params.self_signed(&key)?;
    Ok(made.pem())
}

/// A certificate for a server with this key and these names, for a year if the authority lives on.
///
/// The names are as [`host`] gives them.
pub fn certify_server(
    key: &str,
    hosts: &[String],
    authority: (&str, &str),
    now: Timestamp,
) -> Result<String, AuthorityError> {
    let key = read_key(key)?;
    let (certificate, authority_key) = authority;
    let authority_key = read_key(authority_key)?;
    let facts =
        Facts::of_pem(certificate.as_bytes()).map_err(|reason| AuthorityError::Unreadable {
            expected: "certificate",
            reason,
        })?;
    if facts.public_key != authority_key.subject_public_key_info() {
        return Err(AuthorityError::Mismatch);
    }
    if facts.until <= now {
        return Err(AuthorityError::Expired { until: facts.until });
    }
    let issuer = Issuer::from_ca_cert_pem(certificate, authority_key)?;
    let name = hosts.first().map_or("", String::as_str);
    let mut params = params(name, now, facts.until.min(now + SERVER_LIFETIME))?;
    params.subject_alt_names = hosts
        .iter()
        .map(|host| alternative(host))
        .collect::<Result<_, _>>()?;
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    let made = params.signed_by(&key, &issuer)?;
    Ok(made.pem())
}

/// A host as certificates name it: an address, or a name in lower case.
pub fn host(given: &str) -> Result<String, AuthorityError> {
    let bare = given
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    if let Ok(address) = bare.unwrap_or(given).parse::<IpAddr>() {
        return Ok(address.to_string());
    }
    let name = given
        .strip_suffix('.')
        .unwrap_or(given)
        .to_ascii_lowercase();
    let labels = name.strip_prefix("*.").unwrap_or(&name);
    let is_label = |label: &str| {
        let letters = label.bytes();
        (1..=63).contains(&label.len())
            && letters
                .clone()
                .all(|it| it.is_ascii_alphanumeric() || b"-_".contains(&it))
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    // The last label of a name is never a number, or it would be a wrong address.
    let last = labels.rsplit('.').next().unwrap_or_default();
    let is_number = last.bytes().all(|letter| letter.is_ascii_digit());
    if name.len() > 253 || is_number || !labels.split('.').all(is_label) {
        let given = given.to_owned();
        return Err(AuthorityError::Host { given });
    }
    Ok(name)
}

fn alternative(host: &str) -> Result<SanType, AuthorityError> {
    match host.parse() {
        Ok(address) => Ok(SanType::IpAddress(address)),
        Err(_) => Ok(SanType::DnsName(host.try_into()?)),
    }
}

fn params(
    name: &str,
    now: Timestamp,
    until: Timestamp,
) -> Result<CertificateParams, AuthorityError> {
    let mut subject = DistinguishedName::new();
    subject.push(
        DnType::CommonName,
        name.chars().take(64).collect::<String>(),
    );
    let mut params = CertificateParams::default();
    params.distinguished_name = subject;
    // A client's clock may be behind.
    params.not_before = SystemTime::from(now - SLOW_CLOCK).into();
    params.not_after = SystemTime::from(until).into();
    params.serial_number = Some(serial_number()?);
    Ok(params)
}

/// Never the same twice, also for the same key: some clients refuse that.
fn serial_number() -> Result<SerialNumber, AuthorityError> {
    let mut bytes = [0; 16];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| AuthorityError::Unmakeable {
            reason: "the system gives no random bytes".to_owned(),
        })?;
    // Positive, and of full length.
    let [first, ..] = &mut bytes;
    *first = *first & 0x3f | 0x40;
    Ok(SerialNumber::from_slice(&bytes))
}

fn read_key(pem: &str) -> Result<KeyPair, AuthorityError> {
    KeyPair::from_pem(pem).map_err(|error| AuthorityError::Unreadable {
        expected: "private key",
        reason: error.to_string(),
    })
}

impl From<rcgen::Error> for AuthorityError {
    fn from(error: rcgen::Error) -> Self {
        Self::Unmakeable {
            reason: error.to_string(),
        }
    }
}

const AUTHORITY_LIFETIME: SignedDuration = SignedDuration::from_hours(24 * 3650);
/// Apple's programs believe in no certificate of more than 825 days, browsers in 398.
const SERVER_LIFETIME: SignedDuration = SignedDuration::from_hours(24 * 365);
const SLOW_CLOCK: SignedDuration = SignedDuration::from_hours(1);

#[cfg(test)]
mod tests {
    use super::*;
    use rustls::{
        RootCertStore,
        client::{WebPkiServerVerifier, danger::ServerCertVerifier},
        pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject},
    };
    use std::{sync::Arc, time::Duration};

    fn now() -> Timestamp {
        "2026-03-01T12:00:00Z".parse().unwrap()
    }

    fn days(days: i64) -> SignedDuration {
        SignedDuration::from_hours(24 * days)
    }

    struct Made {
        authority: String,
        authority_key: Zeroizing<String>,
        certificate: String,
    }

    fn made(hosts: &[&str]) -> Made {
        let authority_key = new_key().unwrap();
        let authority = certify_authority(&authority_key, "ours", now()).unwrap();
        let hosts: Vec<_> = hosts.iter().map(|it| host(it).unwrap()).collect();
        let pair = (authority.as_str(), authority_key.as_str());
        let certificate = certify_server(&new_key().unwrap(), &hosts, pair, now()).unwrap();
        Made {
            authority,
            authority_key,
            certificate,
        }
    }

    fn is_believed(made: &Made, name: &str, at: Timestamp) -> bool {
        let mut roots = RootCertStore::empty();
        let root = CertificateDer::from_pem_slice(made.authority.as_bytes()).unwrap();
        roots.add(root).unwrap();
        let provider = crate::tls::provider();
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider);
        let leaf = CertificateDer::from_pem_slice(made.certificate.as_bytes()).unwrap();
        let name = ServerName::try_from(name.to_owned()).unwrap();
        let at = Duration::from_secs(at.as_second().try_into().unwrap());
        let at = UnixTime::since_unix_epoch(at);
        let verifier = verifier.build().unwrap();
        verifier
            .verify_server_cert(&leaf, &[], &name, &[], at)
            .is_ok()
    }

    #[test]
    fn what_the_authority_vouches_for_is_believed_for_a_year() {
        let made = made(&["localhost", "127.0.0.1", "::1", "*.example.com"]);
        for name in ["localhost", "127.0.0.1", "::1", "a.example.com"] {
            assert!(is_believed(&made, name, now()), "{name}");
        }
        for name in ["example.com", "a.b.example.com", "127.0.0.2"] {
            assert!(!is_believed(&made, name, now()), "{name}");
        }
        let facts = Facts::of_pem(made.certificate.as_bytes()).unwrap();
        assert_eq!(
            facts.hosts,
            ["localhost", "127.0.0.1", "::1", "*.example.com"]
        );
        for (at, believed) in [(-1, false), (0, true), (364, true), (366, false)] {
            assert_eq!(
                is_believed(&made, "localhost", now() + days(at)),
                believed,
                "{at}"
            );
        }
    }

    #[test]
    fn no_two_certificates_have_one_number() {
        let made = made(&["localhost"]);
        let key = new_key().unwrap();
        let pair = (made.authority.as_str(), made.authority_key.as_str());
        let again = || certify_server(&key, &["x".into()], pair, now()).unwrap();
        let number = |pem: String| {
            let der = CertificateDer::from_pem_slice(pem.as_bytes()).unwrap();
            let (_, read) = x509_parser::parse_x509_certificate(&der).unwrap();
            read.raw_serial().to_vec()
        };
        let (first, second) = (number(again()), number(again()));
        assert_ne!(first, second);
        assert_eq!(first.len(), 16);
    }

    #[test]
    fn nothing_outlives_its_authority() {
        let made = made(&["localhost"]);
        let pair = (made.authority.as_str(), made.authority_key.as_str());
        let late = |at| certify_server(&new_key().unwrap(), &["x".into()], pair, now() + days(at));
        let facts = Facts::of_pem(late(3640).unwrap().as_bytes()).unwrap();
        assert_eq!(facts.until, now() + days(3650));
        assert!(matches!(late(3650), Err(AuthorityError::Expired { .. })));
    }

    #[test]
    fn the_key_has_to_be_the_authoritys() {
        let made = made(&["localhost"]);
        let other = new_key().unwrap();
        let with = |certificate: &str, key: &str| {
            certify_server(&other, &["x".into()], (certificate, key), now()).unwrap_err()
        };
        let mismatch = with(&made.authority, &other);
        assert!(matches!(mismatch, AuthorityError::Mismatch), "{mismatch}");
        for error in [
            with("nothing", &made.authority_key),
            with(&made.authority, "nothing"),
        ] {
            assert!(
                matches!(error, AuthorityError::Unreadable { .. }),
                "{error}"
            );
        }
    }

    #[test]
    fn hosts_are_names_and_addresses() {
        for (given, expected) in [
            ("localhost", "localhost"),
            ("Trust.Example.com.", "trust.example.com"),
            ("*.example.com", "*.example.com"),
            ("my_host-1", "my_host-1"),
            ("127.0.0.1", "127.0.0.1"),
            ("::1", "::1"),
            ("[2001:DB8::1]", "2001:db8::1"),
        ] {
            assert_eq!(host(given).unwrap(), expected);
        }
        let long = "a".repeat(64);
        for wrong in [
            "",
            ".",
            "a..b",
            "-a",
            "a-",
            "https://a",
            "a:4443",
            "a/b",
            "a b",
            "*",
            "a.*",
            "1.2.3",
            "1.2.3.256",
            "bücher.example",
            "[::1",
            &long,
        ] {
            assert!(host(wrong).is_err(), "{wrong}");
        }
    }
}
