//! What goes back: Notary's bodies and error codes (`errors.go`, distribution's `errcode`).

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use hyper::{Response, StatusCode};
use serde::Serialize;
use serde_json::Value;

/// Whatever is sent, whole.
pub(super) type Reply = Response<Full<Bytes>>;

/// A reply with this body, of the type Go's server makes of text without asking.
pub(super) fn text(body: impl Into<Bytes>) -> Reply {
    let mut reply = Response::new(Full::new(body.into()));
    let text = HeaderValue::from_static("text/plain; charset=utf-8");
    reply.headers_mut().insert(CONTENT_TYPE, text);
    reply
}

/// JSON that nobody on the way may keep.
pub(super) fn secret_json(value: &Value) -> Reply {
    let mut reply = text(value.to_string());
    let headers = reply.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    reply
}

/// Done, and nothing to say.
pub(super) fn empty(status: StatusCode) -> Reply {
    let mut reply = Response::new(Full::default());
    *reply.status_mut() = status;
    reply
}

/// An error in the words of Notary's server.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Fault {
    status: StatusCode,
    code: &'static str,
    message: &'static str,
    detail: Option<Value>,
}

impl Fault {
    const fn of(status: StatusCode, code: &'static str, message: &'static str) -> Self {
        Self {
            status,
            code,
            message,
            detail: None,
        }
    }

    /// What is wrong in this case.
    #[must_use]
    pub(super) fn about(mut self, detail: impl Into<Value>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// The same with another status.
    #[must_use]
    pub(super) const fn with_status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// The code, for the log.
    pub(super) fn code(&self) -> &'static str {
        self.code
    }

    /// What it is about, for the log.
    pub(super) fn detail(&self) -> String {
        self.detail
            .as_ref()
            .map(Value::to_string)
            .unwrap_or_default()
    }

    /// The error as it is sent: short enough for what Notary's client reads of it.
    pub(super) fn reply(&self) -> Reply {
        let mut body = self.body();
        if body.len() > READ_BY_CLIENTS {
            let mut short = self.clone();
            short.detail = shortened(self.detail.as_ref(), body.len() - READ_BY_CLIENTS);
            body = short.body();
        }
        let mut reply = Response::new(Full::new(body.into()));
        *reply.status_mut() = self.status;
        let json = HeaderValue::from_static("application/json; charset=utf-8");
        reply.headers_mut().insert(CONTENT_TYPE, json);
        reply
    }

    fn body(&self) -> String {
        let errors = [Told {
            code: self.code,
            message: self.message,
            detail: self.detail.as_ref(),
        }];
        let body = serde_json::to_string(&Body { errors }).unwrap_or_default();
        body + "\n"
    }
}

#[derive(Serialize)]
struct Body<'f> {
    errors: [Told<'f>; 1],
}

/// Members in the order of Go's server.
#[derive(Serialize)]
struct Told<'f> {
    code: &'static str,
    message: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'f Value>,
}

/// A detail with its message cut by so many bytes and some.
fn shortened(detail: Option<&Value>, by: usize) -> Option<Value> {
    let mut detail = detail?.clone();
    let message = match &mut detail {
        Value::String(message) => message,
        detail => match detail.pointer_mut("/Error/Msg")? {
            Value::String(message) => message,
            _ => return None,
        },
    };
    let left = message.len().saturating_sub(by + 16);
    let end = message.floor_char_boundary(left);
    message.truncate(end);
    message.push_str("...");
    Some(detail)
}

/// Bytes of an error that Notary's client reads (`httpstore.go`).
const READ_BY_CLIENTS: usize = 1024;

pub(super) const GUN: Fault = Fault::of(
    StatusCode::BAD_REQUEST,
    "INVALID_GUN",
    "The server does not support actions on images of this name.",
);
pub(super) const MALFORMED_JSON: Fault = Fault::of(
    StatusCode::BAD_REQUEST,
    "MALFORMED_JSON",
    "JSON sent by the client could not be parsed by the server",
);
pub(super) const MALFORMED_UPLOAD: Fault = Fault::of(
    StatusCode::BAD_REQUEST,
    "MALFORMED_UPLOAD",
    "The body of your request is malformed.",
);
pub(super) const NO_FILENAME: Fault = Fault::of(
    StatusCode::BAD_REQUEST,
    "NO_FILENAME",
    "No file/role name provided.",
);
pub(super) const NOT_FOUND: Fault = Fault::of(
    StatusCode::NOT_FOUND,
    "METADATA_NOT_FOUND",
    "You have requested metadata that does not exist.",
);
pub(super) const PARAMETERS: Fault = Fault::of(
    StatusCode::BAD_REQUEST,
    "INVALID_PARAMETERS",
    "The parameters provided are not valid.",
);
pub(super) const ROLE: Fault = Fault::of(
    StatusCode::BAD_REQUEST,
    "INVALID_ROLE",
    "The role you are attempting to operate on is invalid.",
);
pub(super) const UNAUTHORIZED: Fault = Fault::of(
    StatusCode::UNAUTHORIZED,
    "UNAUTHORIZED",
    "authentication required",
);
pub(super) const UNAVAILABLE: Fault = Fault::of(
    StatusCode::SERVICE_UNAVAILABLE,
    "UNAVAILABLE",
    "The server cannot reach its store. Try again.",
);
pub(super) const UNKNOWN: Fault = Fault::of(
    StatusCode::INTERNAL_SERVER_ERROR,
    "UNKNOWN",
    "unknown error",
);
pub(super) const UPDATE: Fault = Fault::of(
    StatusCode::BAD_REQUEST,
    "INVALID_UPDATE",
    "Update sent by the client is invalid.",
);
pub(super) const UPDATING: Fault = Fault::of(
    StatusCode::INTERNAL_SERVER_ERROR,
    "UPDATING",
    "An error has occurred while updating the TUF repository.",
);
pub(super) const FULL: Fault = UPDATING.with_status(StatusCode::INSUFFICIENT_STORAGE);
/// What [`FULL`] is about.
pub(super) const NO_ROOM: &str = "the disk of the server is full";
pub(super) const VERSION: Fault = Fault::of(
    StatusCode::BAD_REQUEST,
    "VERSION",
    "A newer version of metadata is already available.",
);

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt as _;
    use serde_json::json;

    #[tokio::test]
    async fn errors_have_notarys_shape_and_fit_its_client() {
        let body = |fault: Fault| async move {
            let body = fault.reply().into_body().collect().await.unwrap();
            String::from_utf8(body.to_bytes().to_vec()).unwrap()
        };
        let plain = r#"{"errors":[{"code":"METADATA_NOT_FOUND","message":"You have requested metadata that does not exist."}]}"#;
        assert_eq!(body(NOT_FOUND).await, format!("{plain}\n"));
        let long = json!({"Name": "ErrBadRoot", "Error": {"Msg": "é".repeat(4000)}});
        let cut = body(UPDATE.about(long)).await;
        assert!(cut.len() <= READ_BY_CLIENTS, "{}", cut.len());
        assert!(cut.contains("éé...") && cut.contains("ErrBadRoot"));
        assert!(body(ROLE.about("x".repeat(3000))).await.len() <= READ_BY_CLIENTS);
    }
}
