//! Publishing: checked by the rules, signed by the server, stored whole or not at all.

use super::kept::{Held, Kept};
use super::keys::{OpenKeys, Wanted};
use super::{Hosting, HostingError, TURNS};
use crate::tuf::accept::{Files, Refusal, Upload, accept};
use crate::tuf::role::RoleName;
use bytes::Bytes;
use jiff::Timestamp;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::MutexGuard;
use tokio::task::spawn_blocking;
use tokio::time::timeout;
use trust_store::server::{NewFile, Published, StoreError};

impl Hosting {
    /// The upload is the newest state of the repository, with a new timestamp, also after a power
    /// failure.
    ///
    /// # Errors
    /// [`HostingError::Refused`] if a reader would not believe it, or somebody else was quicker;
    /// nothing has changed then.
    pub async fn publish(
        &self,
        gun: &str,
        upload: Upload,
        now: Timestamp,
    ) -> Result<Published, HostingError> {
        let upload = Arc::new(upload);
        let _turn = self.turn(gun).await?;
        for _ in 0..TRIES {
            let kept = self.kept(gun).await?;
            let root = kept.files.get(&RoleName::root());
            let wanted = match root {
                Some(root) if !upload.contains_key(&RoleName::root()) => {
                    Wanted::Listed(&root.bytes)
                }
                _ => Wanted::All,
            };
            let keys = self.open_keys(gun, wanted).await?;
            let (files, keys) = self.checked(gun, &kept, &upload, keys, now).await?;
            match self.stored(gun, &kept, files, keys, now).await {
                // Another server process was quicker: the rules decide again.
                Err(HostingError::Store(StoreError::Conflict { .. })) => {}
                done => return done,
            }
        }
        Err(Refusal::Version(RoleName::timestamp()).into())
    }

    async fn checked(
        &self,
        gun: &str,
        kept: &Arc<Kept>,
        upload: &Arc<Upload>,
        mut keys: OpenKeys,
        now: Timestamp,
    ) -> Result<(Files, OpenKeys), HostingError> {
        let (name, bounds) = (gun.to_owned(), self.inner.bounds);
        let (kept, upload) = (Arc::clone(kept), Arc::clone(upload));
        let size: usize = upload.values().map(Bytes::len).sum();
        let work = move || {
            let stored = kept.stored();
            let mut sign = |role: &_, by: &_, message: &[u8]| keys.sign(role, by, message);
            let files = accept(&name, &stored, &upload, bounds, now, &mut sign)?;
            Ok::<_, Refusal>((files, keys))
        };
        if size < QUICK {
            return Ok(work()?);
        }
        // Signatures of a large repository take long enough to keep others waiting.
        let work = spawn_blocking(work).await;
        Ok(work.map_err(|_| HostingError::GivenUp)??)
    }

    /// Stores what the rules accepted on top of `kept`, and serves it from now on.
    pub(super) async fn stored(
        &self,
        gun: &str,
        kept: &Kept,
        files: Files,
        keys: OpenKeys,
        now: Timestamp,
    ) -> Result<Published, HostingError> {
        let new = files.iter().map(|(role, file)| NewFile {
            role: role.to_string(),
            version: file.version,
            bytes: file.bytes.clone(),
        });
        // A key that could still be handed out as pending must not have signed.
        self.mark_used(keys.first_used, now).await?;
        let store = self.store();
        let published = store
            .publish(gun, kept.revision, new.collect(), now)
            .await?;
        self.keep_published(gun, kept, files, published, now);
        Ok(published)
    }

    fn keep_published(
        &self,
        gun: &str,
        kept: &Kept,
        files: Files,
        published: Published,
        now: Timestamp,
    ) {
        let Some(change) = published.change else {
            return;
        };
        let mut newest = kept.files.clone();
        for (role, file) in files {
            newest.insert(role, Arc::new(Held::published(file, now)));
        }
        let kept = Arc::new(Kept::new(published.revision, newest, change));
        self.inner.memory.put(gun, &kept);
    }

    /// Waits until no other publish of this process is at work on the repository.
    ///
    /// # Errors
    /// The store does not answer, so that those before will be long.
    pub(super) async fn turn(&self, gun: &str) -> Result<MutexGuard<'_, ()>, HostingError> {
        let mut hasher = DefaultHasher::new();
        gun.hash(&mut hasher);
        let place = usize::try_from(hasher.finish() % TURNS as u64).unwrap_or_default();
        let turn = self.inner.turns.get(place).unwrap_or(&self.inner.turns[0]);
        let mut mine = pin!(turn.lock());
        loop {
            match timeout(LONG, &mut mine).await {
                Ok(turn) => return Ok(turn),
                Err(_) => self.inner.heartbeat.latest().await?,
            };
        }
    }
}

/// A wait for others that makes one wonder whether the store is still there.
const LONG: Duration = Duration::from_secs(1);
/// Publishes through other processes that may come between ours.
const TRIES: usize = 8;
/// Below this size, in bytes, checking is too quick to be worth another thread.
const QUICK: usize = 32 << 10;
