//! The addresses of pages: what one asks for, and how one is written.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use url::form_urlencoded;

/// What a path asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// What happened to this repository
    History(String),
    /// The picture in the browser's tab
    Icon,
    /// All repositories
    List,
    /// One repository
    Repository(String),
    /// How pages look
    Style,
}

impl Place {
    /// The place at this path, if there is one.
    pub(super) fn of(path: &str) -> Option<Self> {
        match path {
            "/" => return Some(Self::List),
            STYLE => return Some(Self::Style),
            ICON => return Some(Self::Icon),
            _ => {}
        }
        match (path.strip_prefix("/r/"), path.strip_prefix("/h/")) {
            (Some(gun), _) => decoded(gun).map(Self::Repository),
            (_, Some(gun)) => decoded(gun).map(Self::History),
            _ => None,
        }
    }
}

/// What the query asks for; what it does not say is empty.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Wanted {
    /// What names of repositories contain
    pub(super) search: String,
    /// The last name, or the last moment in microseconds, of the page before
    pub(super) after: String,
    /// What tags contain
    pub(super) tag: String,
    /// Which page of tags, from 1
    pub(super) page: usize,
    /// Which look of the style sheet
    pub(super) version: String,
}

impl Wanted {
    /// Reads `a=b&c=d`; unknown names are nothing, and no value is longer than a name can be.
    pub(super) fn read(query: Option<&str>) -> Self {
        let mut wanted = Self {
            page: 1,
            ..Self::default()
        };
        let pairs = form_urlencoded::parse(query.unwrap_or_default().as_bytes());
        for (name, value) in pairs.take(MOST_PAIRS) {
            let value = bounded(&value);
            match name.as_ref() {
                "q" => value.trim().clone_into(&mut wanted.search),
                "after" => wanted.after = value,
                "tag" => value.trim().clone_into(&mut wanted.tag),
                "page" => wanted.page = value.parse().unwrap_or(1).max(1),
                "v" => wanted.version = value,
                _ => {}
            }
        }
        wanted
    }
}

/// The list of repositories whose names contain `search`, after the name `after`.
pub(super) fn list(search: &str, after: &str) -> String {
    with("/".to_owned(), &[("q", search), ("after", after)])
}

/// One repository.
pub(super) fn repository(gun: &str) -> String {
    format!("/r/{}", utf8_percent_encode(gun, IN_PATH))
}

/// A page of its tags.
pub(super) fn tags(gun: &str, tag: &str, page: usize) -> String {
    let number = page.to_string();
    let number = if page > 1 { number.as_str() } else { "" };
    with(repository(gun), &[("tag", tag), ("page", number)])
}

/// What happened to it, before a moment in microseconds.
pub(super) fn history(gun: &str, after: Option<i64>) -> String {
    let path = format!("/h/{}", utf8_percent_encode(gun, IN_PATH));
    let after = after.map(|at| at.to_string()).unwrap_or_default();
    with(path, &[("after", &after)])
}

/// Where the style sheet is.
pub(super) const STYLE: &str = "/-/style.css";

/// Where the picture in the browser's tab is.
pub(super) const ICON: &str = "/-/icon.svg";

fn with(path: String, pairs: &[(&str, &str)]) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(pairs.iter().filter(|(_, value)| !value.is_empty()));
    match query.finish().as_str() {
        "" => path,
        query => format!("{path}?{query}"),
    }
}

fn decoded(gun: &str) -> Option<String> {
    let gun = percent_decode_str(gun).decode_utf8().ok()?;
    let possible = !gun.is_empty() && gun.len() <= LONGEST && !gun.contains('\0');
    possible.then(|| gun.into_owned())
}

fn bounded(value: &str) -> String {
    let mut value = value.replace('\0', "");
    value.truncate(value.floor_char_boundary(LONGEST));
    value
}

/// What stands in a path as itself.
const IN_PATH: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'/')
    .remove(b':');

/// Longest name of a repository, in bytes (Notary's column).
const LONGEST: usize = 255;

/// More than any page has.
const MOST_PAIRS: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn places_are_found() {
        for (path, place) in [
            ("/", Some(Place::List)),
            ("/-/style.css", Some(Place::Style)),
            ("/r/a", Some(Place::Repository("a".into()))),
            (
                "/r/host:5000/team/app",
                Some(Place::Repository("host:5000/team/app".into())),
            ),
            ("/r/a%20b", Some(Place::Repository("a b".into()))),
            ("/h/a/b", Some(Place::History("a/b".into()))),
            ("/r/", None),
            ("/r", None),
            ("/r/%00", None),
            ("/r/%ff", None),
            ("/-/", None),
            ("/-/style.css/", None),
            ("/v2/", None),
            ("", None),
        ] {
            assert_eq!(Place::of(path), place, "{path}");
        }
        let long = format!("/r/{}", "a".repeat(256));
        assert_eq!(Place::of(&long), None);
    }

    #[test]
    fn queries_are_read() {
        let wanted = Wanted::read(Some("q=+a%2Fb+&page=0&tag=1.0&after=%C3%A9&x=y&v=1"));
        assert_eq!(
            (wanted.search.as_str(), wanted.after.as_str()),
            ("a/b", "é")
        );
        assert_eq!((wanted.tag.as_str(), wanted.page), ("1.0", 1));
        assert_eq!(Wanted::read(None).page, 1);
        let long = format!("q={}", "é".repeat(200));
        assert_eq!(Wanted::read(Some(&long)).search.len(), 254);
    }

    #[test]
    fn addresses_say_only_what_is_wanted() {
        assert_eq!(list("", ""), "/");
        assert_eq!(list("a b", "c/d"), "/?q=a+b&after=c%2Fd");
        assert_eq!(tags("h:1/a", "", 1), "/r/h:1/a");
        assert_eq!(tags("h:1/a", "v&1", 2), "/r/h:1/a?tag=v%261&page=2");
        assert_eq!(history("a", Some(-5)), "/h/a?after=-5");
    }

    proptest! {
        #[test]
        fn every_name_has_its_address(gun in "[^\0]{1,60}") {
            prop_assert_eq!(Place::of(&repository(&gun)), Some(Place::Repository(gun.clone())));
            prop_assert_eq!(Place::of(&history(&gun, None)), Some(Place::History(gun)));
        }
    }
}
