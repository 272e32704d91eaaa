//! What happened to a repository: who signed what when.

use super::address::{self, Wanted};
use super::frame::{Frame, frame};
use super::model::{Moved, SignedBy, SignerChange, TagChange};
use super::past::{self, Changed, Page, Publish};
use super::{figures, missing, reply};
use crate::tuf::role::RoleName;
use bytes::Bytes;
use http_body_util::Full;
use hyper::{Response, StatusCode};
use jiff::Timestamp;
use maud::{Markup, html};
use std::collections::{BTreeMap, BTreeSet};
use trust_store::server::Store;

/// The history of a repository that the reader may see.
pub(super) async fn answer(
    gun: &str,
    wanted: &Wanted,
    store: &Store,
    now: Timestamp,
) -> Response<Full<Bytes>> {
    let before = wanted
        .after
        .parse()
        .ok()
        .and_then(|at| Timestamp::from_microsecond(at).ok());
    match past::page(store, gun, before).await {
        Ok(page) if page.publishes.is_empty() && before.is_none() => {
            missing::no_repository(gun, now)
        }
        Ok(page) => reply::page(StatusCode::OK, shown(gun, &page, before.is_some(), now)),
        Err(error) => missing::broken(&error, now),
    }
}

fn shown(gun: &str, page: &Page, later: bool, now: Timestamp) -> Markup {
    frame(&Frame {
        title: &format!("History of {gun}"),
        path: &[
            ("Repositories", address::list("", "")),
            (gun, address::repository(gun)),
        ],
        now,
        body: html! {
            @if page.publishes.is_empty() { p.lead { "Nothing happened before that." } }
            ol.history { @for publish in &page.publishes { (entry(publish, now)) } }
            nav.pages aria-label="Pages of the history" {
                @if later { a rel="prev" href=(address::history(gun, None)) { "Latest" } }
                @if let Some(next) = page.next {
                    a rel="next" href=(address::history(gun, Some(next.as_microsecond()))) { "Earlier" }
                }
            }
        },
    })
}

fn entry(publish: &Publish, now: Timestamp) -> Markup {
    let changes = Changes::of(publish);
    let class = if changes.is_quiet() { "quiet" } else { "" };
    html! {
        li class=(class) {
            h2 { (title(publish, &changes)) }
            p.when { (figures::moment(publish.at)) ", " (figures::distance(publish.at, now)) }
            (tag_list(&changes.tags))
            (signer_list(&changes.signers))
            @if changes.not_compared {
                p.faint { "The versions before are not here any more, or too large to compare: not every change is listed." }
            }
            details {
                summary { (figures::count(publish.files.len(), "file")) " published" }
                ul.files { @for file in &publish.files { (file_line(file)) } }
            }
        }
    }
}

/// What all files of a publish changed, each change once with those who signed it.
#[derive(Default)]
struct Changes {
    tags: BTreeMap<Moved, BTreeSet<String>>,
    signers: Vec<(RoleName, SignerChange)>,
    not_compared: bool,
}

impl Changes {
    fn of(publish: &Publish) -> Self {
        let mut changes = Self::default();
        for file in &publish.files {
            let targets = file.role == RoleName::targets() || file.role.is_delegation();
            let Ok(told) = &file.told else {
                changes.not_compared |= targets;
                continue;
            };
            changes.not_compared |= targets && !told.compared;
            for moved in &told.tags {
                let by = changes.tags.entry(moved.clone()).or_default();
                by.extend(told.by.iter().map(|by| by.name.clone()));
            }
            changes.signers.extend(told.signers.iter().cloned());
        }
        changes
    }

    fn is_quiet(&self) -> bool {
        self.tags.is_empty() && self.signers.is_empty() && !self.not_compared
    }
}

