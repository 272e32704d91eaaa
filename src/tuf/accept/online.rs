//! What the server signs itself: the timestamp always, the snapshot where the root says so.

use super::files::{claimed, verified};
use super::{File, Files, Refusal, bad_root, no_root};
use crate::tuf::digest::FileMeta;
use crate::tuf::envelope::{Document, Expires, RoleKeys, Signature, Verified, file_bytes};
use crate::tuf::role::RoleName;
use crate::tuf::snapshot::Snapshot;
use crate::tuf::timestamp::Timestamp as TimestampFile;
use crate::tuf::trusted::Rooted;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;

/// Signs a message for a role with those of its keys that the server holds.
pub type Online<'s> = &'s mut (dyn FnMut(&RoleName, &RoleKeys, &[u8]) -> Vec<Signature> + Send);

/// How much time may be left when a file is signed anew.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Margins {
    /// Of the snapshot
    pub snapshot: SignedDuration,
    /// Of the timestamp
    pub timestamp: SignedDuration,
}

/// Signs a new timestamp, and a new snapshot before it, where one of them is due.
///
/// A snapshot that its owners sign stays as it is, also when it expired: readers are told so.
///
/// # Errors
/// [`Refusal`]: the root is not in force, or the server does not hold the timestamp key.
pub fn renew(
    gun: &str,
    stored: &Files,
    margins: Margins,
    now: Timestamp,
    online: Online<'_>,
) -> Result<Option<Files>, Refusal> {
    let root = stored.get(&RoleName::root()).ok_or_else(no_root)?;
    let root = Rooted::kept(gun, &root.bytes).map_err(bad_root)?;
    let mut renewed = Files::new();
    if snapshot_is_due(&root, stored, after(now, margins.snapshot)) {
        root.in_force(now).map_err(bad_root)?;
        if let Ok(file) = snapshot(&root, stored, &renewed, now, online) {
            renewed.insert(RoleName::snapshot(), file);
        }
    }
    if renewed.is_empty() && !timestamp_is_due(&root, stored, after(now, margins.timestamp)) {
        return Ok(None);
    }
    root.in_force(now).map_err(bad_root)?;
    let file = timestamp(&root, stored, &renewed, now, online)?;
    renewed.insert(RoleName::timestamp(), file);
    Ok(Some(renewed))
}

fn snapshot_is_due(root: &Rooted, stored: &Files, by: Timestamp) -> bool {
    let present = present::<Snapshot>(root, stored, &RoleName::snapshot());
    present.is_none_or(|file| file.facts().expires.moment() <= by)
}

/// Also due if it names another snapshot than the stored one, or its key is no longer that role's.
fn timestamp_is_due(root: &Rooted, stored: &Files, by: Timestamp) -> bool {
    let present = present::<TimestampFile>(root, stored, &RoleName::timestamp());
    let Some(present) = present else { return true };
    let snapshot = stored.get(&RoleName::snapshot());
    let names = |snapshot: &File| present.facts().snapshot.check(&snapshot.bytes).is_ok();
    present.facts().expires.moment() <= by || !snapshot.is_some_and(names)
}

/// The stored file of an online role, if it is signed by the role's present keys.
fn present<T: Document>(root: &Rooted, stored: &Files, role: &RoleName) -> Option<Verified<T>> {
    let keys = root.root().facts().keys_of(role);
    let file = stored.get(role)?;
    verified(role, &file.bytes, &keys).ok()
}

/// The server's snapshot of what is stored and what is accepted.
pub(super) fn snapshot(
    root: &Rooted,
    stored: &Files,
    accepted: &Files,
    now: Timestamp,
    online: Online<'_>,
) -> Result<File, Refusal> {
    let role = RoleName::snapshot();
    let present: Option<Snapshot> = stored
        .get(&role)
        .and_then(|file| claimed(&role, &file.bytes));
    let (mut meta, version) = present.map_or((BTreeMap::new(), 0), |p| (p.meta, p.version));
    for (named, file) in accepted {
        meta.insert(named.to_string(), FileMeta::of(&file.bytes));
    }
    meta.insert("root".to_owned(), FileMeta::of(root.file()));
    let snapshot = Snapshot {
        expires: Expires::at(after(now, SNAPSHOT_LIFE)),
        meta,
        version: version + 1,
    };
    seal(&role, &snapshot, root, online).ok_or_else(|| Refusal::Hierarchy {
        missing: "snapshot",
        message: NO_SNAPSHOT_KEY.to_owned(),
    })
}

/// The server's timestamp of the snapshot that will be the newest.
pub(super) fn timestamp(
    root: &Rooted,
    stored: &Files,
    accepted: &Files,
    now: Timestamp,
    online: Online<'_>,
) -> Result<File, Refusal> {
    let (role, named) = (RoleName::timestamp(), RoleName::snapshot());
    let snapshot = accepted.get(&named).or_else(|| stored.get(&named));
    let snapshot = snapshot.ok_or_else(|| Refusal::Validation("no snapshot".to_owned()))?;
    let present = stored.get(&role).map_or(0, |file| file.version);
    let timestamp = TimestampFile {
        expires: Expires::at(after(now, TIMESTAMP_LIFE)),
        snapshot: FileMeta::of(&snapshot.bytes),
        version: present + 1,
    };
    seal(&role, &timestamp, root, online)
        .ok_or_else(|| Refusal::Root("no timestamp keys exist on the server".to_owned()))
}

/// Signs with the server's keys; what comes out is what a reader accepts.
fn seal<T: Document>(
    role: &RoleName,
    facts: &T,
    root: &Rooted,
    online: Online<'_>,
) -> Option<File> {
    let keys = root.root().facts().keys_of(role);
    let value = facts.node();
    let signatures = online(role, &keys, &value.canonical());
    let file = file_bytes(&value, &signatures);
    verified::<T>(role, &file, &keys).ok()?;
    let version = facts.version();
    let bytes = file.into();
    Some(File { version, bytes })
}

fn after(now: Timestamp, time: SignedDuration) -> Timestamp {
    now.saturating_add(time).unwrap_or(Timestamp::MAX)
}

/// Notary v1 (`const.go`): three years.
const SNAPSHOT_LIFE: SignedDuration = SignedDuration::from_hours(24 * 365 * 3);
/// Notary v1 (`const.go`): a fortnight.
const TIMESTAMP_LIFE: SignedDuration = SignedDuration::from_hours(24 * 14);

const NO_SNAPSHOT_KEY: &str = "no snapshot was included in update and server does not hold current \
                               snapshot key for repository";
