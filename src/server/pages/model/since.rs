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
    /// It was there then; how long before is not known any more
    AtLeast(Timestamp),
    /// It was signed between these moments; not every version since was looked at
    Signed {
        /// It was not there then; none if it always was, as far as was looked
        after: Option<Timestamp>,
        /// It was there then
        until: Timestamp,
    },
}

/// The tags of one role whose beginning is looked for in past versions.
///
/// As many versions as may be looked at are looked at one after the other. Where there are more,
/// the second half of the looks goes to the middle of what is still unknown.
///
/// When a version was published is the server's own record, and so is its content: the server
/// verified it then, the store vouches for its hash. Signatures are not counted again.
#[derive(Debug)]
pub(crate) struct Search {
    versions: Vec<(u64, Timestamp)>,
    tags: Vec<Tag>,
    /// How many versions were looked at one after the other, the newest first
    unbroken: usize,
    /// How many may be
    most: usize,
}

/// Places are those in the list of versions, the newest first.
#[derive(Debug)]
struct Tag {
    name: String,
    digest: String,
    /// The oldest version known to have it
    with: usize,
    /// The newest older version known not to have it, or the end of the list
    without: usize,
}

impl Search {
    /// Looks for tags, each with the SHA-256 of its digest in hex, that the first of these versions
    /// has; at about so many versions.
    pub(crate) fn of(
        tags: Vec<(String, String)>,
        versions: Vec<(u64, Timestamp)>,
        looks: usize,
    ) -> Self {
        let without = versions.len();
        let tag = |(name, digest)| Tag {
            name,
            digest,
            with: 0,
            without,
        };
        let most = if without <= looks { without } else { looks / 2 };
        Self {
            tags: tags.into_iter().map(tag).collect(),
            versions,
            unbroken: 1,
            most,
        }
    }

    /// The place of the version to look at next; none if nothing is left to find out.
    pub(crate) fn wanted(&self) -> Option<usize> {
        let mut gaps: BTreeMap<(usize, usize), usize> = BTreeMap::new();
        for tag in self.tags.iter().filter(|tag| tag.without > tag.with + 1) {
            *gaps.entry((tag.with, tag.without)).or_default() += 1;
        }
        if gaps.is_empty() {
            return None;
        }
        if self.unbroken < self.most {
            return Some(self.unbroken);
        }
        let widest = gaps
            .into_iter()
            .max_by_key(|((with, without), tags)| (without - with).saturating_mul(*tags));
        widest.map(|((with, without), _)| with.midpoint(without))
    }

    /// Looks at the version at this place.
    pub(crate) fn look(&mut self, place: usize, file: &[u8]) {
        let signed = match serde_json::from_slice::<File>(file) {
            Ok(File { signed }) => signed,
            Err(_) => Signed::default(),
        };
        if place == self.unbroken {
            self.unbroken += 1;
        }
        let open = |tag: &&mut Tag| tag.with < place && place < tag.without;
        for tag in self.tags.iter_mut().filter(open) {
            if signed.digest(&tag.name).as_deref() == Some(&tag.digest) {
                tag.with = place;
            } else {
                tag.without = place;
            }
        }
    }

    /// What was found.
    pub(crate) fn finish(self) -> BTreeMap<(String, String), Since> {
        let mut found = BTreeMap::new();
        for tag in &self.tags {
            if let Some(since) = self.since(tag) {
                found.insert((tag.name.clone(), tag.digest.clone()), since);
            }
        }
        found
    }

    /// The first version there ever was, if it is still there.
    fn first(&self) -> Option<&(u64, Timestamp)> {
        self.versions.last().filter(|(version, _)| *version == 1)
    }

    fn since(&self, tag: &Tag) -> Option<Since> {
        let (version, until) = *self.versions.get(tag.with)?;
        let before = self.versions.get(tag.without);
        // What the first version ever had is as old as it.
        let next_to_it = tag.without == tag.with + 1
            && before.map_or(version == 1, |(older, _)| older + 1 == version);
        Some(match (next_to_it, tag.with < self.unbroken) {
            (true, true) => Since::Exactly(until),
            (true, false) => Since::Signed {
                after: Some(until),
                until,
            },
            (false, true) if tag.without == tag.with + 1 => Since::AtLeast(until),
            (false, _) => Since::Signed {
                after: before.or(self.first()).map(|(_, at)| *at),
                until,
            },
        })
    }
}

