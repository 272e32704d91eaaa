//! What every page has around its own: head, way back, title, foot.

use super::{address, figures, style};
use jiff::Timestamp;
use maud::{DOCTYPE, Markup, html};

/// A page in the making.
pub(super) struct Frame<'a> {
    /// What it is about
    pub(super) title: &'a str,
    /// The pages above it: name and address
    pub(super) path: &'a [(&'a str, String)],
    /// The moment it speaks of
    pub(super) now: Timestamp,
    /// Its own
    pub(super) body: Markup,
}

/// The whole page.
pub(super) fn frame(page: &Frame<'_>) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (page.title) " · trust" }
                link rel="stylesheet" href=(style::address());
                link rel="icon" href=(address::ICON) type="image/svg+xml";
            }
            body {
                a.skip href="#content" { "Skip to the content" }
                header.top {
                    div.inside {
                        a.brand href=(address::list("", "")) { (mark()) span { "trust" } }
                        @if !page.path.is_empty() { (way_back(page.path)) }
                    }
                }
                main #content {
                    h1 { (breakable(page.title)) }
                    (page.body)
                }
                footer {
                    div.inside {
                        p { "As of " (figures::moment(page.now)) ". Only what verifies is shown as signed." }
                    }
                }
            }
        }
    }
}

/// A long name, which may be broken behind each of its parts.
pub(super) fn breakable(name: &str) -> Markup {
    let parts = name.split_inclusive(['/', '@']);
    html! { @for part in parts { (part) wbr; } }
}

fn way_back(path: &[(&str, String)]) -> Markup {
    html! {
        nav.path aria-label="Breadcrumb" {
            ol { @for (name, address) in path { li { a href=(address) { (breakable(name)) } } } }
        }
    }
}

/// The seal.
fn mark() -> Markup {
    html! {
        svg.mark viewBox="0 0 24 24" width="24" height="24" aria-hidden="true" focusable="false" {
            path d="M12 1.6 20.5 5v6.2c0 5.2-3.5 9.3-8.5 11.2-5-1.9-8.5-6-8.5-11.2V5z" {}
            path.tick d="m7.8 11.9 2.9 2.9 5.6-5.8" {}
        }
    }
}
