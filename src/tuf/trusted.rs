//! From a root to the present state of a repository, one irreversible step at a time.
//!
//! `Rooted` → `Timestamped` → `Snapshotted` → [`Walk`] over the targets roles → [`Current`].
//! Each step takes the bytes that arrived, the [`Floor`] and the time; nothing else.

mod current;
mod lapsed;
mod walk;

pub use current::Current;
pub use lapsed::{Dated, Lapsed};
pub use walk::{Pruned, Walk};

use super::digest::{Difference, FileMeta};
use super::envelope::{Document, RoleKeys, Unverified, Verified};
use super::error::{TufError, of_role};
use super::floor::Floor;
use super::role::RoleName;
use super::root::{Root, self_signed};
use super::snapshot::Snapshot;
use super::targets::Targets;
use super::timestamp::Timestamp as TimestampFile;
use jiff::Timestamp;
use serde::Deserialize;
use std::sync::Arc;

/// A repository whose root is trusted.
#[derive(Clone, Debug)]
pub struct Rooted {
    gun: Arc<str>,
    root: Verified<Root>,
    file: Arc<[u8]>,
}

impl Rooted {
    /// Trusts the root this machine kept: signed by itself and made for `gun`.
    ///
    /// Dates are judged when the root is used, so that an old one can still lead to its successor.
    ///
    /// # Errors
    /// The kept file was damaged or belongs to another repository.
    pub fn kept(gun: &str, file: &[u8]) -> Result<Self, TufError> {
        Ok(Self {
            gun: gun.into(),
            root: self_signed(file, gun, None)?,
            file: file.into(),
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
            root,
            file: file.into(),
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
        let next = self.latest(file, Some(now))?;
        next.root.unexpired(&RoleName::root(), now)?;
        Ok(next)
    }

    /// The same whatever its date; of its certificates only those in force count if `now` is given.
    ///
    /// # Errors
    /// [`TufError::RootMismatch`] or [`TufError::Rollback`].
    pub fn latest(&self, file: &[u8], now: Option<Timestamp>) -> Result<Self, TufError> {
        let next = self.successor(file, now)?;
        next.root.at_least(&RoleName::root(), self.version())?;
        if next.version() == self.version() && next.root.facts() != self.root.facts() {
            let words = format!("another root of version {}", self.version());
            return Err(TufError::RootMismatch(words));
        }
        Ok(next)
    }

    /// Accepts a root that the keys trusted so far signed, whatever its version and date.
    pub(super) fn successor(&self, file: &[u8], now: Option<Timestamp>) -> Result<Self, TufError> {
        let role = RoleName::root();
        let old = self.root.facts().certified_keys(&self.gun, None)?;
        let unverified = Unverified::parse(file).map_err(of_role(&role))?;
        if unverified.count(&role, &old).is_err() {
            let words = "failed to validate data with current trusted certificates";
            return Err(TufError::RootMismatch(words.to_owned()));
        }
        Ok(Self {
            gun: Arc::clone(&self.gun),
            root: self_signed(file, &self.gun, now)?,
            file: file.into(),
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

    /// The bytes of the root as they arrived.
    pub fn file(&self) -> &[u8] {
        &self.file
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
        let timestamped = self.undated_timestamp(file, floor)?;
        let role = RoleName::timestamp();
        timestamped.timestamp.unexpired(&role, now)?;
        Ok(timestamped)
    }

    fn undated_timestamp(&self, file: &[u8], floor: &Floor) -> Result<Timestamped, TufError> {
        let role = RoleName::timestamp();
        let keys = self.root.facts().keys_of(&role);
        let timestamp = open::<TimestampFile>(&role, file, Ok(()), &keys, floor)?;
        Ok(Timestamped {
            rooted: self.clone(),
            timestamp,
        })
    }

    /// The versions that files kept earlier prove this machine has seen, dates aside.
    pub fn remember(&self, floor: &mut Floor, role: &RoleName, file: &[u8]) {
        let keys = self.root.facts().keys_of(role);
        if raises_nothing(floor, role, &keys, file) {
            return;
        }
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
        let set = self.undated_snapshot(file, floor)?;
        set.snapshot.unexpired(&RoleName::snapshot(), now)?;
        Ok(set)
    }

    fn undated_snapshot(self, file: &[u8], floor: &Floor) -> Result<Snapshotted, TufError> {
        let role = RoleName::snapshot();
        let keys = self.rooted.root.facts().keys_of(&role);
        let named = self.snapshot_meta().check(file);
        let snapshot = open::<Snapshot>(&role, file, named, &keys, floor)?;
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
                .check(self.rooted.file())
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
        Ok(Walk::begin(self, floor, Some(now)))
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

/// Whether remembering a file could only be in vain: it does not even state a higher version.
fn raises_nothing(floor: &Floor, role: &RoleName, keys: &RoleKeys, file: &[u8]) -> bool {
    let lowest = floor.minimum(role, keys);
    stated_version(file).is_some_and(|version| version <= lowest)
}

/// The version a file states, found without looking closely at the rest.
fn stated_version(file: &[u8]) -> Option<u64> {
    #[derive(Deserialize)]
    struct File {
        signed: Signed,
    }
    #[derive(Deserialize)]
    struct Signed {
        version: u64,
    }
    let file: File = serde_json::from_slice(file).ok()?;
    Some(file.signed.version)
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
