//! Images and indexes, as bytes.

use super::registry::Registry;
use trust::reference::Digest;

/// An image in a registry.
#[derive(Clone)]
pub struct Image {
    pub bytes: Vec<u8>,
    pub digest: Digest,
    pub config: Digest,
    pub layer: Digest,
}

/// Pushes an image of its own, under its digest and these tags.
pub fn image(registry: &Registry, repository: &str, tags: &[&str], name: &str) -> Image {
    let config = registry.blob(repository, format!("config of {name}").as_bytes());
    let layer = registry.blob(repository, format!("layer of {name}").as_bytes());
    let bytes = format!(
        r#"{{"schemaVersion":2,"mediaType":"{IMAGE}","config":{{"mediaType":"application/vnd.docker.container.image.v1+json","size":9,"digest":"{config}"}},"layers":[{{"mediaType":"application/vnd.docker.image.rootfs.diff.tar.gzip","size":8,"digest":"{layer}"}}]}}"#
    )
    .into_bytes();
    let digest = registry.manifest(repository, tags, &bytes);
    Image {
        bytes,
        digest,
        config,
        layer,
    }
}

/// Pushes an index of these images, under its digest and these tags; its bytes.
pub fn index(registry: &Registry, repository: &str, tags: &[&str], images: &[&Image]) -> Vec<u8> {
    let entries: Vec<String> = images
        .iter()
        .map(|image| {
            let (digest, size) = (&image.digest, image.bytes.len());
            format!(r#"{{"mediaType":"{IMAGE}","size":{size},"digest":"{digest}"}}"#)
        })
        .collect();
    let entries = entries.join(",");
    let bytes = format!(r#"{{"schemaVersion":2,"mediaType":"{INDEX}","manifests":[{entries}]}}"#)
        .into_bytes();
    registry.manifest(repository, tags, &bytes);
    bytes
}

/// A manifest that says to be about `subject`, with a config and a layer of these types; its digest.
pub fn about(
    registry: &Registry,
    repository: &str,
    subject: &Digest,
    config_type: &str,
    layer_type: &str,
) -> (Digest, Digest) {
    let config = registry.blob(repository, b"{}");
    let layer = registry.blob(repository, format!("remark about {subject}").as_bytes());
    let bytes = format!(
        r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","artifactType":"application/vnd.test","config":{{"mediaType":"{config_type}","size":2,"digest":"{config}"}},"layers":[{{"mediaType":"{layer_type}","size":8,"digest":"{layer}"}}],"subject":{{"mediaType":"{IMAGE}","size":1,"digest":"{subject}"}}}}"#
    );
    (registry.manifest(repository, &[], bytes.as_bytes()), layer)
}

pub const IMAGE: &str = "application/vnd.docker.distribution.manifest.v2+json";
pub const INDEX: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
