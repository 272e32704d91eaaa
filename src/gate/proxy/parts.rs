//! What a manifest names, and whether something that calls itself a remark could be run.

use super::reach::Kind;
use crate::reference::Digest;
use serde::Deserialize;
use serde::de::IgnoredAny;

/// What a manifest is made of.
#[derive(Debug, Default)]
pub(super) struct Parts {
    /// Everything it names, in its order
    pub(super) named: Vec<(Kind, Digest)>,
    /// Some clients would read it as an image, some as an index
    pub(super) is_ambiguous: bool,
}

#[derive(Deserialize)]
struct Shape {
    config: Option<Named>,
    layers: Option<Vec<Named>>,
    manifests: Option<Vec<Named>>,
}

#[derive(Deserialize)]
struct Named {
    digest: String,
}

impl Parts {
    /// The parts of whatever these bytes are; nothing for what is no manifest.
    pub(super) fn of(bytes: &[u8]) -> Self {
        let Ok(shape) = serde_json::from_slice::<Shape>(bytes) else {
            return Self::default();
        };
        if shape.manifests.is_some() && (shape.layers.is_some() || shape.config.is_some()) {
            return Self {
                named: Vec::new(),
                is_ambiguous: true,
            };
        }
        let digests = |named: Vec<Named>| {
            let digests = named.into_iter();
            digests.filter_map(|named| Digest::parse(&named.digest).ok())
        };
        let blobs = shape
            .config
            .into_iter()
            .chain(shape.layers.into_iter().flatten());
        let blobs = digests(blobs.collect()).map(|digest| (Kind::Blob, digest));
        let children = digests(shape.manifests.unwrap_or_default());
        let children = children.map(|digest| (Kind::Manifest, digest));
        Self {
            named: blobs.chain(children).collect(),
            is_ambiguous: false,
        }
    }
}

/// A manifest about another one, which nothing runs.
///
/// Unknown fields are refused: clients written in Go take `Layers` for `layers`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Remark {
    #[serde(rename = "schemaVersion")]
    _schema_version: u64,
    #[serde(rename = "mediaType")]
    _media_type: Option<String>,
    #[serde(rename = "artifactType")]
    _artifact_type: Option<String>,
    config: Described,
    layers: Vec<Described>,
    subject: Described,
    #[serde(rename = "annotations")]
    _annotations: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Described {
    media_type: String,
    digest: String,
    #[serde(rename = "size")]
    _size: u64,
    #[serde(rename = "urls")]
    _urls: Option<IgnoredAny>,
    #[serde(rename = "annotations")]
    _annotations: Option<IgnoredAny>,
    #[serde(rename = "data")]
    _data: Option<IgnoredAny>,
    #[serde(rename = "artifactType")]
    _artifact_type: Option<String>,
    #[serde(rename = "platform")]
    _platform: Option<IgnoredAny>,
}

/// The manifest that these bytes are about, if they are a remark that no engine would run.
pub(super) fn subject_of_remark(bytes: &[u8]) -> Option<Digest> {
    let remark: Remark = serde_json::from_slice(bytes).ok()?;
    let runs = is_of_image(&remark.config.media_type)
        || remark
            .layers
            .iter()
            .any(|layer| is_of_image(&layer.media_type));
    if runs {
        return None;
    }
    Digest::parse(&remark.subject.digest).ok()
}

/// What an image is made of, for Docker and for OCI.
fn is_of_image(media_type: &str) -> bool {
    let lower = media_type.to_ascii_lowercase();
    OF_IMAGES.iter().any(|prefix| lower.starts_with(prefix))
}

const OF_IMAGES: [&str; 5] = [
    "application/vnd.oci.image.",
    "application/vnd.docker.container.image.",
    "application/vnd.docker.image.",
    "application/vnd.docker.plugin.",
    "application/octet-stream",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(byte: char) -> String {
        format!("sha256:{}", byte.to_string().repeat(64))
    }

    #[test]
    fn the_parts_of_images_and_indexes_are_found() {
        let image = format!(
            r#"{{"config":{{"digest":"{}"}},"layers":[{{"digest":"{}"}},{{"digest":"nonsense"}}]}}"#,
            digest('a'),
            digest('b')
        );
        let named = Parts::of(image.as_bytes()).named;
        let kinds: Vec<_> = named
            .iter()
            .map(|(kind, digest)| (*kind, digest.as_str()))
            .collect();
        let (a, b) = (digest('a'), digest('b'));
        assert_eq!(kinds, [(Kind::Blob, a.as_str()), (Kind::Blob, b.as_str())]);
        let index = format!(r#"{{"manifests":[{{"digest":"{a}"}}]}}"#);
        assert_eq!(Parts::of(index.as_bytes()).named.len(), 1);
        let both = format!(r#"{{"manifests":[{{"digest":"{a}"}}],"layers":[]}}"#);
        let both = Parts::of(both.as_bytes());
        assert!(both.is_ambiguous && both.named.is_empty());
        for other in ["", "{}", "[]", "<html>", r#"{"layers":7}"#] {
            let parts = Parts::of(other.as_bytes());
            assert!(parts.named.is_empty() && !parts.is_ambiguous, "{other}");
        }
    }

    fn remark(config: &str, layer: &str, more: &str) -> Option<Digest> {
        let part = |media_type: &str, byte| {
            format!(
                r#"{{"mediaType":"{media_type}","digest":"{}","size":2}}"#,
                digest(byte)
            )
        };
        let bytes = format!(
            r#"{{"schemaVersion":2,"config":{},"layers":[{}],"subject":{}{more}}}"#,
            part(config, 'a'),
            part(layer, 'b'),
            part("application/vnd.oci.image.index.v1+json", 'c'),
        );
        subject_of_remark(bytes.as_bytes())
    }

    #[test]
    fn a_remark_is_nothing_that_runs() {
        let empty = "application/vnd.oci.empty.v1+json";
        let bundle = "application/vnd.dev.sigstore.bundle.v0.3+json";
        assert_eq!(remark(empty, bundle, "").unwrap().as_str(), digest('c'));
        for (config, layer, more) in [
            ("application/vnd.oci.image.config.v1+json", bundle, ""),
            ("application/vnd.docker.container.image.v1+json", bundle, ""),
            ("Application/vnd.OCI.image.config.v1+json", bundle, ""),
            (empty, "application/vnd.oci.image.layer.v1.tar+gzip", ""),
            (
                empty,
                "application/vnd.docker.image.rootfs.diff.tar.gzip",
                "",
            ),
            (empty, bundle, r#","Layers":[]"#),
            (empty, bundle, r#","manifests":[]"#),
            (empty, bundle, r#","layers":[]"#),
        ] {
            assert_eq!(remark(config, layer, more), None, "{config} {layer} {more}");
        }
    }
}
