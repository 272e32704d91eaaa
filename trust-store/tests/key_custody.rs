//! Keys through their life: exported, under another passphrase, brought from old forms, backed up, removed.
#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use trust_store::keys::{
    Algorithm, KeyError, KeyFile, KeyStore, Label, Passphrase, PrivateKey, StoredKey, Why,
    open_backup, read_backup,
};

const GUN: &str = "registry.example.com/team/app";

fn passphrase() -> Passphrase {
    "passphrase".into()
}

fn fixture(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/openssl");
    fs::read(folder.join(name)).unwrap()
}

/// The same PEM with header lines behind those that are there.
fn under(headers: &[&str], pem: &[u8]) -> Vec<u8> {
    let text = str::from_utf8(pem).unwrap();
    if headers.is_empty() {
        return pem.to_vec();
    }
    let lines = headers.join("\n");
    let text = if let Some((head, rest)) = text.split_once("\n\n") {
        format!("{head}\n{lines}\n\n{rest}")
    } else {
        let (begin, rest) = text.split_once('\n').unwrap();
        format!("{begin}\n{lines}\n\n{rest}")
    };
    text.into_bytes()
}

fn id_of(pem: &[u8]) -> String {
    match KeyFile::parse(pem).unwrap() {
        KeyFile::Plain { key, .. } => key.id().to_owned(),
        KeyFile::Encrypted(key) => key.decrypt(&passphrase()).unwrap().id().to_owned(),
    }
}

/// A trust directory with this file below `private`; `ID` stands for the key's id.
fn with(place: &str, pem: &[u8]) -> (tempfile::TempDir, KeyStore, PathBuf) {
    let home = tempfile::tempdir().unwrap();
    let place = place.replace("ID", &id_of(pem));
    let path = home.path().join("private").join(place);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    trust_store::write_atomic(&path, pem, 0o600).unwrap();
    let store = KeyStore::at(home.path());
    (home, store, path)
}

fn added(store: &KeyStore, role: &str, gun: Option<&str>) -> StoredKey {
    let key = PrivateKey::generate(Algorithm::EcdsaP256).unwrap();
    let label = Label {
        role: role.to_owned(),
        gun: gun.map(str::to_owned),
    };
    store.add(&key, &label, &passphrase()).unwrap();
    store.find(key.id()).unwrap().unwrap()
}

fn only(store: &KeyStore) -> StoredKey {
    let mut keys = store.list().unwrap();
    assert_eq!(keys.len(), 1);
    keys.pop().unwrap()
}

/// Every file below a folder with its bytes.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.insert(path.clone(), fs::read(&path).unwrap());
        }
    }
    found
}

/// Where a program of 2015 to today kept a key, in which file, under which headers.
struct Old {
    place: &'static str,
    fixture: &'static str,
    headers: &'static [&'static str],
    role: &'static str,
    why: Why,
}

impl Old {
    fn pem(&self) -> Vec<u8> {
        under(self.headers, &fixture(&format!("{}.pem", self.fixture)))
    }

    /// Role and repository.
    fn said(&self) -> (Option<&str>, Option<&str>) {
        let role = Some(self.role).filter(|role| !role.is_empty());
        (role, (self.role == "targets").then_some(GUN))
    }
}

const fn old(
    place: &'static str,
    fixture: &'static str,
    headers: &'static [&'static str],
    role: &'static str,
    why: Why,
) -> Old {
    Old {
        place,
        fixture,
        headers,
        role,
        why,
    }
}

const ROOT: &[&str] = &["role: root"];
const NIGEL: &[&str] = &["role: nigel"];
const TARGETS: &[&str] = &["role: targets"];
const WITH_GUN: &[&str] = &["gun: registry.example.com/team/app", "role: targets"];
const RELEASES: &[&str] = &["role: targets/releases"];
const IN_APP: &str = "tuf_keys/registry.example.com/team/app/ID_targets.key";
const IN_APP_0_3: &str = "tuf_keys/registry.example.com/team/app/ID.key";

