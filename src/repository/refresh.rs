//! From what this machine kept to the verified present state, fetching only what changed.

use super::errand::{Errand, Purpose};
use super::evidence::root_keys;
use super::{Error, Event, Repository, Watch};
use crate::remote::{MetadataFile, RemoteError};
use crate::tuf::digest::FileMeta;
use crate::tuf::edit::SealedFile;
use crate::tuf::error::TufError;
use crate::tuf::floor::Floor;
use crate::tuf::limits;
use crate::tuf::role::RoleName;
use crate::tuf::trusted::{Current, Rooted, Snapshotted, claimed_root_version};
use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};

/// Files that arrived and are to be kept.
#[derive(Default)]
pub(super) struct Arrived(Vec<(String, Bytes)>);

impl Arrived {
    fn keep(&mut self, role: &RoleName, file: impl Into<Bytes>) {
        self.0.retain(|(kept, _)| kept != role.as_str());
        self.0.push((role.to_string(), file.into()));
    }
}

impl Repository {
    /// The verified present state; what arrived is kept, all of it or nothing.
    pub(super) async fn refresh(
        &self,
        errand: &Errand<'_>,
        watch: Watch<'_>,
    ) -> Result<Current, Error> {
        let mut floor = self.floor()?;
        let seen = floor.clock(errand.now);
        if seen > errand.now {
            let gun = self.gun.clone();
            watch(Event::ClockBehind { seen, gun });
        }
        let errand = &errand.at(seen);
        let mut arrived = Arrived::default();
        let rooted = self.root(&mut arrived, errand).await?;
        self.remember_kept(&rooted, &mut floor)?;
        let current = self
            .present(rooted, errand, &floor, &mut arrived, watch)
            .await;
        // What expired before the memory of time was last set is refused without setting it again.
        let is_news = |expired: &Timestamp| floor.clock(*expired) == *expired;
        if latest_expiry(&current).is_some_and(|expired| is_news(&expired)) {
            self.remember_time(errand.now)?;
        }
        let current = current?;
        self.keep(arrived, &current, errand.now)?;
        warn_of_expiry(&current, errand.now, watch);
        Ok(current)
    }

    /// The present state under the root that is trusted, or under a newer one it leads to.
    async fn present(
        &self,
        rooted: Rooted,
        errand: &Errand<'_>,
        floor: &Floor,
        arrived: &mut Arrived,
        watch: Watch<'_>,
    ) -> Result<Current, Error> {
        match self.follow(&rooted, errand, floor, arrived, watch).await {
            Err(Error::Tuf(fault)) if self.remote.is_some() => {
                // Any fault may be cured by a newer root (Notary v1 client, tufclient.go).
                let newer = self.newer_root(&rooted, arrived, fault, errand).await?;
                self.follow(&newer, errand, floor, arrived, watch).await
            }
            result => result,
        }
    }

    /// What has expired stays so, even for a clock that is set back.
    fn remember_time(&self, now: Timestamp) -> Result<(), Error> {
        let lock = self.cache.lock()?;
        let mut floor = self.floor()?;
        floor.advance(now);
        let floor = floor.to_bytes();
        self.cache.replace(&lock, &[], &[], Some(&floor))?;
        Ok(())
    }

    pub(super) fn floor(&self) -> Result<Floor, Error> {
        match self.cache.floor()? {
            Some(bytes) => Floor::parse(&bytes).map_err(Error::Floor),
            None => Ok(Floor::default()),
        }
    }

    /// The kept root, or on first use the server's.
    pub(super) async fn root(
        &self,
        arrived: &mut Arrived,
        errand: &Errand<'_>,
    ) -> Result<Rooted, Error> {
        let role = RoleName::root();
        if let Some(file) = self.cache.read(role.as_str(), limits::ROOT_BYTES)? {
            return Rooted::kept(&self.gun, &file).map_err(Error::KeptRoot);
        }
        let remote = self.remote()?;
        let file = remote
            .metadata(MetadataFile::Current("root"), limits::ROOT_BYTES)
            .await;
        let file = file.map_err(|error| self.not_initialized(error))?;
        let rooted = match errand.judges_at() {
            Some(now) => Rooted::first_use(&self.gun, &file, now)?,
            None => Rooted::kept(&self.gun, &file)?,
        };
        if let Some(trust) = errand.first_root {
            let keys = root_keys(rooted.root());
            let admitted = trust.admits_first(&self.gun, &keys, errand.now);
            admitted.map_err(Error::RootNotTrusted)?;
        }
        arrived.keep(&role, file);
        Ok(rooted)
    }

