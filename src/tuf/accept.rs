//! What a server accepts as the next state of a repository, and what it signs itself.
//!
//! The checks are those a reader makes, in the order of Notary's server (`validation.go`): root,
//! targets roles from the top down, snapshot, timestamp. Stricter than Notary: every version has
//! to grow, by a bounded step, and a file has to be what our own writer would make of its facts.

use super::digest::FileMeta;
use super::envelope::{Document, Expires, RoleKeys, Signature, Unverified, Verified, file_bytes};
use super::error::{Malformed, TufError, of_role};
use super::role::RoleName;
use super::root::Root;
use super::snapshot::Snapshot;
use super::targets::Targets;
use super::timestamp::Timestamp as TimestampFile;
use super::trusted::Rooted;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;

/// The newest file of each role.
pub type Files = BTreeMap<RoleName, Vec<u8>>;

/// Why a publish is refused, in the classes of Notary's `INVALID_UPDATE`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The set would lack a file
    #[error("{message}")]
    Hierarchy {
        /// The role that is missing
        missing: &'static str,
        /// What the server says of it
        message: String,
    },
    /// The root
    #[error("{0}")]
    Root(String),
    /// The snapshot
    #[error("{0}")]
    Snapshot(String),
    /// A targets role
    #[error("{0}")]
    Targets(String),
    /// The whole
    #[error("{0}")]
    Validation(String),
    /// A version that is not above the stored one
    #[error("a newer version of {0} is already available")]
    Version(RoleName),
}

/// Signs for a role with the server's key, if the server holds one of `keys`.
pub type Online<'s> = &'s mut (dyn FnMut(&RoleName, &RoleKeys, &[u8]) -> Option<Signature> + Send);

/// Accepts an upload on top of what is stored: every file to store, snapshot and timestamp too.
///
/// # Errors
/// [`Refusal`]
pub fn accept(
    gun: &str,
    stored: &Files,
    upload: &Files,
    now: Timestamp,
    online: Online<'_>,
) -> Result<Files, Refusal> {
    let mut accepted = Files::new();
    let root = accept_root(gun, stored, upload, now, &mut accepted)?;
    accept_targets(root.root().facts(), stored, upload, now, &mut accepted)?;
    accept_snapshot(&root, stored, upload, now, online, &mut accepted)?;
    let timestamp = next_timestamp(root.root().facts(), stored, &accepted, now, online)?;
    accepted.insert(RoleName::timestamp(), timestamp);
    Ok(accepted)
}

/// Signs a new timestamp, and a new snapshot if that expired, where one of them is due.
///
/// # Errors
/// [`Refusal`]: the server does not hold the key that is needed.
pub fn renew(
    gun: &str,
    stored: &Files,
    now: Timestamp,
    online: Online<'_>,
) -> Result<Option<Files>, Refusal> {
    let root = stored.get(&RoleName::root()).ok_or_else(no_root)?;
    let root = Rooted::kept(gun, root).map_err(bad_root)?;
    root.in_force(now).map_err(bad_root)?;
    let due = |role: &RoleName| is_due(stored, role, &root.root().facts().keys_of(role), now);
    let (snapshot, timestamp) = (RoleName::snapshot(), RoleName::timestamp());
    if !due(&snapshot) && !due(&timestamp) {
        return Ok(None);
    }
    let mut renewed = Files::new();
    if due(&snapshot) {
        let file = next_snapshot(&root, stored, &Files::new(), now, online)?;
        renewed.insert(snapshot, file);
    }
    let file = next_timestamp(root.root().facts(), stored, &renewed, now, online)?;
    renewed.insert(timestamp, file);
    Ok(Some(renewed))
}

fn is_due(stored: &Files, role: &RoleName, keys: &RoleKeys, now: Timestamp) -> bool {
    let Some(file) = stored.get(role) else {
        return true;
    };
    let expires = match role.as_str() {
        "snapshot" => signed::<Snapshot>(role, file, keys).map(|f| f.facts().expires.moment()),
        _ => signed::<TimestampFile>(role, file, keys).map(|f| f.facts().expires.moment()),
    };
    expires.is_none_or(|expires| expires <= now)
}

fn accept_root(
    gun: &str,
    stored: &Files,
    upload: &Files,
    now: Timestamp,
    accepted: &mut Files,
) -> Result<Rooted, Refusal> {
    let role = RoleName::root();
    let present = match stored.get(&role) {
        Some(file) => Some(Rooted::kept(gun, file).map_err(bad_root)?),
        None => None,
    };
    let Some(file) = upload.get(&role) else {
        let present = present.ok_or_else(no_root)?;
        present.in_force(now).map_err(bad_root)?;
        return Ok(present);
    };
    let new = match &present {
        Some(present) => {
            step(
                &role,
                present.version(),
                claimed::<Root>(&role, file).map_err(bad_root)?.version,
            )?;
            present.newest(file, now).map_err(bad_root)?
        }
        None => Rooted::first_use(gun, file, now).map_err(bad_root)?,
    };
    let (from, to) = (present.map_or(1, |p| p.version()), new.version());
    if to != from && to != from + 1 {
        let words = "Root modifications must increment the version.";
        return Err(Refusal::Root(format!("{words} Current {from}, new {to}")));
    }
    same_bytes(&role, new.root(), file).map_err(bad_root)?;
    accepted.insert(role, file.clone());
    Ok(new)
}