const OLD: [Old; 18] = [
    // Notary 0.1 and Docker 1.8: all in the name.
    old(
        "root_keys/ID_root.key",
        "ec-sec1-aes256",
        &[],
        "root",
        Why::Folder,
    ),
    old(IN_APP, "ec-sec1-aes256", &[], "targets", Why::Folder),
    old("root_keys/ID_root.key", "ec-sec1", &[], "root", Why::Folder),
    // Notary 0.2: a delegation's role makes folders.
    old(
        "tuf_keys/ID_targets/releases.key",
        "rsa-pkcs1-aes256",
        &[],
        "targets/releases",
        Why::Folder,
    ),
    // Notary 0.3 and Docker 1.11: the role in a header, the repository in the path.
    old(
        "root_keys/ID.key",
        "ec-sec1-aes256",
        ROOT,
        "root",
        Why::Folder,
    ),
    old(
        IN_APP_0_3,
        "ec-sec1-aes256",
        TARGETS,
        "targets",
        Why::Folder,
    ),
    old(
        "tuf_keys/ID.key",
        "rsa-pkcs1-aes256",
        RELEASES,
        "targets/releases",
        Why::Folder,
    ),
    // Notary 0.4 and 0.5: today's place, the old encryption; and what people put there.
    old(
        "ID.key",
        "ec-sec1-aes256",
        WITH_GUN,
        "targets",
        Why::Encryption,
    ),
    old("ID.key", "ec-sec1-aes128", ROOT, "root", Why::Encryption),
    old("ID.key", "ec-sec1-aes192", ROOT, "root", Why::Encryption),
    old("ID.key", "ec-sec1-des", ROOT, "root", Why::Encryption),
    old("ID.key", "ec-sec1-des3", ROOT, "root", Why::Encryption),
    old("ID.key", "rsa-pkcs1-des3", &[], "", Why::Encryption),
    old(
        "ID.key",
        "ec-pkcs8-default",
        NIGEL,
        "nigel",
        Why::Encryption,
    ),
    old("ID.key", "ec-pkcs8-scrypt", NIGEL, "nigel", Why::Encryption),
    old("ID.key", "ec-sec1", NIGEL, "nigel", Why::Plain),
    old("ID.key", "rsa-pkcs1", NIGEL, "nigel", Why::Plain),
    old("ID.key", "ed25519-pkcs8", NIGEL, "nigel", Why::Plain),
];

#[test]
fn every_old_key_is_listed_opens_and_migrates_and_the_old_file_stays() {
    for sample in OLD {
        let (place, pem, why) = (sample.place, sample.pem(), sample.why);
        let (role, gun) = sample.said();
        let (home, store, path) = with(place, &pem);
        let before = only(&store);
        assert_eq!(
            (before.role.as_deref(), before.gun.as_deref()),
            (role, gun),
            "{place}"
        );
        let words = before.place.is_closed().then(passphrase);
        let key = store.unlock(&before, words.as_ref()).unwrap();

        let old = store.old_keys().unwrap().pop().unwrap().unwrap();
        assert_eq!(
            (&old.stored, old.why, &old.done),
            (&before, why, &None),
            "{place}"
        );
        let (today, kept) = store.migrate(&old, &key, &"new words".into()).unwrap();
        assert_eq!(today, home.path().join(format!("private/{}.key", key.id())));
        let kept = kept.unwrap_or(path);
        assert_eq!(fs::read(kept).unwrap(), pem, "{place}");

        let after = only(&store);
        assert_eq!(
            (after.role.as_deref(), after.gun.as_deref()),
            (role, gun),
            "{place}"
        );
        assert!(
            after.place.is_closed() && after.place.file("").unwrap() == today,
            "{place}"
        );
        let opened = store.unlock(&after, Some(&"new words".into())).unwrap();
        assert_eq!(opened.id(), key.id());
        let text = fs::read_to_string(&today).unwrap();
        assert!(
            text.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----\n"),
            "{text}"
        );

        // Again, nothing is to be done.
        let again = store.old_keys().unwrap();
        let undone = |old: &Result<trust_store::keys::OldKey, KeyError>| {
            old.as_ref().unwrap().done.is_none()
        };
        assert!(!again.iter().any(undone), "{place}");
    }
}

