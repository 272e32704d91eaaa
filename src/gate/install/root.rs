//! The disk of a host, or of one that is being built below a folder: the only place that writes.

use super::files::{Files, MAX_LINKS, State, joined};
use super::plan::Change;
use super::record::{Record, RecordError};
use std::ffi::OsString;
use std::fs::{self, File, Permissions};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::{Component, Path, PathBuf};
use trust_store::write_atomic;

/// A host's disk, whose `/` may be a folder of ours.
#[derive(Clone, Debug)]
pub struct Root {
    top: PathBuf,
}

/// What is to be looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// A path with its content
    Content(PathBuf),
    /// A folder with everything below it and its content
    Tree(PathBuf),
    /// A folder with what is directly in it, without content
    Names(PathBuf),
}

/// Why the disk could not be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RootError {
    /// The disk says no
    #[error("{}: {source}", path.display())]
    Disk {
        /// Where
        path: PathBuf,
        /// What it said
        source: io::Error,
    },
    /// A record that cannot be used
    #[error("{}: {source}", path.display())]
    Record {
        /// Where
        path: PathBuf,
        /// What is wrong with it
        source: RecordError,
    },
    /// Somebody changed a file between the plan and its execution
    #[error("{} has just been changed by somebody else", .0.display())]
    Changed(PathBuf),
}

impl Root {
    /// The disk whose `/` is this folder.
    pub fn at(top: &Path) -> Self {
        let top = top.to_owned();
        Self { top }
    }

    /// Whether this is the disk of the running host.
    pub fn is_this_host(&self) -> bool {
        self.top == Path::new("/")
    }

    /// Where a path of the host is for this program; its links stay inside.
    pub fn real(&self, path: &Path) -> PathBuf {
        let path = joined(Path::new("/"), path);
        match (path.parent(), path.file_name()) {
            (Some(parent), Some(name)) => self.outside(&self.resolved(parent)).join(name),
            _ => self.top.clone(),
        }
    }

    /// What stands at a path, without following a link.
    pub fn state(&self, path: &Path) -> State {
        match self.look(path) {
            Ok(state) => state,
            Err(error) => State::Unreadable(error.to_string()),
        }
    }

    /// What the system says of a path, behind links; none if it leads nowhere.
    pub fn facts(&self, path: &Path) -> Option<fs::Metadata> {
        fs::symlink_metadata(self.outside(&self.resolved(path))).ok()
    }

    /// Looks at all of this.
    pub fn files(&self, wanted: &[Wanted]) -> Files {
        let mut files = Files::default();
        for wanted in wanted {
            match wanted {
                Wanted::Content(path) => self.note(&mut files, path.clone(), 0),
                Wanted::Tree(path) => self.note(&mut files, path.clone(), MAX_DEPTH),
                Wanted::Names(path) => self.names(&mut files, path),
            }
        }
        files
    }

    /// The record of an engine's hook; none if it is not installed.
    ///
    /// # Errors
    /// There is one that cannot be used.
    pub fn record(&self, state_dir: &Path, engine: &str) -> Result<Option<Record>, RootError> {
        let path = Record::path(state_dir, engine);
        let bytes = match self.state(&path) {
            State::Absent => return Ok(None),
            State::File { bytes, .. } => bytes,
            State::Unreadable(why) => return Err(disk(&path, io::Error::other(why))),
            State::Folder { .. } | State::Link { .. } => {
                return Err(disk(&path, io::Error::other("it is no file")));
            }
        };
        let parsed = Record::parse(&bytes);
        parsed
            .map(Some)
            .map_err(|source| RootError::Record { path, source })
    }

    /// Carries out these changes and keeps the record, or leaves everything as it was.
    ///
    /// The record is on the disk before the first change, so that what a power failure leaves half
    /// done can be undone.
    pub fn install(
        &self,
        state_dir: &Path,
        changes: &[Change],
        record: &Record,
    ) -> Result<(), RootError> {
        let kept = Record::path(state_dir, &record.engine);
        let mut record = record.clone();
        let paths = changes.iter().map(|change| change.path.as_path());
        for path in paths.chain([kept.as_path()]) {
            for folder in self.missing_above(path) {
                if !record.folders.contains(&folder) {
                    record.folders.push(folder);
                }
            }
        }
        let before = self.state(&kept);
        self.keep(&kept, &record)?;
        self.carry_out(changes).inspect_err(|_| {
            // The first error is the one to tell.
            let _ = self.set(&kept, &before);
            self.remove_empty(&record.folders);
        })?;
        if !record.earlier.is_empty() {
            record.earlier.clear();
            self.keep(&kept, &record)?;
        }
        // Folders of what was replaced, where nothing else is in them.
        self.remove_empty(&record.folders);
        Ok(())
    }

