//! Whom a gate answers: this machine, or whoever shows a certificate or a secret.
//!
//! A gate asks registries with credentials of its own; whoever may ask the gate uses these.

use super::reply::Refusal;
use crate::listen::{Facts, Peer};
use hyper::HeaderMap;
use hyper::header::HOST;
use ring::digest::{SHA256, digest};
use url::Url;
use zeroize::Zeroizing;

/// What clients have to show.
#[derive(Debug)]
pub enum Clients {
    /// Nothing, from wherever they come
    Anybody,
    /// The TLS handshake let in only whom an authority vouches for
    Certified,
    /// Nothing, but they have to come from this machine
    Here {
        /// Without TLS the gate has to be addressed by a number or as `localhost`: a page in a
        /// browser here can have a name of its own point to this machine, and read the answers
        in_the_clear: bool,
    },
    /// This secret, in the header [`SECRET_HEADER`]
    Knowing(Secret),
}

/// What clients and the gate know; at least as good as its length.
pub struct Secret([u8; 32]);

impl Secret {
    /// The first line of a file.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &Zeroizing<Vec<u8>>) -> Result<Self, String> {
        let line = text.split(|byte| matches!(byte, b'\n' | b'\r')).next();
        let line = line.unwrap_or_default();
        if line.len() < MIN_SECRET {
            return Err(format!("the secret has fewer than {MIN_SECRET} characters"));
        }
        if !line.iter().all(u8::is_ascii_graphic) {
            return Err("the secret has characters that no header carries".to_owned());
        }
        Ok(Self(hash(line)))
    }

    /// Compares hashes: how long that takes says nothing of the secret.
    fn is(&self, shown: &[u8]) -> bool {
        let shown = hash(shown);
        let differences = self.0.iter().zip(shown).map(|(a, b)| a ^ b);
        differences.fold(0, |all, one| all | one) == 0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
    }
}

impl Clients {
    /// Who asks, for the log, if they are answered at all.
    pub(super) fn admit(&self, peer: &Peer, headers: &HeaderMap) -> Result<String, Refusal> {
        let refused = |why: &str| Err(Refusal::denied(why.to_owned(), "client"));
        match self {
            Self::Certified if peer.certificate.is_none() => {
                return refused("this gate wants to see a client certificate");
            }
            Self::Here { .. } if !peer.address.ip().to_canonical().is_loopback() => {
                return refused("this gate is for its own machine only");
            }
            Self::Here { in_the_clear: true } if !is_addressed_plainly(headers) => {
                return refused("without TLS, this gate is addressed as localhost or by a number");
            }
            Self::Anybody | Self::Certified | Self::Here { .. } => {}
            Self::Knowing(secret) => {
                let mut shown = headers.get_all(SECRET_HEADER).iter();
                let is_right = shown.next().is_some_and(|one| secret.is(one.as_bytes()));
                if !is_right || shown.next().is_some() {
                    return refused("this gate wants its secret in the header X-Trust-Gate-Secret");
                }
            }
        }
        Ok(who(peer))
    }
}

/// Whether no name server had a say in where the request went; browsers always tell the host.
fn is_addressed_plainly(headers: &HeaderMap) -> bool {
    let Some(host) = headers.get(HOST) else {
        return true;
    };
    let url = host
        .to_str()
        .map(|host| Url::parse(&format!("http://{host}/")));
    match url {
        Ok(Ok(url)) => match url.host() {
            Some(url::Host::Domain(name)) => name == "localhost",
            Some(_) => true,
            None => false,
        },
        _ => false,
    }
}

/// The name in the certificate, else the address.
fn who(peer: &Peer) -> String {
    let shown = peer.certificate.as_ref();
    let facts = shown.and_then(|certificate| Facts::of(certificate).ok());
    match facts {
        Some(facts) if !facts.subject.is_empty() => facts.subject,
        _ => peer.address.ip().to_canonical().to_string(),
    }
}

fn hash(bytes: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, bytes).as_ref());
    hash
}

/// The header that carries the secret.
pub const SECRET_HEADER: &str = "x-trust-gate-secret";
/// Characters; half of a UUID is too few to be guessed, and people paste these.
const MIN_SECRET: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::header::HeaderValue;

    fn peer(address: &str) -> Peer {
        Peer {
            address: format!("{address}:1").parse().unwrap(),
            certificate: None,
        }
    }

    fn secret(text: &str) -> Result<Secret, String> {
        Secret::parse(&Zeroizing::new(text.as_bytes().to_vec()))
    }

    #[test]
    fn without_a_secret_only_this_machine_comes_in() {
        for (address, comes_in) in [
            ("127.0.0.1", true),
            ("127.9.9.9", true),
            ("[::1]", true),
            ("[::ffff:127.0.0.1]", true),
            ("10.0.0.1", false),
            ("[::ffff:10.0.0.1]", false),
            ("[fe80::1]", false),
        ] {
            let here = Clients::Here { in_the_clear: true };
            let admitted = here.admit(&peer(address), &HeaderMap::new());
            assert_eq!(admitted.is_ok(), comes_in, "{address}");
            assert!(
                Clients::Anybody
                    .admit(&peer(address), &HeaderMap::new())
                    .is_ok()
            );
            assert!(
                Clients::Certified
                    .admit(&peer(address), &HeaderMap::new())
                    .is_err()
            );
        }
    }

    /// Bypass: a page in a browser on this machine, whose name points here by now.
    #[test]
    fn in_the_clear_no_name_leads_here() {
        for (host, comes_in) in [
            ("127.0.0.1:8443", true),
            ("localhost:8443", true),
            ("LocalHost", true),
            ("[::1]:8443", true),
            ("evil.test:8443", false),
            ("localhost.evil.test", false),
            ("evil.test@localhost@evil.test", false),
            ("", false),
        ] {
            let headers = HeaderMap::from_iter([(HOST, HeaderValue::from_str(host).unwrap())]);
            let admits = |in_the_clear| {
                let here = Clients::Here { in_the_clear };
                here.admit(&peer("127.0.0.1"), &headers).is_ok()
            };
            assert_eq!(admits(true), comes_in, "{host}");
            // With TLS the page would have to show a certificate of its own name.
            assert!(admits(false), "{host}");
        }
    }

    #[test]
    fn a_secret_is_shown_once_and_right() {
        let clients = Clients::Knowing(secret("0123456789abcdef\n").unwrap());
        for (shown, comes_in) in [
            (&["0123456789abcdef"][..], true),
            (&[], false),
            (&[""], false),
            (&["0123456789abcde"], false),
            (&["0123456789abcdeF"], false),
            (&["0123456789abcdef", "0123456789abcdef"], false),
        ] {
            let mut headers = HeaderMap::new();
            for value in shown {
                headers.append(SECRET_HEADER, HeaderValue::from_str(value).unwrap());
            }
            let admitted = clients.admit(&peer("127.0.0.1"), &headers);
            assert_eq!(admitted.is_ok(), comes_in, "{shown:?}");
        }
    }

    #[test]
    fn secrets_have_a_length() {
        for wrong in ["", "\n", "short\n", "0123456789 abcdef", "0123456789abcdé"] {
            assert!(secret(wrong).is_err(), "{wrong:?}");
        }
    }
}
