//! Changes staged on this machine, in the list that Notary's client uses too: kept, shown, published.

use super::change::{consequences, make};
use super::errand::Errand;
use super::keyring::Keyring;
use super::sign::{SignRequest, meta, roles};
use super::{Error, Repository, Watch, revoke};
use crate::tuf::change::{Change, ChangeError};
use crate::tuf::edit::Draft;
use crate::tuf::trusted::Current;
use jiff::Timestamp;

/// A change in the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Staged {
    /// The name of its file
    pub file: String,
    /// The change, if the file is one
    pub change: Result<Change, ChangeError>,
}

impl Repository {
    /// Every staged change, in the order in which they will be made.
    ///
    /// # Errors
    /// The list cannot be read.
    pub fn staged(&self) -> Result<Vec<Staged>, Error> {
        let files = self.cache.staged()?.into_iter();
        let staged = files.map(|file| Staged {
            change: Change::parse(&file.bytes),
            file: file.name,
        });
        Ok(staged.collect())
    }

    /// Adds changes to the list; nothing is checked against the repository, nor sent.
    ///
    /// # Errors
    /// The list cannot be written.
    pub fn stage(&self, changes: &[Change], now: Timestamp) -> Result<(), Error> {
        let files = changes.iter().map(Change::to_bytes);
        let files = files.collect::<Result<Vec<_>, _>>()?;
        let lock = self.cache.lock()?;
        let now = u64::try_from(now.as_nanosecond()).unwrap_or(0);
        Ok(self.cache.stage(&lock, now, &files)?)
    }

    /// Stages the signing of a tag, by the roles that would sign it now.
    ///
    /// Where the request names a role, nothing has to be known of the repository.
    ///
    /// # Errors
    /// No role is named and none can be found, or one needs more signatures than can be made here;
    /// the list cannot be written.
    pub async fn stage_sign(
        &self,
        keyring: &mut Keyring<'_>,
        request: &SignRequest,
        now: Timestamp,
        watch: Watch<'_>,
    ) -> Result<Vec<Change>, Error> {
        let roles = if let Some(role) = &request.role {
            vec![role.clone()]
        } else {
            let current = self.refresh(&Errand::read(now), watch).await?;
            let roles = roles(&current, keyring, request)?;
            for role in &roles {
                let keys = current.keys_of(role);
                keys.map_or(Ok(()), |keys| keyring.suffices(role, &keys))?;
            }
            roles
        };
        let (name, meta) = (&request.tag, meta(request));
        let changes = roles.into_iter().map(|role| Change::Sign {
            role,
            name: name.clone(),
            meta: meta.clone(),
        });
        let changes: Vec<_> = changes.collect();
        self.stage(&changes, now)?;
        Ok(changes)
    }

    /// Stages the revocation of `tag`, or of every released tag, wherever a local key may.
    ///
    /// # Errors
    /// As those of a revocation; the list cannot be written.
    pub async fn stage_revoke(
        &self,
        keyring: &mut Keyring<'_>,
        tag: Option<&str>,
        now: Timestamp,
        watch: Watch<'_>,
    ) -> Result<Vec<Change>, Error> {
        keyring.restrict(None);
        let current = self.refresh(&Errand::read(now), watch).await?;
        let changes = revoke::changes(&current, &Draft::of(&current, now), keyring, tag)?;
        self.stage(&changes, now)?;
        Ok(changes)
    }

    /// Makes every staged change, in order, in one publish; then they are staged no more.
    ///
    /// How many there were. If one cannot be made, nothing is published and all stay.
    ///
    /// # Errors
    /// A change that cannot be made is named; a key is missing, or the server refuses.
    pub async fn publish_staged(
        &self,
        keyring: &mut Keyring<'_>,
        now: Timestamp,
        watch: Watch<'_>,
    ) -> Result<usize, Error> {
        let (mut files, mut changes) = (Vec::new(), Vec::new());
        for (number, staged) in self.staged()?.into_iter().enumerate() {
            let change = staged.change.map_err(|cause| Error::StagedUnreadable {
                number,
                file: staged.file.clone(),
                cause,
            })?;
            files.push(staged.file);
            changes.push(change);
        }
        if changes.is_empty() {
            return Ok(0);
        }
        keyring.restrict(None);
        let mut told = false;
        let edit = |current: &Current,
                    draft: &mut Draft,
                    keyring: &mut Keyring<'_>,
                    watch: Watch<'_>| {
            let mut events = Vec::new();
            for (number, change) in changes.iter().enumerate() {
                make(change, draft, keyring, &mut events).map_err(|cause| Error::StagedChange {
                    number,
                    change: change.to_string(),
                    cause,
                })?;
            }
            events.extend(consequences(current, draft));
            if !std::mem::replace(&mut told, true) {
                events.into_iter().for_each(watch);
            }
            Ok(())
        };
        self.publish(keyring, now, watch, edit).await?;
        if self.is_requesting() {
            return Ok(files.len()); // they stay until they are published
        }
        self.cache.unstage(&files)?;
        Ok(files.len())
    }

    /// Takes changes out of the list, by number or all; numbers that are none are passed over.
    ///
    /// # Errors
    /// The list cannot be read or changed.
    pub fn reset_staged(&self, numbers: Option<&[usize]>) -> Result<usize, Error> {
        let files = self.cache.staged()?.into_iter().enumerate();
        let chosen = files.filter(|(number, _)| numbers.is_none_or(|all| all.contains(number)));
        let chosen: Vec<String> = chosen.map(|(_, file)| file.name).collect();
        self.cache.unstage(&chosen)?;
        Ok(chosen.len())
    }
}
