//! Which questions decide whether an image the engine has may run.
//!
//! The engine remembers under which manifest digests registries have its images, and only pulls
//! and pushes write that down; the digest binds the content. Names with tags are anybody's.

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
