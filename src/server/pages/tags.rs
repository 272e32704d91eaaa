//! Signed tags: digest, size, signers, since when.

use super::address::{self, Wanted};
use super::figures;
use super::model::{Repository, Search, Since};
use super::read::{self, Budget, ReadError};
use super::repository::Beginnings;
use crate::repository::inspect::SignedTag;
use crate::tuf::role::RoleName;
use crate::tuf::trusted::Current;
use jiff::Timestamp;
use maud::{Markup, html};
use trust_store::server::Store;

/// A page of tags.
pub(super) struct TagPage {
    rows: Vec<Released>,
    number: usize,
    pages: usize,
    found: usize,
    all: usize,
    /// When clients last believed them, if they do not now
    until: Option<Timestamp>,
}

struct Released {
    tag: SignedTag,
    role: RoleName,
}

impl TagPage {
    /// The tags that are wanted; none if nobody can say which there are.
    pub(super) fn of(repository: &Repository, wanted: &Wanted, now: Timestamp) -> Option<Self> {
        let (tags, current) = (
            repository.tags.as_ref()?,
            repository.judged.current.as_ref().ok()?,
        );
        let search = wanted.tag.to_ascii_lowercase();
        let matching: Vec<_> = tags
            .iter()
            .filter(|tag| tag.tag.to_ascii_lowercase().contains(&search))
            .collect();
        let pages = matching.len().div_ceil(PAGE).max(1);
        let number = wanted.page.min(pages);
        let rows = matching
            .iter()
            .skip((number - 1) * PAGE)
            .take(PAGE)
            .map(|tag| Released {
                role: released_by(current, tag),
                tag: (*tag).clone(),
            })
            .collect();
        Some(Self {
            rows,
            number,
            pages,
            found: matching.len(),
            all: tags.len(),
            until: Some(repository.judged.at).filter(|at| *at < now),
        })
    }
}

/// The role whose word made it a released tag.
fn released_by(current: &Current, tag: &SignedTag) -> RoleName {
    let digest = current
        .role(&RoleName::releases())
        .and_then(|file| file.facts().targets.get(&tag.tag)?.sha256_hex());
    if digest.as_ref() == Some(&tag.digest) {
        RoleName::releases()
    } else {
        RoleName::targets()
    }
}

/// Since when the tags of a page have had their digests.
pub(super) async fn since(
    store: &Store,
    gun: &str,
    page: &TagPage,
    now: Timestamp,
) -> Result<Beginnings, ReadError> {
    let mut budget = Budget::of_a_search();
    let mut found = Beginnings::new();
    for role in [RoleName::releases(), RoleName::targets()] {
        let tags: Vec<_> = page
            .rows
            .iter()
            .filter(|row| row.role == role)
            .map(|row| (row.tag.tag.clone(), row.tag.digest.clone()))
            .collect();
        if !tags.is_empty() {
            found.extend(look_back(store, gun, &role, tags, &mut budget, now).await?);
        }
    }
    Ok(found)
}

async fn look_back(
    store: &Store,
    gun: &str,
    role: &RoleName,
    tags: Vec<(String, String)>,
    budget: &mut Budget,
    now: Timestamp,
) -> Result<Beginnings, ReadError> {
    let versions = store
        .versions(gun, role.as_str(), now, MOST_VERSIONS)
        .await?;
    let times = versions.iter().map(|facts| (facts.version, facts.created));
    let looks = versions
        .first()
        .map_or(0, |newest| budget.looks(newest.size));
    let mut search = Search::of(tags, times.collect(), looks.min(MOST_LOOKS));
    for _ in 1..MOST_LOOKS {
        let wanted = search.wanted();
        let Some((place, facts)) = wanted.and_then(|at| Some((at, versions.get(at)?))) else {
            break;
        };
        if !budget.take(facts.size) {
            break;
        }
        let Some(file) = read::version(store, gun, role.as_str(), facts).await? else {
            break;
        };
        search = read::aside(move || {
            search.look(place, &file.bytes);
            search
        })
        .await?;
    }
    Ok(search.finish())
}

