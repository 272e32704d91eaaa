//! `trust policy` as people run it.

mod check;
mod documents;
mod explain;
mod metadata;

use snapbox::cmd::Command;
use std::path::Path;

/// A folder with one policy in it, which is home as well.
struct Home {
    folder: tempfile::TempDir,
}

impl Home {
    fn with(policy: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        write(&folder.path().join("policy.toml"), policy);
        Self { folder }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The program with these words, in the folder.
    fn trust(&self, words: &str) -> Command {
        Command::new(env!("CARGO_BIN_EXE_trust"))
            .args(words.split_whitespace())
            .current_dir(self.path())
            .env_clear()
            .env("HOME", self.path())
    }
}

fn write(path: &Path, text: &str) {
    trust_store::write_atomic(path, text.as_bytes(), 0o600).unwrap();
}

/// Rules of every kind.
const MANY: &str = r#"
[default]
require = "reject"
[groups]
qa = ["alice", "bob", "carol"]
[[rule]]
match = "registry.example.com/**"
require = "signed"
first_use = true
[[rule]]
match = "registry.example.com/team/*"
require = "signed"
signers = ["dave"]
quorum = [{ at_least = 2, of = "qa" }, { at_least = 3 }]
roles = ["targets/releases", "targets/qa"]
root_keys = ["abababababababababababababababababababababababababababababababab"]
context = "prod"
refuse_superseded = true
max_age = "24h"
server = "https://notary.example.com"
exempt = [
    { digest = "sha256:cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd", until = "2020-01-31" },
    { digest = "sha256:efefefefefefefefefefefefefefefefefefefefefefefefefefefefefefefef", until = "2999-01-31", why = "until it is built anew" },
]
[[rule]]
match = "registry.example.com/hub/**"
require = "signed"
mode = "audit"
as = "docker.io/**"
[[rule]]
match = "alpine"
require = "accept"
[[rule]]
match = "*.example.com/**"
require = "reject"
[engine]
build = "accept"
"#;
