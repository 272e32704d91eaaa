//! What the command prints, on a disk below a folder.

use snapbox::{assert_data_eq, str};
use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::Path,
    process::{Command, Output},
};

fn doctor(top: &Path, line: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_trust"));
    command.arg("doctor").args(line.split_whitespace());
    command
        .arg("--root")
        .arg(top)
        .env_clear()
        .env("HOME", "/root");
    // What is set here says nothing about the other host.
    command.env("DOCKER_CONTENT_TRUST", "1");
    command.output().unwrap()
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

fn put(top: &Path, path: &str, text: &str, mode: u32) {
    let path = top.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn an_empty_host() {
    let top = tempfile::tempdir().unwrap();
    let output = doctor(top.path(), "-q");
    assert!(output.status.success());
    assert_data_eq!(
        text(output.stdout),
        str![[r#"
[INFO] 1 - Docker's command
[WARN] 1.1 - Ensure content trust for Docker is enabled (CIS 4.5)
[WARN]      * DOCKER_CONTENT_TRUST is set nowhere
[WARN]      * To mend it: put DOCKER_CONTENT_TRUST=1 into /etc/environment; for what people type, `trust hook install shell` as well

[INFO] 2 - Docker Engine

[INFO] 3 - containerd

[INFO] 4 - Podman, skopeo, CRI-O

[INFO] 5 - Policy and gates
[WARN] 5.1 - Ensure there is a policy, and it can be read
[WARN]      * there is neither /etc/trust/policy.toml nor policy.toml in the trust directory
[WARN]      * To mend it: write one; trust policy check says what it means

[INFO] 6 - Keys and trusted metadata

[INFO] 37 checks: 1 PASS, 2 WARN, 0 NOTE, 34 INFO

"#]]
    );
}

#[test]
fn warnings_are_failures_where_that_is_wanted() {
    let top = tempfile::tempdir().unwrap();
    let output = doctor(top.path(), "--strict");
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(text(output.stderr), "trust: doctor: 2 warnings\n");
    assert_eq!(doctor(top.path(), "").status.code(), Some(0));
}

#[test]
fn programs_get_the_same_as_json() {
    let top = tempfile::tempdir().unwrap();
    let json = text(doctor(top.path(), "--format json").stdout);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["summary"]["warn"], 2);
    let check = &json["sections"][0]["checks"][0];
    assert_eq!(check["id"], "1.1");
    assert_eq!(check["level"], "WARN");
    assert!(
        check["mend"]
            .as_str()
            .unwrap()
            .contains("DOCKER_CONTENT_TRUST=1")
    );
}

#[test]
fn colors_are_for_terminals() {
    let top = tempfile::tempdir().unwrap();
    assert!(!text(doctor(top.path(), "").stdout).contains('\u{1b}'));
    let painted = text(doctor(top.path(), "--color always").stdout);
    assert!(
        painted.contains("\u{1b}[1;31m[WARN]\u{1b}[0m 1.1 - "),
        "{painted}"
    );
}

#[test]
fn the_disk_is_looked_at_through_its_links() {
    let top = tempfile::tempdir().unwrap();
    let top = top.path();
    put(top, "usr/bin/dockerd", "", 0o755);
    put(
        top,
        "srv/docker/daemon.json",
        "{\"insecure-registries\": [\"r.test\"]}",
        0o644,
    );
    fs::create_dir_all(top.join("etc")).unwrap();
    symlink("/srv/docker", top.join("etc/docker")).unwrap();
    put(top, "root/.docker/trust/private/x.key", "", 0o644);
    put(top, "etc/containerd/config.toml", "version = 3\n", 0o644);
    let bin = "opt/containerd/image-verifier/bin";
    put(top, &format!("{bin}/README"), "", 0o644);
    put(top, "usr/bin/trust", "", 0o755);
    symlink(
        "/usr/bin/trust",
        top.join(bin).join("trust-containerd-verifier"),
    )
    .unwrap();
    put(
        top,
        "srv/docker/certs.d/quay.io/hosts.toml",
        "server = x\n",
        0o644,
    );
    let said = text(doctor(top, "").stdout);
    for line in [
        "[WARN]      * r.test is asked without TLS or a valid certificate",
        "[WARN]      * /etc/docker/certs.d/quay.io/hosts.toml is ignored: ",
        "[PASS] 3.6 - Ensure the image verifier is installed",
        "[WARN]      * /opt/containerd/image-verifier/bin/README cannot be run: every pull fails",
    ] {
        assert!(said.contains(line), "{line} is not in\n{said}");
    }
}

#[test]
fn real_keys_and_metadata_are_found() {
    let top = tempfile::tempdir().unwrap();
    let vectors = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/notary-v1");
    let trust = top.path().join("root/.docker/trust");
    copy(&vectors.join("docker-trust-dir"), &trust);
    let said = text(doctor(top.path(), "").stdout);
    assert!(
        said.contains("[PASS] 6.2 - Ensure private keys have a passphrase"),
        "{said}"
    );
    assert!(!said.contains("[INFO] 6.1"), "{said}");
    let any = fs::read_dir(trust.join("private"))
        .unwrap()
        .next()
        .unwrap()
        .unwrap();
    fs::set_permissions(any.path(), fs::Permissions::from_mode(0o644)).unwrap();
    let said = text(doctor(top.path(), "").stdout);
    assert!(said.contains(".key has mode 0644"), "{said}");
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), &to).unwrap();
            fs::set_permissions(&to, fs::Permissions::from_mode(0o600)).unwrap();
        }
    }
}