#[test]
fn a_migration_that_was_stopped_half_way_is_finished() {
    let pem = under(&["role: root"], &fixture("ec-sec1-aes256.pem"));
    let (_home, store, path) = with("ID.key", &pem);
    let beside = |suffix: &str| PathBuf::from(format!("{}{suffix}", path.display()));
    let migrate = || {
        let old = store.old_keys().unwrap().pop().unwrap().unwrap();
        let key = store.unlock(&old.stored, Some(&passphrase())).unwrap();
        store.migrate(&old, &key, &passphrase()).unwrap().1.unwrap()
    };
    // The copy was made and nothing else.
    trust_store::create_atomic(&beside(".old"), &pem, 0o600).unwrap();
    assert_eq!(migrate(), beside(".old"));
    // Somebody puts another old file there later: the first one stays.
    let other = under(&["role: root"], &fixture("ec-sec1-des3.pem"));
    trust_store::write_atomic(&path, &other, 0o600).unwrap();
    assert_eq!(migrate(), beside(".old.1"));
    assert_eq!(fs::read(beside(".old")).unwrap(), pem);
    assert_eq!(fs::read(beside(".old.1")).unwrap(), other);
    let id = only(&store).id;
    let all = store.files_of(&id).unwrap();
    assert_eq!(all, [path.clone(), beside(".old"), beside(".old.1")]);
    store.remove(&all).unwrap();
    assert!(store.list().unwrap().is_empty() && files(path.parent().unwrap()).is_empty());
}

#[test]
fn an_old_file_of_another_key_is_not_migrated() {
    let (_home, store, path) = with("root_keys/ID_root.key", &fixture("ec-sec1-aes256.pem"));
    let name = format!("{}_root.key", "c".repeat(64));
    fs::rename(&path, path.with_file_name(name)).unwrap();
    let old = store.old_keys().unwrap().pop().unwrap().unwrap();
    let other = PrivateKey::generate(Algorithm::EcdsaP256).unwrap();
    let error = store.migrate(&old, &other, &passphrase()).unwrap_err();
    assert!(error.to_string().contains("holds the key"), "{error}");
    assert_eq!(files(path.parent().unwrap()).len(), 1);
}

#[test]
fn what_is_there_today_is_not_replaced_by_what_was_there_before() {
    let (_home, store, path) = with("root_keys/ID_root.key", &fixture("ec-sec1-aes256.pem"));
    let old = store.old_keys().unwrap().pop().unwrap().unwrap();
    let key = store.unlock(&old.stored, Some(&passphrase())).unwrap();
    let (today, _) = store.migrate(&old, &key, &passphrase()).unwrap();
    let bytes = fs::read(&today).unwrap();
    let again = store.old_keys().unwrap().pop().unwrap().unwrap();
    assert_eq!(
        (again.stored.place.file("").unwrap(), again.done.as_ref()),
        (path.as_path(), Some(&today))
    );
    let error = store.migrate(&again, &key, &passphrase()).unwrap_err();
    assert!(matches!(error, KeyError::AlreadyThere { .. }), "{error}");
    assert_eq!(fs::read(&today).unwrap(), bytes);
}

