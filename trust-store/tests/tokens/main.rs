//! Keys on tokens, by `SoftHSM`.
//!
//! A module reads its configuration once in a process, so each test runs in a process of its own.
#![forbid(unsafe_code)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[allow(dead_code, reason = "other tests pull tokens out")]
mod softhsm;

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

use ring::signature::{
    ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256,
    UnparsedPublicKey, VerificationAlgorithm,
};
use softhsm::{SoftHsm, module};
use trust_store::keys::{
    Algorithm, KeyError, KeyFile, KeyStore, Passphrase, Place, PrivateKey, PublicKey,
    TokenAlgorithm, TokenError, Tokens, Tries,
};

const PIN: &str = "pin-1234";

/// Runs the body in a process whose only token is called `card`, with the folder it may use.
fn with_a_token(test: &str, body: impl Fn(&KeyStore, &SoftHsm, &Path)) {
    if let Some(folder) = env::var_os(FOLDER) {
        let folder = Path::new(&folder);
        let store = KeyStore::at(&folder.join("trust"));
        let store = store.with_tokens(Tokens::load(&[module()]).unwrap());
        return body(&store, &SoftHsm::below(folder), folder);
    }
    let folder = tempfile::tempdir().unwrap();
    let tokens = SoftHsm::below(folder.path());
    tokens.insert("card", PIN);
    let ran = Command::new(env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(FOLDER, folder.path())
        .envs(tokens.environment())
        .output()
        .unwrap();
    let said = [ran.stdout, ran.stderr].map(|it| String::from_utf8_lossy(&it).into_owned());
    assert!(ran.status.success(), "{}", said.concat());
    assert!(said[0].contains("1 passed"), "{test} is no test here");
}

fn pin() -> Passphrase {
    PIN.into()
}

fn fixture(name: &str) -> PrivateKey {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/openssl");
    match KeyFile::parse(&fs::read(folder.join(name)).unwrap()).unwrap() {
        KeyFile::Plain { key, .. } => key,
        KeyFile::Encrypted(_) => panic!("{name} is encrypted"),
    }
}

/// The key's bytes as `ring` wants them: what is inside the `SubjectPublicKeyInfo`.
fn verify(key: &PublicKey, by: &'static dyn VerificationAlgorithm, signature: &[u8]) {
    let head = if key.key_type == "rsa" { 24 } else { 26 };
    let inner = UnparsedPublicKey::new(by, &key.bytes[head..]);
    inner.verify(b"message", signature).expect("a signature");
}

fn signs(key: &PrivateKey) {
    let signature = key.sign(b"message").unwrap();
    if key.public().key_type == "rsa" {
        assert_eq!(signature.method, "rsapss");
        verify(key.public(), &RSA_PSS_2048_8192_SHA256, &signature.bytes);
        let on_certificate = key.sign_certificate(b"message").unwrap();
        verify(key.public(), &RSA_PKCS1_2048_8192_SHA256, &on_certificate);
    } else {
        assert_eq!((signature.method, signature.bytes.len()), ("ecdsa", 64));
        verify(key.public(), &ECDSA_P256_SHA256_FIXED, &signature.bytes);
    }
}

#[test]
fn a_key_made_on_a_token_signs_and_cannot_leave() {
    with_a_token(
        "a_key_made_on_a_token_signs_and_cannot_leave",
        |store, token, _| {
            for (algorithm, name) in [
                (TokenAlgorithm::EcdsaP256, "root"),
                (TokenAlgorithm::Rsa, "nigel"),
            ] {
                let made = store.generate_on("card", algorithm, name, Some(&pin()));
                let made = made.unwrap();
                signs(&made);
                let stored = store.find(made.id()).unwrap().unwrap();
                assert_eq!(stored.role.as_deref(), Some(name));
                assert!(matches!(&stored.place, Place::Token(on) if on.public == *made.public()));
                signs(&store.unlock(&stored, None).unwrap());
                let label = trust_store::keys::Label {
                    role: name.to_owned(),
                    gun: None,
                };
                let refused = store.add(&made, &label, &"passphrase".into()).unwrap_err();
                assert!(matches!(refused, KeyError::OnToken { .. }), "{refused}");
                assert!(stored.place.file(&stored.id).is_err());
            }
            let shown = token.pkcs11_tool("card", PIN, "--list-objects --type privkey");
            let ids = store.list().unwrap();
            assert_eq!(
                shown
                    .matches("always sensitive, never extractable, local")
                    .count(),
                2,
                "{shown}"
            );
            for key in &ids {
                assert!(shown.contains(&key.id), "{} is not in {shown}", key.id);
            }
        },
    );
}

#[test]
fn a_key_put_on_a_token_signs_and_is_put_there_once() {
    with_a_token(
        "a_key_put_on_a_token_signs_and_is_put_there_once",
        |store, token, _| {
            for name in ["ec-pkcs8.pem", "rsa-pkcs1.pem"] {
                let key = fixture(name);
                let kept = store.add_on("card", &key, "nigel", Some(&pin())).unwrap();
                assert_eq!(kept.id(), key.id());
                signs(&kept);
                let again = store.add_on("card", &key, "nigel", None).unwrap_err();
                assert!(matches!(again, KeyError::OnTokenAlready { .. }), "{again}");
                // As if the token had been pulled out between the halves.
                for half in ["pubkey", "privkey"] {
                    let line = format!("--delete-object --type {half} --id {}", key.id());
                    token.pkcs11_tool("card", PIN, &line);
                    signs(&store.add_on("card", &key, "nigel", None).unwrap());
                }
            }
            let ed25519 = PrivateKey::generate(Algorithm::Ed25519).unwrap();
            let refused = store
                .add_on("card", &ed25519, "x", Some(&pin()))
                .unwrap_err();
            assert!(
                matches!(refused, KeyError::UnsupportedAlgorithm { .. }),
                "{refused}"
            );
            let shown = token.pkcs11_tool("card", PIN, "--list-objects --type privkey");
            assert_eq!(shown.matches("Private Key Object").count(), 2, "{shown}");
            assert!(
                shown.matches("sensitive").count() == 2 && !shown.contains("extractable"),
                "{shown}"
            );
        },
    );
}

#[test]
fn a_key_is_known_by_its_certificate_where_no_public_key_is() {
    // As Notary leaves root keys on a YubiKey: no public key object, no label, `CKA_ID` 2, and a
    // certificate for the role.
    with_a_token(
        "a_key_is_known_by_its_certificate_where_no_public_key_is",
        |store, token, folder| {
            let file = |name: &str| folder.join(name).display().to_string();
            let openssl = |line: &str| {
                let ran = Command::new("openssl")
                    .args(line.split_whitespace())
                    .output()
                    .unwrap();
                assert!(
                    ran.status.success(),
                    "{}",
                    String::from_utf8_lossy(&ran.stderr)
                );
            };
            openssl(&format!(
                "req -x509 -noenc -days 30 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 \
             -subj /CN=root -keyout {} -outform DER -out {}",
                file("k.pem"),
                file("c.der")
            ));
            openssl(&format!(
                "pkey -in {} -outform DER -out {}",
                file("k.pem"),
                file("k.der")
            ));
            let write = |kind: &str, name: &str| {
                let line = format!("--write-object {} --type {kind} --id 02", file(name));
                token.pkcs11_tool("card", PIN, &line);
            };
            write("cert", "c.der");
            let [stored] = &store.list().unwrap()[..] else {
                panic!("one key")
            };
            let lonely = store.unlock(stored, Some(&pin())).unwrap_err();
            assert!(
                matches!(lonely, KeyError::Token(TokenError::NoPrivateHalf { .. })),
                "{lonely}"
            );
            write("privkey", "k.der");
            let KeyFile::Plain { key, .. } =
                KeyFile::parse(&fs::read(file("k.pem")).unwrap()).unwrap()
            else {
                panic!("a plain key")
            };
            assert_eq!(
                (stored.id.as_str(), stored.role.as_deref()),
                (key.id(), Some("root"))
            );
            signs(&store.unlock(stored, Some(&pin())).unwrap());
        },
    );
}

#[test]
fn a_wrong_pin_is_told_from_none() {
    with_a_token("a_wrong_pin_is_told_from_none", |store, _, _| {
        let make = |pin: Option<&Passphrase>| {
            store
                .generate_on("card", TokenAlgorithm::EcdsaP256, "nigel", pin)
                .unwrap_err()
        };
        let none = make(None);
        assert!(
            matches!(
                none,
                KeyError::Token(TokenError::PinNeeded {
                    tries: Tries::Unsaid,
                    ..
                })
            ),
            "{none}"
        );
        let wrong = make(Some(&"wrong-pin".into()));
        assert!(
            matches!(
                wrong,
                KeyError::Token(TokenError::WrongPin {
                    tries: Tries::Low,
                    ..
                })
            ),
            "{wrong}"
        );
        let told = make(None);
        assert!(
            matches!(
                told,
                KeyError::Token(TokenError::PinNeeded {
                    tries: Tries::Low,
                    ..
                })
            ),
            "{told}"
        );
        let other = store
            .generate_on("bus", TokenAlgorithm::Rsa, "nigel", None)
            .unwrap_err();
        assert_eq!(other.to_string(), "no token is called bus");
        assert_eq!(store.list().unwrap(), []);
    });
}

#[test]
fn what_is_no_module_is_not_loaded() {
    let text = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    for (path, words) in [
        ("/absent.so", "No such file or directory"),
        (text, "no library that can be loaded"),
        ("libc.so.6", "No such file or directory"),
    ] {
        let error = Tokens::load(&[path]).unwrap_err().to_string();
        assert!(
            error.starts_with(&format!("PKCS#11 module {path}: ")),
            "{error}"
        );
        assert!(error.contains(words), "{error}");
    }
}

const FOLDER: &str = "TRUST_STORE_TEST_TOKENS";
