//! A new repository: its keys, its first root, its first targets.

use super::errand::Errand;
use super::keyring::{Keyring, KeyringError};
use super::publish::seal;
use super::root_certificate::{adopt, certify};
use super::{Error, Event, Repository, Watch};
use crate::tuf::edit::{BaseKeys, Draft, SealedFile};
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
    /// The root key to use; else the local one with the lowest id, else a new one
    pub root_key: Option<StoredKey>,
    /// The PEM bundle in which the root key is to travel; else one is made
    pub root_certificate: Option<Vec<u8>>,
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
        let root = self.root_certificate(keyring, how, now)?;
        let targets = self.new_key(keyring, "targets")?;
        let snapshot = match server_snapshot {
            Some(key) => key,
            None => self.new_key(keyring, "snapshot")?,
        };
        Ok(BaseKeys {
            root: vec![root],
            root_threshold: 1,
            snapshot,
            targets,
            timestamp,
        })
    }

    fn root_certificate(
        &self,
        keyring: &mut Keyring<'_>,
        how: &Initialization,
        now: Timestamp,
    ) -> Result<PublicKey, Error> {
        let stored = match &how.root_key {
            Some(key) => Some(key.clone()),
            None => local_root_key(keyring)?,
        };
        if stored.is_none() {
            // The root key may be on the token that is missed: no other is made for it.
            keyring.misses_no_token()?;
        }
        let key = match &stored {
            Some(stored) => keyring.open(stored, "root")?,
            None => keyring.create(Algorithm::EcdsaP256, "root", None)?,
        };
        match &how.root_certificate {
            Some(bundle) => adopt(bundle, key, &self.gun, now),
            None => certify(key, &self.gun, now),
        }
    }

    fn new_key(&self, keyring: &mut Keyring<'_>, role: &str) -> Result<PublicKey, Error> {
        let key = keyring.create(Algorithm::EcdsaP256, role, Some(&self.gun))?;
        let public = key.public();
        PublicKey::new(&public.key_type, public.bytes.clone())
            .map_err(|fault| Error::RootCertificate(fault.to_string()))
    }

    async fn server_key(&self, role: &RoleName) -> Result<PublicKey, Error> {
        let json = self.remote()?.key(role.as_str()).await?;
        PublicKey::from_json(&json).map_err(|fault| Error::ServerKey {
            role: role.clone(),
            reason: fault.to_string(),
        })
    }
}

/// The local root key with the lowest id, as Docker chooses.
fn local_root_key(keyring: &Keyring<'_>) -> Result<Option<StoredKey>, KeyringError> {
    let mut keys = keyring.store().list()?;
    keys.retain(|key| key.role.as_deref() == Some("root"));
    Ok(keys.into_iter().min_by(|a, b| a.id.cmp(&b.id)))
}
