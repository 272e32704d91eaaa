//! Changes of several files that happen whole or not at all.
//!
//! 1. Everything the change needs is written into `.pending.new` and synced.
//! 2. Renaming that to `.pending` decides: before it nothing has happened, after it the change
//!    will be carried out, if need be by the next process that takes the lock.
//! 3. Files are moved to their places. Each step can be repeated, so a crash between any two only
//!    means that the next process begins again at the first.

use std::collections::BTreeSet;
use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::error::CacheError;
use super::name::role_file;
use crate::atomic::{create_private_directories, sync_directory, sync_together};

/// The next state of a repository, as far as it differs from the present one.
pub(super) struct Change<'a> {
    pub(super) write: &'a [(&'a str, &'a [u8])],
    pub(super) remove: &'a [&'a str],
    pub(super) floor: Option<&'a [u8]>,
}

/// The record of a change: its files lie beside it, named by their place in `write`.
#[derive(Deserialize, Serialize)]
struct Plan {
    write: Vec<String>,
    remove: Vec<String>,
}

/// One repeatable step of carrying out a plan.
enum Step {
    Move { from: PathBuf, to: PathBuf },
    Remove(PathBuf),
}

/// The change is decided: it will happen even if this process ends here.
pub(super) fn decide(repository: &Path, change: &Change<'_>) -> Result<(), CacheError> {
    for role in change
        .write
        .iter()
        .map(|(role, _)| role)
        .chain(change.remove)
    {
        role_file(role)?;
    }
    let staging = repository.join(STAGING);
    discard(&staging)?;
    stage(&staging, change)
        .and_then(|()| fs::rename(&staging, repository.join(PENDING)))
        .and_then(|()| sync_directory(repository))
        .map_err(|error| {
            // A full disk gets its room back; where that fails, the next change begins with it.
            let _ = discard(&staging);
            CacheError::io("write", repository)(error)
        })
}

/// No decided change is left over.
pub(super) fn finish(repository: &Path) -> Result<(), CacheError> {
    let pending = repository.join(PENDING);
    if let Some(plan) = read_plan(&pending)? {
        carry_out(repository, &steps(repository, &plan)?)?;
    }
    discard(&pending)
}

/// The directory is gone.
pub(super) fn discard(directory: &Path) -> Result<(), CacheError> {
    match fs::remove_dir_all(directory) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(CacheError::io("remove", directory)(error))
        }
        _ => Ok(()),
    }
}

fn stage(staging: &Path, change: &Change<'_>) -> io::Result<()> {
    create_private_directories(staging)?;
    let plan = Plan {
        write: change
            .write
            .iter()
            .map(|(role, _)| (*role).to_owned())
            .collect(),
        remove: change
            .remove
            .iter()
            .map(|role| (*role).to_owned())
            .collect(),
    };
    let plan = serde_json::to_vec(&plan)?;
    let mut files = vec![write_new(&staging.join(PLAN), &plan)?];
    for (number, (_, bytes)) in change.write.iter().enumerate() {
        files.push(write_new(&staging.join(number.to_string()), bytes)?);
    }
    if let Some(floor) = change.floor {
        files.push(write_new(&staging.join(STAGED_FLOOR), floor)?);
    }
    files.push(fs::File::open(staging)?);
    sync_together(&files)
}

fn write_new(path: &Path, bytes: &[u8]) -> io::Result<fs::File> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(bytes)?;
    Ok(file)
}

/// The plan in this directory; none if there is no directory or all of it has been carried out.
fn read_plan(pending: &Path) -> Result<Option<Plan>, CacheError> {
    let path = pending.join(PLAN);
    let bytes = match fs::read(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        other => other.map_err(CacheError::io("read", &path))?,
    };
    let damaged = |error: serde_json::Error| CacheError::DamagedJournal {
        path: pending.to_owned(),
        reason: error.to_string(),
    };
    serde_json::from_slice(&bytes).map(Some).map_err(damaged)
}

fn steps(repository: &Path, plan: &Plan) -> Result<Vec<Step>, CacheError> {
    let pending = repository.join(PENDING);
    let metadata = repository.join(METADATA);
    let mut steps = Vec::new();
    for (number, role) in plan.write.iter().enumerate() {
        let to = metadata.join(role_file(role)?);
        steps.push(Step::Move {
            from: pending.join(number.to_string()),
            to,
        });
    }
    for role in &plan.remove {
        steps.push(Step::Remove(metadata.join(role_file(role)?)));
    }
    // Last, so that nobody sees a floor above the files it was taken from.
    let (from, to) = (pending.join(STAGED_FLOOR), repository.join(FLOOR));
    steps.push(Step::Move { from, to });
    Ok(steps)
}

fn carry_out(repository: &Path, steps: &[Step]) -> Result<(), CacheError> {
    let mut touched = BTreeSet::new();
    for step in steps {
        touched.extend(step.run()?);
    }
    let directories: io::Result<Vec<_>> = touched.into_iter().map(fs::File::open).collect();
    directories
        .and_then(|directories| sync_together(&directories))
        .map_err(CacheError::io("write", repository))
}

impl Step {
    /// Runs the step, again if it has run before; returns the directory it changed.
    fn run(&self) -> Result<Option<&Path>, CacheError> {
        let (path, done) = match self {
            Self::Move { from, to } => (to, move_over(from, to)),
            Self::Remove(path) => (path, fs::remove_file(path)),
        };
        match done {
            Ok(()) => Ok(path.parent()),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(CacheError::io("write", path)(error)),
        }
    }
}

