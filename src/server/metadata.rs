//! `GET …/_trust/tuf/<role>.json`, by hash and by version.

use super::reply::{NOT_FOUND, Reply, text};
use super::{Fault, Server};
use crate::hosting::{Held, HostingError};
use crate::tuf::role::RoleName;
use bytes::Bytes;
use hyper::HeaderMap;
use hyper::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, HeaderValue, LAST_MODIFIED, PRAGMA, VARY,
};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::spawn_blocking;

impl Server {
    pub(super) async fn current(
        &self,
        gun: &str,
        role: &RoleName,
        asked: &HeaderMap,
    ) -> Result<Reply, Fault> {
        let found = self.hosting.current(gun, role, self.now()).await;
        self.metadata(found, asked, &self.caching.current).await
    }

    pub(super) async fn by_hash(
        &self,
        gun: &str,
        role: &RoleName,
        sha256: &str,
        asked: &HeaderMap,
    ) -> Result<Reply, Fault> {
        let found = self.hosting.by_hash(gun, role, sha256).await;
        self.metadata(found, asked, &self.caching.consistent).await
    }

    pub(super) async fn by_version(
        &self,
        gun: &str,
        role: &RoleName,
        version: u64,
        asked: &HeaderMap,
    ) -> Result<Reply, Fault> {
        let found = self.hosting.by_version(gun, role, version).await;
        self.metadata(found, asked, &self.caching.consistent).await
    }

    async fn metadata(
        &self,
        found: Result<Option<Arc<Held>>, HostingError>,
        asked: &HeaderMap,
        caching: &Caching,
    ) -> Result<Reply, Fault> {
        let Some(held) = found.map_err(|error| super::reading(&error))? else {
            return Err(NOT_FOUND.about(serde_json::json!({})));
        };
        let modified = last_modified(&held);
        let packed = if takes_gzip(asked) {
            compressed(&held).await
        } else {
            None
        };
        let encoded = packed.is_some();
        let mut reply = text(packed.unwrap_or_else(|| held.bytes.clone()));
        let headers = reply.headers_mut();
        headers.insert(CACHE_CONTROL, caching.control.clone());
        if caching.forbids {
            headers.insert(PRAGMA, HeaderValue::from_static("no-cache"));
        }
        headers.insert(LAST_MODIFIED, modified);
        headers.insert(VARY, HeaderValue::from_static("Accept-Encoding"));
        if encoded {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        Ok(reply)
    }
}

/// How long files may be kept by caches on the way (Notary server, `utils/http.go`).
#[derive(Clone, Debug)]
pub(super) struct Caching {
    control: HeaderValue,
    forbids: bool,
}

impl Caching {
    /// For the newest file of a role: ask again afterwards.
    pub(super) fn of_current(age: Duration) -> Self {
        Self::of(age, ", must-revalidate")
    }

    /// For files that never change.
    pub(super) fn of_consistent(age: Duration) -> Self {
        Self::of(age, "")
    }

    fn of(age: Duration, then: &str) -> Self {
        let seconds = age.as_secs();
        let control = match seconds {
            0 => "max-age=0, no-cache, no-store".to_owned(),
            _ => format!("public, max-age={seconds}, s-maxage={seconds}{then}"),
        };
        Self {
            control: HeaderValue::try_from(control)
                .unwrap_or_else(|_| HeaderValue::from_static("no-store")),
            forbids: seconds == 0,
        }
    }
}

async fn compressed(held: &Arc<Held>) -> Option<Bytes> {
    if held.is_slow_to_compress() {
        let held = Arc::clone(held);
        return spawn_blocking(move || held.gzip().cloned())
            .await
            .unwrap_or(None);
    }
    held.gzip().cloned()
}

fn takes_gzip(asked: &HeaderMap) -> bool {
    let wanted = asked.get(ACCEPT_ENCODING).and_then(|v| v.to_str().ok());
    wanted.is_some_and(|wanted| {
        wanted.split(',').any(|coding| {
            let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
            name.trim().eq_ignore_ascii_case("gzip") && !is_zero(weight)
        })
    })
}

/// `q=0`, `q=0.0` …: not acceptable (RFC 9110, 12.4.2).
fn is_zero(weight: &str) -> bool {
    let weight = weight.trim().strip_prefix("q=");
    weight.is_some_and(|q| q.trim().parse() == Ok(0.0))
}

/// RFC 1123 as Go writes it for a server in UTC: with `UTC` where HTTP wants `GMT`.
fn last_modified(held: &Held) -> HeaderValue {
    let text = held
        .created
        .strftime("%a, %d %b %Y %H:%M:%S UTC")
        .to_string();
    HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static(""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_is_sent_to_those_who_take_it() {
        for (wanted, takes) in [
            ("gzip", true),
            ("deflate, GZIP;q=0.5", true),
            ("gzip;q=0", false),
            ("gzip; q=0.0", false),
            ("identity", false),
            ("", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(wanted));
            assert_eq!(takes_gzip(&headers), takes, "{wanted}");
        }
    }

    #[test]
    fn ages_are_said_as_by_notary() {
        let five = Caching::of_current(Duration::from_mins(5));
        assert_eq!(
            five.control,
            "public, max-age=300, s-maxage=300, must-revalidate"
        );
        let none = Caching::of_consistent(Duration::ZERO);
        assert_eq!(none.control, "max-age=0, no-cache, no-store");
        assert!(none.forbids);
    }
}
