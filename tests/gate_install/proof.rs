//! What is proven by pulling one image that is signed, and one that is not.

use super::{Ran, run};
use std::{fs, os::unix::fs::PermissionsExt, process::Command};

/// `trust hook prove` where the engine's client does this with the images.
fn prove(engine: &str, client: &str, script: &str) -> Ran {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(client);
    fs::write(&path, format!("#!/bin/sh\nimage=$2\n{script}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_trust"));
    command
        .args(["hook", "prove", engine, "good", "bad"])
        .env_clear()
        .env("HOME", "/nowhere")
        .env("PATH", format!("{}:/usr/bin:/bin", folder.path().display()));
    run(&mut command)
}

const REFUSES: &str = "[ $image = good ] || { echo 'bad is refused: [unsigned]' >&2; exit 1; }";

#[test]
fn an_engine_that_refuses_one_and_pulls_the_other() {
    for (engine, client) in [
        ("docker", "docker"),
        ("podman", "podman"),
        ("containerd", "crictl"),
    ] {
        let ran = prove(engine, client, REFUSES).ends(0);
        assert_eq!(
            ran.stdout,
            "good: pulled\nbad: refused: bad is refused: [unsigned]\n"
        );
    }
}

#[test]
fn an_engine_that_pulls_everything() {
    prove("docker", "docker", "exit 0")
        .ends(1)
        .says("bad came through");
}

#[test]
fn nothing_is_proven_by_other_failures() {
    let elsewhere = "[ $image = good ] || { echo 'no route to host' >&2; exit 1; }";
    prove("docker", "docker", elsewhere)
        .ends(3)
        .says("not for a reason of the gate's");
    prove("docker", "docker", "echo 'good is refused' >&2; exit 1")
        .ends(3)
        .says("good did not come through");
}
