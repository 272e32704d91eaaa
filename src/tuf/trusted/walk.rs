//! The walk over `targets` and its delegations: which file comes next, and whether to believe it.

use super::{Current, Named, Snapshotted, claimed_version, open, raises_nothing, signed_version};
use crate::tuf::digest::FileMeta;
use crate::tuf::edit::SealedFile;
use crate::tuf::envelope::{RoleKeys, Verified};
use crate::tuf::error::{Malformed, TufError, of_role};
use crate::tuf::floor::Floor;
use crate::tuf::limits;
use crate::tuf::role::RoleName;
use crate::tuf::targets::Targets;
use jiff::Timestamp;
use std::collections::BTreeMap;

/// A delegated role that is named but cannot be believed.
#[derive(Clone, Debug)]
pub struct Pruned {
    /// Why
    pub fault: TufError,
    /// The version its file claims, only to number the next one
    pub claimed_version: u64,
    /// The file itself where only its date stands against it: its signers may renew it
    pub expired: Option<Box<Verified<Targets>>>,
}

/// The walk over `targets` and what it delegates to, each role before its children.
#[derive(Debug)]
pub struct Walk {
    set: Snapshotted,
    floor: Floor,
    /// When dates are judged; never, where what has lapsed is to be mended
    now: Option<Timestamp>,
    pending: Vec<RoleName>,
    found: BTreeMap<RoleName, Result<Verified<Targets>, Pruned>>,
}

impl Walk {
    pub(super) fn begin(set: Snapshotted, floor: Floor, now: Option<Timestamp>) -> Self {
        let pending = vec![RoleName::targets()];
        Self {
            set,
            floor,
            now,
            pending,
            found: BTreeMap::new(),
        }
    }

    /// The next file to bring: the role, and what the snapshot says of it.
    pub fn wanted(&mut self) -> Option<(RoleName, FileMeta)> {
        while let Some(role) = self.pending.last() {
            if let Some(meta) = self.set.snapshot.facts().of(role) {
                return Some((role.clone(), meta.clone()));
            }
            self.pending.pop(); // delegated, but nothing was ever signed
        }
        None
    }

    /// Believes the file of the role that [`Self::wanted`] named.
    ///
    /// A delegation that expired or lacks signatures is left out, as Notary v1 does; any other
    /// fault, or a file other than the one the snapshot names, means a set that nobody made.
    ///
    /// # Errors
    /// Any [`TufError`].
    pub fn accept(&mut self, file: &[u8]) -> Result<(), TufError> {
        match self.wanted() {
            Some((role, meta)) => self.open(role, file, meta.check(file)),
            None => Ok(()),
        }
    }

    /// The same for a file that was kept; false if another is wanted, which has to be brought.
    ///
    /// A kept file that is not wanted any more still raises the floor.
    ///
    /// # Errors
    /// Any [`TufError`].
    pub fn accept_kept(&mut self, file: &[u8]) -> Result<bool, TufError> {
        let Some((role, meta)) = self.wanted() else {
            return Ok(false);
        };
        let named = meta.check(file);
        if named.is_err() {
            self.remember(&role, file);
            return Ok(false);
        }
        self.open(role, file, named).map(|()| true)
    }

    /// The same for a file this process sealed; false if another is wanted.
    ///
    /// It was verified when it was sealed. That holds as long as the same keys are to sign it.
    ///
    /// # Errors
    /// Any [`TufError`].
    pub fn accept_sealed(&mut self, file: &SealedFile) -> Result<bool, TufError> {
        let Some((role, meta)) = self.wanted().filter(|(role, _)| role == file.role()) else {
            return Ok(false);
        };
        let named = meta.check(file.bytes());
        if named.is_err() {
            return Ok(false);
        }
        let keys = self.keys_of(&role);
        let done = match file.verified_by(&keys) {
            Some(verified) => {
                let lowest = self.floor.minimum(&role, &keys);
                let opened = verified.at_least(&role, lowest).map(|()| verified.clone());
                self.judge(role, file.bytes(), true, opened)
            }
            None => self.open(role, file.bytes(), named),
        };
        done.map(|()| true)
    }

    fn open(&mut self, role: RoleName, file: &[u8], named: Named) -> Result<(), TufError> {
        let vouched_for = named.is_ok();
        let opened = open(&role, file, named, &self.keys_of(&role), &self.floor);
        self.judge(role, file, vouched_for, opened)
    }

    fn judge(
        &mut self,
        role: RoleName,
        file: &[u8],
        vouched_for: bool,
        opened: Result<Verified<Targets>, TufError>,
    ) -> Result<(), TufError> {
        self.pending.pop();
        if self.found.len() >= limits::DELEGATIONS {
            return Err(of_role(&role)(Malformed::TooMany("delegations")));
        }
        let judged = match opened {
            Ok(targets) => match self.now.map(|now| targets.unexpired(&role, now)) {
                None | Some(Ok(())) => Ok(targets),
                Some(Err(fault)) => Err((fault, Some(Box::new(targets)))),
            },
            Err(fault) => Err((fault, None)),
        };
        match judged {
            Ok(targets) => {
                let children = targets.facts().delegations.roles.iter().rev();
                self.pending
                    .extend(children.map(|child| child.name.clone()));
                self.found.insert(role, Ok(targets));
            }
            Err((fault, expired)) if vouched_for && role.is_delegation() && fault.prunes_only() => {
                let claimed_version = claimed_version::<Targets>(&role, file).unwrap_or(0);
                self.found.insert(
                    role,
                    Err(Pruned {
                        fault,
                        claimed_version,
                        expired,
                    }),
                );
            }
            Err((fault, _)) => return Err(fault),
        }
        Ok(())
    }

    fn remember(&mut self, role: &RoleName, file: &[u8]) {
        let keys = self.keys_of(role);
        if raises_nothing(&self.floor, role, &keys, file) {
            return;
        }
        if let Some(version) = signed_version::<Targets>(role, file, &keys) {
            self.floor.raise(role, &keys, version);
        }
    }

    /// The present state, once nothing is wanted any more.
    ///
    /// # Errors
    /// [`TufError::NotNamed`] if `targets` was never accepted.
    pub fn finish(mut self) -> Result<Current, TufError> {
        let unfinished = self.wanted().map(|(role, _)| role);
        let targets = self.found.remove(&RoleName::targets()).and_then(Result::ok);
        match (unfinished, targets) {
            (None, Some(targets)) => Ok(Current::new(self.set, targets, self.found, self.floor)),
            (unfinished, _) => {
                let role = unfinished.unwrap_or_else(RoleName::targets);
                Err(TufError::NotNamed {
                    role,
                    by: RoleName::snapshot(),
                })
            }
        }
    }

    fn keys_of(&self, role: &RoleName) -> RoleKeys {
        let none = RoleKeys {
            keys: Vec::new(),
            threshold: 1,
        };
        match role.parent() {
            None => self.set.rooted.root.facts().keys_of(role),
            Some(parent) => match self.found.get(&parent) {
                Some(Ok(parent)) => parent.facts().delegations.keys_of(role).unwrap_or(none),
                _ => none,
            },
        }
    }
}
