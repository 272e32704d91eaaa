//! Trusting a root because somebody knows its key, not because it came first.

use super::errand::Errand;
use super::evidence::root_keys;
use super::{Error, Repository, Watch};
use crate::policy::RootTrust;
use jiff::Timestamp;

impl Repository {
    /// The root is one that `trust` names, and this machine keeps it; why, in words.
    ///
    /// Where no root was kept, nothing is if this fails.
    ///
    /// # Errors
    /// [`Error::RootNotTrusted`], or the repository cannot be believed.
    pub async fn pin(
        &self,
        trust: &RootTrust,
        now: Timestamp,
        watch: Watch<'_>,
    ) -> Result<String, Error> {
        let errand = Errand::read_pinned(now, trust);
        let current = self.refresh(&errand, watch).await?;
        let keys = root_keys(current.root());
        let holds = trust.holds_for(&self.gun, &keys, now);
        holds.map_err(Error::RootNotTrusted)
    }
}
