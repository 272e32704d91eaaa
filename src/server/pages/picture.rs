//! How long each role remains valid, as a picture.
//!
//! Lives of roles range from two weeks to ten years, so the axis is logarithmic on both sides of
//! the present. Positions are percentages: the picture is as wide as there is room, and its words
//! are never scaled.

use super::figures;
use super::frame::breakable;
use super::model::{FileState, RoleFacts, SignedFile};
use super::roles::MOST_ROLES;
use jiff::Timestamp;
use maud::{Markup, html};

/// The picture of all roles.
pub(super) fn section(roles: &[RoleFacts], now: Timestamp) -> Markup {
    if roles.is_empty() {
        return html! {};
    }
    html! {
        section aria-labelledby="validity" {
            h2 #validity { "Validity" }
            p.faint { "From when each role was signed until it expires. The scale is logarithmic." }
            div.validity {
                (axis())
                ul {
                    @for role in roles.iter().take(MOST_ROLES) { (line(role, now)) }
                    (figures::more(roles.len(), MOST_ROLES))
                }
            }
        }
    }
}

fn axis() -> Markup {
    html! {
        svg.axis width="100%" height="18" aria-hidden="true" focusable="false" {
            @for (days, label) in TICKS {
                @let class = RARE.contains(label).then_some("rare");
                text class=[class] x=(percent(*days)) y="13" text-anchor=(anchor(*days)) { (label) }
            }
        }
    }
}

fn line(role: &RoleFacts, now: Timestamp) -> Markup {
    html! {
        li {
            p.names { strong { (breakable(role.name.as_str())) } span { (until(role, now)) } }
            (bar(role, now))
        }
    }
}

fn until(role: &RoleFacts, now: Timestamp) -> Markup {
    match &role.file {
        FileState::Signed(file) if file.expires <= now => html! {
            b.expired { "expired" } " " (figures::day(file.expires)) ", " (figures::distance(file.expires, now))
        },
        FileState::Signed(file) => html! {
            "until " (figures::day(file.expires)) ", " (figures::distance(file.expires, now))
        },
        FileState::Refused(_) => html! { "not enough valid signatures" },
        FileState::Never => html! { "never signed" },
    }
}

fn bar(role: &RoleFacts, now: Timestamp) -> Markup {
    html! {
        svg width="100%" height="16" role="img" focusable="false" {
            title { (told(role)) }
            rect.ground x="0" y="3" width="100%" height="10" rx="3" {}
            @for (days, _) in TICKS { line.tick x1=(percent(*days)) x2=(percent(*days)) y1="3" y2="13" {} }
            @if let Some(file) = role.signed() { (life(file, now)) }
            line.now x1=(percent(0.0)) x2=(percent(0.0)) y1="0" y2="16" {}
        }
    }
}

/// What has passed of a life, and what is left of it.
fn life(file: &SignedFile, now: Timestamp) -> Markup {
    let (from, to) = (days(file.issued, now), days(file.expires, now));
    html! {
        (piece("past", from.min(0.0), to.min(0.0)))
        (piece("left", from.max(0.0), to.max(0.0)))
        @if to <= 0.0 { line.end x1=(percent(to)) x2=(percent(to)) y1="1" y2="15" {} }
    }
}

fn piece(class: &str, from: f64, to: f64) -> Markup {
    let (from, to) = (position(from), position(to));
    html! {
        @if to > from {
            rect class=(class) x=(written(from)) y="3" width=(written(to - from)) height="10" rx="3" {}
        }
    }
}

fn told(role: &RoleFacts) -> String {
    let day = |at: Timestamp| at.strftime("%-d %B %Y").to_string();
    match &role.file {
        FileState::Signed(file) => format!(
            "{}: version {}, from {} until {}",
            role.name,
            file.version,
            day(file.issued),
            day(file.expires)
        ),
        FileState::Refused(why) => format!("{}: {why}", role.name),
        FileState::Never => format!("{}: never signed", role.name),
    }
}

/// Days from the present, negative before it.
#[expect(clippy::cast_precision_loss, reason = "a picture needs no more")]
fn days(at: Timestamp, now: Timestamp) -> f64 {
    (at.as_second() - now.as_second()) as f64 / 86_400.0
}

/// Where on the axis so many days from now are, 0 to 100.
fn position(days: f64) -> f64 {
    let stretch = |days: f64| (1.0 + days / NEAR).ln();
    let place = if days < 0.0 {
        PRESENT * (1.0 - stretch(-days) / stretch(PAST))
    } else {
        PRESENT + (100.0 - PRESENT) * stretch(days) / stretch(FUTURE)
    };
    place.clamp(0.0, 100.0)
}

fn percent(days: f64) -> String {
    written(position(days))
}

fn written(percent: f64) -> String {
    format!("{percent:.2}%")
}

fn anchor(days: f64) -> &'static str {
    match position(days) {
        ..=1.0 => "start",
        99.0.. => "end",
        _ => "middle",
    }
}

/// Up to so many days from now the axis is nearly even.
const NEAR: f64 = 4.0;

/// Where the present is, the ends of the axis in days, and what is written on it.
const PRESENT: f64 = 30.0;
const PAST: f64 = 365.0;
const FUTURE: f64 = 3652.0;
const TICKS: &[(f64, &str)] = &[
    (-365.0, "−1 y"),
    (-30.0, "−1 mo"),
    (0.0, "now"),
    (7.0, "1 wk"),
    (30.0, "1 mo"),
    (182.0, "6 mo"),
    (1095.0, "3 y"),
    (3652.0, "10 y"),
];

/// What there is no room for on a phone.
const RARE: [&str; 2] = ["−1 mo", "3 y"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_axis_begins_and_ends_where_it_says() {
        for (days, place) in [
            (-9999.0, 0.0),
            (-365.0, 0.0),
            (0.0, 30.0),
            (3652.0, 100.0),
            (9e9, 100.0),
        ] {
            assert!((position(days) - place).abs() < 0.01, "{days}");
        }
    }

    #[test]
    fn later_is_further_to_the_right() {
        let places: Vec<_> = (-365..3652).map(|day| position(f64::from(day))).collect();
        assert!(places.is_sorted_by(|a, b| a < b));
    }
}
