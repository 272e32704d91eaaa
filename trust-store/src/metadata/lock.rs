//! One writer at a time for a repository, across processes.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::error::CacheError;

/// Nobody else changes the repository's cache until this is dropped.
///
/// The kernel lets go when the process ends, however it ends. `docker` and `notary` know nothing
/// of the lock.
#[derive(Debug)]
pub struct RepositoryLock {
    directory: PathBuf,
    // Held for its lock, which closing it releases.
    _file: File,
}

impl RepositoryLock {
    /// Waits for the lock of this existing directory.
    pub(super) fn acquire(directory: &Path) -> Result<Self, CacheError> {
        let path = directory.join(LOCK_FILE);
        let opened = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path);
        let file = opened.map_err(CacheError::io("lock", &path))?;
        file.lock().map_err(CacheError::io("lock", &path))?;
        Ok(Self {
            directory: directory.to_owned(),
            _file: file,
        })
    }

    pub(super) fn check_protects(&self, directory: &Path) -> Result<(), CacheError> {
        if self.directory == directory {
            return Ok(());
        }
        let (held, needed) = (self.directory.clone(), directory.to_owned());
        Err(CacheError::ForeignLock { held, needed })
    }
}

/// Never removed: a lock on a name that somebody removes protects nothing.
const LOCK_FILE: &str = ".trust.lock";
