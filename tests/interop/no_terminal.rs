//! Without a terminal nobody is asked: every command that lacks a passphrase names the variables
//! and ends at once, and one that is wrong is tried once.

use std::time::{Duration, Instant};

use crate::peers::{
    home::Home,
    lab::Lab,
    server::{Kind, on_both_servers},
};

on_both_servers!(
    missing_passphrases_are_named,
    a_wrong_passphrase_is_tried_once,
    files_of_passphrases_will_do
);

fn missing_passphrases_are_named(server: Kind) {
    let lab = Lab::start(server);
    let nigel = signer(&lab);
    let nobody = nigel.without_passphrases();
    let repository = "DOCKER_CONTENT_TRUST_REPOSITORY_PASSPHRASE";
    let root = "DOCKER_CONTENT_TRUST_ROOT_PASSPHRASE";
    let app = lab.name("app");
    lab.push("app", "v2");
    for (line, variable) in [
        ("key generate alice".to_owned(), repository),
        (
            format!("signer add --key nigel.pub nigel {}", lab.name("new")),
            root,
        ),
        (format!("signer add --key nigel.pub bob {app}"), repository),
        (format!("signer remove nigel {app}"), repository),
        (format!("repo init {}", lab.name("new")), root),
        (format!("sign {app}:v2"), repository),
        (
            format!("sign --as alice {}", lab.name("other:v1")),
            repository,
        ),
        (format!("revoke {app}:v1"), repository),
        (format!("revoke -y {app}"), repository),
    ] {
        lab.push("other", "v1");
        let start = Instant::now();
        // The last released signature is nigel's, so nobody is asked without -f.
        let line = line.replace("signer remove", "signer remove -f");
        let ran = nobody.trust(&line).exit(2);
        assert!(start.elapsed() < Duration::from_secs(2), "too slow: {ran}");
        ran.says(&format!(
            "hint: set {variable}, or name a file with {variable}_FILE"
        ))
        .says("--passphrase-file");
    }
    // Nothing of this left a trace.
    nigel.trust(&format!("verify {app}:v1")).ok();
    nigel.docker(&format!("trust inspect {app}")).ok();
}

fn a_wrong_passphrase_is_tried_once(server: Kind) {
    let lab = Lab::start(server);
    let nigel = signer(&lab);
    let app = lab.name("app");
    lab.push("app", "v2");
    let wrong = nigel
        .with("DOCKER_CONTENT_TRUST_ROOT_PASSPHRASE", "not the one")
        .with("DOCKER_CONTENT_TRUST_REPOSITORY_PASSPHRASE", "not the one");
    for line in [
        format!("signer add --key nigel.pub bob {app}"),
        format!("signer add --key nigel.pub nigel {}", lab.name("new")),
        format!("sign {app}:v2"),
        format!("revoke {app}:v1"),
    ] {
        wrong
            .trust(&line)
            .exit(2)
            .says("password invalid, operation has failed.");
    }
    nigel.trust(&format!("verify {app}:v1")).ok();
}

fn files_of_passphrases_will_do(server: Kind) {
    let lab = Lab::start(server);
    let nigel = signer(&lab);
    let app = lab.name("app");
    lab.push("app", "v2");
    let file = nigel.folder().join("passphrase");
    std::fs::write(&file, format!("{}\n", crate::peers::home::REPOSITORY)).expect("a file");
    let nobody = nigel.without_passphrases();
    nobody
        .trust(&format!("sign --passphrase-file passphrase {app}:v2"))
        .ok();
    nobody
        .with(
            "DOCKER_CONTENT_TRUST_REPOSITORY_PASSPHRASE_FILE",
            &file.display().to_string(),
        )
        .trust(&format!("revoke {app}:v2"))
        .ok();
}

/// A person who may sign `app` and has signed `app:v1`.
fn signer(lab: &Lab) -> Home<'_> {
    let nigel = lab.home("nigel");
    let app = lab.name("app");
    lab.push("app", "v1");
    nigel.trust("key generate nigel").ok();
    nigel
        .trust(&format!("signer add --key nigel.pub nigel {app}"))
        .ok();
    nigel.trust(&format!("sign {app}:v1")).ok();
    nigel
}