    fn keep(&self, path: &Path, record: &Record) -> Result<(), RootError> {
        let bytes = record.bytes();
        self.set(path, &State::File { bytes, mode: 0o600 })
    }

    /// Carries out these changes and forgets the record, or leaves everything as it was.
    pub fn remove(
        &self,
        state_dir: &Path,
        changes: &[Change],
        record: &Record,
    ) -> Result<(), RootError> {
        self.carry_out(changes)?;
        self.set(&Record::path(state_dir, &record.engine), &State::Absent)?;
        self.remove_empty(&record.folders);
        Ok(())
    }

    fn carry_out(&self, changes: &[Change]) -> Result<(), RootError> {
        for (done, change) in changes.iter().enumerate() {
            let set = if self.state(&change.path) == change.before {
                self.set(&change.path, &change.after)
            } else {
                Err(RootError::Changed(change.path.clone()))
            };
            if let Err(error) = set {
                for change in changes.iter().take(done).rev() {
                    // The first error is the one to tell.
                    let _ = self.set(&change.path, &change.before);
                }
                return Err(error);
            }
        }
        Ok(())
    }

    fn set(&self, path: &Path, state: &State) -> Result<(), RootError> {
        let real = self.real(path);
        self.set_real(&real, state)
            .map_err(|source| disk(path, source))
    }

    fn set_real(&self, real: &Path, state: &State) -> io::Result<()> {
        match state {
            State::Absent => match fs::remove_file(real) {
                Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
                _ => Ok(()),
            },
            State::File { bytes, mode } => {
                self.folder_above(real)?;
                let owner = fs::symlink_metadata(real).ok();
                write_atomic(real, bytes, *mode)?;
                if let Some(owner) = owner {
                    chown(real, Some(owner.uid()), Some(owner.gid()))?;
                }
                // What the umask took away.
                fs::set_permissions(real, Permissions::from_mode(*mode))
            }
            State::Link { to } => {
                self.folder_above(real)?;
                // Renamed into place: there is no moment without the old or the new one.
                let mut beside = OsString::from(real);
                beside.push(".trust-new");
                let _ = fs::remove_file(&beside);
                symlink(to, &beside)?;
                fs::rename(&beside, real)
            }
            State::Folder { .. } | State::Unreadable(_) => Err(ErrorKind::Unsupported.into()),
        }
    }

    fn folder_above(&self, real: &Path) -> io::Result<()> {
        match real.parent() {
            Some(parent) if parent.starts_with(&self.top) => fs::create_dir_all(parent),
            _ => Ok(()),
        }
    }

    /// Folders above a path that are not there yet, those above first.
    fn missing_above(&self, path: &Path) -> Vec<PathBuf> {
        let mut missing: Vec<PathBuf> = path
            .ancestors()
            .skip(1)
            .take_while(|folder| matches!(self.state(folder), State::Absent))
            .map(Path::to_owned)
            .collect();
        missing.reverse();
        missing
    }

    /// Removes those of these folders in which nothing is left.
    fn remove_empty(&self, folders: &[PathBuf]) {
        for folder in folders.iter().rev() {
            // Whatever somebody else has put there keeps its folder.
            let _ = fs::remove_dir(self.real(folder));
        }
    }

    fn look(&self, path: &Path) -> io::Result<State> {
        let real = self.real(path);
        let facts = match fs::symlink_metadata(&real) {
            Err(error) if is_nowhere(&error) => return Ok(State::Absent),
            facts => facts?,
        };
        let mode = facts.mode() & 0o7777;
        if facts.is_symlink() {
            let to = fs::read_link(&real)?;
            return Ok(State::Link { to });
        }
        if facts.is_dir() {
            return Ok(State::Folder { mode });
        }
        if !facts.is_file() {
            return Err(io::Error::new(ErrorKind::InvalidData, "it is no file"));
        }
        let mut bytes = Vec::new();
        File::open(&real)?
            .take(MAX_BYTES + 1)
            .read_to_end(&mut bytes)?;
        if bytes.len() as u64 > MAX_BYTES {
            return Err(io::Error::new(ErrorKind::FileTooLarge, "it is too large"));
        }
        Ok(State::File { bytes, mode })
    }

