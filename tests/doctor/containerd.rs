//! containerd.

use super::{abstains, file, host, hosts_toml, passes, warns, with};
use trust::gate::doctor::{Host, Version};

const SECTION: &str = "containerd";
const CONFIG: &str = "/etc/containerd/config.toml";
const BIN: &str = "/opt/containerd/image-verifier/bin";

fn node(config: &str) -> Host {
    let mut host = with(host(), CONFIG, config);
    host.containerd = Some(Version(2, 1, 0));
    host
}

#[test]
fn its_configuration_has_to_be_understood() {
    passes(&node("version = 3\n"), SECTION, "is understood");
    warns(&node("version = \n"), SECTION, "is understood", CONFIG);
    abstains(&node("version = \n"), SECTION, "verifier is installed");
    abstains(
        &Host {
            containerd: None,
            ..host()
        },
        SECTION,
        "is understood",
    );
}

#[test]
fn registries_that_are_asked_directly_are_reported() {
    let title = "routed by hosts.toml";
    let config = "version = 2\n[plugins.\"io.containerd.grpc.v1.cri\".registry]\n";
    let routed = format!("{config}config_path = \"/etc/containerd/certs.d\"\n");
    warns(&node(&routed), SECTION, title, "there is no hosts.toml");
    let gate = |host| {
        hosts_toml(
            host,
            "/etc/containerd/certs.d/_default",
            "server = \"https://g\"\n",
        )
    };
    passes(&gate(node(&routed)), SECTION, title);
    passes(&gate(node("version = 3\n")), SECTION, title);
    let old = Host {
        containerd: Some(Version(1, 6, 20)),
        ..gate(node("version = 2\n"))
    };
    warns(&old, SECTION, title, "config_path is not set");
    let legacy = format!("{config}mirrors.\"docker.io\".endpoint = [\"https://m\"]\n");
    warns(&node(&legacy), SECTION, title, "mirrors of the old form");
    abstains(
        &node("version = 2\ndisabled_plugins = [\"cri\"]\n"),
        SECTION,
        title,
    );
}

#[test]
fn its_hosts_toml_are_checked_where_it_reads_them() {
    let config =
        "version = 2\n[plugins.\"io.containerd.grpc.v1.cri\".registry]\nconfig_path = \"/a:/b\"\n";
    let host = hosts_toml(node(config), "/b/quay.io", "server = nothing\n");
    warns(
        &host,
        SECTION,
        "can be parsed",
        "/b/quay.io/hosts.toml is ignored",
    );
    let host = hosts_toml(node(config), "/a/_default", "server = \"https://g\"\n");
    let host = hosts_toml(host, "/a/quay.io", "[host.\"https://g\"]\n");
    warns(
        &host,
        SECTION,
        "overrides the default",
        "leads to the registry itself",
    );
    warns(&host, SECTION, "falls through", "there is no `server`");
    passes(&node(config), SECTION, "falls through");
    let host = hosts_toml(node(config), "/a/_default", "server = \"https://g\"\n");
    passes(&host, SECTION, "can be parsed");
    let old = Host {
        containerd: Some(Version(1, 6, 20)),
        ..host
    };
    warns(
        &old,
        SECTION,
        "can be parsed",
        "containerd 1 wants a table [host]",
    );
    let host = hosts_toml(old, "/a/_default", "server = \"https://g\"\n[host]\n");
    passes(&host, SECTION, "can be parsed");
}

#[test]
fn a_missing_verifier_is_reported() {
    let title = "verifier is installed";
    warns(&node("version = 3\n"), SECTION, title, "is not there");
    let mut host = node("version = 3\n");
    file(
        &mut host.files,
        &format!("{BIN}/trust-containerd-verifier"),
        0o755,
    );
    passes(&host, SECTION, title);
    file(
        &mut host.files,
        &format!("{BIN}/trust-containerd-verifier"),
        0o644,
    );
    warns(&host, SECTION, title, "cannot be run");
    let old = Host {
        containerd: Some(Version(1, 6, 20)),
        ..node("version = 2\n")
    };
    abstains(&old, SECTION, title);
}

/// Bypass 18: a stray file fails every pull, and the eleventh verifier is not asked.
#[test]
fn strays_among_verifiers_are_reported() {
    let title = "nothing else";
    let mut host = node("version = 3\n");
    for n in 0..10 {
        file(&mut host.files, &format!("{BIN}/v{n}"), 0o755);
    }
    passes(&host, SECTION, title);
    let mut eleven = host.clone();
    file(&mut eleven.files, &format!("{BIN}/x"), 0o755);
    warns(&eleven, SECTION, title, "/x is never asked");
    let config =
        "version = 3\n[plugins.\"io.containerd.image-verifier.v1.bindir\"]\nmax_verifiers = -1\n";
    passes(&with(eleven, CONFIG, config), SECTION, title);
    file(&mut host.files, &format!("{BIN}/README"), 0o644);
    warns(&host, SECTION, title, "README cannot be run");
}

/// Bypass 17: settings with which containerd pulls without asking verifiers.
#[test]
fn settings_that_pass_by_verifiers_are_reported() {
    let cri = "version = 3\n[plugins.\"io.containerd.cri.v1.images\"]\n";
    passes(&node(cri), SECTION, "by the verifiers");
    for setting in [
        "max_concurrent_downloads = 5",
        "disable_snapshot_annotations = false",
        "discard_unpacked_layers = true",
        "image_pull_with_sync_fs = true",
        "use_local_image_pull = true",
        "registry.configs.\"r.test\".auth.username = \"x\"",
    ] {
        let words = setting.split([' ', '.']).next().unwrap();
        warns(
            &node(&format!("{cri}{setting}\n")),
            SECTION,
            "by the verifiers",
            words,
        );
    }
}
