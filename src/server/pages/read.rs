//! Reading for a page: as much as one may cost, and no more pages at work at once than that bears.

use super::model::{Files, Repository};
use crate::tuf::role::RoleName;
use jiff::Timestamp;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use trust_store::server::{FileFacts, Store, StoreError, StoredFile};

/// Why a page cannot be made.
#[derive(Debug, thiserror::Error)]
pub(super) enum ReadError {
    /// The store did not answer
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The work was given up
    #[error("the work on a page was given up")]
    GivenUp,
}

/// How many bytes of metadata a page may still read.
#[derive(Debug)]
pub(super) struct Budget(usize);

impl Budget {
    /// For one page.
    pub(super) fn of_a_page() -> Self {
        Self(PAGE_BYTES)
    }

    /// For what a page would rather know, but not at any price.
    pub(super) fn of_a_search() -> Self {
        Self(SEARCH_BYTES)
    }

    /// How many files of this size, in bytes, may still be read.
    pub(super) fn looks(&self, size: usize) -> usize {
        self.0 / size.max(1)
    }

    /// Takes so many bytes, if there are so many left.
    pub(super) fn take(&mut self, bytes: usize) -> bool {
        match self.0.checked_sub(bytes) {
            Some(left) => {
                self.0 = left;
                true
            }
            None => false,
        }
    }
}

/// What there is of a repository.
#[derive(Debug)]
pub(super) enum Newest {
    /// Nothing
    Nothing,
    /// Its newest files, and when the last of them was published
    Files(Files, Timestamp),
    /// More than a page may read, in bytes
    TooMuch(usize),
}

/// The newest file of each role, all of the same moment.
pub(super) async fn newest(
    store: &Store,
    gun: &str,
    budget: &mut Budget,
) -> Result<Newest, ReadError> {
    let newest = store.newest(gun).await?;
    let Some(changed) = newest.files.values().map(|file| file.created).max() else {
        return Ok(Newest::Nothing);
    };
    let bytes = newest.files.values().map(|file| file.size).sum();
    if !budget.take(bytes) {
        return Ok(Newest::TooMuch(bytes));
    }
    let mut files = Files::new();
    for (role, facts) in &newest.files {
        let (Some(name), Some(file)) = (
            RoleName::parse(role),
            version(store, gun, role, facts).await?,
        ) else {
            continue;
        };
        files.insert(name, file);
    }
    if files.is_empty() {
        // Deleted since the question before.
        return Ok(Newest::Nothing);
    }
    Ok(Newest::Files(files, changed))
}

/// The file with these facts.
pub(super) async fn version(
    store: &Store,
    gun: &str,
    role: &str,
    facts: &FileFacts,
) -> Result<Option<StoredFile>, ReadError> {
    Ok(store.by_version(gun, role, facts.version).await?)
}

/// The repository that these files make.
pub(super) async fn judged(
    gun: &str,
    files: Files,
    now: Timestamp,
) -> Result<Repository, ReadError> {
    let gun = gun.to_owned();
    aside(move || Repository::of(&gun, &files, now)).await
}

/// Does work that takes long beside the requests; only so much of it at once.
pub(super) async fn aside<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, ReadError> {
    let _desk = DESKS.acquire().await.map_err(|_| ReadError::GivenUp)?;
    spawn_blocking(work).await.map_err(|_| ReadError::GivenUp)
}

/// So many pages are worked on at the same time; the rest wait.
static DESKS: Semaphore = Semaphore::const_new(4);

/// Some 250,000 signed tags; a parsed file takes several times its size in memory.
const PAGE_BYTES: usize = 24 << 20;

/// A tenth of a second of reading.
const SEARCH_BYTES: usize = 16 << 20;
