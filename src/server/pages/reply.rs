//! What goes with every page: its type, and what a browser may do with it.

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::{Response, StatusCode};
use maud::Markup;

/// A page for the reader alone, shown again only after asking.
pub(super) fn page(status: StatusCode, page: Markup) -> Response<Full<Bytes>> {
    let mut response = of(status, "text/html; charset=utf-8", page.into_string());
    set(
        response.headers_mut(),
        header::CACHE_CONTROL,
        "private, no-cache",
    );
    response
}

/// A file that everybody may have and keep for so long.
pub(super) fn file(
    content_type: &'static str,
    kept: &'static str,
    body: &'static str,
) -> Response<Full<Bytes>> {
    let mut response = of(StatusCode::OK, content_type, body);
    set(response.headers_mut(), header::CACHE_CONTROL, kept);
    response
}

fn of(
    status: StatusCode,
    content_type: &'static str,
    body: impl Into<Bytes>,
) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    set(headers, header::CONTENT_TYPE, content_type);
    for (name, value) in PROTECTION {
        set(headers, HeaderName::from_static(name), value);
    }
    response
}

fn set(headers: &mut HeaderMap, name: HeaderName, value: &'static str) {
    headers.insert(name, HeaderValue::from_static(value));
}

/// No scripts, nothing from elsewhere, in nobody's frame; names of repositories stay here.
const PROTECTION: [(&str, &str); 6] = [
    (
        "content-security-policy",
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; \
         frame-ancestors 'none'; base-uri 'none'",
    ),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-embedder-policy", "require-corp"),
    ("cross-origin-resource-policy", "same-origin"),
];
