//! Since when tags have had their digests, found by looking back.

use jiff::Timestamp;
use serde::Deserialize;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Since when a tag has had its digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Since {
    /// This publish brought it
    Exactly(Timestamp),
    /// It was there then; how long before, was not looked for or is not known any more
    AtLeast(Timestamp),
}

/// The tags of one role whose beginning is looked for, version by version into the past.
///
/// When a version was published is the server's own record, and so is its content: the server
/// verified it then, the store vouches for its hash. Signatures are not counted again.
#[derive(Debug)]
pub(crate) struct Search {
    open: Vec<(String, String)>,
    seen: Option<(u64, Timestamp)>,
    found: BTreeMap<(String, String), Since>,
}

impl Search {
    /// Looks for these tags with the SHA-256 of their digests in hex.
    pub(crate) fn of(tags: Vec<(String, String)>) -> Self {
        Self {
            open: tags,
            seen: None,
            found: BTreeMap::new(),
        }
    }

    /// Whether nothing is left to look for.
    pub(crate) fn is_done(&self) -> bool {
        self.open.is_empty()
    }

    /// Looks at the next older version.
    pub(crate) fn look(&mut self, version: u64, created: Timestamp, file: &[u8]) {
        let Ok(File { signed }) = serde_json::from_slice::<File>(file) else {
            return;
        };
        let Some((next, since)) = self.seen else {
            self.seen = Some((version, created));
            return;
        };
        let known = if version + 1 == next {
            Since::Exactly(since)
        } else {
            Since::AtLeast(since)
        };
        let found = &mut self.found;
        self.open.retain(|(tag, digest)| {
            let same = signed.digest(tag).as_deref() == Some(digest);
            if !same {
                found.insert((tag.clone(), digest.clone()), known);
            }
            same
        });
        self.seen = Some((version, created));
    }

    /// What was found. Tags that the first version already had are as old as it.
    pub(crate) fn finish(mut self) -> BTreeMap<(String, String), Since> {
        if let Some((version, created)) = self.seen {
            let since = match version {
                1 => Since::Exactly(created),
                _ => Since::AtLeast(created),
            };
            let rest = self.open.into_iter().map(|tag| (tag, since));
            self.found.extend(rest);
        }
        self.found
    }
}

#[derive(Deserialize)]
struct File<'f> {
    #[serde(borrow)]
    signed: Signed<'f>,
}

#[derive(Deserialize)]
struct Signed<'f> {
    #[serde(borrow, default)]
    targets: Option<BTreeMap<Cow<'f, str>, Meta<'f>>>,
}

#[derive(Deserialize)]
struct Meta<'f> {
    #[serde(borrow)]
    hashes: BTreeMap<Cow<'f, str>, Cow<'f, str>>,
}

impl Signed<'_> {
    fn digest(&self, tag: &str) -> Option<String> {
        use base64::Engine as _;
        let hash = self.targets.as_ref()?.get(tag)?.hashes.get("sha256")?;
        let hash = base64::engine::general_purpose::STANDARD
            .decode(hash.as_bytes())
            .ok()?;
        Some(hex::encode(hash))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine as _;

    fn at(day: i64) -> Timestamp {
        Timestamp::from_second(86_400 * day).unwrap()
    }

    fn file(tags: &[(&str, u8)]) -> Vec<u8> {
        let tags: Vec<_> = tags
            .iter()
            .map(|(tag, digest)| {
                let hash = base64::engine::general_purpose::STANDARD.encode([*digest; 32]);
                format!(r#""{tag}":{{"hashes":{{"sha256":"{hash}"}},"length":1}}"#)
            })
            .collect();
        format!(r#"{{"signed":{{"targets":{{{}}}}}}}"#, tags.join(",")).into_bytes()
    }

    fn tag(name: &str, digest: u8) -> (String, String) {
        (name.to_owned(), hex::encode([digest; 32]))
    }

    #[test]
    fn a_tag_began_where_its_digest_did() {
        let wanted = ["a", "b", "c", "d"].map(|name| tag(name, 1)).to_vec();
        let mut search = Search::of(wanted);
        for (version, tags) in [
            (9, &[("a", 1), ("b", 1), ("c", 1), ("d", 1)][..]),
            (8, &[("b", 1), ("c", 1), ("d", 1)]),
            (7, &[("b", 2), ("c", 1), ("d", 1)]),
            (3, &[("b", 1), ("d", 1)]),
        ] {
            assert!(!search.is_done());
            search.look(version, at(version.cast_signed()), &file(tags));
        }
        let found = search.finish();
        let since = |name| found[&tag(name, 1)];
        assert_eq!(since("a"), Since::Exactly(at(9)));
        assert_eq!(since("b"), Since::Exactly(at(8)), "moved there and back");
        assert_eq!(since("c"), Since::AtLeast(at(7)), "versions are missing");
        assert_eq!(since("d"), Since::AtLeast(at(3)), "not looked further");
    }

    #[test]
    fn what_the_first_version_had_is_as_old_as_it() {
        let mut search = Search::of(vec![tag("a", 1)]);
        search.look(2, at(2), &file(&[("a", 1)]));
        search.look(1, at(1), &file(&[("a", 1)]));
        assert_eq!(search.finish()[&tag("a", 1)], Since::Exactly(at(1)));
    }

    #[test]
    fn nothing_comes_of_nonsense() {
        let mut search = Search::of(vec![tag("a", 1)]);
        search.look(2, at(2), b"{");
        assert!(search.finish().is_empty());
    }
}
