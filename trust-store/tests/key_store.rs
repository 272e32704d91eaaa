//! The folder of keys: what is listed, found, added, and what is left alone.
#![allow(clippy::indexing_slicing, clippy::unwrap_used)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::thread;

use trust_store::keys::{
    Algorithm, KeyError, KeyStore, Label, Passphrase, Place, PrivateKey, StoredKey,
};

const GUN: &str = "docker.com/notary0.1/samplerepo";

fn passphrase() -> Passphrase {
    "passphrase".into()
}

fn label(role: &str) -> Label {
    Label {
        role: role.to_owned(),
        gun: None,
    }
}

fn add(store: &KeyStore, role: &str) -> (PrivateKey, PathBuf) {
    let key = PrivateKey::generate(Algorithm::EcdsaP256).unwrap();
    let path = store.add(&key, &label(role), &passphrase()).unwrap();
    (key, path)
}

fn put(path: &Path, bytes: &[u8]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    trust_store::write_atomic(path, bytes, 0o600).unwrap();
}

#[test]
fn an_empty_or_missing_directory_has_no_keys() {
    let home = tempfile::tempdir().unwrap();
    let store = KeyStore::at(&home.path().join("missing"));
    assert_eq!(store.list().unwrap(), []);
    assert_eq!(store.find(&"a".repeat(64)).unwrap(), None);
    assert!(!home.path().join("missing").exists());
}

#[test]
fn a_new_key_is_private_and_encrypted() {
    let home = tempfile::tempdir().unwrap();
    let store = KeyStore::at(&home.path().join("trust"));
    let (key, path) = add(&store, "root");
    let name = format!("trust/private/{}.key", key.id());
    assert_eq!(path, home.path().join(name));
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
    assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    let stored = store.find(key.id()).unwrap().unwrap();
    assert!(matches!(
        stored.place,
        Place::File {
            encrypted: true,
            ..
        }
    ));
}

#[test]
fn a_key_is_never_overwritten() {
    let home = tempfile::tempdir().unwrap();
    let store = KeyStore::at(home.path());
    let (key, path) = add(&store, "root");
    let before = fs::read(&path).unwrap();
    let error = store
        .add(&key, &label("other"), &"another".into())
        .unwrap_err();
    assert!(matches!(error, KeyError::AlreadyThere { path: there, .. } if there == path));
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[test]
fn a_damaged_file_of_that_name_is_not_overwritten_either() {
    let home = tempfile::tempdir().unwrap();
    let store = KeyStore::at(home.path());
    let (key, path) = add(&store, "root");
    put(&path, b"garbage");
    let error = store.add(&key, &label("root"), &passphrase()).unwrap_err();
    let expected = format!("{}: no valid private key found", path.display());
    assert_eq!(error.to_string(), expected);
    assert_eq!(fs::read(&path).unwrap(), b"garbage");
}

#[test]
fn of_many_that_add_one_key_one_succeeds() {
    let home = tempfile::tempdir().unwrap();
    let store = KeyStore::at(home.path());
    let key = PrivateKey::generate(Algorithm::EcdsaP256).unwrap();
    let outcomes = thread::scope(|scope| {
        let add = || store.add(&key, &label("root"), &passphrase()).is_ok();
        let racers = [add; 4].map(|add| scope.spawn(add));
        racers.map(|racer| racer.join().unwrap())
    });
    assert_eq!(outcomes.iter().filter(|added| **added).count(), 1);
    let stored = store.find(key.id()).unwrap().unwrap();
    store.unlock(&stored, Some(&passphrase())).unwrap();
}

#[test]
fn labels_that_would_add_headers_and_empty_passphrases_are_refused() {
    let home = tempfile::tempdir().unwrap();
    let store = KeyStore::at(home.path());
    let key = PrivateKey::generate(Algorithm::EcdsaP256).unwrap();
    for role in ["", " ", "a\nb: c", " a", "a\r"] {
        let error = store.add(&key, &label(role), &passphrase()).unwrap_err();
        assert!(
            matches!(error, KeyError::BadLabel { .. }),
            "{role:?}: {error:?}"
        );
    }
    let error = store.add(&key, &label("root"), &"".into()).unwrap_err();
    assert!(matches!(error, KeyError::EmptyPassphrase));
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0);
}

