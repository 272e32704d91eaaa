//! An image by name, tag and digest.

use crate::gate::Pinned;
use crate::reference::ImageReference;

/// The image at the digest that was decided about, under the name somebody gave it.
///
/// The tag stays where people see it; engines go by the digest. A digest alone stays alone.
pub(super) fn pinned(image: &ImageReference, pinned: &Pinned) -> String {
    let typed = image.typed();
    let named = typed.split_once('@').map_or(typed, |(named, _)| named);
    let tag = image.tag();
    let name = tag.and_then(|tag| named.strip_suffix(tag)?.strip_suffix(':'));
    let name = name.unwrap_or(named);
    let tag = match (tag, image.digest()) {
        (None, None) => Some(pinned.tag.as_str()),
        (tag, _) => tag,
    };
    match tag {
        Some(tag) => format!("{name}:{tag}@{}", pinned.digest),
        None => format!("{name}@{}", pinned.digest),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reference::Digest;

    #[test]
    fn the_name_and_the_tag_stay_as_they_were_typed() {
        let digest = Digest::of(b"manifest");
        let other = Digest::of(b"other");
        for (typed, expected) in [
            ("alpine".to_owned(), format!("alpine:latest@{digest}")),
            ("alpine:3".to_owned(), format!("alpine:3@{digest}")),
            (
                "docker.io/library/alpine:3".to_owned(),
                format!("docker.io/library/alpine:3@{digest}"),
            ),
            (
                "host:5000/app".to_owned(),
                format!("host:5000/app:latest@{digest}"),
            ),
            (
                "host:5000/app:5000".to_owned(),
                format!("host:5000/app:5000@{digest}"),
            ),
            (
                "[::1]:5000/a/latest".to_owned(),
                format!("[::1]:5000/a/latest:latest@{digest}"),
            ),
            (format!("alpine@{digest}"), format!("alpine@{digest}")),
            (format!("alpine:3@{digest}"), format!("alpine:3@{digest}")),
            (
                format!("host:1/a:3@{other}"),
                format!("host:1/a:3@{digest}"),
            ),
        ] {
            let image = ImageReference::parse(&typed).unwrap();
            for image in [image.clone(), image.or_latest()] {
                let decided = Pinned {
                    tag: "latest".to_owned(),
                    digest: digest.clone(),
                    size: 1,
                };
                let pinned = pinned(&image, &decided);
                assert_eq!(pinned, expected, "{typed}");
                let read = ImageReference::parse(&pinned).unwrap();
                assert_eq!(read.gun(), image.gun());
                assert_eq!(read.digest(), Some(&digest));
            }
        }
    }
}
