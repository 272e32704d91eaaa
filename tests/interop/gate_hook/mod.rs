//! Hooks in real engines: after `trust hook install` signed images come through and others do not,
//! after `trust hook remove` every file is as it was.

mod containerd;
mod docker;
mod podman;
mod shell;

use crate::peers::{home::Home, lab::Lab, server::Kind};
use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

/// What a gate says of an image that nobody signed.
const REFUSAL: &str = "No valid trust data for unsigned";

/// A registry with `team/app:signed` and `team/app:unsigned`.
struct Scene {
    lab: Lab,
    app: String,
    /// Digest of what is signed
    signed: String,
}

impl Scene {
    fn new() -> Self {
        Self::in_lab(Lab::start(Kind::Trust))
    }

    fn in_lab(lab: Lab) -> Self {
        let app = lab.name("team/app");
        let nigel = lab.home("nigel");
        nigel.trust("key generate nigel").ok();
        nigel
            .trust(&format!("signer add --key nigel.pub nigel {app}"))
            .ok();
        let signed = lab.push("team/app", "signed").digest();
        nigel.trust(&format!("sign {app}:signed")).ok();
        lab.push("team/app", "unsigned");
        Self { lab, app, signed }
    }

    fn reader(&self) -> Home<'_> {
        self.lab.home("reader").without_passphrases()
    }

    fn name(&self, tag: &str) -> String {
        format!("{}:{tag}", self.app)
    }
}

/// Permissions and bytes of every file below a folder.
fn files(folder: &Path) -> BTreeMap<PathBuf, (u32, Vec<u8>)> {
    let mut found = BTreeMap::new();
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(&next).into_iter().flatten() {
            let path = entry.expect("an entry").path();
            let facts = fs::symlink_metadata(&path).expect("facts");
            let bytes = if facts.is_dir() {
                open.push(path.clone());
                Vec::new()
            } else {
                fs::read(&path).unwrap_or_default()
            };
            found.insert(path, (facts.mode(), bytes));
        }
    }
    found
}
