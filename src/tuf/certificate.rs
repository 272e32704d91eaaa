//! Root certificates: the form in which a root key travels (Notary v1 `x509.go`, `certs.go`).

use super::error::Malformed;
use super::limits;
use jiff::{SignedDuration, Timestamp};
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;

/// What a certificate bundle says of the key in its leaf.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaf {
    /// DER `SubjectPublicKeyInfo`
    pub public_key: Vec<u8>,
    /// The only name in the subject: the repository, or a prefix ending in `*`
    pub common_name: String,
    /// First moment of validity
    pub not_before: Timestamp,
    /// Last moment of validity
    pub not_after: Timestamp,
}

impl Leaf {
    /// Reads a PEM bundle: exactly one leaf, first, then only CA certificates.
    ///
    /// # Errors
    /// Another PEM block, several leaves, a broken certificate, one signed with SHA-1.
    pub fn parse(bundle: &[u8]) -> Result<Self, Malformed> {
        let blocks = blocks(bundle)?;
        let (first, rest) = blocks.split_first().ok_or_else(|| fault("there is none"))?;
        for block in rest {
            if !read(block)?.is_ca() {
                return Err(fault("more than one leaf certificate"));
            }
        }
        let certificate = read(first)?;
        if certificate.is_ca() {
            return Err(fault("the first certificate belongs to a CA"));
        }
        Self::of(&certificate)
    }

    fn of(certificate: &X509Certificate<'_>) -> Result<Self, Malformed> {
        let mut names = certificate.subject().iter_common_name();
        let name = names
            .next()
            .and_then(|n| n.as_str().ok())
            .ok_or_else(|| fault("no common name"))?;
        let (not_before, not_after) = validity(certificate)?;
        Ok(Self {
            public_key: certificate.public_key().raw.to_vec(),
            common_name: name.to_owned(),
            not_before,
            not_after,
        })
    }

    /// Whether this certificate may speak for the repository `gun`.
    pub fn names(&self, gun: &str) -> bool {
        if self.common_name == gun {
            return true;
        }
        let prefix = self.common_name.trim_end_matches('*');
        prefix.len() < self.common_name.len() && gun.starts_with(prefix)
    }

    /// Whether the certificate is in force; a clock up to a day slow is forgiven.
    pub fn in_force(&self, now: Timestamp) -> bool {
        let tomorrow = now
            .saturating_add(SignedDuration::from_hours(24))
            .unwrap_or(Timestamp::MAX);
        self.not_before <= tomorrow && now <= self.not_after
    }
}

/// The DER `SubjectPublicKeyInfo` of the first certificate, whatever else it says.
///
/// Below `targets`, Notary asks no more of a certificate: `notary delegation add` takes what
/// `openssl req -x509` writes, which is that of a CA.
///
/// # Errors
/// Another PEM block, a broken certificate, one signed with SHA-1.
pub fn public_key(bundle: &[u8]) -> Result<Vec<u8>, Malformed> {
    let blocks = blocks(bundle)?;
    let first = blocks.first().ok_or_else(|| fault("there is none"))?;
    Ok(read(first)?.public_key().raw.to_vec())
}

fn blocks(bundle: &[u8]) -> Result<Vec<pem::Pem>, Malformed> {
    if bundle.len() > limits::CERTIFICATE_BYTES {
        return Err(Malformed::Certificate(format!(
            "longer than {} bytes",
            limits::CERTIFICATE_BYTES
        )));
    }
    pem::parse_many(bundle).map_err(|e| Malformed::Certificate(e.to_string()))
}

fn read(block: &pem::Pem) -> Result<X509Certificate<'_>, Malformed> {
    if block.tag() != "CERTIFICATE" {
        return Err(fault("a PEM block that is not a certificate"));
    }
    let (rest, certificate) = X509Certificate::from_der(block.contents())
        .map_err(|e| Malformed::Certificate(e.to_string()))?;
    if !rest.is_empty() {
        return Err(fault("bytes behind the certificate"));
    }
    let algorithm = certificate.signature_algorithm.algorithm.to_id_string();
    if SHA1_SIGNATURES.contains(&algorithm.as_str()) {
        return Err(fault("signed with SHA-1"));
    }
    Ok(certificate)
}

fn validity(certificate: &X509Certificate<'_>) -> Result<(Timestamp, Timestamp), Malformed> {
    let at = |time: x509_parser::time::ASN1Time| {
        Timestamp::from_second(time.timestamp()).map_err(|_| fault("a date out of range"))
    };
    let validity = certificate.validity();
    let (before, after) = (at(validity.not_before)?, at(validity.not_after)?);
    if before > after {
        return Err(fault("it ends before it begins"));
    }
    Ok((before, after))
}

fn fault(words: &str) -> Malformed {
    Malformed::Certificate(words.to_owned())
}

/// sha1WithRSAEncryption, ecdsa-with-SHA1, dsa-with-sha1
const SHA1_SIGNATURES: [&str; 3] = [
    "1.2.840.113549.1.1.5",
    "1.2.840.10045.4.1",
    "1.2.840.10040.4.3",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn leaf(name: &str) -> Leaf {
        Leaf {
            public_key: vec![],
            common_name: name.to_owned(),
            not_before: "2020-01-01T00:00:00Z".parse().unwrap(),
            not_after: "2030-01-01T00:00:00Z".parse().unwrap(),
        }
    }

    #[test]
    fn speaks_only_for_its_repository() {
        assert!(leaf("docker.io/a").names("docker.io/a"));
        assert!(!leaf("docker.io/a").names("docker.io/ab"));
        assert!(leaf("docker.io/a*").names("docker.io/ab"));
        assert!(leaf("docker.io/a**").names("docker.io/ab"));
        assert!(!leaf("docker.io/b*").names("docker.io/ab"));
        assert!(leaf("*").names("docker.io/ab"));
    }

    #[test]
    fn is_in_force_between_its_dates() {
        for (now, expected) in [
            ("2019-12-30T23:59:59Z", false),
            ("2019-12-31T00:00:00Z", true),
            ("2030-01-01T00:00:00Z", true),
            ("2030-01-01T00:00:01Z", false),
        ] {
            assert_eq!(leaf("a").in_force(now.parse().unwrap()), expected, "{now}");
        }
    }

    #[test]
    fn refuses_what_is_not_a_bundle() {
        for bytes in [
            &b""[..],
            b"x",
            b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
            b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        ] {
            assert!(Leaf::parse(bytes).is_err());
            assert!(public_key(bytes).is_err());
        }
    }

    #[test]
    fn a_ca_has_a_key_and_is_no_leaf() {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let bundle = params.self_signed(&key).unwrap().pem();
        let public = public_key(bundle.as_bytes()).unwrap();
        assert_eq!(public, rcgen::PublicKeyData::subject_public_key_info(&key));
        assert!(Leaf::parse(bundle.as_bytes()).is_err());
    }
}
