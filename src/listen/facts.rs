//! What a certificate says: of whom it is, and until when.

use jiff::{SignedDuration, Timestamp};
use rustls::pki_types::{CertificateDer, pem::PemObject};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use x509_parser::{
    certificate::X509Certificate, extensions::GeneralName, prelude::FromDer, time::ASN1Time,
};

/// What a certificate says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// The common name of its owner, or an empty text.
    pub subject: String,
    /// Names and addresses of the hosts it is for.
    pub hosts: Vec<String>,
    /// Its first moment.
    pub from: Timestamp,
    /// Its last moment.
    pub until: Timestamp,
    /// The key of its owner: DER of a `SubjectPublicKeyInfo`.
    pub public_key: Vec<u8>,
}

impl Facts {
    /// Of the first certificate in a PEM text.
    ///
    /// # Errors
    /// Why there is none.
    pub fn of_pem(text: &[u8]) -> Result<Self, String> {
        let certificate =
            CertificateDer::from_pem_slice(text).map_err(|error| error.to_string())?;
        Self::of(&certificate)
    }

    /// Of a certificate.
    ///
    /// # Errors
    /// Why it is none.
    pub fn of(certificate: &CertificateDer<'_>) -> Result<Self, String> {
        let (_, certificate) =
            X509Certificate::from_der(certificate).map_err(|error| error.to_string())?;
        let hosts = certificate
            .subject_alternative_name()
            .map_err(|error| error.to_string())?
            .map(|names| names.value.general_names.iter().filter_map(host).collect());
        let mut subject = certificate.subject().iter_common_name();
        let subject = subject.next().and_then(|name| name.as_str().ok());
        Ok(Self {
            subject: subject.unwrap_or_default().to_owned(),
            hosts: hosts.unwrap_or_default(),
            from: moment(certificate.validity().not_before)?,
            until: moment(certificate.validity().not_after)?,
            public_key: certificate.public_key().raw.to_vec(),
        })
    }

    /// Whole days until it ends; negative afterwards.
    pub fn days_left(&self, now: Timestamp) -> i64 {
        self.until.duration_since(now).as_hours().div_euclid(24)
    }

    /// What to say about a server's certificate that ends soon, or has not begun.
    pub fn warning(&self, now: Timestamp) -> Option<String> {
        if now < self.from {
            return Some(format!(
                "the server's certificate is not valid before {}",
                self.from
            ));
        }
        if now > self.until {
            return Some(format!(
                "the server's certificate expired on {}",
                self.until
            ));
        }
        let soon = self.until.duration_since(now) < SOON;
        soon.then(|| {
            let days = self.days_left(now);
            format!(
                "the server's certificate expires on {}, in {days} days",
                self.until
            )
        })
    }
}

fn host(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(bytes) => address(bytes).map(|address| address.to_string()),
        _ => None,
    }
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    let v4 = <[u8; 4]>::try_from(bytes).map(|bytes| Ipv4Addr::from(bytes).into());
    v4.or_else(|_| <[u8; 16]>::try_from(bytes).map(|bytes| Ipv6Addr::from(bytes).into()))
        .ok()
}

fn moment(time: ASN1Time) -> Result<Timestamp, String> {
    Timestamp::from_second(time.timestamp()).map_err(|error| error.to_string())
}

/// A month is time enough to notice.
const SOON: SignedDuration = SignedDuration::from_hours(24 * 30);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_is_announced() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let facts = Facts {
            subject: String::new(),
            hosts: Vec::new(),
            from: at("2026-01-01T00:00:00Z"),
            until: at("2027-01-01T00:00:00Z"),
            public_key: Vec::new(),
        };
        for (now, words) in [
            (
                "2025-12-31T00:00:00Z",
                Some("is not valid before 2026-01-01"),
            ),
            ("2026-06-01T00:00:00Z", None),
            ("2026-12-02T00:00:00Z", None),
            (
                "2026-12-03T00:00:00Z",
                Some("expires on 2027-01-01T00:00:00Z, in 29 days"),
            ),
            ("2026-12-31T23:00:00Z", Some("in 0 days")),
            (
                "2027-01-02T00:00:00Z",
                Some("expired on 2027-01-01T00:00:00Z"),
            ),
        ] {
            let warning = facts.warning(at(now));
            let said = warning.as_deref().zip(words);
            assert_eq!(warning.is_some(), words.is_some(), "{now}");
            assert!(
                said.is_none_or(|(warning, words)| warning.contains(words)),
                "{warning:?}"
            );
        }
        assert_eq!(facts.days_left(at("2027-01-02T00:00:00Z")), -1);
    }

    #[test]
    fn what_is_no_certificate_is_an_error() {
        assert!(Facts::of_pem(b"nothing").is_err());
        assert!(Facts::of(&CertificateDer::from(vec![1, 2, 3])).is_err());
    }
}
