//! The next version of a repository from the present one, and what it needs signed.

mod delegations;
mod root;
mod seal;
mod tags;

pub use seal::Prepared;

use super::envelope::{Expires, RoleKeys, Verified};
use super::error::TufError;
use super::floor::Floor;
use super::key::PublicKey;
use super::role::RoleName;
use super::root::{KeyList, Root};
use super::snapshot::Snapshot;
use super::targets::Targets;
use super::trusted::{Current, Pruned};
use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Lifetimes in days (Notary v1 `const.go`).
const ROOT_DAYS: i64 = 3650;
const TARGETS_DAYS: i64 = 1095;
const SNAPSHOT_DAYS: i64 = 1095;

/// A version of a repository in the making; what does not change is shared with the present one.
#[derive(Debug)]
pub struct Draft {
    root: Root,
    /// The keys of the root before, which have to sign the next one too; none if there was none
    before: Option<RoleKeys>,
    targets: BTreeMap<RoleName, Arc<Targets>>,
    /// Versions already used up by files that are not believed
    numbered: BTreeMap<RoleName, u64>,
    snapshot: Option<Snapshot>,
    changed: BTreeSet<RoleName>,
    now: Timestamp,
}

/// A change that cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EditError {
    /// A name that Go's JSON writer refuses
    #[error("target name {0:?} has control characters")]
    ControlCharacters(String),
    /// A role that nobody delegates to
    #[error("tuf: invalid role {0}. this role is not known")]
    UnknownRole(RoleName),
}

/// One sealed file, ready to be published.
#[derive(Clone, Debug)]
pub struct SealedFile {
    role: RoleName,
    bytes: Bytes,
    expires: Timestamp,
    /// Targets roles: the file as a reader believes it, and the keys it is believed by
    believed: Option<(Verified<Targets>, RoleKeys)>,
}

impl SealedFile {
    /// Its role.
    pub fn role(&self) -> &RoleName {
        &self.role
    }

    /// Its bytes.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// When it stops being valid.
    pub fn expires(&self) -> Timestamp {
        self.expires
    }

    /// The verified file, if it was verified by these very keys.
    pub(super) fn verified_by(&self, keys: &RoleKeys) -> Option<&Verified<Targets>> {
        let (file, by) = self.believed.as_ref()?;
        (by == keys).then_some(file)
    }
}

/// Why a draft could not be sealed: the signer's own reason, or files we would refuse to read.
#[derive(Debug, thiserror::Error)]
pub enum SealError<E> {
    /// The signer gave up
    #[error(transparent)]
    Signer(E),
    /// What was signed does not verify
    #[error(transparent)]
    Refused(#[from] TufError),
}

impl Draft {
    /// Begins with the present state.
    pub fn of(current: &Current, now: Timestamp) -> Self {
        let mut targets = BTreeMap::from([(RoleName::targets(), current.targets().shared_facts())]);
        let mut numbered = BTreeMap::new();
        for (role, file) in current.delegations() {
            match file {
                Ok(file) => drop(targets.insert(role.clone(), file.shared_facts())),
                Err(Pruned {
                    expired: Some(file),
                    ..
                }) => {
                    targets.insert(role.clone(), file.shared_facts());
                }
                Err(pruned) => drop(numbered.insert(role.clone(), pruned.claimed_version)),
            }
        }
        Self {
            root: current.root().facts().clone(),
            before: Some(current.root_keys()),
            targets,
            numbered,
            snapshot: Some(current.snapshot().facts().clone()),
            changed: BTreeSet::new(),
            now,
        }
    }

