//! A new repository: its keys, its first root, its first targets.

use super::errand::Errand;
use super::keyring::{Keyring, KeyringError};
use super::publish::seal;
use super::root_keys::{RootKeys, can_sign, threshold};
use super::{Error, Event, Repository, Watch};
use crate::tuf::edit::{BaseKeys, Draft, SealedFile};
use crate::tuf::envelope::RoleKeys;
use crate::tuf::key::PublicKey;
use crate::tuf::role::RoleName;
use jiff::Timestamp;
use trust_store::keys::{Algorithm, StoredKey};

/// Who holds the snapshot key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SnapshotKey {
    /// The server, as `docker trust` sets it up
    #[default]
    Server,
    /// This machine, as `notary init` sets it up
    Local,
}

/// How to begin a repository.
#[derive(Clone, Debug, Default)]
pub struct Initialization {
    /// The root keys to use; else the local one with the lowest id, else a new one
    pub root: RootKeys,
    /// Who signs snapshots
    pub snapshot_key: SnapshotKey,
}

impl Repository {
    /// Publishes a new repository in which nothing is signed yet.
    ///
    /// # Errors
    /// It exists already, the server gives no keys, or no passphrase is to be had.
    pub async fn init(
        &self,
        keyring: &mut Keyring<'_>,
        how: &Initialization,
        now: Timestamp,
        watch: Watch<'_>,
    ) -> Result<(), Error> {
        match self.refresh(&Errand::write(now), watch).await {
            Ok(_) => Err(Error::AlreadyInitialized(self.gun.clone())),
            Err(Error::NotInitialized { .. }) => {
                self.begin(keyring, how, now, watch, |_| Ok(())).await
            }
            Err(error) => Err(error),
        }
    }

    /// Publishes a new repository with what `edit` adds to it, in one request.
    pub(super) async fn begin(
        &self,
        keyring: &mut Keyring<'_>,
        how: &Initialization,
        now: Timestamp,
        watch: Watch<'_>,
        edit: impl FnOnce(&mut Draft) -> Result<(), Error> + Send,
    ) -> Result<(), Error> {
        watch(Event::Initializing);
        let keys = self.base_keys(keyring, how, now).await?;
        let mut draft = Draft::first(&keys, now);
        watch(Event::Initialized);
        edit(&mut draft)?;
        draft.number_above(&self.floor()?);
        let files = seal(
            draft,
            how.snapshot_key == SnapshotKey::Local,
            keyring,
            watch,
        )?;
        self.send(&files).await?;
        self.trust_own_root(&files)?;
        self.look_back(&files, now, watch).await;
        Ok(())
    }

    /// Whoever made the root need not trust the first one a server shows.
    fn trust_own_root(&self, files: &[SealedFile]) -> Result<(), Error> {
        let lock = self.cache.lock()?;
        let role = RoleName::root();
        if let Some(root) = files.iter().find(|file| *file.role() == role) {
            self.cache
                .replace(&lock, &[(role.as_str(), root.bytes())], &[], None)?;
        }
        Ok(())
    }

    /// Opens or makes the keys of the four base roles; root first, as Docker asks.
    async fn base_keys(
        &self,
        keyring: &mut Keyring<'_>,
        how: &Initialization,
        now: Timestamp,
    ) -> Result<BaseKeys, Error> {
        let timestamp = self.server_key(&RoleName::timestamp()).await?;
        let server_snapshot = match how.snapshot_key {
            SnapshotKey::Server => Some(self.server_key(&RoleName::snapshot()).await?),
            SnapshotKey::Local => None,
        };
        let (root, root_threshold) = self.first_root_keys(keyring, &how.root, now)?;
        let targets = self.new_key(keyring, "targets")?;
        let snapshot = match server_snapshot {
            Some(key) => key,
            None => self.new_key(keyring, "snapshot")?,
        };
        Ok(BaseKeys {
            root,
            root_threshold,
            snapshot,
            targets,
            timestamp,
        })
    }

    fn first_root_keys(
        &self,
        keyring: &mut Keyring<'_>,
        chosen: &RootKeys,
        now: Timestamp,
    ) -> Result<(Vec<PublicKey>, u64), Error> {
        let mut chosen = chosen.clone();
        if chosen.is_empty() {
            chosen.keys.extend(local_root_key(keyring)?);
        }
        let keys = if chosen.is_empty() {
            threshold_of_new(chosen.threshold)?;
            vec![self.new_root_key(keyring, now)?]
        } else {
            self.certified(keyring, &chosen, &[], now)?
        };
        let threshold = threshold(chosen.threshold, 1, &keys)?;
        let signing = RoleKeys { keys, threshold };
        can_sign(keyring, &signing)?;
        Ok((signing.keys, threshold))
    }

    pub(super) fn new_key(
        &self,
        keyring: &mut Keyring<'_>,
        role: &str,
    ) -> Result<PublicKey, Error> {
        let key = keyring.create(Algorithm::EcdsaP256, role, Some(&self.gun))?;
        let public = key.public();
        PublicKey::new(&public.key_type, public.bytes.clone())
            .map_err(|fault| Error::RootCertificate(fault.to_string()))
    }

    pub(super) async fn server_key(&self, role: &RoleName) -> Result<PublicKey, Error> {
        let json = self.remote()?.key(role.as_str()).await?;
        read_key(role, &json)
    }
}

/// A key as a server gives it.
pub(super) fn read_key(role: &RoleName, json: &[u8]) -> Result<PublicKey, Error> {
    PublicKey::from_json(json).map_err(|fault| Error::ServerKey {
        role: role.clone(),
        reason: fault.to_string(),
    })
}

/// One new key meets no threshold but 1; said before it is made.
fn threshold_of_new(asked: Option<u64>) -> Result<(), Error> {
    match asked {
        None | Some(1) => Ok(()),
        Some(threshold) => Err(Error::WrongThreshold { threshold, keys: 1 }),
    }
}

/// The local root key with the lowest id, as Docker chooses.
fn local_root_key(keyring: &Keyring<'_>) -> Result<Option<StoredKey>, KeyringError> {
    let mut keys = keyring.store().list()?;
    keys.retain(|key| key.role.as_deref() == Some("root"));
    Ok(keys.into_iter().min_by(|a, b| a.id.cmp(&b.id)))
}
