//! Answers in the forms that clients of registries understand, and the words that reach people.
//!
//! Docker's and containerd's older clients show only the status line of a refusal, so on HTTP/1 the
//! reason stands there as well. A refusal is never 401, which starts a login, and never 404, after
//! which clients ask somebody else.

use super::route::RouteError;
use crate::gate::Denial;
use crate::reference::{Digest, ImageReference};
use crate::registry::{Blob, RegistryError};
use bytes::Bytes;
use http_body_util::{Either, Full};
use hyper::ext::ReasonPhrase;
use hyper::header::{
    ACCEPT_RANGES, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, HeaderName, HeaderValue,
    LOCATION, RETRY_AFTER, WARNING,
};
use hyper::{Response, StatusCode};
use serde_json::json;

/// What goes out: bytes that are here, or bytes on their way.
pub type Reply = Response<Either<Full<Bytes>, reqwest::Body>>;

/// An answer instead of what was asked for.
#[derive(Clone, Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    code: &'static str,
    message: String,
    detail: String,
}

impl Refusal {
    /// The upstream registry served what was not signed.
    pub(super) fn forged(image: &ImageReference, what: &str) -> Self {
        Self {
            status: StatusCode::FORBIDDEN,
            code: "DENIED",
            message: format!(
                "{} is refused: {what}; the registry, or someone on the way to it, changed the image",
                image.familiar_reference()
            ),
            detail: "alarm".to_owned(),
        }
    }

    /// Nothing that a client could do changes this.
    pub(super) fn denied(message: String, detail: &str) -> Self {
        Self {
            status: StatusCode::FORBIDDEN,
            code: "DENIED",
            message,
            detail: detail.to_owned(),
        }
    }

    /// The registry had no usable answer to a question that was allowed.
    pub(super) fn upstream(error: &RegistryError, unknown: &'static str) -> Self {
        let (status, code) = match error {
            RegistryError::NotFound { .. } => (StatusCode::NOT_FOUND, unknown),
            RegistryError::Unauthorized { .. } => (StatusCode::FORBIDDEN, "DENIED"),
            _ => (StatusCode::BAD_GATEWAY, "UNAVAILABLE"),
        };
        let hint = match error {
            RegistryError::Unauthorized { .. } => {
                "; the gate asks with its own credentials: log in with `docker login` where it runs"
            }
            _ => "",
        };
        Self {
            status,
            code,
            message: format!("{error}{hint}"),
            detail: "upstream".to_owned(),
        }
    }

    /// The whole answer.
    pub(super) fn into_reply(self) -> Reply {
        let body = json!({"errors": [
            {"code": self.code, "message": self.message, "detail": self.detail},
        ]});
        let mut reply = json(self.status, &body);
        if let Some(phrase) = phrase(&self.message) {
            reply.extensions_mut().insert(phrase);
        }
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            let headers = reply.headers_mut();
            headers.insert(RETRY_AFTER, HeaderValue::from_static(LATER));
        }
        reply
    }
}

impl From<Denial> for Refusal {
    /// 403, or 503 where nobody could be asked: that passes, and clients may try again.
    fn from(denial: Denial) -> Self {
        let (status, code) = if denial.undecided {
            (StatusCode::SERVICE_UNAVAILABLE, "UNAVAILABLE")
        } else {
            (StatusCode::FORBIDDEN, "DENIED")
        };
        Self {
            status,
            code,
            message: denial.line(),
            detail: format!("rule {}", denial.rule),
        }
    }
}

impl From<RouteError> for Refusal {
    fn from(error: RouteError) -> Self {
        let (status, code) = match error {
            RouteError::Digest { .. } => (StatusCode::BAD_REQUEST, "DIGEST_INVALID"),
            RouteError::Manifest { .. } => (StatusCode::BAD_REQUEST, "TAG_INVALID"),
            RouteError::Method { .. } => (StatusCode::METHOD_NOT_ALLOWED, "UNSUPPORTED"),
            RouteError::Name(_) => (StatusCode::BAD_REQUEST, "NAME_INVALID"),
            RouteError::Query { .. } => (StatusCode::BAD_REQUEST, "PAGINATION_NUMBER_INVALID"),
            RouteError::Unknown => (StatusCode::FORBIDDEN, "UNSUPPORTED"),
        };
        Self {
            status,
            code,
            message: error.to_string(),
            detail: String::new(),
        }
    }
}

/// An answer to the ping.
pub(super) fn pong() -> Reply {
    json(StatusCode::OK, &json!({}))
}

