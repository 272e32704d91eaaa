//! Pages for people: what is signed here, by whom, until when, and what is wrong.
//!
//! Addresses: `/` lists repositories, `/r/GUN` is one, `/h/GUN` its history. A GUN keeps its
//! slashes and colon (`/r/host:5000/team/app`); its own words never follow it in the path, so no
//! repository can have the address of a page. Everything else of ours is below `/-/`; the
//! interface for programs is below `/v2/`.
//!
//! Pages show only what verifies, judged by the same functions that clients use. They are HTML
//! without scripts; `reply.rs` says what a browser may do with them. Rights are the caller's: no
//! name is shown, nor is anything read of a repository, unless `may_read` says so.

mod address;
mod figures;
mod frame;
mod history;
mod list;
mod missing;
mod model;
mod past;
mod picture;
mod problems;
mod read;
mod reply;
mod repository;
mod roles;
mod style;
mod tags;

pub use missing::refused;

use address::{Place, Wanted};
use bytes::Bytes;
use http_body_util::Full;
use hyper::Response;
use jiff::Timestamp;
use trust_store::server::Store;

/// The page at `path`, or one that says why there is none.
///
/// `may_read` decides for each repository whether this reader may know of it.
pub async fn answer(
    path: &str,
    query: Option<&str>,
    store: &Store,
    may_read: &(dyn Fn(&str) -> bool + Sync),
    now: Timestamp,
) -> Response<Full<Bytes>> {
    let wanted = Wanted::read(query);
    match Place::of(path) {
        Some(Place::Icon) => style::icon(),
        Some(Place::Style) => style::sheet(&wanted),
        Some(Place::List) => list::answer(&wanted, store, may_read, now).await,
        Some(Place::Repository(gun) | Place::History(gun)) if !may_read(&gun) => {
            missing::hidden(now)
        }
        Some(Place::Repository(gun)) => repository::answer(&gun, &wanted, store, now).await,
        Some(Place::History(gun)) => history::answer(&gun, &wanted, store, now).await,
        None => missing::nothing_here(now),
    }
}
