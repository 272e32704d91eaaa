//! Any key, label and passphrase survive the store; nothing else opens, and nothing panics.
#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use trust_store::keys::{
    Algorithm, KeyError, KeyFile, KeyStore, Label, PrivateKey, encode_public, parse_public,
    read_file,
};

fn algorithm() -> impl Strategy<Value = Algorithm> {
    prop_oneof![Just(Algorithm::EcdsaP256), Just(Algorithm::Ed25519)]
}

/// Names with everything a repository or role may have, colons and non-ASCII included.
fn name() -> impl Strategy<Value = String> {
    "[a-zé][a-z0-9:/._-]{0,30}[a-z]"
}

fn label() -> impl Strategy<Value = Label> {
    (name(), proptest::option::of(name())).prop_map(|(role, gun)| Label { role, gun })
}

/// The only file below this directory.
fn only_file(trust_dir: &Path) -> Vec<u8> {
    let mut files = fs::read_dir(trust_dir.join("private")).unwrap();
    let bytes = fs::read(files.next().unwrap().unwrap().path()).unwrap();
    assert!(files.next().is_none());
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn what_is_added_opens_again(algorithm in algorithm(), label in label(), passphrase in ".{1,40}") {
        let home = tempfile::tempdir().unwrap();
        let store = KeyStore::at(home.path());
        let key = PrivateKey::generate(algorithm).unwrap();
        let path = store.add(&key, &label, &passphrase.as_str().into()).unwrap();
        let stored = store.find(key.id()).unwrap().unwrap();
        prop_assert_eq!(stored.place.file(&stored.id).unwrap(), &path);
        prop_assert_eq!((stored.role.as_ref(), &stored.gun), (Some(&label.role), &label.gun));
        let opened = store.unlock(&stored, Some(&passphrase.as_str().into())).unwrap();
        prop_assert_eq!(opened.public(), key.public());
        prop_assert_eq!(opened.sign(b"m").unwrap(), key.sign(b"m").unwrap());
        let wrong = store.unlock(&stored, Some(&format!("{passphrase}x").into())).unwrap_err();
        prop_assert!(matches!(wrong, KeyError::WrongPassphrase));
    }

    #[test]
    fn public_files_round_trip(algorithm in algorithm(), role in proptest::option::of(name())) {
        let key = PrivateKey::generate(algorithm).unwrap();
        let text = encode_public(key.public(), role.as_deref()).unwrap();
        prop_assert_eq!(parse_public(text.as_bytes()).unwrap(), (key.public().clone(), role));
    }

    #[test]
    fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        KeyFile::parse(&bytes).unwrap_err();
        parse_public(&bytes).unwrap_err();
    }

    #[test]
    fn random_content_never_panics(
        tag in prop_oneof![
            Just("PRIVATE KEY"), Just("ENCRYPTED PRIVATE KEY"), Just("EC PRIVATE KEY"),
            Just("RSA PRIVATE KEY"), Just("ED25519 PRIVATE KEY"), Just("PUBLIC KEY"), Just("CERTIFICATE"),
        ],
        content in proptest::collection::vec(any::<u8>(), 0..200),
    ) {
        let text = pem::encode(&pem::Pem::new(tag, content));
        KeyFile::parse(text.as_bytes()).unwrap_err();
        parse_public(text.as_bytes()).unwrap_err();
    }

    #[test]
    fn a_flipped_bit_never_panics_and_never_gives_another_key(position in any::<prop::sample::Index>(), bit in 0..8) {
        let home = tempfile::tempdir().unwrap();
        let key = PrivateKey::generate(Algorithm::EcdsaP256).unwrap();
        let label = Label { role: "root".to_owned(), gun: None };
        KeyStore::at(home.path()).add(&key, &label, &"passphrase".into()).unwrap();
        let block = pem::parse(only_file(home.path())).unwrap();
        let mut content = block.contents().to_vec();
        let position = position.index(content.len());
        content[position] ^= 1_u8 << bit;
        let text = pem::encode(&pem::Pem::new(block.tag(), content));
        if let Ok(KeyFile::Encrypted(encrypted)) = KeyFile::parse(text.as_bytes())
            && let Ok(opened) = encrypted.decrypt(&"passphrase".into())
        {
            prop_assert_eq!(opened.id(), key.id());
        }
    }
}

#[test]
fn every_truncated_file_is_an_error() {
    let home = tempfile::tempdir().unwrap();
    let key = PrivateKey::generate(Algorithm::EcdsaP256).unwrap();
    let gun = Some("localhost:5000/team/app".to_owned());
    let label = Label {
        role: "targets".to_owned(),
        gun,
    };
    KeyStore::at(home.path())
        .add(&key, &label, &"passphrase".into())
        .unwrap();
    let whole = only_file(home.path());
    for length in 0..whole.len() - 1 {
        assert!(
            KeyFile::parse(&whole[..length]).is_err(),
            "cut to {length} bytes"
        );
    }
    KeyFile::parse(&whole).unwrap();
}

#[test]
fn the_text_is_what_notary_writes() {
    let home = tempfile::tempdir().unwrap();
    let key = PrivateKey::generate(Algorithm::EcdsaP256).unwrap();
    let gun = Some("localhost:5000/team/app".to_owned());
    let label = Label {
        role: "targets".to_owned(),
        gun,
    };
    KeyStore::at(home.path())
        .add(&key, &label, &"passphrase".into())
        .unwrap();
    let text = String::from_utf8(only_file(home.path())).unwrap();
    let head =
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\ngun: localhost:5000/team/app\nrole: targets\n\n";
    assert!(text.starts_with(head), "{text}");
    assert!(
        text.ends_with("\n-----END ENCRYPTED PRIVATE KEY-----\n"),
        "{text}"
    );
    assert!(text.lines().all(|line| line.len() <= 64));
}

#[test]
fn reading_a_file_names_it_when_it_fails() {
    let home = tempfile::tempdir().unwrap();
    let big = home.path().join("big");
    trust_store::write_atomic(&big, &vec![b'a'; (1 << 20) + 1], 0o600).unwrap();
    let missing = home.path().join("missing");
    let failures = [
        (big.as_path(), "InFile"),
        (missing.as_path(), "CannotRead"),
        (home.path(), "CannotRead"),
    ];
    for (path, variant) in failures {
        let error = read_file(path).unwrap_err();
        assert!(format!("{error:?}").starts_with(variant), "{error:?}");
        assert!(
            error.to_string().contains(path.to_str().unwrap()),
            "{error}"
        );
    }
}

#[test]
fn an_oversized_file_is_refused_unread() {
    let big = vec![b'a'; (1 << 20) + 1];
    assert!(matches!(
        KeyFile::parse(&big),
        Err(KeyError::TooLarge { .. })
    ));
    assert!(matches!(parse_public(&big), Err(KeyError::TooLarge { .. })));
}

#[test]
fn secrets_are_not_shown() {
    let key = PrivateKey::generate(Algorithm::Ed25519).unwrap();
    assert_eq!(
        format!("{key:?}"),
        format!("PrivateKey {{ id: {:?}, .. }}", key.id())
    );
    assert_eq!(
        format!("{:?}", trust_store::keys::Passphrase::from("secret")),
        "Passphrase(..)"
    );
}
