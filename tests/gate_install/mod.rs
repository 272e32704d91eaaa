//! `trust hook`: what it writes, and that removal leaves every byte and every mode as it was.

mod changed_since;
mod commands;
mod containerd;
mod docker;
mod interrupted;
mod podman;
mod proof;
mod round_trip;
mod shell;

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// The disk of a host below a folder.
struct Disk {
    folder: tempfile::TempDir,
}

/// What one run left behind.
struct Ran {
    code: i32,
    stdout: String,
    stderr: String,
}

/// Kind, permissions and content of everything on a disk.
type Tree = BTreeMap<PathBuf, (char, u32, Vec<u8>)>;

impl Disk {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { folder }
    }

    /// A disk with a policy, as gates need one.
    fn with_policy() -> Self {
        let disk = Self::new();
        disk.put("/etc/trust/policy.toml", POLICY);
        disk
    }

    fn top(&self) -> &Path {
        self.folder.path()
    }

    fn real(&self, path: &str) -> PathBuf {
        self.top().join(path.trim_start_matches('/'))
    }

    fn put(&self, path: &str, text: &str) {
        self.put_with_mode(path, text, 0o644);
    }

    fn put_with_mode(&self, path: &str, text: &str, mode: u32) {
        let real = self.real(path);
        fs::create_dir_all(real.parent().unwrap()).unwrap();
        fs::write(&real, text).unwrap();
        fs::set_permissions(&real, fs::Permissions::from_mode(mode)).unwrap();
    }

    fn link(&self, path: &str, to: &str) {
        let real = self.real(path);
        fs::create_dir_all(real.parent().unwrap()).unwrap();
        symlink(to, real).unwrap();
    }

    fn text(&self, path: &str) -> String {
        fs::read_to_string(self.real(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    fn has(&self, path: &str) -> bool {
        fs::symlink_metadata(self.real(path)).is_ok()
    }

    fn tree(&self) -> Tree {
        tree(self.top())
    }

    /// `trust hook` on this disk; home is `/home/a` on it, too.
    fn hook(&self, line: &str) -> Ran {
        let mut command = Command::new(env!("CARGO_BIN_EXE_trust"));
        command.arg("hook").args(line.split_whitespace());
        command.arg("--root").arg(self.top());
        run(command.env_clear().env("HOME", "/home/a"))
    }
}

impl Ran {
    #[track_caller]
    fn ends(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{}\n{}", self.stdout, self.stderr);
        self
    }

    #[track_caller]
    fn says(self, words: &str) -> Self {
        let said = self.stdout.contains(words) || self.stderr.contains(words);
        assert!(
            said,
            "{words:?} is not in\n{}\n{}",
            self.stdout, self.stderr
        );
        self
    }
}

fn run(command: &mut Command) -> Ran {
    let output = command.stdin(Stdio::null()).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ran {
        code: output.status.code().unwrap(),
        stdout: text(output.stdout),
        stderr: text(output.stderr),
    }
}

fn tree(top: &Path) -> Tree {
    let mut found = Tree::new();
    let mut open = vec![top.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let facts = fs::symlink_metadata(&path).unwrap();
            let mode = facts.permissions().mode() & 0o7777;
            let state = if facts.is_symlink() {
                let to = fs::read_link(&path).unwrap();
                ('l', 0, to.to_string_lossy().into_owned().into_bytes())
            } else if facts.is_dir() {
                open.push(path.clone());
                ('d', mode, Vec::new())
            } else {
                ('f', mode, fs::read(&path).unwrap())
            };
            found.insert(path.strip_prefix(top).unwrap().to_owned(), state);
        }
    }
    found
}

const POLICY: &str = "[default]\nrequire = \"signed\"\n";
