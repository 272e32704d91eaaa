//! One person's machine: a home folder, Docker's configuration, key passphrases.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::{
    lab::Lab,
    program,
    run::{Ran, run},
};

/// A home folder in a lab; commands run in it and see nothing of the real one.
#[derive(Clone)]
pub(crate) struct Home<'lab> {
    pub(crate) lab: &'lab Lab,
    folder: PathBuf,
    environment: BTreeMap<String, Option<String>>,
}

impl<'lab> Home<'lab> {
    /// Makes the folder and puts the lab's authority where Docker looks for it.
    pub(crate) fn make(lab: &'lab Lab, folder: PathBuf) -> Self {
        let home = Self {
            lab,
            folder,
            environment: BTreeMap::new(),
        };
        let tls = home.docker_config().join("tls").join(&lab.server.host);
        fs::create_dir_all(&tls).expect("a tls folder");
        fs::copy(lab.ca(), tls.join("ca.crt")).expect("the authority's certificate");
        home
    }

    /// The same machine with one environment variable set.
    pub(crate) fn with(&self, variable: &str, value: &str) -> Self {
        let mut other = self.clone();
        other
            .environment
            .insert(variable.to_owned(), Some(value.to_owned()));
        other
    }

    /// The same machine with one environment variable unset.
    pub(crate) fn without(&self, variable: &str) -> Self {
        let mut other = self.clone();
        other.environment.insert(variable.to_owned(), None);
        other
    }

    /// The same machine where no passphrase comes from the environment.
    pub(crate) fn without_passphrases(&self) -> Self {
        self.without("DOCKER_CONTENT_TRUST_ROOT_PASSPHRASE")
            .without("DOCKER_CONTENT_TRUST_REPOSITORY_PASSPHRASE")
    }

    /// Runs `trust` with the words of `line`.
    #[must_use = "a command that nobody checks proves nothing"]
    pub(crate) fn trust(&self, line: &str) -> Ran {
        run(self.trust_command(line))
    }

    /// `trust` with the words of `line`, ready to start.
    pub(crate) fn trust_command(&self, line: &str) -> Command {
        self.command(program::trust(), line)
    }

    /// A program with the words of `line`, in this home and its environment only.
    pub(crate) fn command(&self, program: &Path, line: &str) -> Command {
        let mut command = Command::new(program);
        command
            .args(line.split_whitespace())
            .current_dir(&self.folder)
            .env_clear()
            .envs(self.variables());
        command
    }

    /// What the commands of this home find in their environment.
    pub(crate) fn variables(&self) -> BTreeMap<String, String> {
        let path = std::env::var("PATH").unwrap_or_default();
        let fixed = [
            ("PATH", path),
            ("HOME", self.folder.display().to_string()),
            ("TERM", "dumb".to_owned()),
            ("DOCKER_CONFIG", self.docker_config().display().to_string()),
            ("DOCKER_HOST", self.lab.docker_host()),
            ("DOCKER_CONTENT_TRUST_SERVER", self.lab.server.url()),
            ("DOCKER_CONTENT_TRUST_ROOT_PASSPHRASE", ROOT.to_owned()),
            (
                "DOCKER_CONTENT_TRUST_REPOSITORY_PASSPHRASE",
                REPOSITORY.to_owned(),
            ),
            ("NOTARY_ROOT_PASSPHRASE", ROOT.to_owned()),
            ("NOTARY_TARGETS_PASSPHRASE", REPOSITORY.to_owned()),
            ("NOTARY_SNAPSHOT_PASSPHRASE", REPOSITORY.to_owned()),
            ("NOTARY_DELEGATION_PASSPHRASE", REPOSITORY.to_owned()),
        ];
        let mut all: BTreeMap<String, Option<String>> = fixed
            .into_iter()
            .map(|(name, value)| (name.to_owned(), Some(value)))
            .collect();
        all.extend(self.environment.clone());
        all.into_iter()
            .filter_map(|(name, value)| Some((name, value?)))
            .collect()
    }

    /// The folder itself, also the working folder of its commands.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// `$DOCKER_CONFIG`.
    pub(crate) fn docker_config(&self) -> PathBuf {
        self.folder.join(".docker")
    }

    /// The trust directory.
    pub(crate) fn trust_dir(&self) -> PathBuf {
        self.docker_config().join("trust")
    }

    /// The cached metadata of one repository.
    pub(crate) fn cache_of(&self, repository: &str) -> PathBuf {
        self.trust_dir()
            .join("tuf")
            .join(repository)
            .join("metadata")
    }
}

/// Every file below `folder` with its bytes, to compare before and after.
pub(crate) fn files_below(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(&next).into_iter().flatten() {
            let path = entry.expect("a folder entry").path();
            if path.is_dir() {
                open.push(path);
            } else {
                let bytes = fs::read(&path).expect("a readable file");
                found.insert(path, bytes);
            }
        }
    }
    found
}

/// Passphrase of root keys.
pub(crate) const ROOT: &str = "rootpassw";
/// Passphrase of all other keys.
pub(crate) const REPOSITORY: &str = "repopassw";
