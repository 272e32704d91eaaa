//! The checks of the files of one publish.

use super::{Bounds, File, Files, Refusal, Upload, bad_root, bad_snapshot, bad_targets, no_root};
use crate::tuf::canonical::Node;
use crate::tuf::envelope::{Document, RoleKeys, Unverified, Verified, file_bytes};
use crate::tuf::error::{Malformed, TufError, of_role};
use crate::tuf::role::RoleName;
use crate::tuf::root::Root;
use crate::tuf::snapshot::Snapshot;
use crate::tuf::targets::Targets;
use crate::tuf::trusted::Rooted;
use bytes::Bytes;
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// A publish while it is being checked.
pub(super) struct Publish<'a> {
    stored: &'a Files,
    upload: &'a Upload,
    bounds: Bounds,
    now: Timestamp,
    accepted: Files,
    loaded: BTreeSet<RoleName>,
}

impl<'a> Publish<'a> {
    /// Nothing is accepted yet.
    pub(super) fn new(
        stored: &'a Files,
        upload: &'a Upload,
        bounds: Bounds,
        now: Timestamp,
    ) -> Self {
        Self {
            stored,
            upload,
            bounds,
            now,
            accepted: Files::new(),
            loaded: BTreeSet::from([RoleName::root()]),
        }
    }

    /// What is accepted so far.
    pub(super) fn accepted(&self) -> &Files {
        &self.accepted
    }

    /// A file that the server signed.
    pub(super) fn add(&mut self, role: RoleName, file: File) {
        self.accepted.insert(role, file);
    }

    /// What is to be stored.
    pub(super) fn into_accepted(self) -> Files {
        self.accepted
    }

    /// The root that will be in force: the uploaded one, vouched for by the stored one, or that.
    ///
    /// The first root is version 1, or 2 where a client publishes anew what a server lost.
    pub(super) fn root(&mut self, gun: &str) -> Result<Rooted, Refusal> {
        let role = RoleName::root();
        let present = self
            .stored
            .get(&role)
            .map(|file| Rooted::kept(gun, &file.bytes));
        let present = present.transpose().map_err(bad_root)?;
        let Some(file) = self.upload.get(&role) else {
            let present = present.ok_or_else(no_root)?;
            present.in_force(self.now).map_err(bad_root)?;
            return Ok(present);
        };
        let claimed = self.parse(&role, file).and_then(|file| {
            let claimed: Result<Root, _> = file.claims(&role);
            claimed.map_err(of_role(&role))
        });
        let to = claimed.map_err(bad_root)?.version;
        let from = present.as_ref().map_or(1, Rooted::version);
        if to != from && to != from + 1 {
            let words = "Root modifications must increment the version.";
            return Err(Refusal::Root(format!("{words} Current {from}, new {to}")));
        }
        let new = match &present {
            Some(present) => present.successor(file, Some(self.now)),
            None => Rooted::first_use(gun, file, self.now),
        };
        let new = new.map_err(bad_root)?;
        new.in_force(self.now).map_err(bad_root)?;
        same_bytes(&role, new.root(), file).map_err(bad_root)?;
        self.take(role, new.version(), file);
        Ok(new)
    }

    /// Targets roles from the top down; what is not uploaded has to fit what is.
    pub(super) fn targets(&mut self, root: &Rooted) -> Result<(), Refusal> {
        let mut checked: BTreeMap<RoleName, Verified<Targets>> = BTreeMap::new();
        for role in self.targets_roles()? {
            let keys = match role.parent() {
                None => Some(root.root().facts().keys_of(&role)),
                Some(parent) => checked
                    .get(&parent)
                    .and_then(|parent| parent.facts().delegations.keys_of(&role)),
            };
            let keys = keys.ok_or_else(|| unknown(&role))?;
            let targets = self.targets_file(&role, &keys)?;
            self.loaded.insert(role.clone());
            checked.insert(role, targets);
        }
        Ok(())
    }

    /// The uploaded targets roles, and all above them.
    fn targets_roles(&self) -> Result<Vec<RoleName>, Refusal> {
        let mut roles = BTreeSet::from([RoleName::targets()]);
        for role in self.upload.keys().filter(|role| role.is_delegation()) {
            if role.depth() > self.bounds.delegation_depth {
                let most = self.bounds.delegation_depth;
                let words = format!("{role} is deeper than {most} delegations");
                return Err(Refusal::Targets(words));
            }
            let mut next = Some(role.clone());
            while let Some(role) = next {
                next = role.parent();
                roles.insert(role);
            }
        }
        let mut roles: Vec<_> = roles.into_iter().collect();
        roles.sort_by_key(RoleName::depth);
        Ok(roles)
    }

    fn targets_file(
        &mut self,
        role: &RoleName,
        keys: &RoleKeys,
    ) -> Result<Verified<Targets>, Refusal> {
        let Some(file) = self.upload.get(role) else {
            let file = self.stored.get(role).ok_or_else(|| unknown(role))?;
            return verified(role, &file.bytes, keys).map_err(bad_targets);
        };
        let file = file.clone();
        let parsed = self.parse(role, &file).map_err(bad_targets)?;
        let targets: Verified<Targets> = parsed.verify(role, keys).map_err(bad_targets)?;
        targets.unexpired(role, self.now).map_err(bad_targets)?;
        same_bytes(role, &targets, &file).map_err(bad_targets)?;
        let (count, most) = (
            targets.facts().delegations.roles.len(),
            self.bounds.delegations,
        );
        if count > most {
            let words = format!("{role} delegates to {count} roles, more than {most}");
            return Err(Refusal::Targets(words));
        }
        self.take(role.clone(), targets.facts().version, &file);
        Ok(targets)
    }