#[test]
fn another_passphrase_keeps_headers_and_leaves_old_forms_alone() {
    let home = tempfile::tempdir().unwrap();
    let store = KeyStore::at(home.path());
    let stored = added(&store, "targets", Some(GUN));
    let text = fs::read_to_string(stored.place.file("").unwrap()).unwrap();
    let more = text.replace("role: targets\n", "note: kept\nrole: targets\n");
    trust_store::write_atomic(stored.place.file("").unwrap(), more.as_bytes(), 0o644).unwrap();
    let key = store.unlock(&stored, Some(&passphrase())).unwrap();
    let refused = store.change_passphrase(&stored, &key, &"".into());
    assert!(matches!(refused, Err(KeyError::EmptyPassphrase)));
    store
        .change_passphrase(&stored, &key, &"new words".into())
        .unwrap();
    let text = fs::read_to_string(stored.place.file("").unwrap()).unwrap();
    let head =
        format!("-----BEGIN ENCRYPTED PRIVATE KEY-----\ngun: {GUN}\nnote: kept\nrole: targets\n\n");
    assert!(text.starts_with(&head), "{text}");
    store.unlock(&stored, Some(&"new words".into())).unwrap();
    let wrong = store.unlock(&stored, Some(&passphrase()));
    assert!(matches!(wrong, Err(KeyError::WrongPassphrase)));

    for sample in OLD {
        let (place, pem, why) = (sample.place, sample.pem(), sample.why);
        let (_home, store, path) = with(place, &pem);
        let stored = only(&store);
        let words = stored.place.is_closed().then(passphrase);
        let key = store.unlock(&stored, words.as_ref()).unwrap();
        let changed = store.change_passphrase(&stored, &key, &"new words".into());
        if why == Why::Plain {
            // Nothing else is lost with a passphrase that was not there.
            changed.unwrap();
            assert!(only(&store).place.is_closed());
        } else {
            assert!(matches!(changed, Err(KeyError::OldForm { .. })), "{place}");
            assert_eq!(fs::read(path).unwrap(), pem, "{place}");
        }
    }
}

#[test]
fn exported_keys_are_as_they_are_kept_and_never_plain() {
    for sample in OLD {
        let (place, pem, why) = (sample.place, sample.pem(), sample.why);
        let (role, gun) = sample.said();
        let (_home, store, _) = with(place, &pem);
        let stored = only(&store);
        let text = if stored.place.is_closed() {
            store.export(&stored, None).unwrap()
        } else {
            assert_ne!(why, Why::Encryption);
            let refused = store.export(&stored, None);
            assert!(matches!(refused, Err(KeyError::PassphraseNeeded { .. })));
            store.export(&stored, Some(&passphrase())).unwrap()
        };
        let block = pem::parse(&text).unwrap();
        let header = |name: &str| block.headers().get(name);
        assert_eq!(header("path"), Some(stored.id.as_str()), "{text}");
        assert_eq!((header("role"), header("gun")), (role, gun), "{text}");
        let KeyFile::Encrypted(key) = KeyFile::parse(text.as_bytes()).unwrap() else {
            panic!("plain: {text}");
        };
        assert_eq!(key.decrypt(&passphrase()).unwrap().id(), stored.id);
    }
}

#[test]
fn every_key_of_a_dump_is_read() {
    let home = tempfile::tempdir().unwrap();
    let store = KeyStore::at(home.path());
    let keys = [
        added(&store, "root", None),
        added(&store, "targets", Some(GUN)),
    ];
    let dump: String = keys
        .iter()
        .map(|key| store.export(key, None).unwrap())
        .collect();
    let dump = [
        dump.as_bytes(),
        &fixture("certificate-ec.pem"),
        &fixture("ec-with-parameters.pem"),
    ]
    .concat();
    let read = KeyFile::parse_all(&dump).unwrap();
    let said: Vec<_> = read
        .iter()
        .map(|key| match key {
            KeyFile::Encrypted(key) => (key.role(), key.gun()),
            KeyFile::Plain { role, gun, .. } => (role.as_deref(), gun.as_deref()),
        })
        .collect();
    assert_eq!(
        said,
        [
            (Some("root"), None),
            (Some("targets"), Some(GUN)),
            (None, None)
        ]
    );
    // What Notary before 0.4 exported says the rest in the path.
    let id = "0a".repeat(32);
    let path = format!("path: tuf_keys/{GUN}/{id}_targets");
    let old = under(&[&path], &fixture("ec-sec1-aes256.pem"));
    let KeyFile::Encrypted(old) = KeyFile::parse(&old).unwrap() else {
        panic!("plain");
    };
    assert_eq!((old.role(), old.gun()), (Some("targets"), Some(GUN)));
}

