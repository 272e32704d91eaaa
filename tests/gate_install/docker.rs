//! The hook of the Docker Engine.

use super::{Disk, POLICY};
use snapbox::{assert_data_eq, str};
use std::os::unix::fs::PermissionsExt;

const INSTALL: &str =
    "install docker -y --program /usr/bin/trust --authz --proxy https://127.0.0.1:8443";

#[test]
fn the_plan_is_shown_and_nothing_is_written() {
    let disk = Disk::with_policy();
    disk.put("/etc/docker/daemon.json", "{\n  \"debug\": true\n}\n");
    let before = disk.tree();
    let ran = disk
        .hook("install docker --dry-run --authz --program /usr/bin/trust")
        .ends(0);
    assert_data_eq!(
        ran.stdout,
        str![[r#"
--- /etc/docker/daemon.json
+++ /etc/docker/daemon.json
@@ -1,3 +1,4 @@
 {
-  "debug": true
+  "debug": true,
+  "authorization-plugins": ["trust"]
 }

"#]]
    );
    assert_eq!(disk.tree(), before);
}

#[test]
fn nobody_to_ask_is_an_error() {
    let disk = Disk::with_policy();
    let before = disk.tree();
    disk.hook("install docker --authz").ends(2).says("-y");
    assert_eq!(disk.tree(), before);
}

#[test]
fn systemd_starts_the_gates_before_the_engine() {
    let disk = Disk::with_policy();
    disk.put("/lib/systemd/systemd", "");
    disk.hook("install docker -y --program /usr/bin/trust --authz --proxy http://127.0.0.1:8443 --socket /run/trust/authz.sock")
        .ends(0)
        .says("Then: systemctl reload docker");
    assert_data_eq!(
        disk.text("/etc/systemd/system/trust-gate-authz.service"),
        str![[r#"
# Written by `trust hook install docker`; `trust hook remove docker` takes it away.
[Unit]
Description=Image trust: authorization plugin of the Docker Engine
Wants=network-online.target
After=network-online.target
Before=docker.service

[Service]
Type=exec
ExecStart=/usr/bin/trust gate authz --policy /etc/trust/policy.toml --socket /run/trust/authz.sock
# Started is what answers: docker.service looks for the socket only for a while.
ExecStartPost=/bin/sh -c "exec timeout 30 sh -c 'until [ -S /run/trust/authz.sock ]; do sleep 0.1; done'"
ExecReload=/bin/kill -HUP $MAINPID
Restart=always
RestartSec=1
NoNewPrivileges=yes

[Install]
WantedBy=docker.service

"#]]
    );
    let proxy = disk.text("/etc/systemd/system/trust-gate-proxy.service");
    let start = "ExecStart=/usr/bin/trust gate proxy --policy /etc/trust/policy.toml --listen 127.0.0.1:8443 --no-tls\n";
    assert!(proxy.contains(start), "{proxy}");
    assert_eq!(
        disk.text("/etc/docker/plugins/trust.spec"),
        "unix:///run/trust/authz.sock\n"
    );
    assert!(disk.has("/etc/systemd/system/docker.service.wants/trust-gate-authz.service"));
}

/// Bypass 3: a registry's own folder wins over `_default`, also one with certificates only.
#[test]
fn every_registry_is_routed() {
    let disk = Disk::with_policy();
    disk.put(
        "/etc/docker/certs.d/quay.io/hosts.toml",
        "[host.\"https://m.test\"]\n",
    );
    disk.put("/etc/docker/certs.d/own.test/ca.crt", "x");
    disk.hook(INSTALL)
        .ends(0)
        .says("quay.io had settings of its own");
    for registry in ["_default", "quay.io", "own.test"] {
        let text = disk.text(&format!("/etc/docker/certs.d/{registry}/hosts.toml"));
        assert!(
            text.contains("server = \"https://127.0.0.1:8443\"\n"),
            "{text}"
        );
        assert!(!text.contains("[host."), "{text}");
    }
}

/// Bypass 4: the engine goes on to Docker Hub when a mirror says no.
#[test]
fn mirrors_are_refused() {
    for mirror in ["https://127.0.0.1:8443", "https://mirror.test"] {
        let disk = Disk::with_policy();
        let text = format!("{{\"registry-mirrors\": [\"{mirror}\"]}}");
        disk.put("/etc/docker/daemon.json", &text);
        let before = disk.tree();
        disk.hook(INSTALL)
            .ends(2)
            .says("registry-mirrors in /etc/docker/daemon.json");
        assert_eq!(disk.tree(), before);
    }
}

#[test]
fn what_would_stop_the_engine_is_refused() {
    let flag = "[Service]\nExecStart=/usr/bin/dockerd --authorization-plugin=other\n";
    for (path, text, words) in [
        (
            "/etc/trust/policy.toml",
            "[default]\nrequire = 1\n",
            "/etc/trust/policy.toml",
        ),
        (
            "/etc/docker/daemon.json",
            "{",
            "it is no JSON that dockerd would read",
        ),
        (
            "/etc/docker/daemon.json",
            "{\"authorization-plugins\": 1}",
            "not a list",
        ),
        (
            "/etc/systemd/system/docker.service.d/x.conf",
            flag,
            "--authorization-plugin",
        ),
        (
            "/etc/default/docker",
            "DOCKER_OPTS='--authorization-plugin x'",
            "--authorization-plugin",
        ),
    ] {
        let disk = Disk::with_policy();
        disk.put(path, text);
        let before = disk.tree();
        disk.hook(INSTALL).ends(2).says(words);
        assert_eq!(disk.tree(), before, "{path}");
    }
    let disk = Disk::new();
    disk.hook(INSTALL)
        .ends(2)
        .says("without which the gate does not start");
    let disk = Disk::with_policy();
    disk.hook(&format!("{INSTALL} --gate-ca /etc/trust/none.crt"))
        .ends(2)
        .says("there is no /etc/trust/none.crt");
}

#[test]
fn a_secret_is_neither_shown_nor_readable() {
    let disk = Disk::with_policy();
    disk.put(
        "/etc/docker/certs.d/quay.io/hosts.toml",
        "server = 'https://quay.io'\n",
    );
    let secret = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(secret.path(), "open sesame\n").unwrap();
    let line = format!("{INSTALL} --client-secret-file {}", secret.path().display());
    let ran = disk.hook(&line).ends(0);
    assert!(!ran.stdout.contains("sesame"), "{}", ran.stdout);
    for registry in ["_default", "quay.io"] {
        let path = format!("/etc/docker/certs.d/{registry}/hosts.toml");
        assert!(
            disk.text(&path)
                .contains("\"X-Trust-Gate-Secret\" = \"open sesame\"")
        );
        let mode = std::fs::metadata(disk.real(&path))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{path}");
    }
}

#[test]
fn other_options_replace_the_hook_and_removal_brings_back_the_first_state() {
    let disk = Disk::with_policy();
    disk.put("/etc/docker/daemon.json", "{}");
    disk.put("/etc/docker/certs.d/quay.io/hosts.toml", "# mine\n");
    let before = disk.tree();
    disk.hook(INSTALL).ends(0);
    disk.hook("install docker -y --program /usr/bin/trust --authz")
        .ends(0);
    assert_eq!(
        disk.text("/etc/docker/certs.d/quay.io/hosts.toml"),
        "# mine\n"
    );
    assert!(!disk.has("/etc/docker/certs.d/_default"));
    assert!(disk.text("/etc/docker/daemon.json").contains("trust"));
    disk.hook("remove docker -y").ends(0).says("is removed");
    assert_eq!(disk.tree(), before);
    disk.hook("remove docker -y")
        .ends(0)
        .says("There is no hook of docker.");
}

#[test]
fn a_graph_driver_gets_the_plugin_only() {
    let disk = Disk::with_policy();
    disk.put("/var/lib/docker/image/overlay2/repositories.json", "{}");
    disk.hook("install docker -y --engine-version 29")
        .ends(0)
        .says("does not read hosts.toml");
    assert!(!disk.has("/etc/docker/certs.d"));
    let disk = Disk::with_policy();
    disk.hook("install docker -y --engine-version 29").ends(0);
    assert!(disk.has("/etc/docker/certs.d/_default/hosts.toml"));
    let disk = Disk::with_policy();
    disk.hook("install docker -y --engine-version 28").ends(0);
    assert!(!disk.has("/etc/docker/certs.d"));
}

#[test]
fn links_and_other_roots_stay_inside() {
    let disk = Disk::new();
    disk.put("/srv/policy.toml", POLICY);
    disk.link("/etc/trust/policy.toml", "/srv/policy.toml");
    disk.link("/etc/docker", "/srv/docker");
    disk.put("/srv/docker/daemon.json", "{}");
    let before = disk.tree();
    disk.hook("install docker -y --authz").ends(0);
    assert!(disk.text("/srv/docker/daemon.json").contains("trust"));
    disk.hook("remove docker -y").ends(0);
    assert_eq!(disk.tree(), before);
}
