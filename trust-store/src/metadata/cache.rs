//! The metadata cache of a trust directory.

use std::fs::{self, File};
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use super::error::CacheError;
use super::journal::{Change, FLOOR, METADATA, STAGING, decide, discard, finish};
use super::lock::RepositoryLock;
use super::name::{repository_folder, role_file};
use crate::atomic::{create_private_directories, sync_directory};

/// The metadata of every repository this trust directory knows, shared with Docker and Notary.
#[derive(Clone, Debug)]
pub struct Cache {
    tuf: PathBuf,
}

/// The cached metadata of one repository.
#[derive(Clone, Debug)]
pub struct RepositoryCache {
    directory: PathBuf,
}

impl Cache {
    /// The cache of this trust directory, which need not exist yet.
    pub fn at(trust_dir: &Path) -> Self {
        Self {
            tuf: trust_dir.join("tuf"),
        }
    }

    /// The cache of one repository; refuses names that would lead out of the trust directory.
    pub fn repository(&self, gun: &str) -> Result<RepositoryCache, CacheError> {
        Ok(RepositoryCache {
            directory: self.tuf.join(repository_folder(gun)?),
        })
    }

    /// The names of all repositories this trust directory knows, sorted.
    pub fn repositories(&self) -> Result<Vec<String>, CacheError> {
        let mut found = Vec::new();
        let mut open = vec![String::new()];
        while let Some(name) = open.pop() {
            let directory = self.tuf.join(&name);
            if repository_folder(&name).is_ok()
                && directory.join(METADATA).join("root.json").is_file()
            {
                found.push(name.clone());
            }
            for child in folders(&directory)? {
                let child = if name.is_empty() {
                    child
                } else {
                    format!("{name}/{child}")
                };
                // A name that is too long is no repository's, and neither are those below it.
                if repository_folder(&child).is_ok() {
                    open.push(child);
                }
            }
        }
        found.sort_unstable();
        Ok(found)
    }
}

impl RepositoryCache {
    /// This process alone changes the repository, and no change is half done.
    ///
    /// Waits for whoever has the lock, in this process too: take it once. Creates the repository's directory.
    pub fn lock(&self) -> Result<RepositoryLock, CacheError> {
        create_private_directories(&self.directory)
            .map_err(CacheError::io("write", &self.directory))?;
        let lock = RepositoryLock::acquire(&self.directory)?;
        finish(&self.directory)?;
        Ok(lock)
    }

    /// The bytes cached for this role, if any; an error beyond `limit` bytes.
    ///
    /// Needs no lock for one file; files that belong together are read under it.
    pub fn read(&self, role: &str, limit: u64) -> Result<Option<Vec<u8>>, CacheError> {
        read_at_most(&self.directory.join(METADATA).join(role_file(role)?), limit)
    }

    /// The files have these bytes, the removed ones are gone and the floor is set: all or nothing.
    ///
    /// After an error the change has not happened, or will have when the lock is next taken. A
    /// floor that is not given stays; a removed role need not exist.
    pub fn replace(
        &self,
        lock: &RepositoryLock,
        write: &[(&str, &[u8])],
        remove: &[&str],
        floor: Option<&[u8]>,
    ) -> Result<(), CacheError> {
        lock.check_protects(&self.directory)?;
        finish(&self.directory)?;
        decide(
            &self.directory,
            &Change {
                write,
                remove,
                floor,
            },
        )?;
        finish(&self.directory)
    }

    /// The rollback memory kept with [`replace`](Self::replace), if any.
    pub fn floor(&self) -> Result<Option<Vec<u8>>, CacheError> {
        read_at_most(&self.directory.join(FLOOR), MAX_FLOOR)
    }

    /// Metadata and staged changes are gone; floor, keys and other repositories stay.
    pub fn delete(&self, lock: &RepositoryLock) -> Result<(), CacheError> {
        lock.check_protects(&self.directory)?;
        finish(&self.directory)?;
        let removing = || CacheError::io("remove", &self.directory);
        let trash = self.directory.join(STAGING);
        discard(&trash)?;
        match fs::rename(self.directory.join(METADATA), &trash) {
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            other => other.map_err(removing())?,
        }
        // A repository of that name may lie in the same folder.
        for change in plain_files(&self.directory.join(CHANGES))? {
            fs::remove_file(change).map_err(removing())?;
        }
        sync_directory(&self.directory).map_err(removing())?;
        discard(&trash)
    }
}

/// The names of the folders in a folder; none if it is not there.
fn folders(directory: &Path) -> Result<Vec<String>, CacheError> {
    let folders = entries(directory)?
        .into_iter()
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    Ok(folders
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect())
}

/// Whatever else than folders is in a folder; nothing if it is not there.
fn plain_files(directory: &Path) -> Result<Vec<PathBuf>, CacheError> {
    let files = entries(directory)?
        .into_iter()
        .filter(|entry| entry.file_type().is_ok_and(|kind| !kind.is_dir()));
    Ok(files.map(|entry| entry.path()).collect())
}

fn entries(directory: &Path) -> Result<Vec<fs::DirEntry>, CacheError> {
    let listing = match fs::read_dir(directory) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        other => other.and_then(Iterator::collect::<Result<Vec<_>, _>>),
    };
    listing.map_err(CacheError::io("read", directory))
}

fn read_at_most(path: &Path, limit: u64) -> Result<Option<Vec<u8>>, CacheError> {
    let file = match File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        other => other.map_err(CacheError::io("read", path))?,
    };
    let length = file.metadata().map_or(0, |metadata| metadata.len());
    let room = usize::try_from(length.min(limit)).unwrap_or(0);
    let mut bytes = Vec::with_capacity(room.saturating_add(1)); // one more shows the end
    file.take(limit.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(CacheError::io("read", path))?;
    if bytes.len() as u64 > limit {
        return Err(CacheError::TooLarge {
            path: path.to_owned(),
            limit,
        });
    }
    Ok(Some(bytes))
}

/// Notary's staged changes (`changelist`).
const CHANGES: &str = "changelist";
/// In bytes; a handful of version numbers.
const MAX_FLOOR: u64 = 1 << 20;
