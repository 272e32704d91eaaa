//! From a root to the present state of a repository, one irreversible step at a time.
//!
//! `Rooted` → `Timestamped` → `Snapshotted` → [`Walk`] over the targets roles → [`Current`].
//! Each step takes the bytes that arrived, the [`Floor`] and the time; nothing else.

use super::digest::{Difference, FileMeta};
use super::envelope::{Document, RoleKeys, Unverified, Verified};
use super::error::{Malformed, TufError, of_role};
use super::floor::Floor;
use super::limits;
use super::role::RoleName;
use super::root::{Root, self_signed};
use super::snapshot::Snapshot;
use super::targets::Targets;
use super::timestamp::Timestamp as TimestampFile;
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A repository whose root is trusted.
#[derive(Clone, Debug)]
pub struct Rooted {
    gun: Arc<str>,
    root: Arc<Verified<Root>>,
}

impl Rooted {
    /// Trusts the root this machine kept: signed by itself and made for `gun`.
    ///
    /// Dates are judged when the root is used, so that an old one can still lead to its successor.
    ///
    /// # Errors
    /// The kept file was damaged or belongs to another repository.
    pub fn kept(gun: &str, file: &[u8]) -> Result<Self, TufError> {
        let root = self_signed(file, gun, None)?;
        Ok(Self {
            gun: gun.into(),
            root: Arc::new(root),
        })
    }

    /// Trusts the first root seen of a repository, in force at `now`.
    ///
    /// # Errors
    /// Not signed by itself, made for another repository, or expired.
    pub fn first_use(gun: &str, file: &[u8], now: Timestamp) -> Result<Self, TufError> {
        let root = self_signed(file, gun, Some(now))?;
        root.unexpired(&RoleName::root(), now)?;
        Ok(Self {
            gun: gun.into(),
            root: Arc::new(root),
        })
    }

    /// Accepts the very next root if both the old and the new keys agree; dates do not matter.
    ///
    /// # Errors
    /// [`TufError::RootMismatch`] if the old keys did not sign or a version is skipped.
    pub fn step(&self, file: &[u8]) -> Result<Self, TufError> {
        let next = self.successor(file, None)?;
        let (from, to) = (self.version(), next.version());
        if to != from + 1 {
            return Err(TufError::RootMismatch(format!(
                "version {to} follows version {from}"
            )));
        }
        Ok(next)
    }

    /// Accepts the newest root if the old and the new keys agree and it is in force.
    ///
    /// # Errors
    /// [`TufError::RootMismatch`], [`TufError::Rollback`] or [`TufError::Expired`].
    pub fn newest(&self, file: &[u8], now: Timestamp) -> Result<Self, TufError> {
        let next = self.successor(file, Some(now))?;
        next.root.at_least(&RoleName::root(), self.version())?;
        if next.version() == self.version() && next.root.facts() != self.root.facts() {
            let words = format!("another root of version {}", self.version());
            return Err(TufError::RootMismatch(words));
        }
        next.root.unexpired(&RoleName::root(), now)?;
        Ok(next)
    }

    fn successor(&self, file: &[u8], now: Option<Timestamp>) -> Result<Self, TufError> {
        let role = RoleName::root();
        let old = self.root.facts().certified_keys(&self.gun, None)?;
        let unverified = Unverified::parse(file).map_err(of_role(&role))?;
        if unverified.count(&role, &old).is_err() {
            let words = "failed to validate data with current trusted certificates";
            return Err(TufError::RootMismatch(words.to_owned()));
        }
        let root = self_signed(file, &self.gun, now)?;
        Ok(Self {
            gun: Arc::clone(&self.gun),
            root: Arc::new(root),
        })
    }

    /// The repository.
    pub fn gun(&self) -> &str {
        &self.gun
    }

    /// The version of the root.
    pub fn version(&self) -> u64 {
        self.root.facts().version
    }

    /// The root itself.
    pub fn root(&self) -> &Verified<Root> {
        &self.root
    }

    /// Refuses a root, or certificates in it, past their date.
    ///
    /// # Errors
    /// [`TufError::Expired`]
    pub fn in_force(&self, now: Timestamp) -> Result<(), TufError> {
        self.root.unexpired(&RoleName::root(), now)?;
        self.root
            .facts()
            .certified_keys(&self.gun, Some(now))
            .map(|_| ())
    }

    /// Believes a timestamp signed under this root.
    ///
    /// # Errors
    /// Any [`TufError`]; the root's own date counts too.
    pub fn timestamp(
        &self,
        file: &[u8],
        floor: &Floor,
        now: Timestamp,
    ) -> Result<Timestamped, TufError> {
        self.in_force(now)?;
        let role = RoleName::timestamp();
        let keys = self.root.facts().keys_of(&role);
        let timestamp = open::<TimestampFile>(&role, file, Ok(()), &keys, floor)?;
        timestamp.unexpired(&role, now)?;
        Ok(Timestamped {
            rooted: self.clone(),
            timestamp,
        })
    }

    /// The versions that files kept earlier prove this machine has seen, dates aside.
    pub fn remember(&self, floor: &mut Floor, role: &RoleName, file: &[u8]) {
        let keys = self.root.facts().keys_of(role);
        let version = match role.as_str() {
            "timestamp" => signed_version::<TimestampFile>(role, file, &keys),
            "snapshot" => signed_version::<Snapshot>(role, file, &keys),
            _ => signed_version::<Targets>(role, file, &keys),
        };
        if let Some(version) = version {
            floor.raise(role, &keys, version);
        }
    }
}

