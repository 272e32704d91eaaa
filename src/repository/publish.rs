//! One change, one publish; made again on top of what others published meanwhile.

use super::errand::Errand;
use super::keyring::{Keyring, KeyringError};
use super::request::names;
use super::{Error, Event, Repository, Watch};
use crate::remote::RemoteError;
use crate::tuf::edit::{Draft, Proposal, SealError, SealedFile};
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
            let current = self.refresh(&self.errand(now), watch).await?;
            let mut draft = Draft::of(&current, now);
            edit(&current, &mut draft, keyring, watch)?;
            if !draft.is_changed() {
                return Ok(false);
            }
            if self.is_requesting() {
                let proposal = Proposal::of(draft, Some(&current), &self.gun);
                self.request(proposal, keyring, &names(&current))?;
                return Ok(true);
            }
            let snapshot = RoleName::snapshot();
            let own_snapshot = draft
                .keys_of(&snapshot)
                .is_some_and(|keys| keyring.holds_any(&snapshot, &keys));
            drop(current); // sealing a large repository can use the room
            let files = seal(draft, own_snapshot, keyring, watch)?;
            match self.send(&files).await {
                Ok(()) => {
                    self.look_back(&files, now, watch).await;
                    return Ok(true);
                }
                Err(Error::Remote(RemoteError::Conflict { .. })) => {
                    watch(Event::Conflict);
                    tokio::time::sleep(pause(attempt)).await;
                }
                Err(error) => return Err(error),
            }
        }
        Err(Error::Contended(ATTEMPTS))
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
    sealed.map_err(not_sealed)
}

pub(super) fn not_sealed(error: SealError<KeyringError>) -> Error {
    match error {
        SealError::Signer(error) => error.into(),
        SealError::Refused(error) => error.into(),
    }
}

/// Grows from 20 ms and differs between processes, so that two of them do not meet again.
fn pause(attempt: u32) -> Duration {
    let jitter = u64::from(std::process::id() % 17);
    Duration::from_millis(20 * u64::from(attempt + 1) + jitter)
}

/// Publishes tried before giving up.
const ATTEMPTS: u32 = 12;
