//! How pages look: one style sheet for all, and the picture in the browser's tab.

use super::address::{self, Wanted};
use super::reply;
use bytes::Bytes;
use http_body_util::Full;
use hyper::Response;
use ring::digest::{SHA256, digest};
use std::sync::LazyLock;

/// Where the style sheet is: its address changes with it.
pub(super) fn address() -> String {
    format!("{}?v={}", address::STYLE, *VERSION)
}

/// The style sheet: kept for long at the address that names it, else shortly.
pub(super) fn sheet(wanted: &Wanted) -> Response<Full<Bytes>> {
    let kept = if wanted.version == *VERSION {
        "public, max-age=31536000, immutable"
    } else {
        "public, max-age=300"
    };
    reply::file("text/css; charset=utf-8", kept, SHEET)
}

/// The picture in the browser's tab.
pub(super) fn icon() -> Response<Full<Bytes>> {
    reply::file("image/svg+xml", "public, max-age=86400", ICON)
}

static VERSION: LazyLock<String> = LazyLock::new(|| {
    let mut version = hex::encode(digest(&SHA256, SHEET.as_bytes()));
    version.truncate(16);
    version
});

const SHEET: &str = include_str!("style.css");
const ICON: &str = include_str!("icon.svg");