#[test]
fn backups_bring_back_every_key_as_it_was_and_overwrite_none() {
    for sample in &OLD[..9] {
        let (place, pem) = (sample.place, sample.pem());
        let (role, gun) = sample.said();
        let (home, store, _) = with(place, &pem);
        let more = added(&store, "nigel", None);
        let keys = store.list().unwrap();
        let file = home.path().join("backup");
        let bytes = store.back_up(&keys, &"secret words".into()).unwrap();
        trust_store::create_atomic(&file, &bytes, 0o600).unwrap();

        let other = tempfile::tempdir().unwrap();
        let there = KeyStore::at(other.path());
        let opened = open_backup(&read_backup(&file).unwrap(), &"secret words".into()).unwrap();
        assert_eq!(opened.len(), keys.len());
        for key in &opened {
            if !key.encrypted() {
                let refused = there.restore(key, None);
                assert!(matches!(refused, Err(KeyError::PassphraseNeeded { .. })));
            }
            there.restore(key, Some(&passphrase())).unwrap();
            let again = there.restore(key, Some(&passphrase()));
            assert!(matches!(again, Err(KeyError::AlreadyThere { .. })));
        }
        let same = fs::read(
            there
                .find(&more.id)
                .unwrap()
                .unwrap()
                .place
                .file("")
                .unwrap(),
        )
        .unwrap();
        assert_eq!(
            same,
            fs::read(more.place.file("").unwrap()).unwrap(),
            "a file of today is not touched"
        );
        for key in there.list().unwrap() {
            let opened = there.unlock(&key, Some(&passphrase())).unwrap();
            assert_eq!(opened.sign(b"m").unwrap().bytes.len() % 64, 0);
            if key.id != more.id {
                assert_eq!(
                    (key.role.as_deref(), key.gun.as_deref()),
                    (role, gun),
                    "{place}"
                );
            }
        }
    }
}

#[test]
fn the_record_of_backups_knows_whether_a_key_changed_since() {
    let home = tempfile::tempdir().unwrap();
    let store = KeyStore::at(home.path());
    let (first, second) = (added(&store, "root", None), added(&store, "nigel", None));
    assert_eq!(store.backups().unwrap().of(&first), None);
    let at = "2026-06-01T12:00:00Z".parse().unwrap();
    store
        .remember_backup(std::slice::from_ref(&first), Path::new("/safe/keys"), at)
        .unwrap();
    let kept = store.backups().unwrap().of(&first).unwrap();
    assert_eq!(
        (kept.at, kept.file.as_str(), kept.current),
        (at, "/safe/keys", true)
    );
    assert_eq!(store.backups().unwrap().of(&second), None);
    let key = store.unlock(&first, Some(&passphrase())).unwrap();
    store
        .change_passphrase(&first, &key, &"new words".into())
        .unwrap();
    assert!(!store.backups().unwrap().of(&first).unwrap().current);
    // Not a key, and none of the programs takes it for one.
    assert_eq!(store.list().unwrap().len(), 2);
    let record = home.path().join("key-backups.json");
    for damaged in [
        "{",
        "{}",
        r#"{"version":2,"keys":{}}"#,
        r#"{"version":1,"keys":{},"x":1}"#,
    ] {
        trust_store::write_atomic(&record, damaged.as_bytes(), 0o600).unwrap();
        assert!(store.backups().is_err(), "{damaged}");
    }
    store
        .remember_backup(std::slice::from_ref(&second), Path::new("/safe/keys"), at)
        .unwrap();
    assert!(store.backups().unwrap().of(&second).unwrap().current);
}
