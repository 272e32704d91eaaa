//! Repositories in memory: the newest file of each role, ready to be sent.

use crate::tuf::accept::{File, Files};
use crate::tuf::digest::FileMeta;
use crate::tuf::envelope::{Document, Unverified};
use crate::tuf::role::RoleName;
use crate::tuf::snapshot::Snapshot;
use crate::tuf::timestamp::Timestamp as TimestampFile;
use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use jiff::Timestamp;
use quick_cache::{Weighter, sync::Cache};
use ring::digest::{SHA256, digest};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, OnceLock};
use trust_store::server::StoredFile;

/// A file ready to be sent.
#[derive(Debug)]
pub struct Held {
    /// The version
    pub version: u64,
    /// The bytes as published
    pub bytes: Bytes,
    /// SHA-256 of them, in lower-case hex
    pub sha256: String,
    /// When they were published
    pub created: Timestamp,
    gzip: OnceLock<Option<Bytes>>,
}

impl Held {
    /// A file published just now.
    pub(super) fn published(file: File, now: Timestamp) -> Self {
        let hash = digest(&SHA256, &file.bytes);
        Self {
            version: file.version,
            bytes: file.bytes,
            sha256: hex::encode(hash),
            created: now,
            gzip: OnceLock::new(),
        }
    }

    /// The bytes compressed by gzip, where that makes them smaller; compressed once.
    pub fn gzip(&self) -> Option<&Bytes> {
        self.gzip.get_or_init(|| compressed(&self.bytes)).as_ref()
    }

    /// Whether compressing it would take long enough to be done on another thread.
    pub fn is_slow_to_compress(&self) -> bool {
        self.bytes.len() > QUICK && self.gzip.get().is_none()
    }
}

impl From<StoredFile> for Held {
    fn from(file: StoredFile) -> Self {
        Self {
            version: file.version,
            bytes: file.bytes,
            sha256: file.sha256,
            created: file.created,
            gzip: OnceLock::new(),
        }
    }
}

/// A repository as it was at one moment.
#[derive(Debug)]
pub struct Kept {
    /// What a publish has to name
    pub revision: i64,
    /// The newest file of each role
    pub files: BTreeMap<RoleName, Arc<Held>>,
    /// The moment from which the timestamp or the snapshot is no longer good; none if there is none
    expires: Option<Timestamp>,
    /// The roles whose newest file the present snapshot names
    named: BTreeSet<RoleName>,
    /// The number of the last change up to which this is known to be the newest
    seen: AtomicI64,
    /// The second in which signing it anew was last found to be the business of its owners
    in_vain: AtomicI64,
}

impl Kept {
    pub(super) fn new(revision: i64, files: BTreeMap<RoleName, Arc<Held>>, seen: i64) -> Self {
        let snapshot = claimed::<Snapshot>(&files, &RoleName::snapshot());
        let timestamp = claimed::<TimestampFile>(&files, &RoleName::timestamp());
        let expires = match (&snapshot, &timestamp) {
            (Some(s), Some(t)) => Some(s.expires.moment().min(t.expires.moment())),
            _ => None,
        };
        let is_named = |role: &RoleName, held: &Held| {
            let meta = snapshot.as_ref().and_then(|snapshot| snapshot.of(role));
            meta.and_then(FileMeta::sha256_hex).as_ref() == Some(&held.sha256)
        };
        let current = files.iter().filter(|(role, held)| is_named(role, held));
        let named = current.map(|(role, _)| role.clone()).collect();
        Self {
            revision,
            files,
            expires,
            named,
            seen: AtomicI64::new(seen),
            in_vain: AtomicI64::new(i64::MIN),
        }
    }

    /// Whether the repository has any file.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Whether something the server may have signed is past its date, and may be signed anew.
    pub(super) fn is_due(&self, now: Timestamp) -> bool {
        let expired = self.expires.is_none_or(|expires| expires <= now);
        let last = self.in_vain.load(Ordering::Relaxed);
        !self.is_empty() && expired && last.saturating_add(AGAIN) <= now.as_second()
    }

