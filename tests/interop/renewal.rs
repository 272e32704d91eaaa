//! `trust repo renew`: what has expired comes back, on each server as far as it lets it.

use jiff::{SignedDuration, Timestamp};
use std::{fs, path::Path, thread, time::Duration};
use trust::{
    config::Credentials,
    remote::{Actions, Notary},
    repository::{
        Repository,
        init::{Initialization, SnapshotKey},
        keyring::{KeyName, Keyring, PassphraseError, Passphrases},
        sign::SignRequest,
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

use crate::peers::{
    home::{Home, REPOSITORY, ROOT},
    lab::Lab,
    server::{Kind, on_both_servers},
};
use crate::world::Key;

on_both_servers!(
    targets_and_delegations_that_expired,
    targets_and_a_snapshot_of_our_own_that_expired,
    a_root_that_expired,
    a_root_that_expired_with_its_certificate,
    what_expires_soon_and_keys_that_are_missing,
    a_warning_names_the_command,
);

fn targets_and_delegations_that_expired(server: Kind) {
    let lab = Lab::start(server);
    let (nigel, app) = (lab.home("nigel"), lab.name("app"));
    let made = Made::by(&nigel, &app);
    let (past, expires) = soon(1095);
    made.begun(SnapshotKey::Server, past);
    nigel.notary(&format!("list {app}")).ok();
    wait_until_after(expires);
    nigel.notary(&format!("list {app}")).exit(1);
    nigel
        .trust(&format!("repo show {app}"))
        .exit(1)
        .says("trust repo renew");
    nigel
        .trust(&format!("repo renew {app}"))
        .ok()
        .says("targets is signed again")
        .does_not_say("root is");
    in_force(&nigel, &app);
    nigel
        .trust(&format!("repo renew {app}"))
        .ok()
        .says("nothing expires");
}

fn targets_and_a_snapshot_of_our_own_that_expired(server: Kind) {
    let lab = Lab::start(server);
    let (nigel, app) = (lab.home("nigel"), lab.name("app"));
    let made = Made::by(&nigel, &app);
    let (past, expires) = soon(1095);
    made.begun(SnapshotKey::Local, past);
    wait_until_after(expires);
    let refused = nigel.trust(&format!("repo show {app}"));
    assert_ne!(refused.code, 0, "{refused}");
    nigel
        .trust(&format!("repo renew {app}"))
        .ok()
        .says("targets is signed again")
        .says("snapshot is signed again");
    in_force(&nigel, &app);
}

fn a_root_that_expired(server: Kind) {
    let lab = Lab::start(server);
    let (nigel, app) = (lab.home("nigel"), lab.name("app"));
    let made = Made::by(&nigel, &app);
    let (past, expires) = soon(3650);
    made.with_a_root_from(past, Timestamp::now());
    let reader = lab.home("reader");
    reader.notary(&format!("list {app}")).ok();
    reader.trust(&format!("repo list {app}")).ok();
    wait_until_after(expires);
    nigel.trust(&format!("repo show {app}")).exit(1);
    nigel
        .trust(&format!("repo renew {app}"))
        .ok()
        .says("root is signed again");
    in_force(&nigel, &app);
    reader.trust(&format!("repo list {app}")).ok();
    reader.notary(&format!("list {app}")).ok();
}

fn a_root_that_expired_with_its_certificate(server: Kind) {
    let lab = Lab::start(server);
    let (nigel, app) = (lab.home("nigel"), lab.name("app"));
    let made = Made::by(&nigel, &app);
    let (past, expires) = soon(3650);
    made.with_a_root_from(past, past);
    let reader = lab.home("reader");
    reader.notary(&format!("list {app}")).ok();
    reader.trust(&format!("repo list {app}")).ok();
    wait_until_after(expires);
    nigel.trust(&format!("repo show {app}")).exit(1);
    let renewed = nigel.trust(&format!("repo renew {app}"));
    if server == Kind::Notary {
        // It takes no root after one whose certificate has ended.
        renewed.exit(1).says("Update sent by the client is invalid");
        return;
    }
    renewed.ok().says("root is signed again");
    in_force(&nigel, &app);
    reader.trust(&format!("repo list {app}")).ok();
    reader.notary(&format!("list {app}")).ok();
}

fn what_expires_soon_and_keys_that_are_missing(server: Kind) {
    let lab = Lab::start(server);
    let (nigel, app) = (lab.home("nigel"), lab.name("app"));
    lab.push("app", "v1");
    nigel.trust("key generate nigel").ok();
    nigel
        .trust(&format!("signer add --key nigel.pub nigel {app}"))
        .ok();
    nigel.trust(&format!("sign {app}:v1")).ok();
    let id = key_of(&nigel, "nigel");
    let file = nigel.trust_dir().join("private").join(format!("{id}.key"));
    fs::remove_file(file).unwrap();
    let renew = |line: &str| nigel.trust(&format!("repo renew {line}"));
    renew(&app).ok().says("nothing expires before");
    renew(&format!("{app} --expiring-within 1100d"))
        .exit(1)
        .says("targets is signed again")
        .says("targets/nigel is not signed again")
        .says(&id);
    let said = renew("--all --expiring-within 1100d --format json").exit(1);
    let rows: serde_json::Value = serde_json::from_str(&said.stdout).unwrap();
    assert_eq!(rows[0]["repository"], app.as_str());
    let roles = rows[0]["roles"].as_array().unwrap();
    let of = |role: &str| roles.iter().find(|row| row["role"] == role).unwrap();
    assert_eq!(of("targets")["renewed"], true);
    assert_eq!(of("snapshot")["signed_by_server"], true);
    assert_eq!(of("targets/releases")["missing_key_ids"][0], id.as_str());
    in_force(&nigel, &app);
}

fn a_warning_names_the_command(server: Kind) {
    let lab = Lab::start(server);
    let (nigel, app) = (lab.home("nigel"), lab.name("app"));
    let long_ago = Timestamp::now().saturating_sub(SignedDuration::from_hours(24 * 1000));
    Made::by(&nigel, &app).begun(SnapshotKey::Local, long_ago.unwrap());
    let shown = nigel.trust(&format!("repo show --format json {app}")).ok();
    let roles: serde_json::Value = serde_json::from_str(&shown.stdout).expect("JSON");
    let of = |role: &str| {
        let rows = roles.as_array().expect("roles").iter();
        rows.clone()
            .find(|row| row["role"] == role)
            .expect("a role")["expires"]
            .clone()
    };
    let soon = |role: &str| {
        let expires: Timestamp = of(role).as_str().expect("a date").parse().expect("a date");
        expires < Timestamp::now() + SignedDuration::from_hours(24 * 96)
    };
    assert!(soon("targets") && soon("snapshot") && !soon("root"));
    let command = format!("trust repo renew {app}");
    shown.says(&command);
    nigel
        .trust(&command.replacen("trust ", "", 1))
        .ok()
        .says("targets is signed again")
        .says("snapshot is signed again");
    let shown = nigel.trust(&format!("repo show {app}")).ok();
    shown.does_not_say(&command);
}

/// A repository made in the past: by this library, whose clock is an argument.
struct Made<'h> {
    home: &'h Home<'h>,
    gun: &'h str,
}

impl<'h> Made<'h> {
    fn by(home: &'h Home<'h>, gun: &'h str) -> Self {
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

    /// With a tag in `targets`, and one by a signer if the server signs snapshots.
    fn begun(&self, snapshot_key: SnapshotKey, at: Timestamp) {
        let cache = Cache::at(&self.home.trust_dir())
            .repository(self.gun)
            .unwrap();
        let repository = Repository::new(self.gun, cache, Some(self.remote()));
        let mut known = Known;
        let mut keyring = Keyring::new(self.keys(), &mut known);
        let how = Initialization {
            snapshot_key,
            ..Initialization::default()
        };
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
            repository
                .init(&mut keyring, &how, at, watch)
                .await
                .unwrap();
            repository
                .sign(&mut keyring, &request, at, watch)
                .await
                .unwrap();
        });
    }

    /// Of a root that was signed in the past, with a certificate from another moment.
    fn with_a_root_from(&self, past: Timestamp, certified: Timestamp) {
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
        let targets = keyring
            .create(Algorithm::EcdsaP256, "targets", Some(self.gun))
            .unwrap();
        let targets = PublicKey::new("ecdsa", targets.public().bytes.clone()).unwrap();
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
fn soon(days: i64) -> (Timestamp, Timestamp) {
    let expires = Timestamp::now()
        .saturating_add(SignedDuration::from_secs(8))
        .unwrap();
    let past = expires
        .saturating_sub(SignedDuration::from_hours(24 * days))
        .unwrap();
    (past, expires)
}

fn wait_until_after(moment: Timestamp) {
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

/// Everybody reads it, and it can be signed into.
fn in_force(home: &Home<'_>, app: &str) {
    home.trust(&format!("repo show {app}")).ok();
    home.notary(&format!("list {app}")).ok();
    home.docker(&format!("trust inspect {app}")).ok();
    let newcomer = home.lab.home("newcomer");
    newcomer.trust(&format!("repo list {app}")).ok();
    newcomer.notary(&format!("list {app}")).ok();
}

fn key_of(home: &Home<'_>, name: &str) -> String {
    let line = format!("key show --format json {name}");
    let shown: serde_json::Value = serde_json::from_str(&home.trust(&line).ok().stdout).unwrap();
    shown["id"].as_str().unwrap().to_owned()
}
