//! What is known of a host. Facts only; whether they are good is for the checks.

use super::Expiry;
use crate::gate::install::{Files, Standing, State};
use crate::policy::{Policy, PolicyError};
use jiff::Timestamp;
use serde_json::{Map, Value};
use std::fmt;
use std::path::{Path, PathBuf};

/// A host as it was found.
#[derive(Clone, Debug, Default)]
pub struct Host {
    /// When it was looked at
    pub now: Timestamp,
    /// Its configuration files
    pub files: Files,
    /// Home folder of whoever asks
    pub home: Option<PathBuf>,
    /// `DOCKER_CONTENT_TRUST` in the environment
    pub content_trust: Option<String>,
    /// Version of docker's command
    pub docker: Option<Version>,
    /// Version of the Docker Engine
    pub dockerd: Option<Version>,
    /// Version of containerd
    pub containerd: Option<Version>,
    /// The policy of its gates, and where it stands
    pub policy: Option<(PathBuf, Result<Policy, PolicyError>)>,
    /// Gates that engines are told to ask
    pub gates: Vec<GateFact>,
    /// Folder of keys and trusted metadata
    pub trust_dir: PathBuf,
    /// Private keys in it
    pub keys: Vec<KeyFact>,
    /// Roles of repositories kept in it
    pub expiries: Vec<Expiry>,
    /// Files of installed hooks
    pub hooks: Vec<(String, PathBuf, Standing)>,
    /// Whether the engine is part of a swarm
    pub in_swarm: bool,
}

/// A gate that was asked how it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GateFact {
    /// Its address or socket
    pub address: String,
    /// What is wrong with it; none: it is ready
    pub wrong: Option<String>,
}

/// A private key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyFact {
    /// First digits of its id
    pub id: String,
    /// What it is for
    pub role: Option<String>,
    /// Its file
    pub path: PathBuf,
    /// Permission bits of the file
    pub mode: u32,
    /// Whether it takes a passphrase to open it
    pub encrypted: bool,
}

/// The version of a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(pub u64, pub u64, pub u64);

impl Version {
    /// The first version in what a program says of itself.
    pub fn find(text: &str) -> Option<Self> {
        text.split_whitespace().find_map(|word| {
            let mut numbers = word
                .trim_start_matches('v')
                .split(['.', '~', '+', '-', ',']);
            let mut next = || numbers.next()?.parse().ok();
            let (major, minor) = (next()?, next()?);
            Some(Self(major, minor, next().unwrap_or(0)))
        })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}

impl Host {
    /// Whether one of these files is there.
    pub(super) fn has_any(&self, paths: &[&str]) -> bool {
        let there = |path: &&str| *self.files.state(Path::new(path)) != State::Absent;
        paths.iter().any(there)
    }

    /// Whether there is a Docker Engine.
    pub(super) fn has_engine(&self) -> bool {
        self.dockerd.is_some() || self.has_any(&DOCKERD)
    }

    /// Whether there is a containerd of its own, for Kubernetes or nerdctl.
    pub(super) fn has_containerd(&self) -> bool {
        self.containerd.is_some() || self.has_any(&CONTAINERD)
    }

    /// Whether there is Podman or a program that shares its configuration.
    pub(super) fn has_podman(&self) -> bool {
        self.has_any(&PODMAN)
    }

    /// A file's text; nothing where there is none or it cannot be read.
    pub(super) fn text(&self, path: impl AsRef<Path>) -> &str {
        self.files
            .text(path.as_ref())
            .ok()
            .flatten()
            .unwrap_or_default()
    }

    /// dockerd's settings.
    ///
    /// # Errors
    /// It could not read them either.
    pub(super) fn daemon_json(&self) -> Result<Map<String, Value>, String> {
        crate::gate::install::daemon_settings(self.text(DAEMON_JSON))
    }

    /// Words of dockerd's settings under a name; nothing where there are none.
    pub(super) fn daemon_list(&self, key: &str) -> Vec<String> {
        let settings = self.daemon_json().unwrap_or_default();
        let list = settings.get(key).and_then(Value::as_array);
        let words = list.into_iter().flatten().filter_map(Value::as_str);
        words.map(str::to_owned).collect()
    }

    /// Lines with flags of dockerd, comments left out, and the file each is in.
    pub(super) fn daemon_flags(&self) -> Vec<(PathBuf, String)> {
        let drop_ins = Path::new("/etc/systemd/system/docker.service.d");
        let drop_ins = self.files.within(drop_ins).map(|(path, _)| path.to_owned());
        let files = crate::gate::install::docker::COMMAND_LINES
            .iter()
            .map(PathBuf::from)
            .chain(drop_ins);
        let mut lines = Vec::new();
        for file in files {
            let text = self.text(&file).replace("\\\n", " ");
            let active = text
                .lines()
                .filter(|line| !line.trim_start().starts_with('#'));
            let flags = active.filter(|line| line.contains("dockerd") || line.contains("OPT"));
            lines.extend(flags.map(|line| (file.clone(), line.to_owned())));
        }
        lines
    }
}

pub(super) const DAEMON_JSON: &str = "/etc/docker/daemon.json";
pub(super) const POLICY: &str = "/etc/trust/policy.toml";
pub(super) const DOCKERD: [&str; 3] = [
    "/usr/bin/dockerd",
    "/usr/sbin/dockerd",
    "/usr/local/bin/dockerd",
];
pub(super) const CONTAINERD: [&str; 3] = [
    "/etc/containerd/config.toml",
    "/usr/bin/containerd",
    "/usr/local/bin/containerd",
];
pub(super) const PODMAN: [&str; 5] = [
    "/usr/bin/buildah",
    "/usr/bin/crio",
    "/usr/bin/podman",
    "/usr/bin/skopeo",
    "/usr/local/bin/podman",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_found_in_what_programs_say() {
        for (text, expected) in [
            (
                "Docker version 28.2.2, build e6534b4",
                Some(Version(28, 2, 2)),
            ),
            (
                "Docker version 20.10.24+dfsg1, build 5d6db84",
                Some(Version(20, 10, 24)),
            ),
            (
                "containerd github.com/containerd/containerd/v2 v2.1.4 abc",
                Some(Version(2, 1, 4)),
            ),
            (
                "containerd x 1.6.20~ds1 1.6.20~ds1-1+deb12u3",
                Some(Version(1, 6, 20)),
            ),
            ("nothing", None),
        ] {
            assert_eq!(Version::find(text), expected, "{text}");
        }
    }
}
