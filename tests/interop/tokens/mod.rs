//! Root and signer keys on tokens: the whole main job, and what can go wrong with a token.

mod pins;
mod pulled_out;
mod secrecy;

use std::fs;

use crate::peers::{
    home::Home,
    image::hex_of,
    lab::Lab,
    server::{Kind, on_both_servers},
    softhsm::SoftHsm,
};

on_both_servers!(ecdsa_keys_do_the_whole_job, rsa_keys_do_the_whole_job);

fn ecdsa_keys_do_the_whole_job(server: Kind) {
    does_the_whole_job(server, "ecdsa");
}

fn rsa_keys_do_the_whole_job(server: Kind) {
    does_the_whole_job(server, "rsa");
}

/// The root key on one token, the signer's on another, each with its own PIN.
fn does_the_whole_job(server: Kind, kind: &str) {
    let lab = Lab::start(server);
    let (tokens, nigel) = two_tokens(&lab);
    let app = lab.name("app");
    for (name, token) in [("root", ROOT_TOKEN), ("nigel", SIGNER_TOKEN)] {
        nigel
            .trust(&format!(
                "key generate {name} --type {kind} --token {token}"
            ))
            .ok();
    }
    let digest = lab.push("app", "v1").digest();
    nigel
        .trust(&format!("signer add --key nigel.pub nigel {app}"))
        .ok();
    nigel.trust(&format!("sign {app}:v1")).ok();
    nigel
        .trust(&format!("verify {app}:v1"))
        .ok()
        .says(hex_of(&digest));
    let root = id_of(&nigel, "root");
    for seen in [
        nigel
            .docker(&format!("trust inspect --pretty {app}"))
            .ok()
            .says("nigel"),
        nigel
            .notary(&format!("list {app} -r targets/releases"))
            .ok(),
    ] {
        seen.says(hex_of(&digest));
    }
    nigel
        .trust("key show root")
        .ok()
        .says(&format!("{app} as root"));
    // The root signs again: a second repository, and one begun by its id.
    let other = lab.name("other");
    nigel
        .trust(&format!("repo init --root-key {root} {other}"))
        .ok();
    nigel.notary(&format!("list {other}")).ok();
    nigel.trust(&format!("signer remove -f nigel {app}")).ok();
    // Nothing of these keys is in the trust directory; only the keys of targets and snapshot are.
    let files = fs::read_dir(nigel.trust_dir().join("private")).expect("a folder");
    assert_eq!(files.count(), 3, "{}", nigel.trust("key list").ok());
    assert_eq!(
        nigel
            .trust("key list")
            .ok()
            .stdout
            .matches("token ")
            .count(),
        2
    );
    drop(tokens);
}

#[test]
fn what_a_token_cannot_do_is_said() {
    let lab = Lab::start(Kind::Trust);
    let (_tokens, nigel) = two_tokens(&lab);
    let refused = |line: &str, code: i32, words: &str| {
        nigel.trust(line).exit(code).says(words);
    };
    refused(
        "key generate a --type ed25519 --token root-card",
        2,
        "ed25519 keys are not made on tokens",
    );
    refused(
        "key generate a --type rsa",
        2,
        "RSA keys are made on tokens only",
    );
    refused(
        "key generate a --token bus-card",
        3,
        "no token is called bus-card",
    );
    assert!(!nigel.folder().join("a.pub").exists());
    nigel.trust("key generate a --token root-card").ok();
    let id = id_of(&nigel, "a");
    nigel
        .trust(&format!("key show {}", &id[..8]))
        .ok()
        .says("Location:    token root-card");

    let without = nigel.with("TRUST_PKCS11_MODULE", "/absent/module.so");
    without
        .trust("key list")
        .exit(2)
        .says("PKCS#11 module /absent/module.so: No such file");
    let line = format!("verify --offline {}", lab.name("app"));
    without.trust(&line).exit(3).does_not_say("PKCS#11");
    nigel
        .without("TRUST_PKCS11_MODULE")
        .trust("key list")
        .ok()
        .does_not_say("token");
}

#[test]
fn a_root_key_is_not_made_for_one_whose_token_is_missed() {
    let lab = Lab::start(Kind::Trust);
    let tokens = SoftHsm::below(lab.folder());
    let nigel = with(lab.home("nigel"), &tokens);
    nigel.trust("key generate nigel").ok();
    let line = format!("signer add --key nigel.pub nigel {}", lab.name("app"));
    let ran = nigel.trust(&line);
    assert!(ran.stderr.contains("no token is in the slots of"), "{ran}");
    nigel.notary(&format!("list {}", lab.name("app"))).exit(1);
    nigel.without("TRUST_PKCS11_MODULE").trust(&line).ok();
}

/// Two tokens with PINs of their own, and somebody whose files name both.
fn two_tokens(lab: &Lab) -> (SoftHsm, Home<'_>) {
    let tokens = SoftHsm::below(lab.folder());
    let nigel = with(lab.home("nigel"), &tokens);
    let mut files = Vec::new();
    for (label, pin) in [(ROOT_TOKEN, ROOT_PIN), (SIGNER_TOKEN, SIGNER_PIN)] {
        tokens.insert(label, pin);
        let file = nigel.folder().join(format!("{label}.pin"));
        fs::write(&file, format!("{pin}\n")).expect("a PIN file");
        files.push(format!("{label}={}", file.display()));
    }
    let nigel = nigel.with("TRUST_PKCS11_PIN_FILE", &files.join(":"));
    (tokens, nigel)
}

/// The same machine with these tokens.
fn with<'lab>(home: Home<'lab>, tokens: &SoftHsm) -> Home<'lab> {
    let mut home = home;
    for (variable, value) in tokens.environment() {
        home = home.with(variable, &value);
    }
    home
}

fn id_of(home: &Home<'_>, name: &str) -> String {
    let shown = home.trust(&format!("key show --format json {name}")).ok();
    let shown: serde_json::Value = serde_json::from_str(&shown.stdout).expect("JSON");
    shown["id"].as_str().expect("an id").to_owned()
}

const ROOT_TOKEN: &str = "root-card";
const SIGNER_TOKEN: &str = "signer-card";
const ROOT_PIN: &str = "root-pin-1";
const SIGNER_PIN: &str = "signer-pin-2";
