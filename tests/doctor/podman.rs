//! Podman and what shares its configuration.

use super::{abstains, file, host, outcome, passes, warns, with};
use trust::gate::doctor::{Host, Level};
use trust::gate::install::Standing;

const SECTION: &str = "Podman, skopeo, CRI-O";
const CONF: &str = "/etc/containers/registries.conf";

fn machine(text: &str) -> Host {
    let mut host = with(host(), CONF, text);
    file(&mut host.files, "/usr/bin/podman", 0o755);
    host
}

#[test]
fn without_podman_there_is_nothing_to_check() {
    abstains(&host(), SECTION, "can be parsed");
}

#[test]
fn what_cannot_be_read_is_reported() {
    passes(&machine(""), SECTION, "can be parsed");
    warns(&machine("[[registry]"), SECTION, "can be parsed", CONF);
}

#[test]
fn mirrors_are_reported_wherever_they_stand() {
    let text =
        "[[registry]]\nlocation = 'docker.io'\n[[registry.mirror]]\nlocation = 'gate:8443'\n";
    let words = "after gate:8443 says no, docker.io is asked";
    warns(&machine(text), SECTION, "no mirror", words);
    for path in [
        "/etc/containers/registries.conf.d/x.conf",
        "/root/.config/containers/registries.conf",
    ] {
        warns(&with(machine(""), path, text), SECTION, "no mirror", words);
    }
    let ignored = with(machine(""), "/etc/containers/registries.conf.d/x.bak", text);
    passes(&ignored, SECTION, "no mirror");
    let blocked = text.replace("'docker.io'", "'docker.io'\nblocked = true");
    passes(&machine(&blocked), SECTION, "no mirror");
}

#[test]
fn insecure_registries_are_reported() {
    let text = "[[registry]]\nlocation = 'r.test'\ninsecure = true\n";
    warns(&machine(text), SECTION, "insecure", "r.test");
    passes(
        &machine(&text.replace("r.test", "127.0.0.1:8443/docker.io")),
        SECTION,
        "insecure",
    );
}

#[test]
fn registries_beside_the_gate_are_reported() {
    let title = "through the gate";
    warns(&machine(""), SECTION, title, "no hook");
    let hook = ("podman".to_owned(), CONF.into(), Standing::Intact);
    let hooked = Host {
        hooks: vec![hook.clone()],
        ..machine("unqualified-search-registries = ['quay.io']\n")
    };
    warns(
        &hooked,
        SECTION,
        title,
        "quay.io is searched and not routed",
    );
    let hooked = Host {
        hooks: vec![hook],
        ..machine("")
    };
    assert_eq!(outcome(&hooked, SECTION, title).level, Level::Note);
}
