//! Image names of requests, put together as the engine does.

use super::Unclear;
use crate::reference::{Digest, ImageReference, ReferenceError};

/// The image of a repository's name and a tag given beside it, which may be a digest.
///
/// A tag beside a name takes the place of the one in it; a digest takes the place of both (moby,
/// `PullImage`).
pub(super) fn named(name: &str, tag: Option<&str>) -> Result<ImageReference, Unclear> {
    let image = parse(name)?;
    let Some(tag) = tag else {
        return Ok(image);
    };
    if let Ok(digest) = Digest::parse(tag) {
        return Ok(image.with_digest(&digest));
    }
    let tagged = image
        .with_tag(tag)
        .map_err(|_| Unclear::name(tag, ReferenceError::InvalidFormat))?;
    Ok(match image.digest() {
        None => tagged,
        Some(digest) => tagged.pinned(digest),
    })
}

pub(super) fn parse(name: &str) -> Result<ImageReference, Unclear> {
    ImageReference::parse(name).map_err(|wrong| Unclear::name(name, wrong))
}