fn move_over(from: &Path, to: &Path) -> io::Result<()> {
    if let Some(directory) = to.parent() {
        create_private_directories(directory)?;
    }
    fs::rename(from, to)
}

/// A change that is decided and not yet carried out.
const PENDING: &str = ".pending";
/// A change in the making: worthless to anybody but the process that makes it.
pub(super) const STAGING: &str = ".pending.new";
pub(super) const METADATA: &str = "metadata";
pub(super) const FLOOR: &str = ".floor.json";
const PLAN: &str = "plan.json";
const STAGED_FLOOR: &str = "floor";

#[cfg(test)]
mod tests {
    use super::*;

    type Files = std::collections::BTreeMap<PathBuf, Vec<u8>>;

    const CHANGE: Change<'_> = Change {
        write: &[
            ("root", b"root 2"),
            ("targets/releases", b"releases 2"),
            ("targets/a/b", b"b 1"),
        ],
        remove: &["targets/gone", "targets/never"],
        floor: Some(b"floor 2"),
    };

    fn repository() -> tempfile::TempDir {
        let home = tempfile::tempdir().unwrap();
        for (name, bytes) in [
            (FLOOR, "floor 1"),
            ("metadata/root.json", "root 1"),
            ("metadata/targets/gone.json", "gone 1"),
            ("metadata/targets/releases.json", "releases 1"),
            ("metadata/snapshot.json", "snapshot 1"),
        ] {
            let path = home.path().join(name);
            create_private_directories(path.parent().unwrap()).unwrap();
            crate::write_atomic(&path, bytes.as_bytes(), 0o600).unwrap();
        }
        home
    }

    fn files(top: &Path) -> Files {
        let mut found = Files::new();
        for entry in fs::read_dir(top).unwrap().map(Result::unwrap) {
            if entry.file_type().unwrap().is_dir() {
                found.extend(files(&entry.path()));
            } else {
                found.insert(entry.path(), fs::read(entry.path()).unwrap());
            }
        }
        found
    }

    fn contents(home: &tempfile::TempDir) -> Vec<(String, String)> {
        let relative = |path: &Path| {
            path.strip_prefix(home.path())
                .unwrap()
                .display()
                .to_string()
        };
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        files(home.path())
            .into_iter()
            .map(|(path, b)| (relative(&path), text(b)))
            .collect()
    }

    fn changed() -> Vec<(String, String)> {
        [
            (FLOOR, "floor 2"),
            ("metadata/root.json", "root 2"),
            ("metadata/snapshot.json", "snapshot 1"),
            ("metadata/targets/a/b.json", "b 1"),
            ("metadata/targets/releases.json", "releases 2"),
        ]
        .map(|(name, text)| (name.to_owned(), text.to_owned()))
        .to_vec()
    }

    #[test]
    fn a_decided_change_is_carried_out_wherever_it_was_interrupted() {
        let planned = CHANGE.write.len() + CHANGE.remove.len() + 1;
        for done in 0..=planned {
            let home = repository();
            decide(home.path(), &CHANGE).unwrap();
            let plan = read_plan(&home.path().join(PENDING)).unwrap().unwrap();
            let steps = steps(home.path(), &plan).unwrap();
            assert_eq!(steps.len(), planned);
            for step in steps.iter().take(done) {
                step.run().unwrap();
            }
            finish(home.path()).unwrap();
            assert_eq!(contents(&home), changed(), "interrupted after {done} steps");
        }
    }

    #[test]
    fn a_journal_whose_removal_was_interrupted_is_removed() {
        let home = repository();
        decide(home.path(), &CHANGE).unwrap();
        finish(home.path()).unwrap();
        fs::create_dir(home.path().join(PENDING)).unwrap();
        finish(home.path()).unwrap();
        assert_eq!(contents(&home), changed());
        assert!(!home.path().join(PENDING).exists());
    }

    #[test]
    fn an_undecided_change_never_happens() {
        let before = contents(&repository());
        for staged in 0..=CHANGE.write.len() + 2 {
            let home = repository();
            let staging = home.path().join(STAGING);
            stage(&staging, &CHANGE).unwrap();
            let names = files(&staging).into_keys().skip(staged);
            for path in names {
                fs::remove_file(path).unwrap();
            }
            finish(home.path()).unwrap();
            let visible: Vec<_> = contents(&home)
                .into_iter()
                .filter(|(name, _)| !name.starts_with(STAGING))
                .collect();
            assert_eq!(visible, before, "interrupted with {staged} files staged");
            decide(home.path(), &CHANGE).unwrap();
            finish(home.path()).unwrap();
            assert_eq!(contents(&home), changed());
        }
    }

    #[test]
    fn a_damaged_or_hostile_plan_changes_nothing() {
        for plan in ["", "{", r#"{"write":["../../x"],"remove":[]}"#] {
            let home = repository();
            decide(home.path(), &CHANGE).unwrap();
            crate::write_atomic(
                &home.path().join(".pending/plan.json"),
                plan.as_bytes(),
                0o600,
            )
            .unwrap();
            let before = contents(&home);
            finish(home.path()).unwrap_err();
            assert_eq!(contents(&home), before);
        }
    }
}