    /// Nobody tries for a while to sign it anew: its owners have to.
    pub(super) fn left_to_owners(&self, now: Timestamp) {
        self.in_vain.store(now.as_second(), Ordering::Relaxed);
    }

    /// Whether the present snapshot names the newest file of this role.
    pub(super) fn is_named(&self, role: &RoleName) -> bool {
        self.named.contains(role)
    }

    /// The files in the form the rules want.
    pub(super) fn stored(&self) -> Files {
        let file = |held: &Held| File {
            version: held.version,
            bytes: held.bytes.clone(),
        };
        let files = self.files.iter();
        files
            .map(|(role, held)| (role.clone(), file(held)))
            .collect()
    }

    fn weight(&self) -> u64 {
        let files = self.files.iter();
        // A compressed copy takes a fifth or less; what is parsed about as much again.
        let size: usize = files
            .map(|(_, f)| f.bytes.len() + f.bytes.len() / 4 + 512)
            .sum();
        size as u64
    }
}

/// Repositories by name, as many as the room allows.
pub(super) struct Memory {
    kept: Cache<String, Arc<Kept>, Weight>,
}

impl Memory {
    pub(super) fn of(bytes: u64) -> Self {
        // Only a guess: the weights decide how many there are.
        let items = usize::try_from(bytes / TYPICAL).unwrap_or(usize::MAX);
        Self {
            kept: Cache::with_weighter(items.max(16), bytes, Weight),
        }
    }

    /// The repository, if it is known to be the newest at change number `latest`.
    ///
    /// `changed_since(seen)` says whether it was changed after that number, or may have been.
    pub(super) fn get(
        &self,
        gun: &str,
        latest: i64,
        changed_since: impl FnOnce(i64) -> bool,
    ) -> Option<Arc<Kept>> {
        let kept = self.kept.get(gun)?;
        let seen = kept.seen.load(Ordering::Acquire);
        if seen < latest {
            if changed_since(seen) {
                return None;
            }
            kept.seen.fetch_max(latest, Ordering::AcqRel);
        }
        Some(kept)
    }

    /// The repository as it was at some time.
    pub(super) fn any(&self, gun: &str) -> Option<Arc<Kept>> {
        self.kept.get(gun)
    }

    /// Nothing of the repository is here any more.
    pub(super) fn forget(&self, gun: &str) {
        self.kept.remove(gun);
    }

    /// Keeps the repository, unless a newer state of it is here already.
    pub(super) fn put(&self, gun: &str, kept: &Arc<Kept>) {
        let newer = |there: &Arc<Kept>| there.revision > kept.revision;
        if self.kept.peek(gun).as_ref().is_some_and(newer) {
            return;
        }
        self.kept.insert(gun.to_owned(), Arc::clone(kept));
    }
}

#[derive(Clone)]
struct Weight;

impl Weighter<String, Arc<Kept>> for Weight {
    fn weight(&self, gun: &String, kept: &Arc<Kept>) -> u64 {
        kept.weight() + gun.len() as u64
    }
}

fn claimed<T: Document>(files: &BTreeMap<RoleName, Arc<Held>>, role: &RoleName) -> Option<T> {
    let file = Unverified::parse(&files.get(role)?.bytes).ok()?;
    file.claims(role).ok()
}

fn compressed(bytes: &[u8]) -> Option<Bytes> {
    if bytes.len() < WORTH_COMPRESSING {
        return None;
    }
    let mut encoder = GzEncoder::new(Vec::with_capacity(bytes.len() / 4), Compression::new(6));
    encoder.write_all(bytes).ok()?;
    let packed = encoder.finish().ok()?;
    (packed.len() < bytes.len()).then(|| packed.into())
}

/// Below this size, in bytes, compressing is quicker than another thread.
const QUICK: usize = 32 << 10;
/// A file that fits into one packet is not sent sooner when it is smaller.
const WORTH_COMPRESSING: usize = 1024;
/// What a small repository takes, in bytes.
const TYPICAL: u64 = 8 << 10;
/// Seconds until it is looked again whether something can be signed anew.
const AGAIN: i64 = 60;
