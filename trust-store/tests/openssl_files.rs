//! Key files that OpenSSL wrote: those that open, and those that are refused and say why.
#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};

use ring::signature::{RSA_PSS_2048_8192_SHA256, UnparsedPublicKey};
use trust_store::keys::{KeyError, KeyFile, PrivateKey, encode_public, parse_public};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/openssl")
}

fn file(name: &str) -> Vec<u8> {
    fs::read(folder().join(name)).unwrap()
}

/// The id that `make.sh` computed for the key in this file.
fn expected_id(name: &str) -> String {
    let key_type = match name {
        name if name.contains("rsa") => "rsa",
        name if name.contains("ed25519") => "ed25519",
        _ => "ecdsa",
    };
    let ids = String::from_utf8(file("ids")).unwrap();
    let line = ids.lines().find(|line| line.starts_with(key_type)).unwrap();
    line.split_once(' ').unwrap().1.to_owned()
}

fn open(name: &str, passphrase: &str) -> Result<PrivateKey, KeyError> {
    match KeyFile::parse(&file(name))? {
        KeyFile::Plain { key, .. } => Ok(key),
        KeyFile::Encrypted(encrypted) => encrypted.decrypt(&passphrase.into()),
    }
}

fn names(accepted: impl Fn(&str) -> bool) -> Vec<String> {
    let entries = fs::read_dir(folder()).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names
        .filter(|name| name.contains(".pem") && accepted(name))
        .collect();
    names.sort();
    names
}

fn is_private(name: &str) -> bool {
    !["public", "certificate", "refused"]
        .iter()
        .any(|kind| name.starts_with(kind))
}

#[test]
fn every_form_opens_to_the_same_key() {
    let names = names(is_private);
    assert_eq!(names.len(), 19);
    for name in names {
        let key = open(&name, "passphrase").unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(key.id(), expected_id(&name), "{name}");
    }
}

#[test]
fn windows_line_ends_and_text_around_the_key_do_not_matter() {
    for name in names(is_private) {
        let text = String::from_utf8(file(&name))
            .unwrap()
            .replace('\n', "\r\n");
        let text = format!("Bag Attributes\r\n{text}\r\nend\r\n");
        let key = match KeyFile::parse(text.as_bytes()).unwrap() {
            KeyFile::Plain { key, .. } => key,
            KeyFile::Encrypted(encrypted) => encrypted.decrypt(&"passphrase".into()).unwrap(),
        };
        assert_eq!(key.id(), expected_id(&name), "{name}");
    }
}

#[test]
fn every_encrypted_form_refuses_other_passphrases() {
    let is_encrypted = |name: &str| {
        is_private(name) && matches!(KeyFile::parse(&file(name)).unwrap(), KeyFile::Encrypted(_))
    };
    let names = names(is_encrypted);
    assert_eq!(names.len(), 13);
    for name in names {
        for wrong in ["", "passphras", "Passphrase"] {
            let error = open(&name, wrong).unwrap_err();
            assert!(
                matches!(error, KeyError::WrongPassphrase),
                "{name}: {error:?}"
            );
        }
    }
}

#[test]
fn every_truncated_file_is_an_error() {
    for name in names(is_private) {
        let whole = file(&name);
        let end = whole
            .windows(5)
            .rposition(|window| window == b"-----")
            .unwrap();
        for length in (0..end + 5).step_by(7).chain([end + 4]) {
            KeyFile::parse(&whole[..length]).unwrap_err();
        }
    }
}

#[test]
fn what_is_refused_says_why() {
    let refused = [
        (
            "camellia",
            "private key encryption CAMELLIA-256-CBC is not supported",
        ),
        (
            "iterations",
            "PBKDF2 iteration count is 10000001 in the key file, at most 10000000 is accepted",
        ),
        ("parameters", "no valid private key found"),
        (
            "pbes1",
            "private key encryption 1.2.840.113549.1.12.1.3 is not supported",
        ),
        (
            "pbes2-des3",
            "private key encryption 1.2.840.113549.3.7 is not supported",
        ),
        (
            "rsa1024",
            "RSA keys of 1024 bits are not supported, only 2048 to 4096",
        ),
        (
            "secp256k1",
            "private keys on curve secp256k1 are not supported, only P-256",
        ),
        (
            "secp384r1",
            "private keys on curve P-384 are not supported, only P-256",
        ),
        (
            "secp384r1-encrypted",
            "private keys on curve P-384 are not supported, only P-256",
        ),
        (
            "secp384r1-pkcs8",
            "private keys on curve P-384 are not supported, only P-256",
        ),
        (
            "secp521r1",
            "private keys on curve P-521 are not supported, only P-256",
        ),
        ("x25519", "keys of algorithm 1.3.101.110 are not supported"),
    ];
    for (name, message) in refused {
        let error = open(&format!("refused-{name}.pem"), "passphrase").unwrap_err();
        assert_eq!(error.to_string(), message, "{name}");
    }
    assert_eq!(
        names(|name| name.starts_with("refused")).len(),
        refused.len()
    );
}

#[test]
fn rsa_signs_with_pss() {
    let key = open("rsa-pkcs1-aes256.pem", "passphrase").unwrap();
    let signature = key.sign(b"message").unwrap();
    assert_eq!((signature.method, signature.bytes.len()), ("rsapss", 256));
    // DER: the bit string is the last field, behind 24 bytes of headers and algorithm.
    let public = &key.public().bytes[24..];
    let verifier = UnparsedPublicKey::new(&RSA_PSS_2048_8192_SHA256, public);
    verifier.verify(b"message", &signature.bytes).unwrap();
}

#[test]
fn public_files_have_the_id_of_their_private_key() {
    for name in ["public-ec.pem", "public-rsa.pem", "public-ed25519.pem"] {
        let (key, role) = parse_public(&file(name)).unwrap();
        assert_eq!((key.id(), role), (expected_id(name), None), "{name}");
        assert_eq!(
            encode_public(&key, None).unwrap().as_bytes(),
            file(name),
            "{name}"
        );
    }
}

#[test]
fn certificates_have_the_canonical_id_and_keep_their_text() {
    for (name, key_type) in [
        ("certificate-ec.pem", "ecdsa-x509"),
        ("certificate-rsa.pem", "rsa-x509"),
    ] {
        let (key, _) = parse_public(&file(name)).unwrap();
        assert_eq!(
            (key.key_type.as_str(), key.id()),
            (key_type, expected_id(name))
        );
        assert_eq!(key.bytes, file(name));
        assert_eq!(encode_public(&key, None).unwrap().as_bytes(), file(name));
    }
    let error = parse_public(&file("certificate-ed25519.pem")).unwrap_err();
    assert!(
        matches!(error, KeyError::UnsupportedAlgorithm { .. }),
        "{error:?}"
    );
}

#[test]
fn public_and_private_files_are_not_taken_for_each_other() {
    let error = KeyFile::parse(&file("public-ec.pem")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the file holds a PUBLIC KEY, not a private key"
    );
    let error = KeyFile::parse(&file("certificate-ec.pem")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the file holds a CERTIFICATE, not a private key"
    );
    let error = parse_public(&file("ec-sec1.pem")).unwrap_err();
    let expected =
        r#"unsupported PEM block type "EC PRIVATE KEY", expected CERTIFICATE or PUBLIC KEY"#;
    assert_eq!(error.to_string(), expected);
}