fn title(publish: &Publish, changes: &Changes) -> Markup {
    let first = publish
        .files
        .iter()
        .any(|file| file.role == RoleName::root() && file.version == 1);
    let root = publish
        .files
        .iter()
        .any(|file| file.role == RoleName::root());
    let tags = changes.tags.len();
    html! {
        @if first { "Repository initialised" }
        @else if root { "Root keys published" }
        @else if tags == 1 { (one_tag(changes)) }
        @else if tags > 1 { (figures::count(tags, "tag")) " changed" }
        @else if !changes.signers.is_empty() { "Signers changed" }
        @else if changes.not_compared { "Published" }
        @else if publish.files.iter().all(|file| is_online(&file.role)) { "Renewed" }
        @else { "Signed again" }
    }
}

fn one_tag(changes: &Changes) -> Markup {
    html! {
        @for ((tag, change), _) in &changes.tags {
            @match change {
                TagChange::Added { .. } => "Signed ",
                TagChange::Moved { .. } => "Moved ",
                TagChange::Removed { .. } => "Removed ",
            }
            (figures::name(tag))
        }
    }
}

fn is_online(role: &RoleName) -> bool {
    matches!(role.as_str(), "snapshot" | "timestamp")
}

fn tag_list(tags: &BTreeMap<Moved, BTreeSet<String>>) -> Markup {
    html! {
        @if !tags.is_empty() {
            ul.changes {
                @for ((tag, change), by) in tags.iter().take(MOST_TAGS) { (tag_line(tag, change, by)) }
                (figures::more(tags.len(), MOST_TAGS))
            }
        }
    }
}

fn tag_line(tag: &str, change: &TagChange, by: &BTreeSet<String>) -> Markup {
    let by = html! { @if !by.is_empty() { span.by { " by " (joined(by)) } } };
    html! {
        @match change {
            TagChange::Added { digest } => li.added {
                span.what { "Added" } " " strong { (figures::name(tag)) } " " (figures::digest(digest)) (by)
            },
            TagChange::Moved { from, to } => li.moved {
                span.what { "Moved" } " " strong { (figures::name(tag)) } " from " (figures::digest(from))
                " to " (figures::digest(to)) (by)
            },
            TagChange::Removed { digest } => li.removed {
                span.what { "Removed" } " " strong { (figures::name(tag)) } " " (figures::digest(digest)) (by)
            },
        }
    }
}

fn joined(names: &BTreeSet<String>) -> String {
    names
        .iter()
        .take(MOST_TAGS)
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join(", ")
}

fn signer_list(signers: &[(RoleName, SignerChange)]) -> Markup {
    html! {
        @if !signers.is_empty() {
            ul.changes {
                @for (role, change) in signers.iter().take(MOST_TAGS) {
                    @match change {
                        SignerChange::Added => li.added { span.what { "Added" } " " code { (role) } " may sign from now on" },
                        SignerChange::Changed { keys, threshold, paths } => li.moved {
                            span.what { "Changed" } " " code { (role) } " " (terms(*keys, *threshold, *paths))
                        },
                        SignerChange::Removed => li.removed { span.what { "Removed" } " " code { (role) } " may not sign any more" },
                    }
                }
                (figures::more(signers.len(), MOST_TAGS))
            }
        }
    }
}

fn terms(keys: bool, threshold: bool, paths: bool) -> String {
    let changed = [
        (keys, "other keys"),
        (threshold, "another threshold"),
        (paths, "other paths"),
    ];
    let words: Vec<_> = changed
        .iter()
        .filter(|(changed, _)| *changed)
        .map(|(_, words)| *words)
        .collect();
    format!("has {}", words.join(" and "))
}

fn file_line(file: &Changed) -> Markup {
    html! {
        li {
            code { (file.role) } " version " (file.version)
            @match &file.told {
                Ok(told) => (signed_by(&told.by)),
                Err(why) => span.bad { " not checked: " (why) },
            }
        }
    }
}

fn signed_by(by: &[SignedBy]) -> Markup {
    html! {
        " signed by "
        @for (place, by) in by.iter().take(MOST_TAGS).enumerate() {
            @if place > 0 { ", " }
            (by.name) " " (figures::key_id(&by.key))
        }
    }
}

/// Tags and signers listed in one publish, and signers of one file.
const MOST_TAGS: usize = 20;
