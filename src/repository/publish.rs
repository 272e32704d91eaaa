//! One change, one publish; made again on top of what others published meanwhile.

use super::errand::Errand;
use super::init::SnapshotKey;
use super::keyring::{Keyring, KeyringError};
use super::{Error, Event, Repository, Watch};
use crate::remote::RemoteError;
use crate::tuf::edit::{Draft, SealError, SealedFile};
use crate::tuf::envelope::RoleKeys;
use crate::tuf::role::RoleName;
use crate::tuf::trusted::Current;
use jiff::Timestamp;
use std::time::Duration;

impl Repository {
    /// Edits the present state and publishes the result; false if the edit changed nothing.
    pub(super) async fn publish<E>(
        &self,
        keyring: &mut Keyring<'_>,
        now: Timestamp,
        watch: Watch<'_>,
        mut edit: E,
    ) -> Result<bool, Error>
    where
        E: FnMut(&Current, &mut Draft, &mut Keyring<'_>, Watch<'_>) -> Result<(), Error> + Send,
    {
        for attempt in 0..ATTEMPTS {
            let current = self.refresh(&Errand::write(now), watch).await?;
            let mut draft = Draft::of(&current, now);
            edit(&current, &mut draft, keyring, watch)?;
            if !draft.is_changed() {
                return Ok(false);
            }
            drop(current); // sealing a large repository can use the room
            let sent = self.release(draft, attempt, keyring, now, watch).await?;
            if sent.is_some() {
                return Ok(true);
            }
        }
        Err(Error::Contended(ATTEMPTS))
    }

    /// Seals a draft and publishes it; nothing, after a pause, if somebody else was faster.
    pub(super) async fn release(
        &self,
        mut draft: Draft,
        attempt: u32,
        keyring: &mut Keyring<'_>,
        now: Timestamp,
        watch: Watch<'_>,
    ) -> Result<Option<Vec<SealedFile>>, Error> {
        draft.number_above(&self.floor()?);
        let snapshot = RoleName::snapshot();
        let own_snapshot = draft
            .keys_of(&snapshot)
            .is_some_and(|keys| keyring.holds_any(&snapshot, &keys));
        let files = seal(draft, own_snapshot, keyring, watch)?;
        match self.send(&files).await {
            Ok(()) => {
                self.look_back(&files, now, watch).await;
                Ok(Some(files))
            }
            Err(Error::Remote(RemoteError::Conflict { .. })) => {
                watch(Event::Conflict);
                tokio::time::sleep(pause(attempt)).await;
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Whether the next snapshot will be signed: here, or by the server.
    ///
    /// # Errors
    /// Its keys are neither here nor the server's.
    pub(super) async fn snapshot_is_signed(
        &self,
        keys: &RoleKeys,
        keyring: &Keyring<'_>,
    ) -> Result<SnapshotKey, Error> {
        let role = RoleName::snapshot();
        let Some(lacking) = keyring.lacking(&role, keys) else {
            return Ok(SnapshotKey::Local);
        };
        let servers = self.server_key(&role).await?;
        if keys.threshold <= 1 && keys.keys.iter().any(|key| key.id() == servers.id()) {
            return Ok(SnapshotKey::Server);
        }
        Err(KeyringError::from(lacking).into())
    }

    /// Sends sealed files in one request.
    pub(super) async fn send(&self, files: &[SealedFile]) -> Result<(), Error> {
        let named = files
            .iter()
            .map(|file| (file.role().to_string(), file.bytes().clone()));
        Ok(self.remote()?.publish(named.collect()).await?)
    }

    /// Keeps what the server serves now. It is published whatever comes of this.
    pub(super) async fn look_back(&self, files: &[SealedFile], now: Timestamp, watch: Watch<'_>) {
        let errand = Errand::look_back(now, files);
        if let Err(error) = self.refresh(&errand, &mut |_| ()).await {
            watch(Event::NotSeenYet {
                cause: error.to_string(),
            });
        }
    }
}

/// Signs what a draft changed with the keys at hand.
pub(super) fn seal(
    draft: Draft,
    own_snapshot: bool,
    keyring: &mut Keyring<'_>,
    watch: Watch<'_>,
) -> Result<Vec<SealedFile>, Error> {
    let sealed = draft.seal(own_snapshot, |role, keys, message| {
        keyring.sign(role, keys, message, watch)
    });
    sealed.map_err(|error: SealError<KeyringError>| match error {
        SealError::Signer(error) => error.into(),
        SealError::Refused(error) => error.into(),
    })
}

/// Grows from 20 ms and differs between processes, so that two of them do not meet again.
fn pause(attempt: u32) -> Duration {
    let jitter = u64::from(std::process::id() % 17);
    Duration::from_millis(20 * u64::from(attempt + 1) + jitter)
}

/// Publishes tried before giving up.
pub(super) const ATTEMPTS: u32 = 12;
