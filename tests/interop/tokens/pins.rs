//! Where PINs come from, and that a wrong one given beforehand is tried once.

use std::fs;

use super::{ROOT_PIN, ROOT_TOKEN, SIGNER_PIN, two_tokens};
use crate::peers::{home::Home, lab::Lab, server::Kind, terminal::Terminal};

const GENERATE: &str = "key generate nigel --token root-card";

#[test]
fn a_pin_comes_from_a_file_or_the_environment() {
    let lab = Lab::start(Kind::Trust);
    let (_tokens, nigel) = two_tokens(&lab);
    let nobody = nigel.without("TRUST_PKCS11_PIN_FILE");
    fs::write(nigel.folder().join("pin"), ROOT_PIN).expect("a PIN file");
    fs::write(nigel.folder().join("other"), SIGNER_PIN).expect("a PIN file");
    nobody
        .trust(GENERATE)
        .exit(2)
        .says("no PIN for token root-card, and no terminal to ask on")
        .says("TRUST_PKCS11_PIN_FILE or --pin-file");
    let made = |home: &Home<'_>, options: &str| {
        home.trust(&format!("{options} {GENERATE}")).ok();
        fs::remove_file(home.folder().join("nigel.pub")).expect("a public key");
    };
    made(&nigel, "");
    made(&nobody, "--pin-file pin");
    made(&nobody, "--pin-file other --pin-file root-card=pin");
    made(&nobody.with("TRUST_PKCS11_PIN", ROOT_PIN), "");
    made(&nobody.with("TRUST_PKCS11_PIN_FILE", "pin"), "");
    made(
        &nobody
            .with("TRUST_PKCS11_PIN_FILE", "root-card=pin:other")
            .with("TRUST_PKCS11_PIN", SIGNER_PIN),
        "",
    );
    made(
        &nobody.with("TRUST_PKCS11_PIN", SIGNER_PIN),
        "--pin-file pin",
    );
    let absent = nobody.trust(&format!("--pin-file absent {GENERATE}"));
    absent.exit(2).says("absent");
}

#[test]
fn a_wrong_pin_given_beforehand_is_tried_once() {
    let lab = Lab::start(Kind::Trust);
    let (tokens, nigel) = two_tokens(&lab);
    for (name, token) in [("root", ROOT_TOKEN), ("nigel", ROOT_TOKEN)] {
        nigel
            .trust(&format!("key generate {name} --token {token}"))
            .ok();
    }
    let wrong = nigel
        .without("TRUST_PKCS11_PIN_FILE")
        .with("TRUST_PKCS11_PIN", "not-the-pin");
    // Two repositories, in each of which the root key is asked for.
    let (one, two) = (lab.name("one"), lab.name("two"));
    let ran = wrong
        .trust(&format!("signer add --key nigel.pub nigel {one} {two}"))
        .exit(2);
    let said = "the PIN of token root-card is wrong; few tries are left before it locks itself";
    assert_eq!(ran.stderr.matches(said).count(), 1, "{ran}");
    let said = "the PIN given for token root-card was wrong and is not tried again";
    assert_eq!(ran.stderr.matches(said).count(), 1, "{ran}");
    drop(tokens);
}

#[test]
fn a_pin_is_asked_for_three_times_at_most() {
    let lab = Lab::start(Kind::Trust);
    let (_tokens, nigel) = two_tokens(&lab);
    let nigel = nigel.without("TRUST_PKCS11_PIN_FILE");
    let mut terminal = Terminal::start(nigel.trust_command(GENERATE));
    for _ in 0..3 {
        terminal
            .shows("Enter PIN for token root-card: ")
            .types_secret("not-the-pin");
    }
    let shown = terminal.ends(2);
    assert_eq!(shown.matches("Enter PIN").count(), 3, "{shown}");
    assert!(shown.contains("few tries are left."), "{shown}");

    let mut terminal = Terminal::start(nigel.trust_command(GENERATE));
    terminal
        .shows("A wrong PIN has been given to this token: few tries are left.")
        .shows("Enter PIN for token root-card: ")
        .types_secret("not-the-pin");
    terminal
        .shows("PIN incorrect. Please retry.")
        .shows("Enter PIN for token root-card: ")
        .types_secret(ROOT_PIN);
    let shown = terminal.ends(0);
    assert!(!shown.contains(ROOT_PIN), "the PIN was shown:\n{shown}");
}
