//! Changes that are staged and not yet published: `tuf/<GUN>/changelist/`, shared with Notary's client.
//!
//! A file a change, `<time>_<uuid>.change`: 20 digits of Unix nanoseconds, so that the order of the
//! names is the order of the changes. The bytes are not interpreted here.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};

use super::cache::RepositoryCache;
use super::error::CacheError;
use super::lock::RepositoryLock;
use crate::atomic::{create_atomic_from, create_private_directories, sync_directory};
use crate::keys::fill_randomly;

/// One staged change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StagedFile {
    /// The name of its file in the changelist
    pub name: String,
    /// Its bytes
    pub bytes: Vec<u8>,
}

impl RepositoryCache {
    /// Every staged change, in the order in which they are to be made.
    pub fn staged(&self) -> Result<Vec<StagedFile>, CacheError> {
        let folder = self.changelist();
        let mut room = MAX_BYTES;
        let mut staged = Vec::new();
        for name in names(&folder)? {
            let path = folder.join(&name);
            let bytes = read(&path, MAX_CHANGE.min(room))?;
            room -= bytes.len() as u64;
            staged.push(StagedFile { name, bytes });
        }
        Ok(staged)
    }

    /// The changes are staged, in this order, after all that are there.
    ///
    /// `now` is Unix time in nanoseconds. After an error none of them is staged.
    pub fn stage(
        &self,
        lock: &RepositoryLock,
        now: u64,
        changes: &[Vec<u8>],
    ) -> Result<(), CacheError> {
        lock.check_protects(self.folder())?;
        let folder = self.changelist();
        create_private_directories(&folder).map_err(CacheError::io("write", &folder))?;
        let there = names(&folder)?;
        if there.len() + changes.len() > MAX_CHANGES {
            return Err(too_many(&folder));
        }
        let last = there.last().and_then(|name| name.get(..DIGITS));
        let last = last.and_then(|digits| digits.parse().ok());
        let mut time = last.map_or(now, |last: u64| now.max(last.saturating_add(1)));
        let mut written = Vec::new();
        for change in changes {
            let staged = file_name(time)
                .map(|name| folder.join(name))
                .and_then(|path| {
                    create_atomic_from(self.folder(), &path, change, 0o600).map(|()| path)
                });
            match staged {
                Ok(path) => written.push(path),
                Err(error) => {
                    for path in written {
                        // What cannot be taken back is to be seen in the list.
                        let _ = fs::remove_file(path);
                    }
                    return Err(CacheError::io("write", &folder)(error));
                }
            }
            time = time.saturating_add(1);
        }
        Ok(())
    }

    /// The changes in these files are not staged any more; others stay.
    pub fn unstage(&self, names: &[String]) -> Result<(), CacheError> {
        let folder = self.changelist();
        for name in names {
            if !is_ordinary(name) {
                return Err(CacheError::StrangeChange {
                    path: folder.join(name),
                });
            }
            match fs::remove_file(folder.join(name)) {
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                other => other.map_err(CacheError::io("remove", &folder))?,
            }
        }
        match sync_directory(&folder) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            other => other.map_err(CacheError::io("remove", &folder)),
        }
    }

    fn changelist(&self) -> PathBuf {
        self.folder().join(CHANGELIST)
    }
}

/// The names of the staged changes, sorted; none if there is no changelist.
fn names(folder: &Path) -> Result<Vec<String>, CacheError> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        other => other.map_err(CacheError::io("read", folder))?,
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(CacheError::io("read", folder))?;
        let kind = entry.file_type().map_err(CacheError::io("read", folder))?;
        let name = entry.file_name().into_string();
        match name {
            // Notary passes over folders; a hidden file is one in the making.
            _ if kind.is_dir() => {}
            Ok(name) if name.starts_with('.') => {}
            Ok(name) if kind.is_file() && is_ordinary(&name) => names.push(name),
            _ => return Err(CacheError::StrangeChange { path: entry.path() }),
        }
        if names.len() > MAX_CHANGES {
            return Err(too_many(folder));
        }
    }
    names.sort_unstable();
    Ok(names)
}

fn is_ordinary(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with('.')
        && !name.contains(|c: char| c == '/' || c.is_control())
}

fn read(path: &Path, limit: u64) -> Result<Vec<u8>, CacheError> {
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(CacheError::io("read", path))?;
    file.take(limit + 1)
        .read_to_end(&mut bytes)
        .map_err(CacheError::io("read", path))?;
    if bytes.len() as u64 > limit {
        let path = path.to_owned();
        return Err(CacheError::TooLarge { path, limit });
    }
    Ok(bytes)
}

fn too_many(folder: &Path) -> CacheError {
    CacheError::TooManyChanges {
        path: folder.to_owned(),
        limit: MAX_CHANGES,
    }
}

/// The time, and a random UUID as Notary's client adds it.
fn file_name(time: u64) -> io::Result<String> {
    let mut random = [0; 16];
    fill_randomly(&mut random).map_err(io::Error::other)?;
    let bits = u128::from_be_bytes(random);
    let bits = bits & !(0xF << 76) | (4 << 76); // version 4
    let bits = bits & !(0b11 << 62) | (0b10 << 62); // RFC 9562
    let mut uuid = format!("{bits:032x}");
    for dash in [20, 16, 12, 8] {
        uuid.insert(dash, '-');
    }
    Ok(format!("{time:0DIGITS$}_{uuid}.change"))
}

const CHANGELIST: &str = "changelist";
/// Of the time in a name.
const DIGITS: usize = 20;
/// Most changes in a list; Notary has no limit.
const MAX_CHANGES: usize = 10_000;
/// Largest change, in bytes: custom data aside it has a few keys or paths.
const MAX_CHANGE: u64 = 4 << 20;
/// All changes together, in bytes.
const MAX_BYTES: u64 = 64 << 20;
