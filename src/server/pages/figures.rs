//! How times, sizes, digests and counts are written.

use jiff::Timestamp;
use maud::{Markup, html};
use std::borrow::Cow;

/// A moment to the minute, in UTC.
pub(super) fn moment(at: Timestamp) -> Markup {
    html! { time datetime=(at.strftime("%FT%TZ")) { (at.strftime("%-d %b %Y, %H:%M")) " UTC" } }
}

/// A day.
pub(super) fn day(at: Timestamp) -> Markup {
    html! {
        time datetime=(at.strftime("%FT%TZ")) title=(at.strftime("%FT%TZ")) {
            (at.strftime("%-d %b %Y"))
        }
    }
}

/// How far a moment is from now: `in 13 days`, `3 hours ago`.
pub(super) fn distance(at: Timestamp, now: Timestamp) -> String {
    let seconds = at.as_second().saturating_sub(now.as_second());
    let length = length(seconds.unsigned_abs());
    match seconds {
        -59..=59 => "just now".to_owned(),
        60.. => format!("in {length}"),
        _ => format!("{length} ago"),
    }
}

/// So many seconds in the largest unit of which there are at least two.
fn length(seconds: u64) -> String {
    let units = [
        (365 * DAY, "years"),
        (30 * DAY, "months"),
        (DAY, "days"),
        (HOUR, "hours"),
    ];
    let fitting = units.iter().find(|(unit, _)| seconds >= 2 * unit);
    match fitting {
        Some((unit, name)) => format!("{} {name}", seconds / unit),
        None if seconds >= 120 => format!("{} minutes", seconds / 60),
        None => "a minute".to_owned(),
    }
}

/// Bytes for people, in powers of 1000.
pub(super) fn size(bytes: u64) -> String {
    let scaled = |unit: u64, name: &str| {
        let tenths = bytes.saturating_mul(10) / unit;
        format!("{}.{} {name}", tenths / 10, tenths % 10)
    };
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => scaled(1_000, "kB"),
        1_000_000..1_000_000_000 => scaled(1_000_000, "MB"),
        _ => scaled(1_000_000_000, "GB"),
    }
}

/// A number with a comma between thousands.
pub(super) fn number(number: usize) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `1 tag`, `2 tags`.
pub(super) fn count(many: usize, one: &str) -> String {
    match many {
        1 => format!("1 {one}"),
        _ => format!("{} {one}s", number(many)),
    }
}

/// A name as its owner wrote it, but no longer than the names of real things.
pub(super) fn name(name: &str) -> Cow<'_, str> {
    match name.char_indices().nth(LONGEST_NAME) {
        Some((end, _)) => Cow::Owned(format!("{}…", name.get(..end).unwrap_or_default())),
        None => Cow::Borrowed(name),
    }
}

/// How many more there are than a list shows; nothing if it shows them all.
pub(super) fn more(all: usize, shown: usize) -> Markup {
    let rest = all.saturating_sub(shown);
    html! { @if rest > 0 { li.rest { "and " (number(rest)) " more" } } }
}

/// A digest: all of it for the clipboard, as much as there is room for on the screen.
pub(super) fn digest(hex: &str) -> Markup {
    html! { code.digest title={ "sha256:" (hex) } { "sha256:" (hex) } }
}

/// The id of a key, the same way.
pub(super) fn key_id(id: &str) -> Markup {
    html! { code.key title=(id) { (id) } }
}

/// In characters; tags have at most 128.
const LONGEST_NAME: usize = 160;

const HOUR: u64 = 3600;
const DAY: u64 = 24 * HOUR;

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::SignedDuration;

    #[test]
    fn distances_are_in_the_unit_people_would_take() {
        let now: Timestamp = "2026-06-01T12:00:00Z".parse().unwrap();
        for (seconds, words) in [
            (0, "just now"),
            (-59, "just now"),
            (60, "in a minute"),
            (-150, "2 minutes ago"),
            (119 * 60, "in 119 minutes"),
            (-7200, "2 hours ago"),
            (47 * 3600, "in 47 hours"),
            (14 * 86_400, "in 14 days"),
            (59 * 86_400, "in 59 days"),
            (-100 * 86_400, "3 months ago"),
            (3650 * 86_400, "in 10 years"),
        ] {
            let at = now + SignedDuration::from_secs(seconds);
            assert_eq!(distance(at, now), words, "{seconds}");
        }
        assert!(distance(Timestamp::MAX, Timestamp::MIN).starts_with("in "));
    }

    #[test]
    fn long_names_are_cut() {
        assert_eq!(name("1.0"), "1.0");
        assert_eq!(name(&"é".repeat(160)), "é".repeat(160));
        assert_eq!(name(&"é".repeat(161)), format!("{}…", "é".repeat(160)));
    }

    #[test]
    fn sizes_and_numbers() {
        let sizes = [0, 528, 999, 1_000, 1_256, 28_000_000, u64::MAX].map(size);
        assert_eq!(
            sizes[..6],
            ["0 B", "528 B", "999 B", "1.0 kB", "1.2 kB", "28.0 MB"]
        );
        assert!(sizes[6].ends_with(" GB"));
        assert_eq!(
            [7, 999, 1_000, 1_234_567].map(number),
            ["7", "999", "1,000", "1,234,567"]
        );
        assert_eq!(
            [0, 1, 2].map(|n| count(n, "tag")),
            ["0 tags", "1 tag", "2 tags"]
        );
    }
}
