//! How the gate starts, and when it does not.

use std::path::Path;
use std::process::Command;

/// The exit code and what was said.
fn gate(folder: &Path, words: &[&str]) -> (i32, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_trust"))
        .args(["gate", "proxy"])
        .args(words)
        .env_clear()
        .env("HOME", folder)
        .env("DOCKER_CONTENT_TRUST", "1")
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    (output.status.code().unwrap(), said)
}

#[test]
fn what_others_could_abuse_does_not_start() {
    let folder = tempfile::tempdir().unwrap();
    let short = folder.path().join("short");
    std::fs::File::create(&short).unwrap();
    let short = short.to_str().unwrap();
    for (words, expected) in [
        (&[][..], "there is no certificate"),
        (
            &["--no-tls", "--listen", "0.0.0.0:0"],
            "could be read and changed on the way",
        ),
        (
            &["--no-tls", "--listen", "127.0.0.1:0", "--upstream", "a/b"],
            "no host of a registry",
        ),
        (
            &[
                "--no-tls",
                "--listen",
                "127.0.0.1:0",
                "--client-secret-file",
                short,
            ],
            "fewer than 16 characters",
        ),
        (
            &[
                "--no-tls",
                "--listen",
                "127.0.0.1:0",
                "--client-secret-file",
                "/nowhere",
            ],
            "No such file",
        ),
        (
            &["--no-tls", "--client-ca", "ca.pem"],
            "cannot be used with",
        ),
    ] {
        let (code, said) = gate(folder.path(), words);
        assert_eq!(code, 2, "{words:?}: {said}");
        assert!(said.contains(expected), "{words:?}: {said}");
    }
}