/// Checks targets roles from the top down; what is not uploaded has to fit what is.
fn accept_targets(
    root: &Root,
    stored: &Files,
    upload: &Files,
    now: Timestamp,
    accepted: &mut Files,
) -> Result<(), Refusal> {
    let mut checked: BTreeMap<RoleName, Verified<Targets>> = BTreeMap::new();
    let mut wanted: Vec<RoleName> = Vec::new();
    for role in upload.keys().filter(|role| is_targets(role)) {
        let mut up = Some(role.clone());
        while let Some(role) = up {
            up = role.parent();
            wanted.push(role);
        }
    }
    wanted.push(RoleName::targets());
    wanted.sort_by_key(|role| (role.depth(), role.clone()));
    wanted.dedup();
    for role in wanted {
        let keys = match role.parent() {
            None => Some(root.keys_of(&role)),
            Some(parent) => checked
                .get(&parent)
                .and_then(|p| p.facts().delegations.keys_of(&role)),
        };
        let keys = keys.ok_or_else(|| unknown(&role))?;
        let file = upload.get(&role).or_else(|| stored.get(&role));
        let Some(file) = file else {
            let message = format!("missing {role}");
            return Err(Refusal::Hierarchy {
                missing: "targets",
                message,
            });
        };
        let targets = verified::<Targets>(&role, file, &keys).map_err(bad_targets)?;
        if upload.contains_key(&role) {
            targets.unexpired(&role, now).map_err(bad_targets)?;
            same_bytes(&role, &targets, file).map_err(bad_targets)?;
            step(
                &role,
                version::<Targets>(stored, &role),
                targets.facts().version,
            )?;
            accepted.insert(role.clone(), file.clone());
        }
        checked.insert(role, targets);
    }
    Ok(())
}

fn accept_snapshot(
    root: &Rooted,
    stored: &Files,
    upload: &Files,
    now: Timestamp,
    online: Online<'_>,
    accepted: &mut Files,
) -> Result<(), Refusal> {
    let role = RoleName::snapshot();
    let Some(file) = upload.get(&role) else {
        let snapshot = next_snapshot(root, stored, accepted, now, online)?;
        accepted.insert(role, snapshot);
        return Ok(());
    };
    let snapshot = verified::<Snapshot>(&role, file, &root.root().facts().keys_of(&role))
        .map_err(bad_snapshot)?;
    snapshot.unexpired(&role, now).map_err(bad_snapshot)?;
    same_bytes(&role, &snapshot, file).map_err(bad_snapshot)?;
    step(
        &role,
        version::<Snapshot>(stored, &role),
        snapshot.facts().version,
    )?;
    for (named, meta) in &snapshot.facts().meta {
        let Some(named) = RoleName::parse(named) else {
            continue;
        };
        let Some(bytes) = accepted.get(&named).or_else(|| stored.get(&named)) else {
            return Err(Refusal::Snapshot(format!(
                "the snapshot names {named}, which is not here"
            )));
        };
        meta.check(bytes).map_err(|difference| {
            Refusal::Snapshot(
                TufError::WrongFile {
                    role: named,
                    difference,
                }
                .to_string(),
            )
        })?;
    }
    if let Some(named) = accepted
        .keys()
        .find(|named| snapshot.facts().of(named).is_none())
    {
        return Err(Refusal::Snapshot(format!(
            "the snapshot does not name {named}"
        )));
    }
    accepted.insert(role, file.clone());
    Ok(())
}

/// The server's snapshot of what is stored and what is accepted.
fn next_snapshot(
    root: &Rooted,
    stored: &Files,
    accepted: &Files,
    now: Timestamp,
    online: Online<'_>,
) -> Result<Vec<u8>, Refusal> {
    let role = RoleName::snapshot();
    let present = stored
        .get(&role)
        .and_then(|file| claimed::<Snapshot>(&role, file).ok());
    let (mut meta, version) = present.map_or((BTreeMap::new(), 0), |p| (p.meta, p.version));
    for (named, file) in accepted {
        meta.insert(named.to_string(), FileMeta::of(file));
    }
    meta.insert("root".to_owned(), FileMeta::of(root.file()));
    let expires = Expires::at(after(now, SNAPSHOT_DAYS));
    let snapshot = Snapshot {
        expires,
        meta,
        version: version + 1,
    };
    seal(
        &role,
        &snapshot,
        &root.root().facts().keys_of(&role),
        online,
    )
    .ok_or_else(|| Refusal::Hierarchy {
        missing: "snapshot",
        message:
            "no snapshot was included in update and server does not hold current snapshot key for \
                  repository"
                .to_owned(),
    })
}

