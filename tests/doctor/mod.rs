//! `trust doctor`: made-up hosts on which each check fires, and is silent.

mod containerd;
mod docker;
mod output;
mod podman;
mod policy_and_keys;

use jiff::Timestamp;
use trust::gate::doctor::{Host, Level, Outcome, Version, examine};
use trust::gate::install::{Files, State};

/// A host with a Docker Engine on which nothing is wrong that these checks see.
fn host() -> Host {
    Host {
        now: NOW.parse::<Timestamp>().unwrap(),
        home: Some("/root".into()),
        trust_dir: "/root/.docker/trust".into(),
        docker: Some(Version(28, 0, 0)),
        dockerd: Some(Version(29, 4, 0)),
        ..Host::default()
    }
}

/// What the check whose title holds these words says of a host.
#[track_caller]
fn outcome(host: &Host, section: &str, title: &str) -> Outcome {
    let report = examine(host);
    let sections = report.sections.iter().filter(|it| it.title == section);
    let mut checks = sections
        .flat_map(|it| &it.checks)
        .filter(|it| it.title.contains(title));
    let found = checks.next().unwrap_or_else(|| panic!("no check {title}"));
    assert_eq!(checks.next(), None, "{title} is in two titles");
    found.outcome.clone()
}

/// The check warns in words that hold these, and says how to mend it.
#[track_caller]
fn warns(host: &Host, section: &str, title: &str, words: &str) {
    let outcome = outcome(host, section, title);
    assert_eq!(outcome.level, Level::Warn, "{title}: {outcome:?}");
    let said = outcome.found.iter().any(|it| it.contains(words));
    assert!(said, "{words:?} is not in {:?}", outcome.found);
    assert!(outcome.mend.is_some());
}

/// The check is content.
#[track_caller]
fn passes(host: &Host, section: &str, title: &str) {
    let outcome = outcome(host, section, title);
    assert_eq!(outcome.level, Level::Pass, "{title}: {outcome:?}");
}

/// There is nothing to check.
#[track_caller]
fn abstains(host: &Host, section: &str, title: &str) {
    let outcome = outcome(host, section, title);
    assert_eq!(outcome.level, Level::Info, "{title}: {outcome:?}");
}

fn with(mut host: Host, path: &str, text: &str) -> Host {
    host.files = host.files.with(path, text);
    host
}

fn folder(mut host: Host, path: &str) -> Host {
    host.files.put(path, State::Folder { mode: 0o755 });
    host
}

/// A `hosts.toml` with the folder it is in.
fn hosts_toml(host: Host, folder_path: &str, text: &str) -> Host {
    let host = folder(host, folder_path);
    with(host, &format!("{folder_path}/hosts.toml"), text)
}

fn file(files: &mut Files, path: &str, mode: u32) {
    files.put(
        path,
        State::File {
            bytes: Vec::new(),
            mode,
        },
    );
}

const NOW: &str = "2026-09-01T00:00:00Z";
