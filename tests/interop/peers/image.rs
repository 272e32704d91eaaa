//! Images made by hand: manifests whose every byte the test knows.

use std::{fs, process::Command};

use ring::digest::{SHA256, digest as hash};
use serde_json::{Value, json};

use super::program;

/// A manifest or index as it is pushed.
#[derive(Clone)]
pub(crate) struct Manifest {
    pub(crate) media_type: &'static str,
    pub(crate) bytes: Vec<u8>,
}

/// One runnable image: busybox and a file that makes it different from others.
pub(crate) struct Image {
    pub(crate) config: Vec<u8>,
    pub(crate) layer: Vec<u8>,
    pub(crate) manifest: Manifest,
}

/// An image for linux/amd64 whose digest depends on `mark`.
pub(crate) fn image(mark: &str) -> Image {
    image_for("amd64", mark)
}

/// An image for linux/`architecture` whose digest depends on `mark`.
pub(crate) fn image_for(architecture: &str, mark: &str) -> Image {
    let layer = layer(mark);
    let config = json!({
        "architecture": architecture,
        "os": "linux",
        "config": { "Cmd": ["/bin/busybox", "cat", "/mark"] },
        "rootfs": { "type": "layers", "diff_ids": [digest(&layer)] },
        "history": [{ "created": "2024-01-01T00:00:00Z", "created_by": "interop" }],
        "created": "2024-01-01T00:00:00Z",
    });
    let config = config.to_string().into_bytes();
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": DOCKER_MANIFEST,
        "config": part("application/vnd.docker.container.image.v1+json", &config),
        "layers": [part("application/vnd.docker.image.rootfs.diff.tar.gzip", &layer)],
    });
    let bytes = manifest.to_string().into_bytes();
    Image {
        config,
        layer,
        manifest: Manifest {
            media_type: DOCKER_MANIFEST,
            bytes,
        },
    }
}

/// A list of manifests in `media_type`, one for each architecture.
pub(crate) fn index(media_type: &'static str, images: &[(&str, &Image)]) -> Manifest {
    let entries: Vec<Value> = images
        .iter()
        .map(|(architecture, image)| {
            let mut entry = part(image.manifest.media_type, &image.manifest.bytes);
            entry["platform"] = json!({ "architecture": architecture, "os": "linux" });
            entry
        })
        .collect();
    let index = json!({ "schemaVersion": 2, "mediaType": media_type, "manifests": entries });
    Manifest {
        media_type,
        bytes: index.to_string().into_bytes(),
    }
}

impl Image {
    /// `sha256:HEX` of the manifest.
    pub(crate) fn digest(&self) -> String {
        self.manifest.digest()
    }

    /// The image as `docker save` writes it, under a name.
    pub(crate) fn archive(&self, name: &str) -> Vec<u8> {
        let folder = tempfile::tempdir().expect("a folder");
        let list =
            json!([{ "Config": "config.json", "RepoTags": [name], "Layers": ["layer.tar"] }]);
        let list = list.to_string().into_bytes();
        let files = [
            ("config.json", &self.config),
            ("layer.tar", &self.layer),
            ("manifest.json", &list),
        ];
        for (name, bytes) in files {
            fs::write(folder.path().join(name), bytes).expect("a file");
        }
        let tar = Command::new(program::find("tar"))
            .args(["-c", "config.json", "layer.tar", "manifest.json"])
            .current_dir(folder.path())
            .output()
            .expect("tar");
        assert!(tar.status.success(), "tar failed");
        tar.stdout
    }
}

impl Manifest {
    /// `sha256:HEX` of the bytes.
    pub(crate) fn digest(&self) -> String {
        digest(&self.bytes)
    }
}

/// `sha256:HEX` of the bytes.
pub(crate) fn digest(bytes: &[u8]) -> String {
    format!("sha256:{}", hex::encode(hash(&SHA256, bytes)))
}

/// The hex half of a `sha256:HEX` digest.
pub(crate) fn hex_of(digest: &str) -> &str {
    digest.strip_prefix("sha256:").expect("a sha256 digest")
}

fn part(media_type: &str, bytes: &[u8]) -> Value {
    json!({ "mediaType": media_type, "size": bytes.len(), "digest": digest(bytes) })
}

fn layer(mark: &str) -> Vec<u8> {
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir(folder.path().join("bin")).expect("bin");
    fs::copy(program::find("busybox"), folder.path().join("bin/busybox")).expect("busybox");
    fs::write(folder.path().join("mark"), mark).expect("mark");
    let tar = Command::new(program::find("tar"))
        .args([
            "--sort=name",
            "--mtime=@0",
            "--owner=0",
            "--group=0",
            "-c",
            "bin",
            "mark",
        ])
        .current_dir(folder.path())
        .output()
        .expect("tar");
    assert!(
        tar.status.success(),
        "tar: {}",
        String::from_utf8_lossy(&tar.stderr)
    );
    tar.stdout
}

pub(crate) const DOCKER_INDEX: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
pub(crate) const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
