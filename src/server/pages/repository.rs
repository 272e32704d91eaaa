//! One repository.

use super::address::{self, Wanted};
use super::frame::{Frame, frame};
use super::model::{Repository, Since};
use super::problems::{self, badge};
use super::read::{self, Budget, Newest, ReadError};
use super::tags::{self, TagPage};
use super::{figures, missing, picture, reply, roles};
use bytes::Bytes;
use http_body_util::Full;
use hyper::{Response, StatusCode};
use jiff::Timestamp;
use maud::{Markup, html};
use std::collections::BTreeMap;
use trust_store::server::Store;

/// The page of a repository that the reader may see.
pub(super) async fn answer(
    gun: &str,
    wanted: &Wanted,
    store: &Store,
    now: Timestamp,
) -> Response<Full<Bytes>> {
    match made(gun, wanted, store, now).await {
        Ok(Some(page)) => reply::page(StatusCode::OK, page),
        Ok(None) => missing::no_repository(gun, now),
        Err(error) => missing::broken(&error, now),
    }
}

/// When tags got their digests.
pub(super) type Beginnings = BTreeMap<(String, String), Since>;

async fn made(
    gun: &str,
    wanted: &Wanted,
    store: &Store,
    now: Timestamp,
) -> Result<Option<Markup>, ReadError> {
    let (files, changed) = match read::newest(store, gun, &mut Budget::of_a_page()).await? {
        Newest::Nothing => return Ok(None),
        Newest::TooMuch(bytes) => return Ok(Some(too_much(gun, bytes, now))),
        Newest::Files(files, changed) => (files, changed),
    };
    let repository = read::judged(gun, files, now).await?;
    let page = TagPage::of(&repository, wanted, now);
    let since = match &page {
        Some(page) => tags::since(store, gun, page, now).await?,
        None => Beginnings::new(),
    };
    let body = html! {
        (summary(&repository, changed, now))
        (contents(gun, &repository))
        (problems::section(&repository.problems, now))
        (tags::section(gun, wanted, page.as_ref(), &since, now))
        (picture::section(&repository.roles, now))
        (roles::section(&repository.roles))
    };
    Ok(Some(around(gun, now, body)))
}

fn around(gun: &str, now: Timestamp, body: Markup) -> Markup {
    frame(&Frame {
        title: gun,
        path: &[("Repositories", address::list("", ""))],
        now,
        body,
    })
}

fn summary(repository: &Repository, changed: Timestamp, now: Timestamp) -> Markup {
    let signers = roles::signers(&repository.roles).count();
    html! {
        ul.summary {
            li { (badge(repository.state())) }
            @if let Some(tags) = &repository.tags {
                li { (figures::count(tags.len(), "signed tag")) }
                li { (figures::count(signers, "signer")) }
            }
            li { "changed " (figures::day(changed)) ", " (figures::distance(changed, now)) }
        }
    }
}

fn contents(gun: &str, repository: &Repository) -> Markup {
    html! {
        nav.contents aria-label="On this page" {
            ul {
                li { a href="#tags" { "Signed tags" } }
                @if !repository.roles.is_empty() { li { a href="#validity" { "Validity" } } }
                li { a href="#roles" { "Who may sign" } }
                li { a href=(address::history(gun, None)) { "History" } }
            }
        }
    }
}

fn too_much(gun: &str, bytes: usize, now: Timestamp) -> Markup {
    let size = figures::size(u64::try_from(bytes).unwrap_or(u64::MAX));
    around(
        gun,
        now,
        html! {
            p.lead { "Its signed metadata are larger than a page can show: " (size) "." }
            p { "Clients read them all the same:" }
            pre { code { "trust inspect " (gun) } }
            p { a href=(address::history(gun, None)) { "History" } }
        },
    )
}
