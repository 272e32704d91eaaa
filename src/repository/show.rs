//! A repository's roles: who may sign what, how many must, and until when it holds.

use super::errand::Errand;
use super::{Error, Repository, Watch};
use crate::tuf::envelope::{RoleKeys, Verified};
use crate::tuf::key::KeyId;
use crate::tuf::role::RoleName;
use crate::tuf::trusted::Current;
use jiff::Timestamp;

/// One role as people look at it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleReport {
    /// The role
    pub role: String,
    /// Canonical ids of its keys
    pub key_ids: Vec<String>,
    /// Distinct keys needed
    pub threshold: u64,
    /// Prefixes of the tags it may sign; only for delegations
    pub paths: Vec<String>,
    /// The version of its file, if there is one that can be believed
    pub version: Option<u64>,
    /// When its file expires, or did
    pub expires: Option<Timestamp>,
    /// Why its file cannot be believed
    pub problem: Option<String>,
}

impl Repository {
    /// Every role of the repository: the four base roles, then the delegations.
    ///
    /// # Errors
    /// The repository has no trust data or cannot be believed.
    pub async fn roles(&self, now: Timestamp, watch: Watch<'_>) -> Result<Vec<RoleReport>, Error> {
        let current = self.refresh(&Errand::read(now), watch).await?;
        let (root, timestamp) = (current.root().facts(), current.timestamp().facts());
        let (snapshot, targets) = (current.snapshot().facts(), current.targets().facts());
        let mut reports = vec![
            base(
                &current,
                &RoleName::root(),
                root.version,
                root.expires.moment(),
            ),
            base(
                &current,
                &RoleName::targets(),
                targets.version,
                targets.expires.moment(),
            ),
            base(
                &current,
                &RoleName::snapshot(),
                snapshot.version,
                snapshot.expires.moment(),
            ),
            base(
                &current,
                &RoleName::timestamp(),
                timestamp.version,
                timestamp.expires.moment(),
            ),
        ];
        for signed in current.walk() {
            let Some(file) = current.role(&signed.role) else {
                continue;
            };
            for child in &file.facts().delegations.roles {
                let keys = file.facts().delegations.keys_of(&child.name);
                let pruned = current.pruned(&child.name);
                let expired = pruned.and_then(|pruned| pruned.expired.as_deref());
                let file = current.role(&child.name);
                let dated = file.or(expired).map(Verified::facts);
                let file = file.map(Verified::facts);
                reports.push(RoleReport {
                    paths: child.paths.clone(),
                    version: file.map(|file| file.version),
                    expires: dated.map(|file| file.expires.moment()),
                    problem: pruned.map(|pruned| pruned.fault.to_string()),
                    ..report(&child.name, keys.as_ref())
                });
            }
        }
        Ok(reports)
    }
}

fn base(current: &Current, role: &RoleName, version: u64, expires: Timestamp) -> RoleReport {
    let keys = current.keys_of(role);
    RoleReport {
        version: Some(version),
        expires: Some(expires),
        ..report(role, keys.as_ref())
    }
}

fn report(role: &RoleName, keys: Option<&RoleKeys>) -> RoleReport {
    RoleReport {
        role: role.to_string(),
        key_ids: keys
            .map(|k| k.canonical_ids().iter().map(KeyId::to_string).collect())
            .unwrap_or_default(),
        threshold: keys.map_or(1, |keys| keys.threshold),
        paths: Vec::new(),
        version: None,
        expires: None,
        problem: None,
    }
}
