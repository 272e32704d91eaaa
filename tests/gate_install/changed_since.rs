//! Somebody else changed a file after the hook was installed.

use super::Disk;

const INSTALL: &str = "install docker -y --authz --program /usr/bin/trust";

fn installed(daemon_json: &str) -> Disk {
    let disk = Disk::with_policy();
    disk.put("/etc/docker/daemon.json", daemon_json);
    disk.hook(INSTALL).ends(0);
    disk
}

#[test]
fn what_others_wrote_stays() {
    for (before, from, to, left) in [
        (
            "{\n  \"a\": 1\n}\n",
            "\"a\": 1",
            "\"a\": 2",
            "{\n  \"a\": 2\n}\n",
        ),
        (
            "{\"a\": 1}",
            "\"a\": 1",
            "\"b\": {}, \"a\": 1",
            "{\"b\": {}, \"a\": 1}",
        ),
        (
            "{\n  \"authorization-plugins\": [\"x\"]\n}\n",
            "\"x\"",
            "\"y\"",
            "{\n  \"authorization-plugins\": [\"y\"]\n}\n",
        ),
    ] {
        let disk = installed(before);
        let path = "/etc/docker/daemon.json";
        disk.put(path, &disk.text(path).replace(from, to));
        disk.hook("status docker").ends(1).says("changed");
        disk.hook("remove docker -y")
            .ends(0)
            .says("was changed since");
        assert_eq!(disk.text(path), left);
    }
}

#[test]
fn installing_again_keeps_what_others_wrote() {
    let disk = installed("{\n  \"a\": 1\n}\n");
    let path = "/etc/docker/daemon.json";
    disk.put(path, &disk.text(path).replace("\"a\": 1", "\"a\": 2"));
    disk.hook(INSTALL).ends(0);
    disk.hook("status").ends(0);
    let text = disk.text(path);
    assert!(
        text.contains("\"a\": 2") && text.contains("trust"),
        "{text}"
    );
    disk.hook("remove docker -y").ends(0);
    assert_eq!(disk.text(path), "{\n  \"a\": 2\n}\n");
}

#[test]
fn a_file_that_is_gone_stays_gone() {
    let disk = installed("{}");
    std::fs::remove_file(disk.real("/etc/docker/daemon.json")).unwrap();
    disk.hook("status").ends(1).says("missing");
    disk.hook("remove docker -y").ends(0);
    assert!(!disk.has("/etc/docker/daemon.json"));
    assert!(!disk.has("/var/lib/trust"));
}

#[test]
fn what_cannot_be_told_apart_is_refused() {
    let disk = Disk::with_policy();
    disk.hook("install docker -y --proxy https://127.0.0.1:8443")
        .ends(0);
    let path = "/etc/docker/certs.d/_default/hosts.toml";
    disk.put(path, "server = \"https://elsewhere.test\"\n");
    let before = disk.tree();
    disk.hook("remove docker -y")
        .ends(2)
        .says("was changed by somebody else");
    assert_eq!(disk.tree(), before);
}

#[test]
fn a_damaged_record_is_not_guessed_at() {
    let disk = installed("{}");
    disk.put("/var/lib/trust/hooks/docker.json", "{");
    for line in ["remove docker -y", "status", INSTALL] {
        disk.hook(line).ends(3).says("not a record of a hook");
    }
}
