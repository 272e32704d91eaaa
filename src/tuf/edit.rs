//! The next version of a repository from the present one, and what it needs signed.

use super::delegation::Delegation;
use super::digest::FileMeta;
use super::envelope::{Document, Expires, RoleKeys, Signature, Unverified, Verified, sealed};
use super::error::{Malformed, TufError, of_role};
use super::key::{KeyId, PublicKey};
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
    first: bool,
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
            first: false,
            targets,
            numbered,
            snapshot: Some(current.snapshot().facts().clone()),
            changed: BTreeSet::new(),
            now,
        }
    }

    /// Begins a repository: these keys for the four base roles, nothing signed.
    pub fn first(keys: &BaseKeys, now: Timestamp) -> Self {
        let listed = [
            (RoleName::root(), &keys.root),
            (RoleName::snapshot(), &keys.snapshot),
            (RoleName::targets(), &keys.targets),
            (RoleName::timestamp(), &keys.timestamp),
        ];
        let list = |key: &PublicKey| KeyList {
            key_ids: vec![key.id().clone()],
            threshold: 1,
        };
        let root = Root {
            consistent_snapshot: false,
            expires: Expires::at(after(now, ROOT_DAYS)),
            keys: listed
                .iter()
                .map(|(_, key)| (key.id().clone(), (*key).clone()))
                .collect(),
            roles: listed
                .iter()
                .map(|(role, key)| (role.to_string(), list(key)))
                .collect(),
            version: 1,
        };
        let role = RoleName::targets();
        let empty = Targets::empty(Expires::at(after(now, TARGETS_DAYS)));
        Self {
            root,
            first: true,
            targets: BTreeMap::from([(role.clone(), Arc::new(empty))]),
            numbered: BTreeMap::new(),
            snapshot: None,
            changed: BTreeSet::from([RoleName::root(), role]),
            now,
        }
    }

    /// Signs `name` as `meta` in `role`; the same meta again changes nothing.
    ///
    /// # Errors
    /// A role nobody delegates to, or a name Go cannot write.
    pub fn sign(&mut self, role: &RoleName, name: &str, meta: &FileMeta) -> Result<(), EditError> {
        if name.chars().any(char::is_control) {
            return Err(EditError::ControlCharacters(name.to_owned()));
        }
        let file = self.file(role)?;
        if file.targets.get(name) != Some(meta) {
            let file = Arc::make_mut(file);
            file.targets.insert(name.to_owned(), meta.clone());
            self.changed.insert(role.clone());
        }
        Ok(())
    }

    /// Takes `name` out of `role`; false if it was not there.
    pub fn revoke(&mut self, role: &RoleName, name: &str) -> bool {
        let removed = self
            .targets
            .get_mut(role)
            .filter(|file| file.targets.contains_key(name))
            .is_some_and(|file| Arc::make_mut(file).targets.remove(name).is_some());
        if removed {
            self.changed.insert(role.clone());
        }
        removed
    }

    /// Lets `keys` sign `name` below `targets`, for names under `paths`; adds to what is there.
    pub fn delegate(&mut self, name: &RoleName, keys: &[PublicKey], paths: &[String]) {
        let role = RoleName::targets();
        let Some(parent) = self.targets.get_mut(&role).map(Arc::make_mut) else {
            return;
        };
        let before = parent.delegations.clone();
        let delegations = &mut parent.delegations;
        for key in keys {
            delegations.keys.insert(key.id().clone(), key.clone());
        }
        if delegations.role(name).is_none() {
            let signers = KeyList {
                key_ids: Vec::new(),
                threshold: 1,
            };
            delegations.roles.push(Delegation {
                name: name.clone(),
                signers,
                paths: Vec::new(),
            });
        }
        for delegation in delegations.roles.iter_mut().filter(|d| d.name == *name) {
            add_new(
                &mut delegation.signers.key_ids,
                keys.iter().map(|key| key.id().clone()),
            );
            add_new(&mut delegation.paths, paths.iter().cloned());
        }
        if parent.delegations != before {
            self.changed.insert(role);
        }
    }

    /// Takes keys away from a delegation below `targets`; the ids are those in the metadata.
    pub fn withdraw_keys(&mut self, name: &RoleName, ids: &[KeyId]) {
        let Some(parent) = self.targets.get_mut(&RoleName::targets()) else {
            return;
        };
        let parent = Arc::make_mut(parent);
        let delegations = &mut parent.delegations;
        for delegation in delegations.roles.iter_mut().filter(|d| d.name == *name) {
            delegation.signers.key_ids.retain(|id| !ids.contains(id));
        }
        delegations.drop_unused_keys();
        self.changed.insert(RoleName::targets());
    }

    /// Ends a delegation below `targets`, and everything below it.
    pub fn end_delegation(&mut self, name: &RoleName) {
        let Some(parent) = self.targets.get_mut(&RoleName::targets()) else {
            return;
        };
        let parent = Arc::make_mut(parent);
        parent.delegations.roles.retain(|d| d.name != *name);
        parent.delegations.drop_unused_keys();
        self.changed.insert(RoleName::targets());
        let below = format!("{name}/");
        let gone = |role: &str| role == name.as_str() || role.starts_with(&below);
        self.targets.retain(|role, _| !gone(role.as_str()));
        self.changed.retain(|role| !gone(role.as_str()));
        if let Some(snapshot) = &mut self.snapshot {
            snapshot.meta.retain(|role, _| !gone(role));
        }
    }

    /// Has `role` signed again although nothing in it changed.
    pub fn sign_again(&mut self, role: &RoleName) {
        if self.targets.contains_key(role) {
            self.changed.insert(role.clone());
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

    /// Signs every changed role, the snapshot last where it is ours; all of it verified again.
    ///
    /// # Errors
    /// The signer's, or what a reader would refuse.
    pub fn seal<E>(
        mut self,
        own_snapshot: bool,
        mut sign: impl FnMut(&RoleName, &RoleKeys, &[u8]) -> Result<Vec<Signature>, E>,
    ) -> Result<Vec<SealedFile>, SealError<E>> {
        let mut files: Vec<SealedFile> = Vec::new();
        for role in std::mem::take(&mut self.changed) {
            let keys = self.keys_of(&role).unwrap_or(RoleKeys {
                keys: Vec::new(),
                threshold: 1,
            });
            let (bytes, believed) = if role == RoleName::root() {
                (seal_file(&role, &self.root, &keys, &mut sign)?.0, None)
            } else {
                let Some(targets) = self.next_targets(&role) else {
                    continue;
                };
                let (bytes, believed) = seal_file(&role, targets, &keys, &mut sign)?;
                (bytes, Some((believed, keys)))
            };
            files.push(SealedFile {
                role,
                bytes: bytes.into(),
                believed,
            });
        }
        if own_snapshot {
            let role = RoleName::snapshot();
            let keys = self.root.keys_of(&role);
            let (bytes, _) = seal_file(&role, &self.next_snapshot(&files), &keys, &mut sign)?;
            files.push(SealedFile {
                role,
                bytes: bytes.into(),
                believed: None,
            });
        }
        Ok(files)
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

    fn next_targets(&mut self, role: &RoleName) -> Option<&Targets> {
        let first = self.first;
        let targets = Arc::make_mut(self.targets.get_mut(role)?);
        targets.version = if first { 1 } else { targets.version + 1 };
        targets.expires = Expires::at(after(self.now, TARGETS_DAYS));
        Some(targets)
    }

    fn next_snapshot(&self, files: &[SealedFile]) -> Snapshot {
        let (mut meta, version) = match &self.snapshot {
            Some(present) => (present.meta.clone(), present.version + 1),
            None => (BTreeMap::new(), 1),
        };
        for file in files {
            meta.insert(file.role.to_string(), FileMeta::of(&file.bytes));
        }
        Snapshot {
            expires: Expires::at(after(self.now, SNAPSHOT_DAYS)),
            meta,
            version,
        }
    }
}

/// The public keys of a repository's first root.
#[derive(Clone, Debug)]
pub struct BaseKeys {
    /// The root key, in its certificate
    pub root: PublicKey,
    /// Signs snapshots; the server's or ours
    pub snapshot: PublicKey,
    /// Signs targets
    pub targets: PublicKey,
    /// The server's
    pub timestamp: PublicKey,
}

fn seal_file<T: Document, E>(
    role: &RoleName,
    facts: &T,
    keys: &RoleKeys,
    sign: &mut impl FnMut(&RoleName, &RoleKeys, &[u8]) -> Result<Vec<Signature>, E>,
) -> Result<(Vec<u8>, Verified<T>), SealError<E>> {
    let message = facts.node().canonical();
    let signatures = sign(role, keys, &message).map_err(SealError::Signer)?;
    let file = sealed(&message, &signatures);
    let believed = readable(role, &file, facts, keys)?;
    Ok((file, believed))
}

/// The same door a reader uses: we cannot publish what we would refuse.
fn readable<T: Document>(
    role: &RoleName,
    file: &[u8],
    facts: &T,
    keys: &RoleKeys,
) -> Result<Verified<T>, TufError> {
    let verified = Unverified::parse(file)
        .map_err(of_role(role))?
        .verify::<T>(role, keys)?;
    if verified.facts().version() == facts.version() {
        return Ok(verified);
    }
    Err(of_role(role)(Malformed::Wrong("version")))
}

fn add_new<T: PartialEq>(list: &mut Vec<T>, more: impl Iterator<Item = T>) {
    for item in more {
        if !list.contains(&item) {
            list.push(item);
        }
    }
}

fn after(now: Timestamp, days: i64) -> Timestamp {
    now.saturating_add(SignedDuration::from_hours(24 * days))
        .unwrap_or(Timestamp::MAX)
}
