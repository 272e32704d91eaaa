//! skopeo: a third opinion on what the registry holds, and a way to move tags.

use super::{
    home::Home,
    image::digest,
    program,
    run::{Ran, run},
};

impl Home<'_> {
    /// Makes `to` name what `from` names, index and all.
    #[must_use = "a command that nobody checks proves nothing"]
    pub(crate) fn copy_image(&self, from: &str, to: &str) -> Ran {
        self.skopeo(&format!(
            "--insecure-policy copy --all --preserve-digests --src-tls-verify=false \
             --dest-tls-verify=false docker://{from} docker://{to}"
        ))
    }

    /// The manifest bytes the registry serves for `name`.
    pub(crate) fn raw_manifest(&self, name: &str) -> String {
        self.skopeo(&format!("inspect --raw --tls-verify=false docker://{name}"))
            .ok()
            .stdout
    }

    /// `sha256:HEX` of what the registry serves for `name`.
    pub(crate) fn served_digest(&self, name: &str) -> String {
        digest(self.raw_manifest(name).as_bytes())
    }

    fn skopeo(&self, line: &str) -> Ran {
        run(self.command(&program::find("skopeo"), line))
    }
}
