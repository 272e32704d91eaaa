//! Docker's command and its engine.

use super::{abstains, folder, host, hosts_toml, outcome, passes, warns, with};
use trust::gate::doctor::{Host, Level, Version};
use trust::gate::install::Standing;

const CLIENT: &str = "Docker's command";
const ENGINE: &str = "Docker Engine";
const JSON: &str = "/etc/docker/daemon.json";
const CERTS: &str = "/etc/docker/certs.d";
const GATE: &str = "server = \"https://127.0.0.1:8443\"\n";

#[test]
fn content_trust_is_looked_for_where_it_is_set() {
    let title = "CIS 4.5";
    warns(&host(), CLIENT, title, "is set nowhere");
    for (path, text, on) in [
        ("/etc/environment", "DOCKER_CONTENT_TRUST=1\n", true),
        ("/etc/profile", "export DOCKER_CONTENT_TRUST=1\n", true),
        (
            "/etc/profile.d/x.sh",
            "export DOCKER_CONTENT_TRUST=1\n",
            true,
        ),
        (
            "/root/.bashrc",
            "  export DOCKER_CONTENT_TRUST=\"1\"\n",
            true,
        ),
        (
            "/root/.config/fish/config.fish",
            "set -gx DOCKER_CONTENT_TRUST 1\n",
            true,
        ),
        ("/etc/environment", "DOCKER_CONTENT_TRUST=0\n", false),
        ("/etc/environment", "#DOCKER_CONTENT_TRUST=1\n", false),
        (
            "/home/other/.bashrc",
            "export DOCKER_CONTENT_TRUST=1\n",
            false,
        ),
    ] {
        let host = with(host(), path, text);
        if on {
            passes(&host, CLIENT, title);
        } else {
            warns(&host, CLIENT, title, "DOCKER_CONTENT_TRUST");
        }
    }
    let host = Host {
        content_trust: Some("1".into()),
        ..host()
    };
    passes(&host, CLIENT, title);
}

#[test]
fn a_docker_that_ignores_content_trust_is_reported() {
    let title = "this version of docker";
    let version = |version| {
        let mut host = with(host(), "/etc/environment", "DOCKER_CONTENT_TRUST=1\n");
        host.docker = version;
        host
    };
    passes(&version(Some(Version(28, 5, 2))), CLIENT, title);
    abstains(&version(None), CLIENT, title);
    let new = version(Some(Version(29, 0, 0)));
    warns(
        &new,
        CLIENT,
        title,
        "/etc/environment sets DOCKER_CONTENT_TRUST, and docker 29.0.0 ignores it",
    );
    let mut hooked = new;
    hooked.hooks = vec![("shell".into(), "/root/.bashrc".into(), Standing::Intact)];
    assert_eq!(outcome(&hooked, CLIENT, title).level, Level::Note);
    let unset = Host {
        docker: Some(Version(29, 0, 0)),
        ..host()
    };
    passes(&unset, CLIENT, title);
}

