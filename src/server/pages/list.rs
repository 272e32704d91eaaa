//! The list of repositories.

use super::address::{self, Wanted};
use super::frame::{Frame, breakable, frame};
use super::model::{Files, Repository, State};
use super::problems::badge;
use super::read::{self, Budget, Newest, ReadError};
use super::{figures, missing, reply};
use bytes::Bytes;
use http_body_util::Full;
use hyper::{Response, StatusCode};
use jiff::Timestamp;
use maud::{Markup, html};
use trust_store::server::{Listed, Listing, Store};

/// The repositories that this reader may know of, a page of them.
pub(super) async fn answer(
    wanted: &Wanted,
    store: &Store,
    may_read: &(dyn Fn(&str) -> bool + Sync),
    now: Timestamp,
) -> Response<Full<Bytes>> {
    match rows(wanted, store, may_read, now).await {
        Ok(found) => reply::page(StatusCode::OK, page(wanted, &found, now)),
        Err(error) => missing::broken(&error, now),
    }
}

struct Row {
    listed: Listed,
    /// None where it would cost too much to find out
    known: Option<Known>,
}

struct Known {
    state: State,
    tags: Option<usize>,
}

struct Found {
    rows: Vec<Row>,
    rest: Rest,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Rest {
    None,
    OnNextPage,
    /// So many names were looked at that the reader may not know of
    NotLookedAt,
}

async fn rows(
    wanted: &Wanted,
    store: &Store,
    may_read: &(dyn Fn(&str) -> bool + Sync),
    now: Timestamp,
) -> Result<Found, ReadError> {
    let (listed, rest) = readable(wanted, store, may_read).await?;
    let mut budget = Budget::of_a_page();
    let mut rows = Vec::with_capacity(listed.len());
    for listed in listed {
        let known = match read::newest(store, &listed.gun, &mut budget).await? {
            Newest::Nothing => continue,
            Newest::TooMuch(_) => None,
            Newest::Files(files, _) => Some(known(&listed.gun, files, now).await?),
        };
        rows.push(Row { listed, known });
    }
    Ok(Found { rows, rest })
}

async fn known(gun: &str, files: Files, now: Timestamp) -> Result<Known, ReadError> {
    let gun = gun.to_owned();
    read::aside(move || {
        let repository = Repository::of(&gun, &files, now);
        Known {
            state: repository.state(),
            tags: repository.tags.map(|tags| tags.len()),
        }
    })
    .await
}

/// Names are looked at until the page is full. Those that the reader may not know of leave no
/// trace, not even as the place where the next page begins.
async fn readable(
    wanted: &Wanted,
    store: &Store,
    may_read: &(dyn Fn(&str) -> bool + Sync),
) -> Result<(Vec<Listed>, Rest), ReadError> {
    let mut found = Vec::new();
    let mut after = wanted.after.clone();
    for _ in 0..MOST_BATCHES {
        let listing = Listing {
            prefix: "",
            search: &wanted.search,
            after: &after,
            limit: BATCH,
        };
        let batch = store.guns(listing).await?;
        let end = batch.len() < BATCH as usize;
        if let Some(last) = batch.last() {
            after.clone_from(&last.gun);
        }
        found.extend(batch.into_iter().filter(|listed| may_read(&listed.gun)));
        if found.len() > PAGE {
            found.truncate(PAGE);
            return Ok((found, Rest::OnNextPage));
        }
        if end {
            return Ok((found, Rest::None));
        }
    }
    Ok((found, Rest::NotLookedAt))
}

fn page(wanted: &Wanted, found: &Found, now: Timestamp) -> Markup {
    frame(&Frame {
        title: "Repositories",
        path: &[],
        now,
        body: html! {
            @if !found.rows.is_empty() || !wanted.search.is_empty() { (search(wanted)) }
            @if found.rows.is_empty() { (nothing(wanted)) } @else { (table(&found.rows, now)) }
            (rest(wanted, found))
        },
    })
}

fn search(wanted: &Wanted) -> Markup {
    html! {
        form.search method="get" action="/" role="search" {
            label for="q" { "Name contains" }
            input #q type="search" name="q" value=(wanted.search) maxlength="255"
                autocomplete="off" autocapitalize="none" spellcheck="false";
            button type="submit" { "Search" }
            @if !wanted.search.is_empty() { a href=(address::list("", "")) { "Show all" } }
        }
    }
}

fn nothing(wanted: &Wanted) -> Markup {
    html! {
        div.empty {
            @if !wanted.search.is_empty() {
                p.lead { "No repository has “" (wanted.search) "” in its name." }
            } @else if !wanted.after.is_empty() {
                p.lead { "There are no more repositories." }
            } @else {
                p.lead { "Nothing has been signed yet." }
                p { "As soon as somebody signs an image with this server, its repository stands here:" }
                pre { code { "trust sign registry.example/team/app:1.0" } }
            }
        }
    }
}

fn table(rows: &[Row], now: Timestamp) -> Markup {
    html! {
        table.cards.repositories {
            caption.unseen { "Repositories with their state" }
            thead {
                tr {
                    th scope="col" { "Repository" }
                    th scope="col" { "State" }
                    th.number scope="col" { "Signed tags" }
                    th scope="col" { "Last change" }
                }
            }
            tbody { @for row in rows { (line(row, now)) } }
        }
    }
}

fn line(row: &Row, now: Timestamp) -> Markup {
    let gun = &row.listed.gun;
    let tags = row.known.as_ref().and_then(|known| known.tags);
    html! {
        tr {
            th scope="row" { a href=(address::repository(gun)) { (breakable(gun)) } }
            td data-label="State" {
                @match &row.known {
                    Some(known) => (badge(known.state)),
                    None => span.faint { "not checked here" },
                }
            }
            td.number data-label="Signed tags" {
                @match tags { Some(tags) => (figures::number(tags)), None => "–" }
            }
            td.when data-label="Last change" {
                (figures::day(row.listed.changed)) " "
                span.faint { (figures::distance(row.listed.changed, now)) }
            }
        }
    }
}

fn rest(wanted: &Wanted, found: &Found) -> Markup {
    let last = found.rows.last().map(|row| row.listed.gun.as_str());
    html! {
        @match (found.rest, last) {
            (Rest::OnNextPage, Some(last)) => nav.pages aria-label="Pages" {
                a rel="next" href=(address::list(&wanted.search, last)) { "Next repositories" }
            },
            (Rest::NotLookedAt, _) => p.faint {
                "There may be more: search for a part of the name to find them."
            },
            _ => {},
        }
    }
}

/// Repositories on a page.
const PAGE: usize = 50;

/// Names asked for at once.
const BATCH: u32 = 500;

/// Names are looked at so many times before the reader has to say more.
const MOST_BATCHES: usize = 40;