    fn not_initialized(&self, error: RemoteError) -> Error {
        match error {
            RemoteError::NotFound { url } => {
                let server = url.split('/').nth(2).unwrap_or(&url).to_owned();
                Error::NotInitialized {
                    server,
                    gun: self.gun.clone(),
                }
            }
            other => other.into(),
        }
    }

    /// Files that docker or notary kept count as seen, too.
    pub(super) fn remember_kept(&self, rooted: &Rooted, floor: &mut Floor) -> Result<(), Error> {
        for (role, limit) in [
            (RoleName::timestamp(), limits::TIMESTAMP_BYTES),
            (RoleName::snapshot(), limits::NAMED_BYTES),
        ] {
            if let Some(file) = self.cache.read(role.as_str(), limit)? {
                rooted.remember(floor, &role, &file);
            }
        }
        Ok(())
    }

    /// Timestamp, snapshot, targets and delegations under one root.
    async fn follow(
        &self,
        rooted: &Rooted,
        errand: &Errand<'_>,
        floor: &Floor,
        arrived: &mut Arrived,
        watch: Watch<'_>,
    ) -> Result<Current, Error> {
        let set = self
            .snapshotted(rooted, errand, floor, arrived, watch)
            .await?;
        let mut walk = set.walk(floor.clone(), errand.now)?;
        while let Some((role, meta)) = walk.wanted() {
            if let Some(sealed) = errand.file(&role)
                && walk.accept_sealed(sealed)?
            {
                arrived.keep(&role, sealed.bytes().clone());
                continue;
            }
            if let Some(kept) = self.cache.read(role.as_str(), limits::NAMED_BYTES)?
                && walk.accept_kept(&kept)?
            {
                continue;
            }
            let file = self.fetch(&role, &meta).await?;
            walk.accept(&file)?;
            arrived.keep(&role, file);
        }
        Ok(walk.finish()?)
    }

    async fn snapshotted(
        &self,
        rooted: &Rooted,
        errand: &Errand<'_>,
        floor: &Floor,
        arrived: &mut Arrived,
        watch: Watch<'_>,
    ) -> Result<Snapshotted, Error> {
        let file = self.timestamp(errand, rooted, floor, watch).await?;
        let timestamped = rooted.timestamp(&file, floor, errand.now)?;
        arrived.keep(&RoleName::timestamp(), file);
        let (role, meta) = (RoleName::snapshot(), timestamped.snapshot_meta().clone());
        if let Some(kept) = self.cache.read(role.as_str(), limits::NAMED_BYTES)?
            && meta.check(&kept).is_ok()
        {
            return Ok(timestamped.snapshot(&kept, floor, errand.now)?);
        }
        let file = self.named(&role, &meta, errand).await?;
        let set = timestamped.snapshot(&file, floor, errand.now)?;
        arrived.keep(&role, file);
        Ok(set)
    }

    /// The server's timestamp, or loudly the kept one where reading may go on without.
    async fn timestamp(
        &self,
        errand: &Errand<'_>,
        rooted: &Rooted,
        floor: &Floor,
        watch: Watch<'_>,
    ) -> Result<Vec<u8>, Error> {
        let kept = self.cache.read("timestamp", limits::TIMESTAMP_BYTES)?;
        let Some(remote) = &self.remote else {
            return kept.ok_or(Error::Offline);
        };
        let fetched = remote
            .metadata(MetadataFile::Current("timestamp"), limits::TIMESTAMP_BYTES)
            .await;
        let error = match fetched {
            Ok(file) => return Ok(file),
            Err(error) => error,
        };
        let gone = matches!(error, RemoteError::NotFound { .. });
        let absent = gone || matches!(error, RemoteError::Unreachable { .. });
        match kept {
            Some(kept) if absent && errand.purpose == Purpose::Read => {
                let valid_until = rooted.timestamp(&kept, floor, errand.now)?.valid_until();
                watch(Event::KeptTimestamp {
                    cause: error.to_string(),
                    valid_until,
                });
                Ok(kept)
            }
            // There is a root, so there was a timestamp: nobody begins such a repository anew.
            _ if gone => Err(Error::Gone {
                gun: self.gun.clone(),
            }),
            _ => Err(error.into()),
        }
    }

    /// A file by the hash that another file names.
    async fn named(
        &self,
        role: &RoleName,
        meta: &FileMeta,
        errand: &Errand<'_>,
    ) -> Result<Bytes, Error> {
        match errand.file(role).map(SealedFile::bytes) {
            Some(file) if meta.check(file).is_ok() => Ok(file.clone()),
            _ => Ok(self.fetch(role, meta).await?.into()),
        }
    }