#[derive(Deserialize)]
struct File<'f> {
    #[serde(borrow)]
    signed: Signed<'f>,
}

#[derive(Default, Deserialize)]
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

    /// Looks for tags in a history that maps each version, newest first, to its tags.
    fn found(
        names: &[&str],
        history: &[(u64, &[(&str, u8)])],
        looks: usize,
    ) -> BTreeMap<(String, String), Since> {
        let versions = history.iter().map(|(v, _)| (*v, at(v.cast_signed())));
        let wanted = names.iter().map(|name| tag(name, 1)).collect();
        let mut search = Search::of(wanted, versions.collect(), looks);
        for _ in 1..looks {
            let Some(place) = search.wanted() else { break };
            search.look(place, &file(history[place].1));
        }
        search.finish()
    }

    #[test]
    fn a_tag_began_where_its_digest_did() {
        let history = [
            (9, &[("a", 1), ("b", 1), ("c", 1), ("d", 1)][..]),
            (8, &[("b", 1), ("c", 1), ("d", 1)]),
            (7, &[("b", 2), ("c", 1), ("d", 1)]),
            (3, &[("b", 1), ("d", 1)]),
        ];
        let found = found(&["a", "b", "c", "d"], &history, 9);
        let since = |name| found[&tag(name, 1)];
        assert_eq!(since("a"), Since::Exactly(at(9)));
        assert_eq!(since("b"), Since::Exactly(at(8)), "moved there and back");
        assert_eq!(since("c"), Since::AtLeast(at(7)), "versions are missing");
        assert_eq!(since("d"), Since::AtLeast(at(3)), "older ones are missing");
    }

    #[test]
    fn what_the_first_version_had_is_as_old_as_it() {
        let history = [(2, &[("a", 1)][..]), (1, &[("a", 1)])];
        assert_eq!(
            found(&["a"], &history, 9)[&tag("a", 1)],
            Since::Exactly(at(1))
        );
        assert_eq!(
            found(&["a"], &history[1..], 9)[&tag("a", 1)],
            Since::Exactly(at(1))
        );
    }

    #[test]
    fn a_file_nobody_can_read_has_no_tags() {
        let mut search = Search::of(vec![tag("a", 1)], vec![(2, at(2)), (1, at(1))], 9);
        search.look(1, b"{");
        assert_eq!(search.finish()[&tag("a", 1)], Since::Exactly(at(2)));
        let nothing = Search::of(vec![tag("a", 1)], Vec::new(), 9);
        assert_eq!((nothing.wanted(), nothing.finish().len()), (None, 0));
    }

    #[test]
    fn few_looks_find_the_time_about() {
        // Version n brings the tag n; 1000 versions, 20 looks.
        let names: Vec<_> = (1..=1000).map(|n: u64| format!("t{n}")).collect();
        let all: Vec<_> = names.iter().map(|name| (name.as_str(), 1)).collect();
        let history: Vec<_> = (1..=1000)
            .rev()
            .map(|v| (v, &all[..usize::try_from(v).unwrap()]))
            .collect();
        for number in [1_i64, 2, 500, 983, 1000] {
            let name = format!("t{number}");
            let since = found(&[&name], &history, 20)[&tag(&name, 1)];
            match since {
                Since::Exactly(found) => assert_eq!(found, at(number)),
                Since::Signed { after, until } => {
                    let after = after.unwrap_or(at(1));
                    assert!(
                        after <= at(number) && at(number) <= until,
                        "{number}: {since:?}"
                    );
                    assert!(
                        until.duration_since(after).as_hours() <= 24 * 2,
                        "{number}: {since:?}"
                    );
                }
                Since::AtLeast(_) => panic!("{number}: {since:?}"),
            }
        }
        let many: Vec<_> = names.iter().map(String::as_str).collect();
        for (index, name) in many.iter().enumerate() {
            let found = found(&many[index..=index], &history, 2)[&tag(name, 1)];
            assert!(
                matches!(found, Since::Signed { .. } | Since::Exactly(_)),
                "{found:?}"
            );
        }
    }
}
