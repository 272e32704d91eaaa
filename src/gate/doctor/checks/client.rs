//! Docker's command and `DOCKER_CONTENT_TRUST`.

use super::Row;
use crate::gate::doctor::host::{Host, Version};
use crate::gate::doctor::report::{Level, Outcome};
use std::path::{Path, PathBuf};

pub(super) const ROWS: [Row; 2] = [
    (
        "Ensure content trust for Docker is enabled (CIS 4.5)",
        enabled,
    ),
    ("Ensure this version of docker honours it", honoured),
];

fn enabled(host: &Host) -> Outcome {
    let settings = settings(host);
    if settings.iter().any(|(_, value)| is_on(value)) {
        return Outcome::pass();
    }
    let mut found: Vec<String> = settings
        .iter()
        .map(|(place, value)| format!("{place} says DOCKER_CONTENT_TRUST={value}"))
        .collect();
    if found.is_empty() {
        found.push("DOCKER_CONTENT_TRUST is set nowhere".into());
    }
    Outcome::warn_of(
        found,
        "put DOCKER_CONTENT_TRUST=1 into /etc/environment; for what people type, \
         `trust hook install shell` as well",
    )
}

fn honoured(host: &Host) -> Outcome {
    let Some(version) = host.docker else {
        return Outcome::info("docker's version is not known");
    };
    let on = settings(host).into_iter().find(|(_, value)| is_on(value));
    let (Some((place, _)), true) = (on, version >= IGNORES) else {
        return Outcome::pass();
    };
    let found = format!("{place} sets DOCKER_CONTENT_TRUST, and docker {version} ignores it");
    if has_function(host) {
        let found = vec![
            found,
            "the shells' function honours it; scripts pass by".into(),
        ];
        return Outcome::of(
            Level::Note,
            found,
            "have the engine ask: trust hook install docker",
        );
    }
    Outcome::warn_of(
        vec![found],
        "have the engine ask: trust hook install docker; for what people type, trust hook install \
         shell",
    )
}

/// Whether the hook of some shell is there.
fn has_function(host: &Host) -> bool {
    let hooks = host.hooks.iter();
    hooks.filter(|(engine, ..)| engine == "shell").count() > 0
}

/// Where `DOCKER_CONTENT_TRUST` is set, and to what.
fn settings(host: &Host) -> Vec<(String, String)> {
    let here = host.content_trust.iter();
    let here = here.map(|value| ("the environment".to_owned(), value.clone()));
    let files = files(host).into_iter().flat_map(|file| {
        let place = file.display().to_string();
        let text = host.text(&file).to_owned();
        let set: Vec<_> = text
            .lines()
            .filter_map(setting)
            .map(str::to_owned)
            .collect();
        set.into_iter().map(move |value| (place.clone(), value))
    });
    here.chain(files).collect()
}

/// The value that a line of a shell or of /etc/environment sets.
fn setting(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let line = match line.strip_prefix("set ") {
        // The way of fish: set -gx NAME VALUE
        Some(rest) => {
            let (_, value) = rest.split_once("DOCKER_CONTENT_TRUST ")?;
            return Some(value.trim().trim_matches(['"', '\'']));
        }
        None => line.strip_prefix("export ").unwrap_or(line).trim_start(),
    };
    let value = line.strip_prefix("DOCKER_CONTENT_TRUST=")?;
    let value = value.split([' ', ';', '#']).next().unwrap_or_default();
    Some(value.trim().trim_matches(['"', '\'']))
}

/// Whatever means nothing means yes, as it did to docker.
fn is_on(value: &str) -> bool {
    !matches!(value, "" | "0" | "f" | "F" | "false" | "False" | "FALSE")
}

/// Files that set variables for everybody, and for whoever asks.
pub(in crate::gate::doctor) fn places(home: Option<&Path>) -> Vec<PathBuf> {
    let all = [
        "/etc/environment",
        "/etc/profile",
        "/etc/bash.bashrc",
        "/etc/zsh/zshenv",
    ];
    let own = [
        ".bashrc",
        ".bash_profile",
        ".profile",
        ".zshenv",
        ".zshrc",
        ".config/fish/config.fish",
    ];
    let own = home
        .into_iter()
        .flat_map(|home| own.map(|name| home.join(name)));
    all.iter().map(PathBuf::from).chain(own).collect()
}

fn files(host: &Host) -> Vec<PathBuf> {
    let more = host.files.within(Path::new(PROFILES));
    let mut files = places(host.home.as_deref());
    files.extend(more.map(|(path, _)| path.to_owned()));
    files
}

/// Scripts that every login shell reads.
pub(in crate::gate::doctor) const PROFILES: &str = "/etc/profile.d";
/// The first docker that ignores content trust (docker/cli 6603).
const IGNORES: Version = Version(29, 0, 0);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_read_as_shells_do() {
        for (line, value) in [
            ("DOCKER_CONTENT_TRUST=1", Some("1")),
            ("export DOCKER_CONTENT_TRUST=\"1\"", Some("1")),
            ("  export DOCKER_CONTENT_TRUST=1; x", Some("1")),
            ("set -gx DOCKER_CONTENT_TRUST 1", Some("1")),
            ("# export DOCKER_CONTENT_TRUST=1", None),
            ("DOCKER_CONTENT_TRUST_SERVER=x", None),
            ("echo DOCKER_CONTENT_TRUST=1", None),
        ] {
            assert_eq!(setting(line), value, "{line}");
        }
    }
}
