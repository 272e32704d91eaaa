//! Keys from the command line: made, loaded, listed, shown.

use super::{Home, Ran, openssl, read};
use serde_json::Value;
use std::{fs, os::unix::fs::PermissionsExt};

#[test]
fn a_generated_key_is_listed_and_shown() {
    let home = Home::with_passphrases();
    let ran = home.trust("key generate nigel").ends(0);
    assert_eq!(
        ran.stdout,
        "Generating key for nigel...\nSuccessfully generated and loaded private key. \
         Corresponding public key available: [HOME]/nigel.pub\n"
    );
    assert_eq!(ran.stderr, "");
    let public = home.path().join("nigel.pub");
    let mode = fs::metadata(&public).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);

    let keys = json(&home.trust("key list --format json").ends(0));
    assert_eq!(keys[0]["role"], "nigel");
    let id = keys[0]["id"].as_str().unwrap().to_owned();
    let prefix = id[..6].to_owned();
    for word in ["nigel", &id, &prefix] {
        let shown = home.trust(&format!("key show {word}")).ends(0).stdout;
        assert!(shown.contains(&id), "{shown}");
        assert!(
            shown.ends_with(&String::from_utf8(read(&public)).unwrap()),
            "{shown}"
        );
    }
    let table = home.trust("key list").ends(0).stdout;
    let row = table.lines().nth(1).unwrap();
    let columns: Vec<&str> = row.split_whitespace().collect();
    assert_eq!(columns[..4], [&id[..12], "signer", "nigel", "-"], "{table}");
}

#[test]
fn names_that_mean_several_keys_are_not_guessed() {
    let home = Home::with_passphrases();
    home.trust("key generate nigel").ends(0);
    home.trust("key generate nigel --dir .docker").ends(0);
    let ran = home.trust("key show nigel").ends(2);
    let words =
        "trust: key show nigel: \"nigel\" could be any of 2 keys\nhint: name one by its id: ";
    assert!(ran.stderr.starts_with(words), "{}", ran.stderr);
}

#[test]
fn every_kind_of_private_key_is_loaded_once() {
    for (kind, arguments) in [
        ("ecdsa", "ecparam -name prime256v1 -genkey -noout"),
        (
            "ecdsa",
            "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256",
        ),
        ("rsa", "genrsa -traditional 2048"),
        ("ed25519", "genpkey -algorithm ed25519"),
    ] {
        let home = Home::with_passphrases();
        home.write("key.pem", openssl(arguments));
        let ran = home
            .trust("key load --name nigel key.pem --format json")
            .ends(0);
        let loaded = json(&ran);
        assert_eq!(
            (&loaded["type"], &loaded["role"]),
            (&kind.into(), &"nigel".into())
        );
        let before = private_keys(&home);
        let again = home.trust("key load key.pem").ends(2);
        assert!(again.stderr.contains("is already in"), "{}", again.stderr);
        assert_eq!(private_keys(&home), before);
    }
}

#[test]
fn an_encrypted_key_is_really_loaded() {
    let home = Home::with_passphrases();
    home.trust("key generate nigel").ends(0);
    let (path, bytes) = private_keys(&home).remove(0);
    let other = Home::with_passphrases();
    other.write("nigel.key", &bytes);
    let ran = other.trust("key load nigel.key").ends(0);
    assert_eq!(
        ran.stdout,
        "Loading key from \"nigel.key\"...\nSuccessfully imported key from nigel.key\n"
    );
    let (copied, kept) = private_keys(&other).remove(0);
    assert_eq!(copied, path);
    assert_ne!(kept, bytes, "a new salt");
    let keys = json(&other.trust("key list --format json").ends(0));
    assert_eq!(keys[0]["role"], "nigel");
}

fn json(ran: &Ran) -> Value {
    serde_json::from_str(&ran.stdout).unwrap()
}

/// Names and bytes of the key files.
fn private_keys(home: &Home) -> Vec<(String, Vec<u8>)> {
    let folder = home.path().join(".docker/trust/private");
    let entries = fs::read_dir(folder).unwrap().map(Result::unwrap);
    let mut keys: Vec<_> = entries
        .map(|it| (it.file_name().into_string().unwrap(), read(&it.path())))
        .collect();
    keys.sort();
    keys
}
