//! The verified present state of a repository, and what to remember of it.

use super::{Pruned, Snapshotted};
use crate::tuf::envelope::{Document, RoleKeys, Verified};
use crate::tuf::floor::Floor;
use crate::tuf::role::RoleName;
use crate::tuf::root::Root;
use crate::tuf::snapshot::Snapshot;
use crate::tuf::targets::Targets;
use crate::tuf::timestamp::Timestamp as TimestampFile;
use jiff::Timestamp;
use std::collections::BTreeMap;

/// The verified present state of a repository.
#[derive(Debug)]
pub struct Current {
    set: Snapshotted,
    targets: Verified<Targets>,
    delegations: BTreeMap<RoleName, Result<Verified<Targets>, Pruned>>,
    floor: Floor,
}

impl Current {
    pub(super) fn new(
        set: Snapshotted,
        targets: Verified<Targets>,
        delegations: BTreeMap<RoleName, Result<Verified<Targets>, Pruned>>,
        floor: Floor,
    ) -> Self {
        Self {
            set,
            targets,
            delegations,
            floor,
        }
    }

    /// The repository.
    pub fn gun(&self) -> &str {
        self.set.rooted.gun()
    }

    /// The root.
    pub fn root(&self) -> &Verified<Root> {
        self.set.rooted.root()
    }

    /// The timestamp.
    pub fn timestamp(&self) -> &Verified<TimestampFile> {
        &self.set.timestamp
    }

    /// The snapshot.
    pub fn snapshot(&self) -> &Verified<Snapshot> {
        &self.set.snapshot
    }

    /// The file of `targets`.
    pub fn targets(&self) -> &Verified<Targets> {
        &self.targets
    }

    /// The believed file of `targets` or of a delegation.
    pub fn role(&self, role: &RoleName) -> Option<&Verified<Targets>> {
        if *role == RoleName::targets() {
            return Some(&self.targets);
        }
        self.delegations.get(role)?.as_ref().ok()
    }

    /// Why the file of a delegation is there but not believed.
    pub fn pruned(&self, role: &RoleName) -> Option<&Pruned> {
        self.delegations.get(role)?.as_ref().err()
    }

    /// Every delegation that has a file, believed or not.
    pub fn delegations(
        &self,
    ) -> impl Iterator<Item = (&RoleName, Result<&Verified<Targets>, &Pruned>)> {
        self.delegations
            .iter()
            .map(|(role, file)| (role, file.as_ref()))
    }

    /// The keys of any role of this repository.
    pub fn keys_of(&self, role: &RoleName) -> Option<RoleKeys> {
        match role.parent() {
            None => Some(self.root().facts().keys_of(role)),
            Some(parent) => self.role(&parent)?.facts().delegations.keys_of(role),
        }
    }

    /// The keys whose signatures the next root needs: those with a certificate for this repository.
    pub fn root_keys(&self) -> RoleKeys {
        let root = self.root().facts();
        let certified = root.certified_keys(self.gun(), None);
        certified.unwrap_or_else(|_| root.keys_of(&RoleName::root()))
    }

    /// The memory to keep: nothing below these versions is acceptable any more.
    pub fn floor(&self) -> Floor {
        let mut floor = self.floor.clone();
        let root = self.root().facts();
        let mut raise = |role: RoleName, version| floor.raise(&role, &root.keys_of(&role), version);
        raise(RoleName::timestamp(), self.timestamp().facts().version);
        raise(RoleName::snapshot(), self.snapshot().facts().version);
        raise(RoleName::targets(), self.targets.facts().version);
        for (role, file) in self.delegations() {
            if let (Ok(file), Some(keys)) = (file, self.keys_of(role)) {
                floor.raise(role, &keys, file.facts().version);
            }
        }
        floor
    }

    /// The first moment at which some believed file is not valid any more, delegations included.
    pub fn unchanged_until(&self) -> Timestamp {
        let delegations = self.delegations.values().flatten();
        let delegations = delegations.map(|file| file.facts().expires().moment());
        delegations.fold(self.valid_until(), Timestamp::min)
    }

    /// The first moment at which some file is not valid any more without which nothing is.
    pub fn valid_until(&self) -> Timestamp {
        let base = [
            self.root().facts().expires(),
            self.timestamp().facts().expires(),
            self.snapshot().facts().expires(),
            self.targets.facts().expires(),
        ];
        let first = base.iter().map(|e| e.moment()).min();
        first.unwrap_or(Timestamp::MIN)
    }
}
