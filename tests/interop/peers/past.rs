//! Repositories made in the past, so that they expire while a test looks.

use jiff::{SignedDuration, Timestamp};
use std::{path::Path, thread, time::Duration};
use trust::{
    config::Credentials,
    remote::{Actions, Notary},
    repository::{
        Repository,
        init::{Initialization, SnapshotKey},
        keyring::{KeyName, Keyring, PassphraseError, Passphrases},
        sign::{NewSigner, SignRequest},
    },
    tls::{TlsFiles, http_client},
    tuf::{
        edit::{BaseKeys, Draft, SealedFile},
        key::PublicKey,
    },
};
use trust_store::{
    keys::{Algorithm, KeyFile, KeyStore, Passphrase, TokenName, Tries},
    metadata::Cache,
};

use super::home::{Home, REPOSITORY, ROOT};
use crate::world::Key;

/// A repository made in the past: by this library, whose clock is an argument.
pub(crate) struct Made<'h> {
    home: &'h Home<'h>,
    gun: &'h str,
}

impl<'h> Made<'h> {
    pub(crate) fn by(home: &'h Home<'h>, gun: &'h str) -> Self {
        Self { home, gun }
    }

    fn remote(&self) -> Notary {
        let lab = self.home.lab;
        let files = TlsFiles::for_trust_server(Some(&lab.ca()), Path::new("/nowhere")).unwrap();
        let http = http_client(&files, &lab.server.host).unwrap();
        let url = lab.server.url().parse().unwrap();
        Notary::new(
            http,
            &url,
            self.gun,
            Actions::PullPush,
            Credentials::Anonymous,
        )
    }

    fn keys(&self) -> KeyStore {
        KeyStore::at(&self.home.trust_dir())
    }

    /// With the tag v1 in `targets`.
    pub(crate) fn begun(&self, snapshot_key: SnapshotKey, at: Timestamp) {
        let how = Initialization {
            snapshot_key,
            ..Initialization::default()
        };
        self.with_a_tag(&how, None, at);
    }

    /// With the tag v1 released by a signer, whose key is here.
    pub(crate) fn released_by(&self, name: &str, at: Timestamp) {
        self.with_a_tag(&Initialization::default(), Some(name), at);
    }

    fn with_a_tag(&self, how: &Initialization, signer: Option<&str>, at: Timestamp) {
        let cache = Cache::at(&self.home.trust_dir())
            .repository(self.gun)
            .unwrap();
        let repository = Repository::new(self.gun, cache, Some(self.remote()));
        let mut known = Known;
        let mut keyring = Keyring::new(self.keys(), &mut known);
        let signer = signer.map(|name| NewSigner {
            name: name.to_owned(),
            keys: vec![created(&mut keyring, name, None)],
        });
        let request = SignRequest {
            tag: "v1".to_owned(),
            sha256: [7; 32],
            size: 528,
            custom: None,
            role: None,
            signer: None,
            first_signer: None,
        };
        in_time(async {
            let watch = &mut |_| ();
            repository.init(&mut keyring, how, at, watch).await.unwrap();
            if let Some(signer) = &signer {
                let paths = [String::new()];
                let added = repository.add_signer(&mut keyring, signer, &paths, at, watch);
                added.await.unwrap();
            }
            let published = repository.sign(&mut keyring, &request, at, watch);
            published.await.unwrap();
        });
    }

    /// Of a root that was signed in the past, with a certificate from another moment.
    pub(crate) fn with_a_root_from(&self, past: Timestamp, certified: Timestamp) {
        let mut known = Known;
        let mut keyring = Keyring::new(self.keys(), &mut known);
        let remote = self.remote();
        let server_key = |role: &'static str| {
            let json = in_time(remote.key(role)).unwrap();
            PublicKey::from_json(&json).unwrap()
        };
        let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
        let until = certified.saturating_add(SignedDuration::from_hours(3650 * 24));
        let certified = Key::certified(&pair, self.gun, certified, until.unwrap());
        let pem = pair.serialize_pem().into_bytes();
        let Ok(KeyFile::Plain { key, .. }) = KeyFile::parse(&pem) else {
            panic!("no key");
        };
        keyring.keep(key, "root", None).unwrap();
        let targets = created(&mut keyring, "targets", Some(self.gun));
        let keys = BaseKeys {
            root: vec![certified.public.clone()],
            root_threshold: 1,
            snapshot: server_key("snapshot"),
            targets,
            timestamp: server_key("timestamp"),
        };
        let mut sealed = |at: Timestamp| -> Vec<SealedFile> {
            let draft = Draft::first(&keys, at);
            draft
                .seal(false, |role, keys, message| {
                    keyring.sign(role, keys, message, &mut |_| ())
                })
                .unwrap()
        };
        let (old, new) = (sealed(past), sealed(Timestamp::now()));
        let file = |files: &[SealedFile], role: &str| {
            let file = files
                .iter()
                .find(|file| file.role().as_str() == role)
                .unwrap();
            (role.to_owned(), file.bytes().clone())
        };
        in_time(remote.publish(vec![file(&old, "root"), file(&new, "targets")])).unwrap();
    }
}

/// A new key, kept in the home; its public half.
fn created(keyring: &mut Keyring<'_>, role: &str, gun: Option<&str>) -> PublicKey {
    let key = keyring.create(Algorithm::EcdsaP256, role, gun).unwrap();
    PublicKey::new("ecdsa", key.public().bytes.clone()).unwrap()
}

struct Known;

impl Passphrases for Known {
    fn existing(&mut self, key: &KeyName<'_>) -> Result<Passphrase, PassphraseError> {
        Ok(Passphrase::from(match key.role {
            "root" => ROOT,
            _ => REPOSITORY,
        }))
    }

    fn fresh(&mut self, key: &KeyName<'_>) -> Result<Passphrase, PassphraseError> {
        self.existing(key)
    }

    fn wrong(&mut self, _: &KeyName<'_>) -> bool {
        false
    }

    fn pin(&mut self, _: &TokenName, _: Tries) -> Result<Passphrase, PassphraseError> {
        Err(PassphraseError::TooManyTries)
    }

    fn wrong_pin(&mut self, _: &TokenName) -> bool {
        false
    }
}

/// The moment at which something has to be signed to expire in a few seconds, after so many days;
/// and when it expires.
pub(crate) fn soon(days: i64) -> (Timestamp, Timestamp) {
    within(8, days)
}

/// The same with so many seconds left, for those who do more before it expires.
pub(crate) fn within(seconds: i64, days: i64) -> (Timestamp, Timestamp) {
    let expires = Timestamp::now()
        .saturating_add(SignedDuration::from_secs(seconds))
        .unwrap();
    let past = expires
        .saturating_sub(SignedDuration::from_hours(24 * days))
        .unwrap();
    (past, expires)
}

pub(crate) fn wait_until_after(moment: Timestamp) {
    while Timestamp::now() <= moment {
        thread::sleep(Duration::from_millis(50));
    }
}

fn in_time<F: Future>(work: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.unwrap().block_on(work)
}
