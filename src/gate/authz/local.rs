//! Which questions decide whether an image the engine has may run.
//!
//! The engine remembers under which manifest digests registries have its images; the digest binds
//! the content. Docker's own store writes that down at pulls and pushes only. containerd's store
//! makes it up from the names with tags, so there tags are watched as well ([`super::names`]).

use super::named::parse;
use crate::{
    engine::LocalImage,
    policy::{Demand, Policy},
    reference::ImageReference,
};
use std::collections::BTreeSet;

/// What to ask about an image of the engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Question {
    /// May run if one of these may.
    Any(Vec<ImageReference>),
    /// No registry vouches for it.
    Local,
    /// Goes by a name that has to be signed, and was never pulled.
    NeverPulled(ImageReference),
}

/// What decides on an image that is asked for by this name or id.
pub(super) fn by_name(asked: &str, image: &LocalImage, policy: &Policy) -> Question {
    let name = match parse(asked) {
        Ok(name) if !is_id(asked, &name, image) => name.or_latest(),
        _ => return by_content(image),
    };
    match &policy.rule(&name).demand {
        Demand::Accept => by_content(image),
        Demand::Reject => Question::Any(vec![name]),
        Demand::Signed(_) => signed_as(name, image),
    }
}

/// What decides on an image whatever it is called.
pub(super) fn by_content(image: &LocalImage) -> Question {
    let known = repositories(image);
    if known.is_empty() {
        return Question::Local;
    }
    Question::Any(known)
}

/// One of the image's manifests has to be the one that is signed under this name.
pub(super) fn signed_as(name: ImageReference, image: &LocalImage) -> Question {
    let mut known = repositories(image);
    known.sort_by_key(|known| known.gun() != name.gun());
    let mut seen = BTreeSet::new();
    let digests = known.iter().filter_map(ImageReference::digest);
    let wanted = digests.filter(|digest| name.digest().is_none_or(|wanted| wanted == *digest));
    let once = wanted.filter(|digest| seen.insert(*digest));
    let asked: Vec<ImageReference> = once.map(|digest| name.pinned(digest)).collect();
    if asked.is_empty() {
        return Question::NeverPulled(name);
    }
    Question::Any(asked)
}

/// The repositories that have the image, each with its digest.
fn repositories(image: &LocalImage) -> Vec<ImageReference> {
    let known = image.digests.iter().filter_map(|name| parse(name).ok());
    let known = known.filter(|name| name.digest().is_some());
    known.take(MOST_DIGESTS).collect()
}

/// Whether the engine took what was asked for an id: it is the beginning of one, and no name.
fn is_id(asked: &str, name: &ImageReference, image: &LocalImage) -> bool {
    let name = name.clone().or_latest();
    let is_name =
        |other: &String| parse(other).is_ok_and(|other| other.to_string() == name.to_string());
    let id = image.id.strip_prefix("sha256:").unwrap_or(&image.id);
    let asked = asked.strip_prefix("sha256:").unwrap_or(asked);
    id.starts_with(asked) && !image.tags.iter().any(is_name)
}