    fn note(&self, files: &mut Files, path: PathBuf, depth: usize) {
        let mut path = path;
        for _ in 0..MAX_LINKS {
            let state = self.state(&path);
            files.put(&path, state.clone());
            match state {
                State::Link { to } => {
                    path = joined(path.parent().unwrap_or(Path::new("/")), &to);
                }
                State::Folder { .. } if depth > 0 => {
                    for name in self.entries(&path) {
                        self.note(files, path.join(name), depth - 1);
                    }
                    return;
                }
                _ => return,
            }
        }
    }

    fn names(&self, files: &mut Files, folder: &Path) {
        for name in self.entries(folder) {
            let path = folder.join(name);
            let mode = fs::symlink_metadata(self.real(&path));
            let state = match mode {
                Ok(facts) if facts.is_dir() => State::Folder {
                    mode: facts.mode() & 0o7777,
                },
                Ok(facts) => State::File {
                    bytes: Vec::new(),
                    mode: facts.mode() & 0o7777,
                },
                Err(error) => State::Unreadable(error.to_string()),
            };
            files.put(path, state);
        }
    }

    fn entries(&self, folder: &Path) -> Vec<OsString> {
        let entries = fs::read_dir(self.outside(&self.resolved(folder)));
        let mut names: Vec<_> = entries
            .into_iter()
            .flatten()
            .filter_map(|entry| Some(entry.ok()?.file_name()))
            .take(MAX_ENTRIES)
            .collect();
        names.sort();
        names
    }

    /// The path without links, as the host would follow them.
    fn resolved(&self, path: &Path) -> PathBuf {
        let mut resolved = PathBuf::from("/");
        let mut open: Vec<OsString> = names(path);
        let mut links = 0;
        while let Some(name) = open.pop() {
            let next = joined(&resolved, Path::new(&name));
            match fs::read_link(self.outside(&next)) {
                Ok(to) if links < MAX_LINKS => {
                    links += 1;
                    open.extend(names(&to));
                    if to.is_absolute() {
                        resolved = PathBuf::from("/");
                    }
                }
                _ => resolved = next,
            }
        }
        resolved
    }

    fn outside(&self, path: &Path) -> PathBuf {
        let below = path.strip_prefix("/").unwrap_or(path);
        self.top.join(below)
    }
}

/// The names in a path, the last one first.
fn names(path: &Path) -> Vec<OsString> {
    let parts = path.components().filter_map(|part| match part {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some(OsString::from("..")),
        _ => None,
    });
    let mut names: Vec<_> = parts.collect();
    names.reverse();
    names
}

fn is_nowhere(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

fn disk(path: &Path, source: io::Error) -> RootError {
    RootError::Disk {
        path: path.to_owned(),
        source,
    }
}

/// Bytes of the largest configuration file that is read.
const MAX_BYTES: u64 = 1 << 20;
/// Names of a folder that are looked at.
const MAX_ENTRIES: usize = 4096;
/// Folders below one that is looked at as a whole.
const MAX_DEPTH: usize = 3;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_stay_below_the_root() {
        let top = tempfile::tempdir().unwrap();
        let root = Root::at(top.path());
        fs::create_dir_all(top.path().join("data/etc")).unwrap();
        symlink("/data/etc", top.path().join("etc")).unwrap();
        symlink("../../../../data", top.path().join("up")).unwrap();
        let inside = top.path().join("data/etc/x");
        for path in ["/etc/x", "/up/etc/x", "/../../etc/x"] {
            assert_eq!(root.real(Path::new(path)), inside, "{path}");
        }
    }

    #[test]
    fn a_failed_installation_leaves_nothing() {
        let top = tempfile::tempdir().unwrap();
        let root = Root::at(top.path());
        let write = |path: &str| Change {
            path: path.into(),
            before: State::Absent,
            after: State::File {
                bytes: b"x".to_vec(),
                mode: 0o644,
            },
        };
        // The second cannot be written, for the first is no folder.
        let changes = [write("/a/b"), write("/a/b/c")];
        let record = Record {
            engine: "docker".into(),
            changes: changes.to_vec(),
            ..Record::default()
        };
        let done = root.install(Path::new("/state"), &changes, &record);
        assert!(done.is_err());
        assert_eq!(fs::read_dir(top.path()).unwrap().count(), 0);
    }
}
