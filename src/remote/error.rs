//! What can go wrong between us and a server, told apart by what to do about it.

use crate::tls::{StreamError, tls_cause};
use std::error::Error;

/// Why a server gave no usable answer.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RemoteError {
    /// The answer is not what this protocol allows.
    #[error("trust server returned a bad response: {reason} ({url})")]
    BadResponse {
        /// What was asked for.
        url: String,
        /// What is wrong with the answer.
        reason: String,
    },
    /// Someone else published first: refresh, edit again, publish again.
    #[error("{code}: {message}")]
    Conflict {
        /// The server's code, `VERSION` or `UPDATING`.
        code: String,
        /// The server's words.
        message: String,
    },
    /// Credentials would have travelled in the clear.
    #[error(
        "refusing to send credentials to {realm} over plain http: anyone on the way could read them"
    )]
    InsecureRealm {
        /// The token server named by the challenge.
        realm: String,
    },
    /// The server has no such thing.
    #[error("{url} not found")]
    NotFound {
        /// What was asked for.
        url: String,
    },
    /// The server understood and refuses.
    #[error("{}", rejection(*.status, .code, .message, .detail))]
    Rejected {
        /// HTTP status.
        status: u16,
        /// The server's code, empty if it gave none.
        code: String,
        /// The server's words.
        message: String,
        /// What the server added, rendered for people.
        detail: String,
    },
    /// The two ends cannot agree on a secure connection.
    #[error("cannot trust {host}: {fault}")]
    Tls {
        /// Host and port of the server.
        host: String,
        /// What is wrong.
        fault: TlsFault,
    },
    /// More bytes than the thing asked for may have.
    #[error("trust server returned a bad response: {url} is larger than {limit} bytes")]
    TooLarge {
        /// What was asked for.
        url: String,
        /// The limit in bytes.
        limit: u64,
    },
    /// Who we are is not enough, or not known.
    #[error("you are not authorized to perform this operation: {reason}")]
    Unauthorized {
        /// HTTP status: 401 or 403.
        status: u16,
        /// The server's words, or what is missing.
        reason: String,
    },
    /// No answer, or one that says: not now.
    #[error("unable to reach trust server at this time: {reason}")]
    Unreachable {
        /// Host and port of the server.
        host: String,
        /// HTTP status if there was an answer.
        status: Option<u16>,
        /// What happened.
        reason: String,
    },
}

/// Why a server's TLS was not good enough.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum TlsFault {
    /// The server asks for a client certificate we did not show, or refuses ours.
    #[error("the server wants a client certificate")]
    ClientCertificate,
    /// The certificate's dates exclude now.
    #[error("certificate has expired or is not yet valid")]
    Dates,
    /// The certificate belongs to another name.
    #[error("certificate is valid for another name")]
    Name,
    /// Anything else, in the TLS library's words.
    #[error("{0}")]
    Other(String),
    /// Something answered, but not in TLS.
    #[error("server gave HTTP response to HTTPS client")]
    PlainHttp,
    /// Nobody we believe vouches for it.
    #[error("certificate signed by unknown authority")]
    UnknownAuthority,
}

impl RemoteError {
    /// What to do about it, where that is more than waiting.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Tls { host, fault } => fault.hint(host),
            Self::Unauthorized { status: 401, .. } => Some(
                "log in to the registry of this image with an account that may do this, as with `docker login`".to_owned(),
            ),
            _ => None,
        }
    }

    /// Sorts what the HTTP library reports: broken TLS is not the same as no connection.
    pub(crate) fn from_http(error: &reqwest::Error, host: &str) -> Self {
        Self::from_cause(error, error.is_timeout(), host)
    }

    /// The same for an answer that was to be streamed.
    pub(crate) fn from_stream(error: &StreamError, host: &str) -> Self {
        Self::from_cause(error, error.is_late(), host)
    }

    fn from_cause(error: &(dyn Error + 'static), is_late: bool, host: &str) -> Self {
        if let Some(cause) = tls_cause(error) {
            return Self::Tls {
                host: host.to_owned(),
                fault: TlsFault::from(cause),
            };
        }
        let reason = if is_late {
            TIMED_OUT.to_owned()
        } else {
            innermost(error)
        };
        Self::Unreachable {
            host: host.to_owned(),
            status: None,
            reason: format!("{host}: {reason}"),
        }
    }
}

impl TlsFault {
    fn hint(&self, host: &str) -> Option<String> {
        match self {
            Self::UnknownAuthority => Some(format!(
                "name its authority with --tls-ca FILE, or put it into Docker's folder as tls/{host}/ca.crt"
            )),
            Self::Name => Some("address the server by a name its certificate carries".to_owned()),
            Self::ClientCertificate => Some(format!(
                "put client.cert and client.key into Docker's folder tls/{host}/"
            )),
            Self::PlainHttp => Some("the server must speak https; check host and port".to_owned()),
            Self::Dates => {
                Some("renew the server's certificate, or check this machine's clock".to_owned())
            }
            Self::Other(_) => None,
        }
    }
}

impl From<&rustls::Error> for TlsFault {
    fn from(error: &rustls::Error) -> Self {
        use rustls::{AlertDescription as Alert, CertificateError as Bad};
        match error {
            rustls::Error::InvalidCertificate(bad) => match bad {
                // An authority of the same name, but with another key.
                Bad::UnknownIssuer | Bad::BadSignature => Self::UnknownAuthority,
                Bad::NotValidForName | Bad::NotValidForNameContext { .. } => Self::Name,
                Bad::Expired
                | Bad::ExpiredContext { .. }
                | Bad::NotValidYet
                | Bad::NotValidYetContext { .. } => Self::Dates,
                other => Self::Other(other.to_string()),
            },
            rustls::Error::InvalidMessage(_) => Self::PlainHttp,
            rustls::Error::AlertReceived(
                Alert::CertificateRequired | Alert::BadCertificate | Alert::UnknownCA,
            ) => Self::ClientCertificate,
            other => Self::Other(other.to_string()),
        }
    }
}

/// The last cause says what happened; the ones before it only who was told.
fn innermost(error: &dyn Error) -> String {
    let mut cause = error;
    for _ in 0..MAX_CHAIN {
        match cause.source() {
            Some(deeper) => cause = deeper,
            None => break,
        }
    }
    cause.to_string()
}

fn rejection(status: u16, code: &str, message: &str, detail: &str) -> String {
    match (code, detail) {
        ("", _) => format!("trust server rejected operation: {status}"),
        (_, "") => format!("trust server rejected operation: {message}"),
        _ => detail.to_owned(),
    }
}

const TIMED_OUT: &str = "no answer in time";
/// Errors nest a handful deep.
const MAX_CHAIN: usize = 16;
