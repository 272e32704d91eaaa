//! A person with a trust directory, keys in it, and a passphrase for all of them.

use super::{GUN, NotaryServer, deciding, image, now};
use trust::policy::Policy;
use trust::repository::init::Initialization;
use trust::repository::inspect::Inspection;
use trust::repository::keyring::{KeyName, Keyring, PassphraseError, Passphrases};
use trust::repository::renew::Renewal;
use trust::repository::rotate::{Rotated, Rotation};
use trust::repository::sign::{NewSigner, SignRequest};
use trust::repository::signer::Removal;
use trust::repository::{Decision, Error, Event, Repository};
use trust::tuf::key::PublicKey;
use trust_store::keys::{Algorithm, KeyStore, Passphrase, StoredKey};
use trust_store::metadata::Cache;

/// Somebody who works on the repository of every test.
pub struct Person {
    folder: tempfile::TempDir,
    /// What they were told on the way
    pub events: Vec<Event>,
}

/// Knows every passphrase.
struct Known;

impl Passphrases for Known {
    fn existing(&mut self, _: &KeyName<'_>) -> Result<Passphrase, PassphraseError> {
        Ok(Passphrase::from("a long passphrase"))
    }

    fn fresh(&mut self, key: &KeyName<'_>) -> Result<Passphrase, PassphraseError> {
        self.existing(key)
    }

    fn wrong(&mut self, _: &KeyName<'_>) -> bool {
        false
    }
}

impl Person {
    pub fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            events: Vec::new(),
        }
    }

    fn repository(&self, server: &NotaryServer) -> Repository {
        let cache = Cache::at(self.folder.path()).repository(GUN).unwrap();
        Repository::new(GUN, cache, Some(server.remote()))
    }

    pub fn store(&self) -> KeyStore {
        KeyStore::at(self.folder.path())
    }

    /// Makes a signer's key and keeps it.
    pub fn signer(&self, name: &str) -> NewSigner {
        let mut known = Known;
        let mut keyring = Keyring::new(self.store(), &mut known);
        let key = keyring.create(Algorithm::EcdsaP256, name, None).unwrap();
        let public = PublicKey::new(&key.public().key_type, key.public().bytes.clone()).unwrap();
        NewSigner {
            name: name.to_owned(),
            keys: vec![public],
        }
    }

    pub async fn add(&mut self, server: &NotaryServer, signer: &NewSigner) -> Result<(), Error> {
        self.add_at(server, signer, now()).await
    }

    pub async fn add_at(
        &mut self,
        server: &NotaryServer,
        signer: &NewSigner,
        now: jiff::Timestamp,
    ) -> Result<(), Error> {
        let (repository, mut known) = (self.repository(server), Known);
        let mut keyring = Keyring::new(self.store(), &mut known);
        let everything = [String::new()];
        let watch = &mut |event| self.events.push(event);
        repository
            .add_signer(&mut keyring, signer, &everything, now, watch)
            .await
    }

    pub async fn remove(
        &mut self,
        server: &NotaryServer,
        name: &str,
        yes: bool,
    ) -> Result<Removal, Error> {
        let (repository, mut known) = (self.repository(server), Known);
        let mut keyring = Keyring::new(self.store(), &mut known);
        let events = &mut self.events;
        repository
            .remove_signer(&mut keyring, name, || yes, now(), &mut |e| events.push(e))
            .await
    }

    pub async fn sign(&mut self, server: &NotaryServer, tag: &str) -> Result<(), Error> {
        self.sign_as(server, &request(tag), now()).await
    }

    pub async fn sign_as(
        &mut self,
        server: &NotaryServer,
        request: &SignRequest,
        now: jiff::Timestamp,
    ) -> Result<(), Error> {
        let (repository, mut known) = (self.repository(server), Known);
        let mut keyring = Keyring::new(self.store(), &mut known);
        let events = &mut self.events;
        repository
            .sign(&mut keyring, request, now, &mut |e| events.push(e))
            .await
    }

    pub async fn revoke(&mut self, server: &NotaryServer, tag: Option<&str>) -> Result<(), Error> {
        let (repository, mut known) = (self.repository(server), Known);
        let mut keyring = Keyring::new(self.store(), &mut known);
        let events = &mut self.events;
        repository
            .revoke(&mut keyring, tag, now(), &mut |e| events.push(e))
            .await
    }

    pub async fn init(&mut self, server: &NotaryServer, how: &Initialization) -> Result<(), Error> {
        let (repository, mut known) = (self.repository(server), Known);
        let mut keyring = Keyring::new(self.store(), &mut known);
        let watch = &mut |event| self.events.push(event);
        repository.init(&mut keyring, how, now(), watch).await
    }

    pub async fn rotate(
        &mut self,
        server: &NotaryServer,
        how: &Rotation,
    ) -> Result<Rotated, Error> {
        let (repository, mut known) = (self.repository(server), Known);
        let mut keyring = Keyring::new(self.store(), &mut known);
        let watch = &mut |event| self.events.push(event);
        repository.rotate(&mut keyring, how, now(), watch).await
    }

    pub async fn renew(
        &mut self,
        server: &NotaryServer,
        by: jiff::Timestamp,
        now: jiff::Timestamp,
    ) -> Result<Vec<Renewal>, Error> {
        let (repository, mut known) = (self.repository(server), Known);
        let mut keyring = Keyring::new(self.store(), &mut known);
        let watch = &mut |event| self.events.push(event);
        repository.renew(&mut keyring, by, now, watch).await
    }

    /// A root key of this person's.
    pub fn root_key(&self) -> StoredKey {
        let (mut known, store) = (Known, self.store());
        let mut keyring = Keyring::new(self.store(), &mut known);
        let key = keyring.create(Algorithm::EcdsaP256, "root", None).unwrap();
        store.find(key.id()).unwrap().unwrap()
    }

    pub async fn inspect(&mut self, server: &NotaryServer) -> Inspection {
        let repository = self.repository(server);
        repository.inspect(None, now(), &mut |_| ()).await.unwrap()
    }

    pub async fn decide_offline(&mut self, now: jiff::Timestamp) -> Decision {
        let cache = Cache::at(self.folder.path()).repository(GUN).unwrap();
        decided(Repository::new(GUN, cache, None), now).await
    }

    pub async fn decide_at(&mut self, server: &NotaryServer, now: jiff::Timestamp) -> Decision {
        decided(self.repository(server), now).await
    }
}

async fn decided(repository: Repository, now: jiff::Timestamp) -> Decision {
    let rule = Policy::signed().default;
    let decider = deciding(repository);
    decider
        .decide(&image(), &rule, now, &mut |_| ())
        .await
        .unwrap()
}

/// Signs a tag by every role that may.
pub fn request(tag: &str) -> SignRequest {
    SignRequest {
        tag: tag.to_owned(),
        sha256: [7; 32],
        size: 528,
        custom: None,
        role: None,
        signer: None,
        first_signer: None,
    }
}
