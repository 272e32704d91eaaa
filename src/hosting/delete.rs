//! Deleting a repository, and what happened to repositories.

use super::{Hosting, HostingError};
use jiff::Timestamp;
use trust_store::server::Change;

impl Hosting {
    /// Nothing of the repository is left but its online keys; true if there was something.
    ///
    /// # Errors
    /// [`HostingError::Store`]
    pub async fn delete(&self, gun: &str, now: Timestamp) -> Result<bool, HostingError> {
        let _turn = self.turn(gun).await?;
        let deleted = self.store().delete(gun, now).await?;
        self.inner.memory.forget(gun);
        Ok(deleted)
    }

    /// Entries of the change feed, as [`trust_store::server::Store::changes`].
    ///
    /// # Errors
    /// [`HostingError::Store`]
    pub async fn changes(
        &self,
        gun: Option<&str>,
        after: i64,
        records: i64,
    ) -> Result<Vec<Change>, HostingError> {
        Ok(self.store().changes(gun, after, records).await?)
    }
}