/// A root and the timestamp it vouches for.
#[derive(Clone, Debug)]
pub struct Timestamped {
    rooted: Rooted,
    timestamp: Verified<TimestampFile>,
}

impl Timestamped {
    /// When the timestamp stops being valid.
    pub fn valid_until(&self) -> Timestamp {
        self.timestamp.facts().expires.moment()
    }

    /// The snapshot that has to be fetched.
    pub fn snapshot_meta(&self) -> &FileMeta {
        &self.timestamp.facts().snapshot
    }

    /// Believes the snapshot that the timestamp names.
    ///
    /// # Errors
    /// Any [`TufError`].
    pub fn snapshot(
        self,
        file: &[u8],
        floor: &Floor,
        now: Timestamp,
    ) -> Result<Snapshotted, TufError> {
        let role = RoleName::snapshot();
        let keys = self.rooted.root.facts().keys_of(&role);
        let named = self.snapshot_meta().check(file);
        let snapshot = open::<Snapshot>(&role, file, named, &keys, floor)?;
        snapshot.unexpired(&role, now)?;
        Ok(Snapshotted {
            rooted: self.rooted,
            timestamp: self.timestamp,
            snapshot,
        })
    }
}

/// A root, a timestamp and the consistent set of files they name.
#[derive(Clone, Debug)]
pub struct Snapshotted {
    rooted: Rooted,
    timestamp: Verified<TimestampFile>,
    snapshot: Verified<Snapshot>,
}

impl Snapshotted {
    /// Checks that the root in use is the one of this set.
    ///
    /// # Errors
    /// [`TufError::WrongFile`]: there is a newer root to follow, or the set is from another time.
    pub fn names_root(&self) -> Result<(), TufError> {
        let role = RoleName::root();
        match self.snapshot.facts().of(&role) {
            Some(meta) => meta
                .check(self.rooted.root.bytes())
                .map_err(|difference| TufError::WrongFile { role, difference }),
            None => Err(TufError::NotNamed {
                role,
                by: RoleName::snapshot(),
            }),
        }
    }

    /// Begins the walk over the targets roles.
    ///
    /// # Errors
    /// [`Self::names_root`]
    pub fn walk(self, floor: Floor, now: Timestamp) -> Result<Walk, TufError> {
        self.names_root()?;
        let pending = vec![RoleName::targets()];
        Ok(Walk {
            set: self,
            floor,
            now,
            pending,
            found: BTreeMap::new(),
        })
    }
}

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
    now: Timestamp,
    pending: Vec<RoleName>,
    found: BTreeMap<RoleName, Result<Verified<Targets>, Pruned>>,
}

impl Walk {
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
            Some((role, meta)) => self.judge(role, file, meta.check(file)),
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
        self.judge(role, file, named).map(|()| true)
    }

    fn judge(&mut self, role: RoleName, file: &[u8], named: Named) -> Result<(), TufError> {
        self.pending.pop();
        if self.found.len() >= limits::DELEGATIONS {
            return Err(of_role(&role)(Malformed::TooMany("delegations")));
        }
        let vouched_for = named.is_ok();
        let opened = open::<Targets>(&role, file, named, &self.keys_of(&role), &self.floor);
        let judged = match opened {
            Ok(targets) => match targets.unexpired(&role, self.now) {
                Ok(()) => Ok(targets),
                Err(fault) => Err((fault, Some(Box::new(targets)))),
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
            (None, Some(targets)) => Ok(Current {
                set: self.set,
                targets,
                delegations: self.found,
                floor: self.floor,
            }),
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

/// The verified present state of a repository.
#[derive(Debug)]
pub struct Current {
    set: Snapshotted,
    targets: Verified<Targets>,
    delegations: BTreeMap<RoleName, Result<Verified<Targets>, Pruned>>,
    floor: Floor,
}

impl Current {
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

    /// The first moment at which some believed file is not valid any more.
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

/// The version a file says it has, before anybody vouched for it.
///
/// # Errors
/// The file is malformed.
pub fn claimed_root_version(file: &[u8]) -> Result<u64, TufError> {
    let role = RoleName::root();
    let unverified = Unverified::parse(file).map_err(of_role(&role))?;
    unverified
        .claims::<Root>(&role)
        .map(|root| root.version)
        .map_err(of_role(&role))
}

fn claimed_version<T: Document>(role: &RoleName, file: &[u8]) -> Option<u64> {
    Some(
        Unverified::parse(file)
            .ok()?
            .claims::<T>(role)
            .ok()?
            .version(),
    )
}

fn signed_version<T: Document>(role: &RoleName, file: &[u8], keys: &RoleKeys) -> Option<u64> {
    let verified = Unverified::parse(file).ok()?.verify::<T>(role, keys).ok()?;
    Some(verified.facts().version())
}

/// Whether a file has the length and hashes that another file states of it.
type Named = Result<(), Difference>;

/// Checks signatures and version of one file; where its hash is wrong, finds the reason that
/// says most.
fn open<T: Document>(
    role: &RoleName,
    file: &[u8],
    named: Named,
    keys: &RoleKeys,
    floor: &Floor,
) -> Result<Verified<T>, TufError> {
    let verified = Unverified::parse(file)
        .map_err(of_role(role))?
        .verify::<T>(role, keys)?;
    verified.at_least(role, floor.minimum(role, keys))?;
    named.map_err(|difference| TufError::WrongFile {
        role: role.clone(),
        difference,
    })?;
    Ok(verified)
}
