//! Keys that `docker trust` and `notary` wrote open here, and bear the id of their file.
#![allow(clippy::indexing_slicing, clippy::unwrap_used)]

use std::path::{Path, PathBuf};

use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use trust_store::keys::{KeyError, KeyStore, Passphrase, Place, StoredKey};

const HOMES: [&str; 2] = ["docker-trust-dir", "notary-dir"];

fn home(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../tests/vectors/notary-v1")
        .join(name)
}

fn passphrase(home: &str, key: &StoredKey) -> Passphrase {
    match (home, key.role.as_deref()) {
        (_, Some("root")) => "rootpassw",
        ("notary-dir", Some("targets")) => "targpassw",
        ("notary-dir", Some("snapshot")) => "snappassw",
        _ => "repopassw",
    }
    .into()
}

fn all() -> impl Iterator<Item = (&'static str, KeyStore, StoredKey)> {
    HOMES.into_iter().flat_map(|name| {
        let store = KeyStore::at(&home(name));
        let keys = store.list().unwrap();
        keys.into_iter().map(move |key| (name, store.clone(), key))
    })
}

#[test]
fn every_key_opens_and_signs() {
    for (home, store, stored) in all() {
        let Place::File {
            path, encrypted, ..
        } = &stored.place
        else {
            panic!("a file")
        };
        assert!(encrypted);
        let key = store
            .unlock(&stored, Some(&passphrase(home, &stored)))
            .unwrap();
        assert_eq!(key.id(), stored.id);
        assert_eq!(Some(stored.id.as_str()), path.file_stem().unwrap().to_str());
        let signature = key.sign(b"message").unwrap();
        assert_eq!((signature.method, signature.bytes.len()), ("ecdsa", 64));
        let point = &key.public().bytes[26..];
        let verifier = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point);
        verifier.verify(b"message", &signature.bytes).unwrap();
    }
    assert_eq!(all().count(), 16);
}

#[test]
fn headers_say_what_each_key_is_for() {
    let roles = |home: &str| -> Vec<_> {
        let keys = KeyStore::at(&self::home(home)).list().unwrap();
        let mut roles: Vec<_> = keys
            .into_iter()
            .map(|key| (key.role.unwrap(), key.gun))
            .collect();
        roles.sort();
        roles
    };
    let gun = || Some("docker.io/deleg2".to_owned());
    let expected = [
        ("root".to_owned(), None),
        ("snapshot".to_owned(), gun()),
        ("targets".to_owned(), gun()),
    ];
    assert_eq!(roles("notary-dir"), expected);
}

#[test]
fn a_wrong_or_missing_passphrase_is_told_apart() {
    for (_, store, stored) in all().take(3) {
        let wrong = store.unlock(&stored, Some(&"wrong".into())).unwrap_err();
        assert!(matches!(wrong, KeyError::WrongPassphrase), "{wrong:?}");
        let missing = store.unlock(&stored, None).unwrap_err();
        assert!(matches!(missing, KeyError::PassphraseNeeded { id } if id == stored.id));
    }
}
