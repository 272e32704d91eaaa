//! What can go wrong with cached metadata.

use std::io;
use std::path::{Path, PathBuf};

/// Why metadata could not be read or kept.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CacheError {
    /// A repository name that would lead out of the cache, or cannot be a folder.
    #[error("repository name {gun:?} {why}")]
    BadGun {
        /// The name as given.
        gun: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A role name that would lead out of the repository, or cannot be a file.
    #[error("role name {role:?} {why}")]
    BadRole {
        /// The name as given.
        role: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The record of an unfinished change is not one of ours.
    #[error("the unfinished change in {} is damaged, remove it: {reason}", path.display())]
    DamagedJournal {
        /// Its directory.
        path: PathBuf,
        /// What stopped us.
        reason: String,
    },
    /// The lock belongs to another repository.
    #[error("the lock of {} does not protect {}", held.display(), needed.display())]
    ForeignLock {
        /// The directory that is locked.
        held: PathBuf,
        /// The directory that should be.
        needed: PathBuf,
    },
    /// The system refused.
    #[error("could not {action} {}: {source}", path.display())]
    Io {
        /// What was tried: `read`, `write`, `lock` or `remove`.
        action: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// Something in the list of staged changes is no file of one.
    #[error("{} is no staged change", path.display())]
    StrangeChange {
        /// What is there.
        path: PathBuf,
    },
    /// A cached file is larger than its role may be.
    #[error("{} is larger than {limit} bytes", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Largest size accepted, in bytes.
        limit: u64,
    },
    /// More is staged than anybody stages.
    #[error("{} has more than {limit} changes", path.display())]
    TooManyChanges {
        /// The list.
        path: PathBuf,
        /// Most changes accepted.
        limit: usize,
    },
}

impl CacheError {
    pub(super) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io {
            action,
            path: path.to_owned(),
            source,
        }
    }
}