/// A manifest, or for HEAD all of it but the bytes.
pub(super) fn manifest(
    bytes: &Bytes,
    digest: &Digest,
    content_type: &str,
    head: bool,
    notice: Option<&str>,
) -> Reply {
    let length = bytes.len();
    let body = if head { Bytes::new() } else { bytes.clone() };
    let mut reply = whole(StatusCode::OK, body);
    let headers = reply.headers_mut();
    headers.insert(CONTENT_LENGTH, length.into());
    let text = HeaderValue::from_str;
    if let Ok(content_type) = text(content_type) {
        headers.insert(CONTENT_TYPE, content_type);
    }
    if let Ok(value) = text(digest.as_str()) {
        headers.insert(DIGEST, value);
    }
    if let Ok(etag) = text(&format!("\"{digest}\"")) {
        headers.insert(ETAG, etag);
    }
    if let Some(warning) = notice.and_then(warning) {
        headers.insert(WARNING, warning);
    }
    reply
}

/// A blob as it comes.
pub(super) fn blob(blob: Blob, digest: &Digest, head: bool) -> Reply {
    let body = if head {
        Either::Left(Full::default())
    } else {
        Either::Right(blob.body)
    };
    let mut reply = versioned(Response::new(body));
    *reply.status_mut() = blob.status;
    let headers = reply.headers_mut();
    let octets = HeaderValue::from_static("application/octet-stream");
    headers.insert(CONTENT_TYPE, octets);
    headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    if let Some(length) = blob.length {
        headers.insert(CONTENT_LENGTH, length.into());
    }
    if let Some(range) = blob.range {
        headers.insert(CONTENT_RANGE, range);
    }
    if let Ok(value) = HeaderValue::from_str(digest.as_str()) {
        headers.insert(DIGEST, value);
    }
    reply
}

/// Where a blob is, for clients that go there themselves.
pub(super) fn elsewhere(url: &str) -> Option<Reply> {
    let mut reply = whole(StatusCode::TEMPORARY_REDIRECT, Bytes::new());
    let location = HeaderValue::from_str(url).ok()?;
    reply.headers_mut().insert(LOCATION, location);
    Some(reply)
}

/// A list, or for HEAD all of it but the bytes.
pub(super) fn list(bytes: Bytes, content_type: &'static str, head: bool) -> Reply {
    let length = bytes.len();
    let mut reply = whole(StatusCode::OK, if head { Bytes::new() } else { bytes });
    let headers = reply.headers_mut();
    headers.insert(CONTENT_LENGTH, length.into());
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    reply
}

fn json(status: StatusCode, body: &serde_json::Value) -> Reply {
    let mut reply = whole(status, Bytes::from(format!("{body}\n")));
    let json = HeaderValue::from_static("application/json");
    reply.headers_mut().insert(CONTENT_TYPE, json);
    reply
}

fn whole(status: StatusCode, body: Bytes) -> Reply {
    let mut reply = versioned(Response::new(Either::Left(Full::new(body))));
    *reply.status_mut() = status;
    reply
}

/// Docker takes for a registry only what says so.
fn versioned(mut reply: Reply) -> Reply {
    let version = HeaderValue::from_static("registry/2.0");
    reply.headers_mut().insert(API_VERSION, version);
    reply
}

/// The text of a warning as Podman and containerd read it, and no other form (RFC 7234, 5.5).
fn warning(text: &str) -> Option<HeaderValue> {
    let quoted = plain(text).replace('\\', "\\\\").replace('"', "\\\"");
    HeaderValue::from_str(&format!("299 - \"{quoted}\"")).ok()
}

fn phrase(message: &str) -> Option<ReasonPhrase> {
    let short: String = plain(message).chars().take(MAX_PHRASE).collect();
    ReasonPhrase::try_from(short.into_bytes()).ok()
}

/// Text for a header: ASCII that prints, on one line.
fn plain(text: &str) -> String {
    text.chars()
        .map(|letter| match letter {
            ' '..='~' => letter,
            _ => '?',
        })
        .collect()
}

const DIGEST: HeaderName = HeaderName::from_static("docker-content-digest");
const API_VERSION: HeaderName = HeaderName::from_static("docker-distribution-api-version");
/// Characters of a status line; Go's client reads a few thousand.
const MAX_PHRASE: usize = 300;
/// Seconds.
const LATER: &str = "5";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn warnings_keep_to_their_form() {
        let value = |text| warning(text).unwrap().to_str().unwrap().to_owned();
        assert_eq!(value("not signed"), r#"299 - "not signed""#);
        assert_eq!(value("a \"b\" \\ c"), r#"299 - "a \"b\" \\ c""#);
        assert_eq!(value("two\r\nlines é"), r#"299 - "two??lines ?""#);
    }

    #[test]
    fn a_refusal_is_json_and_a_status_line() {
        let refusal = Refusal::denied("é\nnot signed".to_owned(), "rule default");
        let reply = refusal.into_reply();
        assert_eq!(reply.status(), StatusCode::FORBIDDEN);
        let phrase = reply.extensions().get::<ReasonPhrase>().unwrap();
        assert_eq!(phrase.as_bytes(), b"??not signed");
    }
}
