//! Keys that are no longer kept.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::error::KeyError;
use super::folder::candidates;
use super::store::KeyStore;
use crate::atomic::{parent, sync_directory};

impl KeyStore {
    /// Every file that holds this key: today's, those in the old folders, and what
    /// [`KeyStore::migrate`] left beside it.
    pub fn files_of(&self, id: &str) -> Result<Vec<PathBuf>, KeyError> {
        let found = candidates(&self.private)?.into_iter();
        let mut files: Vec<_> = found
            .filter(|it| it.id == id)
            .map(|it| it.path)
            .chain(self.left_beside(id))
            .collect();
        files.sort();
        Ok(files)
    }

    /// None of these files is there any more; one that was gone already is no error.
    pub fn remove(&self, files: &[PathBuf]) -> Result<(), KeyError> {
        files.iter().try_for_each(|path| {
            let failed = |source| KeyError::CannotWrite {
                path: path.clone(),
                source,
            };
            removed(path).map_err(failed)
        })
    }
}

fn removed(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        other => other.and_then(|()| sync_directory(parent(path))),
    }
}
