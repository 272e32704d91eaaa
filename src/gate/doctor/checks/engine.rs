//! The Docker Engine.

use super::Row;
use super::hosts::{Folder, MEND_FALL, MEND_OWN, MEND_PARSE};
use crate::gate::doctor::host::{DAEMON_JSON, Host, Version};
use crate::gate::doctor::report::{Level, Outcome};
use crate::gate::install::docker::{ImageStore, PLUGIN, image_store};
use serde_json::Value;
use std::path::Path;

pub(super) const ROWS: [Row; 11] = [
    ("Ensure dockerd can read its configuration", readable),
    (
        "Ensure that authorization for Docker client commands is enabled (CIS 2.11)",
        authorization,
    ),
    (
        "Ensure requests too large for plugins are refused",
        large_bodies,
    ),
    (
        "Ensure no registry mirror is asked before or after the gate",
        mirrors,
    ),
    (
        "Ensure hosts.toml files are read by this engine",
        hosts_are_read,
    ),
    ("Ensure every hosts.toml can be parsed", hosts_parse),
    (
        "Ensure no registry's own folder overrides the default",
        hosts_override,
    ),
    (
        "Ensure no hosts.toml falls through to the registry",
        hosts_fall,
    ),
    (
        "Ensure insecure registries are not used (CIS 2.5)",
        insecure,
    ),
    (
        "Ensure the daemon on TCP demands TLS certificates (CIS 2.7)",
        tcp,
    ),
    ("Ensure every node of a swarm has a gate", swarm),
];

const CERTS: &str = "/etc/docker/certs.d";

/// Nothing to check without an engine.
fn with_engine(host: &Host, check: impl FnOnce() -> Outcome) -> Outcome {
    if host.has_engine() {
        check()
    } else {
        Outcome::info("there is no Docker Engine")
    }
}

fn readable(host: &Host) -> Outcome {
    with_engine(host, || {
        let error = match host.files.text(Path::new(DAEMON_JSON)) {
            Err(error) => Some(error.to_string()),
            Ok(_) => host.daemon_json().err(),
        };
        Outcome::warn_of(
            error
                .into_iter()
                .map(|why| format!("{DAEMON_JSON}: {why}"))
                .collect(),
            "mend it: dockerd does not start with it",
        )
    })
}

fn authorization(host: &Host) -> Outcome {
    with_engine(host, || {
        let mut plugins = host.daemon_list("authorization-plugins");
        for (_, line) in host.daemon_flags() {
            plugins.extend(values(&line, "--authorization-plugin"));
        }
        let found = match plugins.as_slice() {
            [] => "dockerd asks no authorization plugin".to_owned(),
            list if list.iter().any(|it| it == PLUGIN) => return Outcome::pass(),
            list => format!("dockerd asks {}, but not the gate", list.join(", ")),
        };
        Outcome::warn_of(vec![found], "trust hook install docker")
    })
}

fn large_bodies(host: &Host) -> Outcome {
    with_engine(host, || match host.dockerd {
        None => Outcome::info("dockerd's version is not known"),
        Some(version) if version >= REFUSES_LARGE => Outcome::pass(),
        Some(version) => Outcome::of(
            Level::Note,
            vec![format!(
                "dockerd {version} hides bodies over 4 MiB from plugins (CVE-2026-34040); the gate \
                 refuses what it cannot see"
            )],
            "bring dockerd to 29.3.1 or later if you use other plugins as well",
        ),
    })
}

fn mirrors(host: &Host) -> Outcome {
    with_engine(host, || {
        let mut mirrors = host.daemon_list("registry-mirrors");
        for (_, line) in host.daemon_flags() {
            mirrors.extend(values(&line, "--registry-mirror"));
        }
        let found = mirrors
            .iter()
            .map(|it| format!("after {it} says no, dockerd asks Docker Hub itself"));
        Outcome::warn_of(
            found.collect(),
            "take registry-mirrors out; route docker.io by hosts.toml, or use the authorization \
             plugin: trust hook install docker",
        )
    })
}

