//! Which engine's hook, on which disk.

use crate::cli::failure::Failure;
use crate::cli::session::Session;
use clap::ValueEnum;
use std::path::{Path, PathBuf};
use trust::gate::install::{Files, Record, Root, Wanted};

/// What a hook is wired into.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Engine {
    /// The Docker Engine
    Docker,
    /// containerd and the Kubernetes interface in it
    Containerd,
    /// Podman, Buildah, skopeo and CRI-O
    Podman,
    /// The docker command of people's shells
    Shell,
}

impl Engine {
    /// Every engine there is a hook for.
    pub(super) const ALL: [Self; 4] = [Self::Docker, Self::Containerd, Self::Podman, Self::Shell];

    /// What it is called.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Docker => "docker",
            Self::Containerd => "containerd",
            Self::Podman => "podman",
            Self::Shell => "shell",
        }
    }
}

/// Where files are.
#[derive(clap::Args, Clone)]
pub(super) struct PlaceArgs {
    /// Folder in which the host's files are, for hosts that are not running
    #[arg(long, value_name = "DIR", default_value = "/")]
    root: PathBuf,
    /// Folder for what was there before [default: /var/lib/trust; for shells `$XDG_DATA_HOME/trust`]
    #[arg(long, value_name = "DIR")]
    state_dir: Option<PathBuf>,
}

/// A hook's disk and its memory.
pub(super) struct Place {
    /// The disk
    pub(super) root: Root,
    /// Where records are
    pub(super) state_dir: PathBuf,
}

impl PlaceArgs {
    /// The place of an engine's hook.
    pub(super) fn find(&self, engine: Engine, session: &Session) -> Result<Place, Failure> {
        let state_dir = match (&self.state_dir, engine) {
            (Some(dir), _) => absolute(dir)?,
            (None, Engine::Shell) => own_state(session)?,
            (None, _) => PathBuf::from("/var/lib/trust"),
        };
        let root = absolute(&self.root)?;
        Ok(Place {
            root: Root::at(&root),
            state_dir,
        })
    }
}

impl Place {
    /// What was remembered of an engine's hook.
    pub(super) fn record(&self, engine: Engine) -> Result<Option<Record>, Failure> {
        Ok(self.root.record(&self.state_dir, engine.name())?)
    }

    /// The files of this host that are asked for, and those a record names.
    pub(super) fn files(&self, mut wanted: Vec<Wanted>, record: Option<&Record>) -> Files {
        let paths = record.into_iter().flat_map(Record::paths);
        wanted.extend(paths.map(|path| Wanted::Content(path.to_owned())));
        self.root.files(&wanted)
    }
}

fn own_state(session: &Session) -> Result<PathBuf, Failure> {
    let environment = &session.environment;
    match (&environment.data_home, &environment.home) {
        (Some(data), _) => Ok(data.join("trust")),
        (None, Some(home)) => Ok(home.join(".local/share/trust")),
        (None, None) => Err(Failure::wrong("there is no home folder: HOME is not set")),
    }
}

/// The path from the top, as configuration files need it.
pub(super) fn absolute(path: &Path) -> Result<PathBuf, Failure> {
    std::path::absolute(path)
        .map_err(|error| Failure::wrong(format!("{}: {error}", path.display())))
}
