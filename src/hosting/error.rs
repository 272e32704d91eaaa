//! What can go wrong between a request and the store.

use crate::tuf::accept::Refusal;
use trust_store::server::{SealError, StoreError};

/// Why a repository could not be served or changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HostingError {
    /// A publish against the rules
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// An online key that cannot be made or opened
    #[error(transparent)]
    Seal(SealError),
    /// The store
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The work was given up
    #[error("the work was given up")]
    GivenUp,
}

impl From<SealError> for HostingError {
    /// What only kept the keys from being asked for is said of the store.
    fn from(error: SealError) -> Self {
        match error {
            SealError::Store(error) => Self::Store(error),
            other => Self::Seal(other),
        }
    }
}