fn hosts_are_read(host: &Host) -> Outcome {
    with_engine(host, || {
        if !Folder::of(host, CERTS).is_used() {
            return Outcome::info("there is no hosts.toml");
        }
        let Some(version) = host.dockerd else {
            return Outcome::info("dockerd's version is not known");
        };
        let store = image_store(&host.files, Some(version.0), Path::new(DAEMON_JSON));
        let found =
            format!("dockerd {version} keeps images by a graph driver and ignores hosts.toml");
        Outcome::warn_of(
            match store {
                ImageStore::Containerd => Vec::new(),
                ImageStore::GraphDriver => vec![found],
            },
            "use the authorization plugin (trust hook install docker --authz), or containerd's \
             image store: features.containerd-snapshotter with Docker 29",
        )
    })
}

fn hosts_parse(host: &Host) -> Outcome {
    let found = Folder::of(host, CERTS).unparsable(false);
    with_engine(host, || Outcome::warn_of(found, MEND_PARSE))
}

fn hosts_override(host: &Host) -> Outcome {
    let found = Folder::of(host, CERTS).overriding();
    with_engine(host, || Outcome::warn_of(found, MEND_OWN))
}

fn hosts_fall(host: &Host) -> Outcome {
    let found = Folder::of(host, CERTS).falling_through();
    with_engine(host, || Outcome::warn_of(found, MEND_FALL))
}

fn insecure(host: &Host) -> Outcome {
    with_engine(host, || {
        let mut list = host.daemon_list("insecure-registries");
        for (_, line) in host.daemon_flags() {
            list.extend(values(&line, "--insecure-registry"));
        }
        let mut found: Vec<String> = list
            .iter()
            .map(|it| format!("{it} is asked without TLS or a valid certificate"))
            .collect();
        found.extend(Folder::of(host, CERTS).unchecked());
        Outcome::warn_of(
            found,
            "give the registry a certificate and take it out of the list",
        )
    })
}

fn tcp(host: &Host) -> Outcome {
    with_engine(host, || {
        let settings = host.daemon_json().unwrap_or_default();
        let flags = host.daemon_flags();
        let mut listening: Vec<String> = host.daemon_list("hosts");
        for (_, line) in &flags {
            listening.extend(values(line, "-H"));
            listening.extend(values(line, "--host"));
        }
        let verified = settings.get("tlsverify").and_then(Value::as_bool) == Some(true)
            || flags.iter().any(|(_, line)| line.contains("--tlsverify"));
        let open = listening
            .iter()
            .filter(|it| it.starts_with("tcp:") && !verified);
        let found = open.map(|it| format!("whoever reaches {it} owns this host"));
        Outcome::warn_of(
            found.collect(),
            "set tlsverify with tlscacert, tlscert and tlskey, or listen on the socket only",
        )
    })
}

/// Bypass 16: each node pulls by itself.
fn swarm(host: &Host) -> Outcome {
    with_engine(host, || {
        let found = "this engine is in a swarm: services are pulled by each node on its own";
        let found = host.in_swarm.then(|| found.to_owned());
        Outcome::of(
            Level::Note,
            found.into_iter().collect(),
            "trust hook install docker on every node, also on those that join later",
        )
    })
}

/// The values of a flag in a line of words.
fn values(line: &str, flag: &str) -> Vec<String> {
    let clean = |word: &str| word.trim_matches(['"', '\'']).to_owned();
    let words: Vec<&str> = line
        .split([' ', '\t'])
        .filter(|it| !it.is_empty())
        .collect();
    let mut found = Vec::new();
    for (at, word) in words.iter().enumerate() {
        let word = word.trim_start_matches(|it: char| it != '-');
        let word = word.trim_end_matches(['"', '\'']);
        if word == flag {
            found.extend(words.get(at + 1).map(|it| clean(it)));
        } else if let Some(value) = word.strip_prefix(flag).and_then(|it| it.strip_prefix('=')) {
            found.push(clean(value));
        }
    }
    found
}

/// The first dockerd that refuses bodies it does not show to plugins.
const REFUSES_LARGE: Version = Version(29, 3, 1);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_found_in_command_lines() {
        let line =
            r#"ExecStart=/usr/bin/dockerd -H fd:// --host=tcp://0.0.0.0:2375 -H "tcp://a:1""#;
        assert_eq!(values(line, "-H"), ["fd://", "tcp://a:1"]);
        assert_eq!(values(line, "--host"), ["tcp://0.0.0.0:2375"]);
        let line = "DOCKER_OPTS=\"--registry-mirror https://m --insecure-registry=r:5\"";
        assert_eq!(values(line, "--registry-mirror"), ["https://m"]);
        assert_eq!(values(line, "--insecure-registry"), ["r:5"]);
    }
}