#[test]
fn files_that_are_no_keys_are_passed_over() {
    let home = tempfile::tempdir().unwrap();
    let store = KeyStore::at(home.path());
    let (key, path) = add(&store, "root");
    let private = path.parent().unwrap();
    let text = fs::read(&path).unwrap();
    put(&private.join("name.key"), &text);
    put(&private.join(format!("{}.key", "A".repeat(64))), &text);
    put(&private.join(format!("{}.pem", "b".repeat(64))), &text);
    put(
        &private.join(format!("{}.key", "c".repeat(64))),
        b"\xff\x00 garbage",
    );
    put(&private.join(format!(".{}.key.tmp", key.id())), &text[..20]);
    fs::create_dir(private.join(format!("{}.key", "d".repeat(64)))).unwrap();
    let ids: Vec<_> = store
        .list()
        .unwrap()
        .into_iter()
        .map(|stored| stored.id)
        .collect();
    assert_eq!(ids, [key.id()]);
}

#[test]
fn a_bad_file_named_by_its_id_is_an_error_that_names_it() {
    let home = tempfile::tempdir().unwrap();
    let store = KeyStore::at(home.path());
    let id = "c".repeat(64);
    let path = home.path().join(format!("private/{id}.key"));
    put(&path, b"garbage");
    let expected = format!("{}: no valid private key found", path.display());
    assert_eq!(store.find(&id).unwrap_err().to_string(), expected);
    assert_eq!(store.matching(&id).unwrap_err().to_string(), expected);
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    let expected = format!("could not read {}: not a regular file", path.display());
    assert_eq!(store.find(&id).unwrap_err().to_string(), expected);
}

#[test]
fn a_file_that_holds_another_key_is_refused() {
    let home = tempfile::tempdir().unwrap();
    let store = KeyStore::at(home.path());
    let (key, path) = add(&store, "root");
    let other = "c".repeat(64);
    fs::rename(&path, path.with_file_name(format!("{other}.key"))).unwrap();
    let stored = store.find(&other).unwrap().unwrap();
    let error = store.unlock(&stored, Some(&passphrase())).unwrap_err();
    let expected = format!(
        "{}: the file named {other} holds the key {}",
        stored.place.file(&other).unwrap().display(),
        key.id()
    );
    assert_eq!(error.to_string(), expected);
}

#[test]
fn keys_match_by_prefix_or_role() {
    let home = tempfile::tempdir().unwrap();
    let store = KeyStore::at(home.path());
    let (root, _) = add(&store, "root");
    let (nigel, _) = add(&store, "nigel");
    let ids = |word: &str| -> Vec<String> {
        store
            .matching(word)
            .unwrap()
            .into_iter()
            .map(|stored| stored.id)
            .collect()
    };
    assert_eq!(ids("root"), [root.id()]);
    assert_eq!(ids(&nigel.id()[..12]), [nigel.id()]);
    assert_eq!(ids(nigel.id()), [nigel.id()]);
    assert!(ids("nig").is_empty() && ids("").is_empty());
}

/// A store in the folders of Docker before 1.11, where the file name holds the role.
fn legacy_store(home: &Path) -> (KeyStore, [StoredKey; 2]) {
    let elsewhere = tempfile::tempdir().unwrap();
    let folders = [
        ("root", "root_keys".to_owned()),
        ("targets", format!("tuf_keys/{GUN}")),
    ];
    let expected = folders.map(|(role, folder)| {
        let (key, path) = add(&KeyStore::at(elsewhere.path()), "x");
        let text = fs::read_to_string(path).unwrap().replace("role: x\n\n", "");
        let path = home
            .join("private")
            .join(folder)
            .join(format!("{}_{role}.key", key.id()));
        put(&path, text.as_bytes());
        let created = fs::metadata(&path).unwrap().modified().unwrap();
        let gun = (role == "targets").then(|| GUN.to_owned());
        let (id, role) = (key.id().to_owned(), Some(role.to_owned()));
        StoredKey {
            id,
            role,
            gun,
            place: Place::File {
                path,
                encrypted: true,
                created,
            },
        }
    });
    (KeyStore::at(home), expected)
}

#[test]
fn old_folders_are_read_in_place_and_left_alone() {
    let home = tempfile::tempdir().unwrap();
    let (store, mut expected) = legacy_store(home.path());
    for stored in &expected {
        assert_eq!(store.find(&stored.id).unwrap().as_ref(), Some(stored));
        let key = store.unlock(stored, Some(&passphrase())).unwrap();
        let error = store.add(&key, &label("root"), &passphrase()).unwrap_err();
        let file = stored.place.file(&stored.id).unwrap();
        assert!(matches!(error, KeyError::AlreadyThere { path, .. } if path == file));
    }
    expected.sort_by(|a, b| a.id.cmp(&b.id));
    assert_eq!(store.list().unwrap(), expected);
}