/// Questions about one image; each may cost a refresh.
const MOST_DIGESTS: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "sha256:1111222233334444555566667777888899990000aaaabbbbccccddddeeeeffff";

    fn policy() -> Policy {
        let text = "[default]\nrequire = \"reject\"\n\
            [[rule]]\nmatch = \"free.test/**\"\nrequire = \"accept\"\n\
            [[rule]]\nmatch = \"team.test/**\"\nrequire = \"signed\"\nfirst_use = true\n";
        Policy::parse(text, &mut |file| panic!("{file} is not needed")).unwrap()
    }

    fn digest(letter: &str) -> String {
        format!("sha256:{}", letter.repeat(64))
    }

    /// Digests are given as `name@letter`.
    fn image(tags: &[&str], digests: &[&str]) -> LocalImage {
        let full = |name: &&str| {
            let (name, letter) = name.split_once('@').unwrap();
            format!("{name}@{}", digest(letter))
        };
        LocalImage {
            id: ID.to_owned(),
            tags: tags.iter().map(|&tag| tag.to_owned()).collect(),
            digests: digests.iter().map(full).collect(),
        }
    }

    /// The question as `name@letter` and so on.
    fn question(asked: &str, image: &LocalImage) -> String {
        let short = |text: String| {
            ["a", "b", "c"]
                .iter()
                .fold(text, |text, letter| text.replace(&digest(letter), letter))
        };
        match by_name(asked, image, &policy()) {
            Question::Any(images) => {
                let names = images.iter().map(|image| short(image.familiar_reference()));
                names.collect::<Vec<_>>().join(" ")
            }
            Question::Local => "local".to_owned(),
            Question::NeverPulled(name) => format!("never {}", short(name.familiar_reference())),
        }
    }

    #[test]
    fn names_that_have_to_be_signed_are_asked_with_the_images_digests() {
        let pulled = image(&["team.test/app:1"], &["team.test/app@a"]);
        let mirrored = image(
            &["team.test/app:1"],
            &["free.test/app@b", "team.test/app@a", "x.test/y@a"],
        );
        let loaded = image(&["team.test/app:1"], &[]);
        let by_digest = format!("team.test/app@{}", digest("a"));
        let other = format!("team.test/app:1@{}", digest("c"));
        for (asked, image, expected) in [
            ("team.test/app:1", &pulled, "team.test/app:1@a"),
            ("team.test/app", &pulled, "team.test/app:latest@a"),
            (
                "team.test/app:1",
                &mirrored,
                "team.test/app:1@a team.test/app:1@b",
            ),
            (&by_digest, &mirrored, "team.test/app@a"),
            ("team.test/app:1", &loaded, "never team.test/app:1"),
            (&other, &mirrored, "never team.test/app:1@c"),
        ] {
            assert_eq!(question(asked, image), expected, "{asked}");
        }
    }

    #[test]
    fn other_names_vouch_for_what_came_by_them() {
        let two = image(
            &["free.test/app:1"],
            &["free.test/app@a", "evil.test/app@a"],
        );
        let tagged = image(
            &["free.test/app:1", "evil.test/app:1"],
            &["evil.test/app@b"],
        );
        let loaded = image(&["free.test/app:1"], &[]);
        for (asked, image, expected) in [
            ("free.test/app:1", &two, "free.test/app@a evil.test/app@a"),
            ("free.test/app:1", &tagged, "evil.test/app@b"),
            ("evil.test/app:1", &tagged, "evil.test/app:1"),
            ("free.test/app:1", &loaded, "local"),
            ("evil.test/app:1", &loaded, "evil.test/app:1"),
        ] {
            assert_eq!(question(asked, image), expected, "{asked}");
        }
    }

    #[test]
    fn an_id_stands_for_the_content_unless_it_is_a_name() {
        let pulled = image(&["team.test/app:1"], &["team.test/app@a"]);
        let named = image(&["1111:latest"], &["team.test/app@a"]);
        let hex = ID.strip_prefix("sha256:").unwrap();
        for asked in [ID, hex, &hex[..12], "1", "sha256:1111"] {
            assert_eq!(question(asked, &pulled), "team.test/app@a", "{asked}");
        }
        assert_eq!(question("1111", &named), "1111:latest");
        assert_eq!(question("2222", &pulled), "2222:latest");
        assert_eq!(question("1111", &image(&[], &[])), "local");
    }

    #[test]
    fn digests_beyond_reason_are_not_asked_about() {
        let many: Vec<String> = (0..100).map(|n| format!("free.test/{n}@a")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        let Question::Any(asked) = by_content(&image(&[], &many)) else {
            panic!("there are digests");
        };
        assert_eq!(asked.len(), MOST_DIGESTS);
        assert_eq!(by_content(&image(&[], &[])), Question::Local);
    }
}
