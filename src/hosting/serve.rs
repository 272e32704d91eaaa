//! Reading: the newest files, and older ones by hash or version.

use super::kept::{Held, Kept};
use super::{Hosting, HostingError};
use crate::tuf::role::RoleName;
use jiff::Timestamp;
use std::sync::Arc;

impl Hosting {
    /// The newest file of a role, as the present timestamp and snapshot name it.
    ///
    /// Timestamp and snapshot are signed anew first where they are past their date and the server
    /// can; where only the owners can, expired ones are served.
    ///
    /// # Errors
    /// [`HostingError`]
    pub async fn current(
        &self,
        gun: &str,
        role: &RoleName,
        now: Timestamp,
    ) -> Result<Option<Arc<Held>>, HostingError> {
        let mut kept = self.kept(gun).await?;
        let online = *role == RoleName::timestamp() || *role == RoleName::snapshot();
        if online && kept.is_due(now) {
            match self.renewed(gun, Arc::clone(&kept), now).await {
                Ok(newest) => kept = newest,
                // Readers see from the files themselves what its owners have to do.
                Err(HostingError::Refused(_)) => {}
                Err(error) => return Err(error),
            }
            if kept.is_due(now) {
                kept.left_to_owners(now);
            }
        }
        let Some(held) = kept.files.get(role) else {
            return Ok(None);
        };
        let named = online || kept.is_named(role);
        Ok(named.then(|| Arc::clone(held)))
    }

    /// The file of a role with this SHA-256, in lower-case hex.
    ///
    /// # Errors
    /// [`HostingError`]
    pub async fn by_hash(
        &self,
        gun: &str,
        role: &RoleName,
        sha256: &str,
    ) -> Result<Option<Arc<Held>>, HostingError> {
        // Whatever else happened, a file with this hash is this file.
        if let Some(kept) = self.inner.memory.any(gun)
            && let Some(held) = kept.files.get(role).filter(|held| held.sha256 == sha256)
        {
            return Ok(Some(Arc::clone(held)));
        }
        let kept = self.kept(gun).await?;
        match kept.files.get(role) {
            Some(held) if held.sha256 == sha256 => Ok(Some(Arc::clone(held))),
            _ if kept.is_empty() => Ok(None),
            _ => Ok(self
                .store()
                .by_hash(gun, role.as_str(), sha256)
                .await?
                .map(|file| Arc::new(file.into()))),
        }
    }

    /// The file of a role with this version.
    ///
    /// # Errors
    /// [`HostingError`]
    pub async fn by_version(
        &self,
        gun: &str,
        role: &RoleName,
        version: u64,
    ) -> Result<Option<Arc<Held>>, HostingError> {
        let file = self.store().by_version(gun, role.as_str(), version).await?;
        Ok(file.map(|file| Arc::new(file.into())))
    }

    /// The repository as it is now, from memory if that is known to be the newest.
    ///
    /// # Errors
    /// [`HostingError`]
    pub async fn kept(&self, gun: &str) -> Result<Arc<Kept>, HostingError> {
        let inner = &self.inner;
        let latest = inner.heartbeat.latest().await?;
        let changed = |seen| inner.heartbeat.changed_since(gun, seen);
        if let Some(kept) = inner.memory.get(gun, latest, changed) {
            return Ok(kept);
        }
        let (revision, files) = inner.store.newest_files(gun).await?;
        let files = files.into_iter().filter_map(|file| {
            let role = RoleName::parse(&file.role)?;
            Some((role, Arc::new(Held::from(file))))
        });
        // What was read is at least as new as the latest change known before.
        let kept = Arc::new(Kept::new(revision, files.collect(), latest));
        if !kept.is_empty() {
            inner.memory.put(gun, &kept);
        }
        Ok(kept)
    }
}
