//! One line a request: what was asked by whom, how it was answered. Changes are told at `info`,
//! reads at `debug`; what was refused says why.

use super::reply::Fault;
use super::route::Route;
use hyper::header::HeaderValue;
use hyper::{HeaderMap, Method};
use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

/// What names a request in logs and in its answer.
#[derive(Clone, Debug)]
pub(super) struct RequestId(HeaderValue);

impl RequestId {
    /// The id that a proxy in front of us gave, if it is one; else the next of our own.
    pub(super) fn of(headers: &HeaderMap, next: impl FnOnce() -> u64) -> Self {
        let given = headers.get(NAME).filter(|value| is_id(value.as_bytes()));
        Self(given.cloned().unwrap_or_else(|| {
            let id = format!("{:016x}", next());
            HeaderValue::try_from(id).unwrap_or_else(|_| HeaderValue::from_static("-"))
        }))
    }

    /// The same for the answer.
    pub(super) fn header(self) -> (&'static str, HeaderValue) {
        (NAME, self.0)
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.to_str().unwrap_or("-"))
    }
}

/// A request that was answered.
pub(super) struct Line<'r> {
    pub(super) id: &'r RequestId,
    pub(super) peer: SocketAddr,
    pub(super) who: &'r str,
    pub(super) method: &'r Method,
    pub(super) route: &'r Route<'r>,
    pub(super) path: &'r str,
    pub(super) status: u16,
    pub(super) took: Duration,
    pub(super) fault: Option<&'r Fault>,
}

impl Line<'_> {
    /// Writes it.
    pub(super) fn write(&self) {
        let Self {
            id,
            peer,
            who,
            path,
            ..
        } = self;
        let (operation, method, status) = (self.route.operation(), self.method, self.status);
        let micros = u64::try_from(self.took.as_micros()).unwrap_or(u64::MAX);
        let code = self.fault.map_or("", Fault::code);
        let why = self.fault.map(Fault::detail).unwrap_or_default();
        macro_rules! write {
            ($level:ident) => {
                tracing::$level!(
                    request = %id, %peer, who, %method, operation, path, status, micros, code, why
                )
            };
        }
        match status {
            500.. => write!(error),
            401 | 403 | 429 => write!(warn),
            _ if self.changes() => write!(info),
            _ => write!(debug),
        }
    }

    fn changes(&self) -> bool {
        matches!(
            self.route,
            Route::Publish(_) | Route::Delete(_) | Route::NewKey(..)
        )
    }
}

fn is_id(text: &[u8]) -> bool {
    (1..=64).contains(&text.len())
        && text
            .iter()
            .all(|b| b.is_ascii_alphanumeric() || b"-_.:".contains(b))
}

const NAME: &str = "x-request-id";
