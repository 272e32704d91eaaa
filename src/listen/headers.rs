//! Request heads that are too large, and what is said to them.

use super::Limits;
use bytes::Bytes;
use http_body_util::Full;
use hyper::{HeaderMap, Response, StatusCode, Uri, header::CONTENT_TYPE, http::HeaderValue};

/// The answer to a request whose head is over the limits.
pub(super) fn refusal(
    target: &Uri,
    headers: &HeaderMap,
    limits: &Limits,
) -> Option<Response<Full<Bytes>>> {
    let count = headers.len();
    if exceeds(count, limits.headers) {
        let limit = limits.headers;
        return Some(too_large(&format!(
            "the request has {count} headers, more than {limit}"
        )));
    }
    let bytes = size(target, headers);
    if exceeds(bytes, limits.header_bytes) {
        let limit = limits.header_bytes;
        return Some(too_large(&format!(
            "the head of the request has {bytes} bytes, more than {limit}"
        )));
    }
    None
}

/// Bytes of the head as HTTP/1 writes it, without the method.
fn size(target: &Uri, headers: &HeaderMap) -> usize {
    let target = target
        .path_and_query()
        .map_or(0, |target| target.as_str().len());
    headers
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len() + SEPARATORS)
        .fold(target, usize::saturating_add)
}

/// In the form of Notary's errors, which its clients show to people.
fn too_large(message: &str) -> Response<Full<Bytes>> {
    let body =
        format!("{{\"errors\":[{{\"code\":\"HEADERS_TOO_LARGE\",\"message\":\"{message}\"}}]}}\n");
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
    let json = HeaderValue::from_static("application/json; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, json);
    response
}

fn exceeds(value: usize, limit: u32) -> bool {
    u32::try_from(value).map_or(true, |value| value > limit)
}

/// Colon, space and line end.
const SEPARATORS: usize = 4;
