//! Pages that say why there is no page.

use super::frame::{Frame, frame};
use super::read::ReadError;
use super::{address, reply};
use bytes::Bytes;
use http_body_util::Full;
use hyper::{Response, StatusCode};
use jiff::Timestamp;
use maud::html;
use trust_store::server::StoreError;

/// A page for a reader who is turned away with this status before any page was asked for.
///
/// The caller adds its challenge; the browser then asks for a name and a password.
pub fn refused(status: StatusCode, now: Timestamp) -> Response<Full<Bytes>> {
    match status {
        StatusCode::UNAUTHORIZED => say(
            status,
            "Please log in",
            "This server shows its pages only to people it knows.",
            now,
        ),
        StatusCode::FORBIDDEN => hidden(now),
        StatusCode::TOO_MANY_REQUESTS => say(
            status,
            "Too many attempts",
            "There were too many wrong passwords. Please wait a little before the next one.",
            now,
        ),
        _ if status.is_server_error() => say(
            status,
            "Not available",
            "The server cannot answer at the moment. Please try again soon.",
            now,
        ),
        _ => say(status, "Refused", "The server does not answer this.", now),
    }
}

/// The same whether the repository exists or not.
pub(super) fn hidden(now: Timestamp) -> Response<Full<Bytes>> {
    say(
        StatusCode::FORBIDDEN,
        "You may not see this",
        "Either there is no such repository, or it is not yours to read.",
        now,
    )
}

/// No page has this address.
pub(super) fn nothing_here(now: Timestamp) -> Response<Full<Bytes>> {
    say(
        StatusCode::NOT_FOUND,
        "Nothing here",
        "No page has this address.",
        now,
    )
}

/// A repository that the reader may see, were there one.
pub(super) fn no_repository(gun: &str, now: Timestamp) -> Response<Full<Bytes>> {
    let words = format!("Nothing was ever signed in {gun} on this server, or it was deleted.");
    say(StatusCode::NOT_FOUND, "No such repository", &words, now)
}

/// A page that could not be made; the reason goes to the log, not to the reader.
pub(super) fn broken(error: &ReadError, now: Timestamp) -> Response<Full<Bytes>> {
    tracing::error!(%error, "a page could not be made");
    let status = match error {
        ReadError::Store(StoreError::Unavailable { .. }) => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    };
    refused(status, now)
}

fn say(status: StatusCode, title: &str, words: &str, now: Timestamp) -> Response<Full<Bytes>> {
    let page = frame(&Frame {
        title,
        path: &[],
        now,
        body: html! {
            p.lead { (words) }
            p { a href=(address::list("", "")) { "All repositories" } }
        },
    });
    reply::page(status, page)
}