#[test]
fn an_engine_without_our_plugin_is_reported() {
    let title = "CIS 2.11";
    warns(&host(), ENGINE, title, "asks no authorization plugin");
    let other = with(host(), JSON, r#"{"authorization-plugins": ["opa"]}"#);
    warns(&other, ENGINE, title, "asks opa, but not the gate");
    passes(
        &with(host(), JSON, r#"{"authorization-plugins": ["trust"]}"#),
        ENGINE,
        title,
    );
    let unit =
        "[Service]\nExecStart=/usr/bin/dockerd -H fd:// \\\n  --authorization-plugin=trust\n";
    passes(
        &with(host(), "/lib/systemd/system/docker.service", unit),
        ENGINE,
        title,
    );
}

#[test]
fn without_an_engine_there_is_nothing_to_check() {
    let bare = Host {
        dockerd: None,
        ..host()
    };
    for title in [
        "dockerd can read",
        "CIS 2.11",
        "CIS 2.5",
        "CIS 2.7",
        "swarm",
        "mirror",
    ] {
        abstains(&bare, ENGINE, title);
    }
}

#[test]
fn a_broken_configuration_is_reported() {
    warns(&with(host(), JSON, "{"), ENGINE, "dockerd can read", JSON);
    passes(&with(host(), JSON, "{}"), ENGINE, "dockerd can read");
}

/// Bypass 4: the engine goes on to Docker Hub when a mirror says no, the gate included.
#[test]
fn mirrors_are_reported() {
    let title = "no registry mirror";
    passes(&host(), ENGINE, title);
    let json = r#"{"registry-mirrors": ["https://127.0.0.1:8443"]}"#;
    warns(
        &with(host(), JSON, json),
        ENGINE,
        title,
        "dockerd asks Docker Hub itself",
    );
    let flag = "DOCKER_OPTS=\"--registry-mirror=https://m\"\n";
    warns(
        &with(host(), "/etc/default/docker", flag),
        ENGINE,
        title,
        "https://m",
    );
    let comment = "#DOCKER_OPTS=\"--registry-mirror=https://m\"\n";
    passes(&with(host(), "/etc/default/docker", comment), ENGINE, title);
}

#[test]
fn an_engine_that_ignores_hosts_toml_is_reported() {
    let title = "are read by this engine";
    abstains(&host(), ENGINE, title);
    let routed = hosts_toml(host(), &format!("{CERTS}/_default"), GATE);
    passes(&routed, ENGINE, title);
    let old = Host {
        dockerd: Some(Version(20, 10, 24)),
        ..routed.clone()
    };
    warns(&old, ENGINE, title, "ignores hosts.toml");
    let kept = folder(routed.clone(), "/var/lib/docker/image/overlay2");
    warns(&kept, ENGINE, title, "graph driver");
    let chosen = with(
        kept,
        JSON,
        r#"{"features": {"containerd-snapshotter": true}}"#,
    );
    passes(&chosen, ENGINE, title);
    let off = with(
        routed,
        JSON,
        r#"{"features": {"containerd-snapshotter": false}}"#,
    );
    warns(&off, ENGINE, title, "graph driver");
}

/// Bypass 2: what cannot be parsed is ignored, and the registry itself is asked.
#[test]
fn hosts_toml_that_is_ignored_is_reported() {
    let title = "can be parsed";
    let path = format!("{CERTS}/_default");
    passes(&hosts_toml(host(), &path, GATE), ENGINE, title);
    for text in ["server = nothing", "capabilities = [\"fly\"]", "[host\n"] {
        warns(
            &hosts_toml(host(), &path, text),
            ENGINE,
            title,
            "is ignored",
        );
    }
}

/// Bypass 3: a registry's own folder wins over `_default`.
#[test]
fn folders_that_override_are_reported() {
    let title = "overrides the default";
    let general = hosts_toml(host(), &format!("{CERTS}/_default"), GATE);
    passes(&general, ENGINE, title);
    let own = format!("{CERTS}/quay.io");
    passes(&hosts_toml(general.clone(), &own, GATE), ENGINE, title);
    warns(
        &folder(general.clone(), &own),
        ENGINE,
        title,
        "has no hosts.toml",
    );
    let elsewhere = hosts_toml(general, &own, "server = \"https://quay.io\"\n");
    warns(&elsewhere, ENGINE, title, "leads to https://quay.io");
    passes(
        &hosts_toml(host(), &own, "server = \"https://quay.io\"\n"),
        ENGINE,
        title,
    );
}

#[test]
fn hosts_that_fall_through_are_reported() {
    let title = "falls through";
    let path = format!("{CERTS}/docker.io");
    passes(&hosts_toml(host(), &path, GATE), ENGINE, title);
    for (text, words) in [
        (
            "[host.\"https://127.0.0.1:8443\"]\n",
            "there is no `server`",
        ),
        (
            "server = \"https://registry-1.docker.io\"\n[host.\"https://127.0.0.1:8443\"]\n",
            "registry-1.docker.io is asked",
        ),
    ] {
        warns(&hosts_toml(host(), &path, text), ENGINE, title, words);
    }
}

#[test]
fn insecure_registries_are_reported() {
    let title = "CIS 2.5";
    passes(&host(), ENGINE, title);
    let json = r#"{"insecure-registries": ["r.test:5000"]}"#;
    warns(&with(host(), JSON, json), ENGINE, title, "r.test:5000");
    let text = "server = \"https://r.test\"\nskip_verify = true\n";
    let skipping = hosts_toml(host(), &format!("{CERTS}/r.test"), text);
    warns(&skipping, ENGINE, title, "skip_verify");
}

#[test]
fn a_daemon_open_to_the_network_is_reported() {
    let title = "CIS 2.7";
    passes(&host(), ENGINE, title);
    let open = r#"{"hosts": ["unix:///var/run/docker.sock", "tcp://0.0.0.0:2375"]}"#;
    warns(
        &with(host(), JSON, open),
        ENGINE,
        title,
        "tcp://0.0.0.0:2375",
    );
    let verified = r#"{"hosts": ["tcp://0.0.0.0:2376"], "tlsverify": true}"#;
    passes(&with(host(), JSON, verified), ENGINE, title);
    let path = "/etc/systemd/system/docker.service.d/tcp.conf";
    let unit = "[Service]\nExecStart=\nExecStart=/usr/bin/dockerd -H tcp://0.0.0.0:2375\n";
    warns(
        &with(host(), path, unit),
        ENGINE,
        title,
        "tcp://0.0.0.0:2375",
    );
    let unit = unit.replace("-H", "--tlsverify -H");
    passes(&with(host(), path, &unit), ENGINE, title);
}

/// Bypass 16: a node of a swarm pulls by itself.
#[test]
fn a_swarm_is_noted() {
    passes(&host(), ENGINE, "swarm");
    let host = Host {
        in_swarm: true,
        ..host()
    };
    assert_eq!(outcome(&host, ENGINE, "swarm").level, Level::Note);
}

/// Bypass 14: older engines do not show large bodies to plugins.
#[test]
fn an_engine_that_hides_bodies_is_noted() {
    passes(&host(), ENGINE, "too large for plugins");
    let old = Host {
        dockerd: Some(Version(29, 3, 0)),
        ..host()
    };
    assert_eq!(
        outcome(&old, ENGINE, "too large for plugins").level,
        Level::Note
    );
}
