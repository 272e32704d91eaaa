//! Forgetting a repository: what this machine keeps of it, and what its server does.

use super::{Error, Repository};

impl Repository {
    /// Nothing of the repository is on its server any more; what is kept here stays.
    ///
    /// # Errors
    /// The server refuses.
    pub async fn delete_remote(&self) -> Result<(), Error> {
        Ok(self.remote()?.delete().await?)
    }

    /// Metadata and staged changes are gone from this machine. Keys stay, and so does the rollback
    /// memory: what was seen once is never accepted in an older version.
    ///
    /// # Errors
    /// The disk.
    pub fn delete_local(&self) -> Result<(), Error> {
        let lock = self.cache.lock()?;
        Ok(self.cache.delete(&lock)?)
    }
}