    /// The uploaded snapshot, if there is one; it describes what was looked at so far.
    pub(super) fn snapshot(
        &mut self,
        root: &Rooted,
    ) -> Result<Option<Verified<Snapshot>>, Refusal> {
        let role = RoleName::snapshot();
        let Some(file) = self.upload.get(&role) else {
            return Ok(None);
        };
        let keys = root.root().facts().keys_of(&role);
        let parsed = self.parse(&role, file).map_err(bad_snapshot)?;
        let snapshot: Verified<Snapshot> = parsed.verify(&role, &keys).map_err(bad_snapshot)?;
        snapshot.unexpired(&role, self.now).map_err(bad_snapshot)?;
        same_bytes(&role, &snapshot, file).map_err(bad_snapshot)?;
        for named in &self.loaded {
            if snapshot.facts().of(named).is_none() {
                let words = format!("the snapshot does not name {named}");
                return Err(Refusal::Snapshot(words));
            }
            self.has_the_file_in(&snapshot, named)?;
        }
        self.take(role, snapshot.facts().version, file);
        Ok(Some(snapshot))
    }

    /// Every version is above the stored one, and not so far that a stolen key could lock
    /// everybody out (NCC Group 2015, 3).
    pub(super) fn versions_grow(&self) -> Result<(), Refusal> {
        for (role, file) in &self.accepted {
            let from = self.stored.get(role).map_or(0, |file| file.version);
            let to = file.version;
            if to <= from {
                return Err(Refusal::Version(role.clone()));
            }
            if to - from > LONGEST_STEP {
                let words = format!("{role} version {to} is too far above {from}");
                return Err(Refusal::Validation(words));
            }
        }
        Ok(())
    }

    /// The snapshot names no file that is another one here, or none.
    pub(super) fn is_described_by(&self, snapshot: &Verified<Snapshot>) -> Result<(), Refusal> {
        for named in snapshot.facts().meta.keys() {
            let Some(named) = RoleName::parse(named) else {
                let words = format!("the snapshot names {named:?}, which is no role");
                return Err(Refusal::Snapshot(words));
            };
            self.has_the_file_in(snapshot, &named)?;
        }
        Ok(())
    }

    fn has_the_file_in(
        &self,
        snapshot: &Verified<Snapshot>,
        role: &RoleName,
    ) -> Result<(), Refusal> {
        let Some(meta) = snapshot.facts().of(role) else {
            return Ok(());
        };
        let Some(file) = self.accepted.get(role).or_else(|| self.stored.get(role)) else {
            let words = format!("the snapshot names {role}, which is not here");
            return Err(Refusal::Snapshot(words));
        };
        meta.check(&file.bytes).map_err(|difference| {
            let role = role.clone();
            bad_snapshot(TufError::WrongFile { role, difference })
        })
    }

    fn take(&mut self, role: RoleName, version: u64, bytes: &Bytes) {
        let bytes = bytes.clone();
        self.accepted.insert(role, File { version, bytes });
    }

    fn parse<'f>(&self, role: &RoleName, file: &'f [u8]) -> Result<Unverified<'f>, TufError> {
        let deepest = self.bounds.json_depth;
        Unverified::parse_within(file, deepest).map_err(of_role(role))
    }
}

/// What a file says of itself; only for files that were verified when they were stored.
pub(super) fn claimed<T: Document>(role: &RoleName, file: &[u8]) -> Option<T> {
    Unverified::parse(file).ok()?.claims(role).ok()
}

pub(super) fn verified<T: Document>(
    role: &RoleName,
    file: &[u8],
    keys: &RoleKeys,
) -> Result<Verified<T>, TufError> {
    let file = Unverified::parse(file).map_err(of_role(role))?;
    file.verify(role, keys)
}

/// A file has to be, to the byte, what the Go programs and we write of its facts: anything else
/// would be hashed differently by a server that writes it again (Cure53 TUF-01-001).
fn same_bytes<T: Document>(
    role: &RoleName,
    file: &Verified<T>,
    arrived: &[u8],
) -> Result<(), TufError> {
    let node: Node<'_> = file.facts().node();
    let same = |node: &Node<'_>| file_bytes(node, file.signatures()) == arrived;
    if same(&node) || same(&with_null_roles(node)) {
        return Ok(());
    }
    Err(of_role(role)(Malformed::NotCanonical))
}

fn unknown(role: &RoleName) -> Refusal {
    match role.parent() {
        None => Refusal::Hierarchy {
            missing: "targets",
            message: format!("{role} was not included in update and is not stored"),
        },
        Some(_) => Refusal::Targets(format!(
            "tuf: invalid role {role}. delegation does not exist"
        )),
    }
}

/// More versions at once than anybody makes.
const LONGEST_STEP: u64 = 10_000;

/// The same facts as Notary's client writes them once the last delegation of a file has ended.
fn with_null_roles(mut node: Node<'_>) -> Node<'_> {
    fn member<'n, 'a>(node: &'n mut Node<'a>, name: &str) -> Option<&'n mut Node<'a>> {
        let Node::Object(members) = node else {
            return None;
        };
        let mut members = members.iter_mut();
        members.find_map(|(other, value)| (other == name).then_some(value))
    }
    let delegations = member(&mut node, "delegations");
    let roles = delegations.and_then(|delegations| member(delegations, "roles"));
    if let Some(roles) = roles.filter(|roles| **roles == Node::List(Box::default())) {
        *roles = Node::Null;
    }
    node
}
