//! What has lapsed: believed but for its dates, only so that its owners can sign it again.

use super::{Current, Rooted, Snapshotted, Timestamped, Walk};
use crate::tuf::digest::FileMeta;
use crate::tuf::edit::Draft;
use crate::tuf::envelope::{Document, Verified};
use crate::tuf::error::TufError;
use crate::tuf::floor::Floor;
use crate::tuf::key::PublicKey;
use crate::tuf::role::RoleName;
use jiff::Timestamp;

/// A state whose dates nobody judged; all else was checked. It decides nothing: what is inside
/// never comes out, and the last one can only become a draft.
#[derive(Debug)]
pub struct Lapsed<T>(T);

/// A role and when its file stops being valid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dated {
    /// The role
    pub role: RoleName,
    /// The last moment; of a root, also that of the last of its certificates
    pub expires: Timestamp,
}

impl Lapsed<Rooted> {
    /// Begins with a root, whatever its date.
    pub fn begin(rooted: &Rooted) -> Self {
        Self(rooted.clone())
    }

    /// Believes a timestamp signed under this root.
    ///
    /// # Errors
    /// Any [`TufError`] that is not about time.
    pub fn timestamp(&self, file: &[u8], floor: &Floor) -> Result<Lapsed<Timestamped>, TufError> {
        self.0.undated_timestamp(file, floor).map(Lapsed)
    }
}

impl Lapsed<Timestamped> {
    /// The snapshot that has to be fetched.
    pub fn snapshot_meta(&self) -> &FileMeta {
        self.0.snapshot_meta()
    }

    /// Believes the snapshot that the timestamp names.
    ///
    /// The timestamp's own date is judged, unless root or snapshot have lapsed: under those no
    /// server signs a new one.
    ///
    /// # Errors
    /// Any [`TufError`]; of those about time, only that of the timestamp.
    pub fn snapshot(
        self,
        file: &[u8],
        floor: &Floor,
        now: Timestamp,
    ) -> Result<Lapsed<Snapshotted>, TufError> {
        let set = self.0.undated_snapshot(file, floor)?;
        let snapshot = set.snapshot.unexpired(&RoleName::snapshot(), now);
        if set.rooted.in_force(now).and(snapshot).is_ok() {
            set.timestamp.unexpired(&RoleName::timestamp(), now)?;
        }
        Ok(Lapsed(set))
    }
}

impl Lapsed<Snapshotted> {
    /// Begins the walk over the targets roles.
    ///
    /// # Errors
    /// [`Snapshotted::names_root`]
    pub fn walk(self, floor: Floor) -> Result<Lapsed<Walk>, TufError> {
        self.0.names_root()?;
        Ok(Lapsed(Walk::begin(self.0, floor, None)))
    }
}

impl Lapsed<Walk> {
    /// [`Walk::wanted`]
    pub fn wanted(&mut self) -> Option<(RoleName, FileMeta)> {
        self.0.wanted()
    }

    /// [`Walk::accept`]
    ///
    /// # Errors
    /// Any [`TufError`] that is not about time.
    pub fn accept(&mut self, file: &[u8]) -> Result<(), TufError> {
        self.0.accept(file)
    }

    /// [`Walk::accept_kept`]
    ///
    /// # Errors
    /// Any [`TufError`] that is not about time.
    pub fn accept_kept(&mut self, file: &[u8]) -> Result<bool, TufError> {
        self.0.accept_kept(file)
    }

    /// The present state but for its dates, once nothing is wanted any more.
    ///
    /// # Errors
    /// [`Walk::finish`]
    pub fn finish(self) -> Result<Lapsed<Current>, TufError> {
        self.0.finish().map(Lapsed)
    }
}

impl Lapsed<Current> {
    /// The next version of it, in which whatever is signed again is in force.
    pub fn draft(&self, now: Timestamp) -> Draft {
        Draft::of(&self.0, now)
    }

    /// Root, targets, snapshot and delegations with their dates.
    pub fn dates(&self) -> Vec<Dated> {
        let (current, root) = (&self.0, RoleName::root());
        let mut dates = vec![
            Dated {
                expires: dated(current.root()).min(self.certified_until()),
                role: root,
            },
            Dated {
                role: RoleName::targets(),
                expires: dated(current.targets()),
            },
            Dated {
                role: RoleName::snapshot(),
                expires: dated(current.snapshot()),
            },
        ];
        for (role, file) in current.delegations() {
            dates.extend(file.ok().map(|file| Dated {
                role: role.clone(),
                expires: dated(file),
            }));
        }
        dates
    }

    /// When the timestamp stops being valid, or did.
    pub fn timestamp_expires(&self) -> Timestamp {
        dated(self.0.timestamp())
    }

    /// When the last certificate of a root key ends.
    fn certified_until(&self) -> Timestamp {
        let keys = self.0.root_keys().keys;
        let leaves = keys.iter().filter_map(PublicKey::leaf);
        leaves
            .map(|leaf| leaf.not_after)
            .max()
            .unwrap_or(Timestamp::MAX)
    }
}

fn dated<T: Document>(file: &Verified<T>) -> Timestamp {
    file.facts().expires().moment()
}