/// The tags with their search and their pages.
pub(super) fn section(
    gun: &str,
    wanted: &Wanted,
    page: Option<&TagPage>,
    since: &Beginnings,
    now: Timestamp,
) -> Markup {
    html! {
        section aria-labelledby="tags" {
            h2 #tags { "Signed tags" }
            @match page {
                None => p.lead { "None can be shown: nobody can believe what is signed here." },
                Some(page) if page.all == 0 => p.lead { "No tag is signed." },
                Some(page) => {
                    @if let Some(until) = page.until {
                        p { "Clients refuse all of them now. This is what they believed until "
                            (figures::day(until)) "." }
                    }
                    @if page.all > FEW { (search(gun, wanted)) }
                    @if page.found == 0 {
                        p.lead { "No tag has “" (wanted.tag) "” in its name." }
                    } @else {
                        (table(page, since, now))
                        (pages(gun, wanted, page))
                    }
                }
            }
        }
    }
}

fn search(gun: &str, wanted: &Wanted) -> Markup {
    html! {
        form.search method="get" action=(address::repository(gun)) role="search" {
            label for="tag" { "Tag contains" }
            input #tag type="search" name="tag" value=(wanted.tag) maxlength="255"
                autocomplete="off" autocapitalize="none" spellcheck="false";
            button type="submit" { "Search" }
            @if !wanted.tag.is_empty() { a href=(address::repository(gun)) { "Show all" } }
        }
    }
}

fn table(page: &TagPage, since: &Beginnings, now: Timestamp) -> Markup {
    html! {
        table.cards.tags {
            caption.unseen { "Signed tags with their digests and signers" }
            thead {
                tr {
                    th scope="col" { "Tag" }
                    th scope="col" { "Digest" }
                    th.number scope="col" { "Manifest" }
                    th scope="col" { "Signers" }
                    th scope="col" { "Since" }
                }
            }
            tbody { @for row in &page.rows { (line(&row.tag, since, now)) } }
        }
    }
}

fn line(tag: &SignedTag, since: &Beginnings, now: Timestamp) -> Markup {
    let key = (tag.tag.clone(), tag.digest.clone());
    html! {
        tr {
            th scope="row" { (figures::name(&tag.tag)) }
            td data-label="Digest" { (figures::digest(&tag.digest)) }
            td.number data-label="Manifest" { (figures::size(tag.size)) }
            td data-label="Signers" { (signers(tag)) }
            td.when data-label="Since" {
                @match since.get(&key) {
                    Some(Since::Exactly(at)) => {
                        (figures::day(*at)) " " span.faint { (figures::distance(*at, now)) }
                    }
                    Some(Since::AtLeast(at) | Since::Signed { after: None, until: at }) => {
                        (figures::day(*at)) span.faint { " or earlier" }
                    }
                    Some(Since::Signed { after: Some(after), until }) => (signed(*after, *until)),
                    None => span.faint { "not known" },
                }
            }
        }
    }
}

fn signed(after: Timestamp, until: Timestamp) -> Markup {
    let day = |at: Timestamp| at.strftime("%F").to_string();
    html! {
        span.faint { "signed " }
        @if day(after) != day(until) { (figures::day(after)) " – " }
        (figures::day(until))
    }
}

/// As `docker trust inspect` names them.
fn signers(tag: &SignedTag) -> Markup {
    html! {
        @if tag.signers.is_empty() { span.admin { "(Repo Admin)" } }
        @else {
            ul.signers {
                @for signer in tag.signers.iter().take(MOST_SIGNERS) { li { (signer) } }
                (figures::more(tag.signers.len(), MOST_SIGNERS))
            }
        }
    }
}

fn pages(gun: &str, wanted: &Wanted, page: &TagPage) -> Markup {
    if page.pages == 1 && page.found == page.all {
        return html! {};
    }
    let first = (page.number - 1) * PAGE + 1;
    let last = (first + page.rows.len()).saturating_sub(1);
    html! {
        nav.pages aria-label="Pages of tags" {
            p {
                (figures::number(first)) "–" (figures::number(last)) " of " (figures::number(page.found))
                @if page.found < page.all { " found among " (figures::number(page.all)) }
            }
            @if page.number > 1 {
                a rel="prev" href=(to(gun, wanted, page.number - 1)) { "Previous" }
            }
            @if page.number < page.pages {
                a rel="next" href=(to(gun, wanted, page.number + 1)) { "Next" }
            }
        }
    }
}

fn to(gun: &str, wanted: &Wanted, page: usize) -> String {
    format!("{}#tags", address::tags(gun, &wanted.tag, page))
}

/// Tags on a page.
const PAGE: usize = 200;

/// Signers listed with a tag.
const MOST_SIGNERS: usize = 20;

/// So many tags need no search.
const FEW: usize = 12;

/// Among how many versions of a role the beginnings of tags are looked for, and at how many of them.
const MOST_VERSIONS: u32 = 5000;
const MOST_LOOKS: usize = 400;
