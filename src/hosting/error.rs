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
    Seal(#[from] SealError),
    /// The store
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The work was given up
    #[error("the work was given up")]
    GivenUp,
}