    pub(super) async fn fetch(&self, role: &RoleName, meta: &FileMeta) -> Result<Vec<u8>, Error> {
        let limit = meta.length.min(limits::NAMED_BYTES);
        let sha256 = meta.sha256_hex().unwrap_or_default();
        let file = MetadataFile::Hash(role.as_str(), &sha256);
        Ok(self.remote()?.metadata(file, limit).await?)
    }

    /// Follows the chain of roots to the newest; `fault` stands if there is none newer.
    pub(super) async fn newer_root(
        &self,
        rooted: &Rooted,
        arrived: &mut Arrived,
        fault: TufError,
        errand: &Errand<'_>,
    ) -> Result<Rooted, Error> {
        let remote = self.remote()?;
        let Ok(newest) = remote
            .metadata(MetadataFile::Current("root"), limits::ROOT_BYTES)
            .await
        else {
            return Err(fault.into());
        };
        if newest == rooted.file() {
            return Err(fault.into());
        }
        let last = claimed_root_version(&newest)?;
        let mut followed = rooted.clone();
        let end = last.min(rooted.version().saturating_add(limits::ROOT_STEPS));
        for version in rooted.version().saturating_add(1)..end {
            let step = remote
                .metadata(MetadataFile::Version(version, "root"), limits::ROOT_BYTES)
                .await;
            match step {
                Ok(file) => followed = followed.step(&file)?,
                // A gap: the newest has to be signed by the keys trusted so far.
                Err(RemoteError::NotFound { .. }) => break,
                Err(error) => return Err(error.into()),
            }
        }
        let newer = match errand.judges_at() {
            Some(now) => followed.newest(&newest, now)?,
            None => followed.latest(&newest, None)?,
        };
        arrived.keep(&RoleName::root(), newest);
        Ok(newer)
    }

    /// Replaces what was kept in one step, unless another process kept something newer meanwhile.
    fn keep(&self, arrived: Arrived, current: &Current, now: Timestamp) -> Result<(), Error> {
        // Everything else arrives only where it is not what was kept.
        let unchanged = |role: &str, file: &[u8]| {
            let kept = || self.cache.read(role, limits::TIMESTAMP_BYTES);
            role == "timestamp" && matches!(kept(), Ok(Some(kept)) if kept == file)
        };
        let mut files = arrived.0;
        files.retain(|(role, file)| !unchanged(role, file));
        let mut floor = current.floor();
        if files.is_empty() && self.cache.floor()? == Some(floor.to_bytes()) {
            return Ok(());
        }
        let lock = self.cache.lock()?;
        let meanwhile = self.floor()?;
        floor.advance(meanwhile.clock(now));
        let root = current.root().facts();
        let role = RoleName::timestamp();
        if meanwhile.minimum(&role, &root.keys_of(&role)) > current.timestamp().facts().version {
            return Ok(());
        }
        let files: Vec<_> = files
            .iter()
            .map(|(role, file)| (role.as_str(), file.as_ref()))
            .collect();
        self.cache
            .replace(&lock, &files, &[], Some(&floor.to_bytes()))?;
        Ok(())
    }
}

/// When the last of the files expired that are refused for that.
fn latest_expiry(current: &Result<Current, Error>) -> Option<Timestamp> {
    let expired = |fault: &TufError| match fault {
        TufError::Expired { expired, .. } => Some(*expired),
        _ => None,
    };
    match current {
        Ok(current) => {
            let pruned = current.delegations().filter_map(|(_, file)| file.err());
            pruned.filter_map(|pruned| expired(&pruned.fault)).max()
        }
        Err(Error::Tuf(fault)) => expired(fault),
        Err(_) => None,
    }
}

fn warn_of_expiry(current: &Current, now: Timestamp, watch: Watch<'_>) {
    let soon = now
        .saturating_add(SignedDuration::from_hours(24 * NEAR_EXPIRY_DAYS))
        .unwrap_or(now);
    let mut files = vec![
        (RoleName::root(), current.root().facts().expires.moment()),
        (
            RoleName::targets(),
            current.targets().facts().expires.moment(),
        ),
        (
            RoleName::snapshot(),
            current.snapshot().facts().expires.moment(),
        ),
    ];
    for (role, file) in current.delegations() {
        if let Ok(file) = file {
            files.push((role.clone(), file.facts().expires.moment()));
        }
    }
    for (role, expires) in files.into_iter().filter(|(_, expires)| *expires < soon) {
        watch(Event::NearExpiry {
            gun: current.gun().to_owned(),
            role: role.to_string(),
            expires,
        });
    }
}

/// Six months, as the Notary v1 client warns.
pub const NEAR_EXPIRY_DAYS: i64 = 182;
