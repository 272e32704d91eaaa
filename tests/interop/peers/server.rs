//! The trust server that clients talk to: Notary's or ours.

use std::path::Path;

use super::{
    notary_server, notary_signer::NotarySigner, service::Service, token_server::TokenServer,
    trust_server,
};

/// Which program it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Debian's notary-server.
    Notary,
    /// `trust server run`.
    Trust,
}

/// What makes one server different from another of its kind.
#[derive(Clone, Copy, Default)]
pub(crate) struct Options<'a> {
    /// It lets in only whom this one vouches for; without one, everybody.
    pub(crate) tokens: Option<&'a TokenServer>,
    /// It speaks only to those who show a certificate of the lab's authority.
    pub(crate) client_certificates: bool,
    /// It serves only repositories whose names begin so; without any, all.
    pub(crate) prefixes: &'a [&'a str],
    /// Where notary-server keeps metadata and keys: in memory, or in `PostgreSQL` and
    /// notary-signer. Ours has its own store.
    pub(crate) signer: Option<&'a NotarySigner>,
}

/// A running trust server.
pub(crate) struct Server {
    /// `127.0.0.1:PORT`.
    pub(crate) host: String,
    _service: Service,
}

impl Server {
    /// Starts in `folder`, where `ca.crt`, `server.crt` and `server.key` already are.
    pub(crate) fn start(kind: Kind, folder: &Path, options: Options<'_>) -> Self {
        let (host, service) = match kind {
            Kind::Notary => notary_server::start(folder, options),
            Kind::Trust => trust_server::start(folder, options),
        };
        Self {
            host,
            _service: service,
        }
    }

    /// The address clients are given.
    pub(crate) fn url(&self) -> String {
        format!("https://{}", self.host)
    }
}

/// Makes of each function `fn name(server: Kind)` two tests, one for each server.
macro_rules! on_both_servers {
    ($($test:ident),+ $(,)?) => {
        mod notary_server {
            $(#[test]
            fn $test() {
                super::$test($crate::peers::server::Kind::Notary);
            })+
        }
        mod trust_server {
            $(#[test]
            fn $test() {
                super::$test($crate::peers::server::Kind::Trust);
            })+
        }
    };
}
pub(crate) use on_both_servers;
