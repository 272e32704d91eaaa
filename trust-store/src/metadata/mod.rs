//! Signed metadata as bytes, by repository and role; never interpreted.
//!
//! The layout is Docker's: `tuf/<GUN>/metadata/<role>.json`. Three hidden names beside `metadata`
//! are ours: `.trust.lock`, `.floor.json` (rollback memory) and `.pending` (a change that is
//! decided and not yet carried out). `changelist` beside it holds what is staged; Notary's client
//! uses it too.

mod cache;
mod changelist;
mod error;
mod journal;
mod lock;
mod name;

pub use cache::{Cache, RepositoryCache};
pub use changelist::StagedFile;
pub use error::CacheError;
pub use lock::RepositoryLock;