    /// Begins a repository: these keys for the four base roles, nothing signed.
    pub fn first(keys: &BaseKeys, now: Timestamp) -> Self {
        let one = std::slice::from_ref;
        let listed = [
            (RoleName::root(), &keys.root[..], keys.root_threshold),
            (RoleName::snapshot(), one(&keys.snapshot), 1),
            (RoleName::targets(), one(&keys.targets), 1),
            (RoleName::timestamp(), one(&keys.timestamp), 1),
        ];
        let all = listed.iter().flat_map(|(_, keys, _)| keys.iter());
        let list = |keys: &[PublicKey], threshold| KeyList {
            key_ids: keys.iter().map(|key| key.id().clone()).collect(),
            threshold,
        };
        let root = Root {
            consistent_snapshot: false,
            expires: Expires::at(after(now, ROOT_DAYS)),
            keys: all.map(|key| (key.id().clone(), key.clone())).collect(),
            roles: listed
                .iter()
                .map(|(role, keys, threshold)| (role.to_string(), list(keys, *threshold)))
                .collect(),
            version: 1,
        };
        let role = RoleName::targets();
        let empty = Targets {
            version: 0,
            ..Targets::empty(Expires::at(after(now, TARGETS_DAYS)))
        };
        Self {
            root,
            before: None,
            targets: BTreeMap::from([(role.clone(), Arc::new(empty))]),
            numbered: BTreeMap::new(),
            snapshot: None,
            changed: BTreeSet::from([RoleName::root(), role]),
            now,
        }
    }

    /// Has root or a targets role signed again although nothing in it changed.
    pub fn sign_again(&mut self, role: &RoleName) {
        if *role == RoleName::root() || self.targets.contains_key(role) {
            self.changed.insert(role.clone());
        }
    }

    /// Numbers targets roles higher than what was seen under keys that stay: a repository that was
    /// deleted and begun again is not taken for an older one of its own.
    pub fn number_above(&mut self, floor: &Floor) {
        for role in self.changed.clone() {
            let lowest = self.keys_of(&role).map(|keys| floor.minimum(&role, &keys));
            let lowest = lowest.filter(|lowest| *lowest > 1);
            if let (Some(file), Some(lowest)) = (self.targets.get_mut(&role), lowest)
                && file.version < lowest
            {
                Arc::make_mut(file).version = lowest;
            }
        }
    }

    /// Whether anything is to be published.
    pub fn is_changed(&self) -> bool {
        !self.changed.is_empty()
    }

    /// The roles that need signatures, without the snapshot.
    pub fn changed(&self) -> impl Iterator<Item = &RoleName> {
        self.changed.iter()
    }

    /// What `role` will say once this draft is published.
    pub fn targets_of(&self, role: &RoleName) -> Option<&Targets> {
        self.targets.get(role).map(Arc::as_ref)
    }

    /// The keys that will have to sign `role`.
    pub fn keys_of(&self, role: &RoleName) -> Option<RoleKeys> {
        match role.parent() {
            None => Some(self.root.keys_of(role)),
            Some(parent) => self.targets.get(&parent)?.delegations.keys_of(role),
        }
    }

    fn file(&mut self, role: &RoleName) -> Result<&mut Arc<Targets>, EditError> {
        let known = *role == RoleName::targets() || self.keys_of(role).is_some();
        if !known {
            return Err(EditError::UnknownRole(role.clone()));
        }
        let version = self.numbered.get(role).copied().unwrap_or(0);
        let expires = Expires::at(after(self.now, TARGETS_DAYS));
        let fresh = || {
            Arc::new(Targets {
                version,
                ..Targets::empty(expires)
            })
        };
        Ok(self.targets.entry(role.clone()).or_insert_with(fresh))
    }
}

/// The public keys of a repository's first root.
#[derive(Clone, Debug)]
pub struct BaseKeys {
    /// The root keys, each in its certificate
    pub root: Vec<PublicKey>,
    /// How many of them have to sign a root
    pub root_threshold: u64,
    /// Signs snapshots; the server's or ours
    pub snapshot: PublicKey,
    /// Signs targets
    pub targets: PublicKey,
    /// The server's
    pub timestamp: PublicKey,
}

fn after(now: Timestamp, days: i64) -> Timestamp {
    now.saturating_add(SignedDuration::from_hours(24 * days))
        .unwrap_or(Timestamp::MAX)
}