fn next_timestamp(
    root: &Root,
    stored: &Files,
    accepted: &Files,
    now: Timestamp,
    online: Online<'_>,
) -> Result<Vec<u8>, Refusal> {
    let (role, named) = (RoleName::timestamp(), RoleName::snapshot());
    let snapshot = accepted.get(&named).or_else(|| stored.get(&named));
    let snapshot = snapshot.ok_or_else(|| Refusal::Validation("no snapshot".to_owned()))?;
    let timestamp = TimestampFile {
        expires: Expires::at(after(now, TIMESTAMP_DAYS)),
        snapshot: FileMeta::of(snapshot),
        version: version::<TimestampFile>(stored, &role) + 1,
    };
    seal(&role, &timestamp, &root.keys_of(&role), online)
        .ok_or_else(|| Refusal::Root("no timestamp keys exist on the server".to_owned()))
}

/// Signs with the server's key; what comes out is what a reader accepts.
fn seal<T: Document>(
    role: &RoleName,
    facts: &T,
    keys: &RoleKeys,
    online: Online<'_>,
) -> Option<Vec<u8>> {
    let value = facts.node();
    let signature = online(role, keys, &value.canonical())?;
    let file = file_bytes(&value, &[signature]);
    verified::<T>(role, &file, keys).ok()?;
    Some(file)
}

/// A file has to be, to the byte, what the Go programs and we write of its facts: anything else
/// would be hashed differently by a server that writes it again (Cure53 TUF-01-001).
fn same_bytes<T: Document>(
    role: &RoleName,
    file: &Verified<T>,
    arrived: &[u8],
) -> Result<(), TufError> {
    if file_bytes(&file.facts().node(), file.signatures()) == arrived {
        return Ok(());
    }
    Err(of_role(role)(Malformed::NotCanonical))
}

/// Versions grow, and not so far that a stolen key could lock everybody out (NCC Group 2015, 3).
fn step(role: &RoleName, from: u64, to: u64) -> Result<(), Refusal> {
    if to <= from {
        return Err(Refusal::Version(role.clone()));
    }
    if to - from > LONGEST_STEP {
        let words = format!("{role} version {to} is too far above {from}");
        return Err(Refusal::Validation(words));
    }
    Ok(())
}

fn version<T: Document>(stored: &Files, role: &RoleName) -> u64 {
    let claimed = stored
        .get(role)
        .and_then(|file| claimed::<T>(role, file).ok());
    claimed.map_or(0, |facts| facts.version())
}

fn claimed<T: Document>(role: &RoleName, file: &[u8]) -> Result<T, TufError> {
    let file = Unverified::parse(file).map_err(of_role(role))?;
    file.claims(role).map_err(of_role(role))
}

fn verified<T: Document>(
    role: &RoleName,
    file: &[u8],
    keys: &RoleKeys,
) -> Result<Verified<T>, TufError> {
    Unverified::parse(file)
        .map_err(of_role(role))?
        .verify(role, keys)
}

fn signed<T: Document>(role: &RoleName, file: &[u8], keys: &RoleKeys) -> Option<Verified<T>> {
    verified(role, file, keys).ok()
}

fn is_targets(role: &RoleName) -> bool {
    *role == RoleName::targets() || role.is_delegation()
}

fn unknown(role: &RoleName) -> Refusal {
    Refusal::Targets(format!(
        "tuf: invalid role {role}. delegation does not exist"
    ))
}

fn no_root() -> Refusal {
    Refusal::Validation("no pre-existing root and no root provided in update.".to_owned())
}

#[expect(clippy::needless_pass_by_value, reason = "stands in map_err")]
fn bad_root(error: TufError) -> Refusal {
    Refusal::Root(error.to_string())
}

#[expect(clippy::needless_pass_by_value, reason = "stands in map_err")]
fn bad_targets(error: TufError) -> Refusal {
    Refusal::Targets(error.to_string())
}

#[expect(clippy::needless_pass_by_value, reason = "stands in map_err")]
fn bad_snapshot(error: TufError) -> Refusal {
    Refusal::Snapshot(error.to_string())
}

fn after(now: Timestamp, days: i64) -> Timestamp {
    now.saturating_add(SignedDuration::from_hours(24 * days))
        .unwrap_or(Timestamp::MAX)
}

/// Notary v1 `const.go`, in days.
const SNAPSHOT_DAYS: i64 = 1095;
const TIMESTAMP_DAYS: i64 = 14;
/// More versions at once than anybody makes.
const LONGEST_STEP: u64 = 10_000;
