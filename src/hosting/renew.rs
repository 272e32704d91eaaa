//! Renewal: timestamps, and snapshots of the server's own, are signed anew before they expire.

use super::kept::Kept;
use super::keys::Wanted;
use super::{Hosting, HostingError};
use crate::tuf::accept::{Margins, renew};
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;
use tokio::task::spawn_blocking;
use trust_store::server::{Listing, StoreError};

/// What one round of renewal did.
#[derive(Clone, Debug, Default)]
pub struct Renewal {
    /// Repositories with a new timestamp
    pub renewed: Vec<String>,
    /// Repositories whose timestamp is due but cannot be signed, and why
    pub failed: Vec<(String, String)>,
}

impl Hosting {
    /// Signs anew what is due in any repository.
    ///
    /// # Errors
    /// [`HostingError::Store`]: the repositories could not be listed.
    pub async fn renew_all(&self, now: Timestamp) -> Result<Renewal, HostingError> {
        let mut done = Renewal::default();
        let mut after = String::new();
        // A timestamp is the newest file of its repository: younger than this, none is due.
        let old = now.saturating_sub(self.youngest()).unwrap_or(now);
        loop {
            let wanted = Listing {
                prefix: "",
                search: "",
                after: &after,
                limit: PAGE,
            };
            let page = self.store().guns(wanted).await?;
            let Some(last) = page.last() else {
                return Ok(done);
            };
            after.clone_from(&last.gun);
            for listed in page.iter().filter(|listed| listed.changed <= old) {
                match self.renew(&listed.gun, now).await {
                    Ok(true) => done.renewed.push(listed.gun.clone()),
                    Ok(false) => {}
                    Err(error) => done.failed.push((listed.gun.clone(), error.to_string())),
                }
            }
        }
    }

    /// Signs anew what is due in this repository; true if there was something.
    async fn renew(&self, gun: &str, now: Timestamp) -> Result<bool, HostingError> {
        let kept = self.kept(gun).await?;
        let before = kept.revision;
        let kept = self.signed_anew(gun, kept, self.inner.margins, now).await?;
        Ok(kept.revision != before)
    }

    /// The repository with timestamp and snapshot in force, where the server can do that.
    pub(super) async fn renewed(
        &self,
        gun: &str,
        kept: Arc<Kept>,
        now: Timestamp,
    ) -> Result<Arc<Kept>, HostingError> {
        self.signed_anew(gun, kept, Margins::default(), now).await
    }

    async fn signed_anew(
        &self,
        gun: &str,
        kept: Arc<Kept>,
        margins: Margins,
        now: Timestamp,
    ) -> Result<Arc<Kept>, HostingError> {
        let _turn = self.turn(gun).await?;
        // Whoever had the turn before may have done it.
        let kept = if kept.is_empty() {
            kept
        } else {
            self.kept(gun).await?
        };
        let mut keys = self.open_keys(gun, Wanted::All).await?;
        let (name, stored) = (gun.to_owned(), kept.stored());
        let work = spawn_blocking(move || {
            let mut sign = |role: &_, by: &_, message: &[u8]| keys.sign(role, by, message);
            let files = renew(&name, &stored, margins, now, &mut sign)?;
            Ok::<_, HostingError>((files, keys))
        });
        let (files, keys) = work.await.map_err(|_| HostingError::GivenUp)??;
        let Some(files) = files else { return Ok(kept) };
        match self.stored(gun, &kept, files, keys, now).await {
            // Another process did it just now.
            Ok(_) | Err(HostingError::Store(StoreError::Conflict { .. })) => self.kept(gun).await,
            Err(error) => Err(error),
        }
    }

    fn youngest(&self) -> SignedDuration {
        SignedDuration::from_hours(24 * 14).saturating_sub(self.inner.margins.timestamp)
    }
}

/// Repositories listed at once.
const PAGE: u32 = 1000;
