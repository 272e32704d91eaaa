//! The present state of a repository whose dates have passed, for its owners to sign again.

use super::errand::Errand;
use super::refresh::Arrived;
use super::{Error, Event, Repository, Watch};
use crate::remote::{MetadataFile, RemoteError};
use crate::tuf::floor::Floor;
use crate::tuf::limits;
use crate::tuf::role::RoleName;
use crate::tuf::trusted::{Current, Lapsed, Rooted};
use jiff::Timestamp;

impl Repository {
    /// The present state, verified but for its dates; nothing of it is kept.
    pub(super) async fn lapsed(
        &self,
        now: Timestamp,
        watch: Watch<'_>,
    ) -> Result<Lapsed<Current>, Error> {
        let mut floor = self.floor()?;
        let errand = Errand::mend(floor.clock(now));
        let mut arrived = Arrived::default();
        let rooted = self.root(&mut arrived, &errand).await?;
        self.remember_kept(&rooted, &mut floor)?;
        let followed = match self.follow_lapsed(&rooted, &floor, errand.now).await {
            Err(Error::Tuf(fault)) => {
                let newer = self.newer_root(&rooted, &mut arrived, fault, &errand);
                self.follow_lapsed(&newer.await?, &floor, errand.now).await
            }
            done => done,
        };
        let lapsed = followed?;
        let expired = lapsed.timestamp_expires();
        if expired <= errand.now {
            watch(Event::LapsedTimestamp { expired });
        }
        Ok(lapsed)
    }

    async fn follow_lapsed(
        &self,
        rooted: &Rooted,
        floor: &Floor,
        now: Timestamp,
    ) -> Result<Lapsed<Current>, Error> {
        let file = self.newest_timestamp(rooted, floor).await?;
        let timestamped = Lapsed::begin(rooted).timestamp(&file, floor)?;
        let (role, meta) = (RoleName::snapshot(), timestamped.snapshot_meta().clone());
        let kept = self.cache.read(role.as_str(), limits::NAMED_BYTES)?;
        let file = match kept.filter(|kept| meta.check(kept).is_ok()) {
            Some(kept) => kept,
            None => self.fetch(&role, &meta).await?,
        };
        let mut walk = timestamped
            .snapshot(&file, floor, now)?
            .walk(floor.clone())?;
        while let Some((role, meta)) = walk.wanted() {
            if let Some(kept) = self.cache.read(role.as_str(), limits::NAMED_BYTES)?
                && walk.accept_kept(&kept)?
            {
                continue;
            }
            walk.accept(&self.fetch(&role, &meta).await?)?;
        }
        Ok(walk.finish()?)
    }

    /// The server's timestamp; where it has to sign a new one and cannot, the last it has.
    ///
    /// notary-server answers 500 for the timestamp where root or snapshot have expired, but still
    /// gives out each version.
    async fn newest_timestamp(&self, rooted: &Rooted, floor: &Floor) -> Result<Vec<u8>, Error> {
        let (remote, role) = (self.remote()?, RoleName::timestamp());
        let current = MetadataFile::Current(role.as_str());
        let error = match remote.metadata(current, limits::TIMESTAMP_BYTES).await {
            Ok(file) => return Ok(file),
            Err(error) => error,
        };
        match error {
            RemoteError::NotFound { .. } => Err(Error::Gone {
                gun: self.gun.clone(),
            }),
            RemoteError::Unreachable {
                status: Some(500), ..
            } => {
                let keys = rooted.root().facts().keys_of(&role);
                let known = floor.minimum(&role, &keys);
                let found = self.last_timestamp(known).await?;
                found.ok_or_else(|| error.into())
            }
            _ => Err(error.into()),
        }
    }

    /// The timestamp with the highest version, found by doubling and halving steps.
    async fn last_timestamp(&self, known: u64) -> Result<Option<Vec<u8>>, Error> {
        let Some(mut last) = self.timestamp_of(known).await? else {
            return Ok(None);
        };
        let (mut at, mut step, mut growing) = (known, 1_u64, true);
        while step > 0 {
            let next = at.saturating_add(step).min(limits::VERSION);
            let found = if next > at {
                self.timestamp_of(next).await?
            } else {
                None
            };
            growing = growing && found.is_some();
            if let Some(file) = found {
                (at, last) = (next, file);
            }
            step = if growing { step * 2 } else { step / 2 };
        }
        Ok(Some(last))
    }

    async fn timestamp_of(&self, version: u64) -> Result<Option<Vec<u8>>, Error> {
        let file = MetadataFile::Version(version, "timestamp");
        let limit = limits::TIMESTAMP_BYTES;
        match self.remote()?.metadata(file, limit).await {
            Ok(file) => Ok(Some(file)),
            Err(RemoteError::NotFound { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}
