//! Podman and what shares its configuration.

use super::Row;
use crate::gate::doctor::host::Host;
use crate::gate::doctor::report::{Level, Outcome};
use crate::gate::install::podman::{Registries, registry_files};
use std::path::{Path, PathBuf};

pub(super) const ROWS: [Row; 4] = [
    ("Ensure every registries.conf can be parsed", parse),
    ("Ensure no mirror falls through to the registry", mirrors),
    ("Ensure insecure registries are not used", insecure),
    ("Ensure registries are reached through the gate", routed),
];

/// Folders of configuration; a person's own win.
pub(in crate::gate::doctor) fn folders(home: Option<&Path>) -> Vec<PathBuf> {
    let own = home.map(|home| home.join(".config/containers"));
    std::iter::once(PathBuf::from("/etc/containers"))
        .chain(own)
        .collect()
}

fn with_files(
    host: &Host,
    check: impl FnOnce(&[(PathBuf, Result<Registries, String>)]) -> Outcome,
) -> Outcome {
    if !host.has_podman() {
        return Outcome::info("there is no Podman, skopeo, Buildah or CRI-O");
    }
    let folders = folders(host.home.as_deref());
    let files = folders
        .iter()
        .flat_map(|folder| registry_files(&host.files, folder));
    let parsed = files.filter_map(|path| {
        let text = match host.files.text(&path) {
            Ok(text) => text?,
            Err(why) => return Some((path, Err(why.to_string()))),
        };
        Some((path, Registries::parse(text)))
    });
    check(&parsed.collect::<Vec<_>>())
}

fn parse(host: &Host) -> Outcome {
    with_files(host, |files| {
        let found = files.iter().filter_map(|(path, parsed)| {
            let why = parsed.as_ref().err()?;
            Some(format!(
                "{}: {}",
                path.display(),
                why.lines().next().unwrap_or_default()
            ))
        });
        Outcome::warn_of(found.collect(), "mend it: nothing is pulled until then")
    })
}

fn mirrors(host: &Host) -> Outcome {
    with_files(host, |files| {
        let entries =
            entries(files).filter(|(_, entry)| !entry.mirrors.is_empty() && !entry.blocked);
        let found = entries.map(|(path, entry)| {
            format!(
                "{}: after {} says no, {} is asked",
                path.display(),
                entry.mirrors.join(", "),
                entry.location
            )
        });
        Outcome::warn_of(
            found.collect(),
            "make the gate the location, and no mirror: trust hook install podman",
        )
    })
}

fn insecure(host: &Host) -> Outcome {
    with_files(host, |files| {
        let entries =
            entries(files).filter(|(_, entry)| entry.insecure && !is_here(&entry.location));
        let found = entries.map(|(path, entry)| {
            format!(
                "{}: {} may be asked without TLS",
                path.display(),
                entry.location
            )
        });
        Outcome::warn_of(
            found.collect(),
            "give the registry a certificate and take insecure out",
        )
    })
}

fn routed(host: &Host) -> Outcome {
    with_files(host, |files| {
        let mut found = Vec::new();
        if !host.hooks.iter().any(|(engine, ..)| engine == "podman") {
            found.push("no hook of podman is installed: registries are asked directly".to_owned());
            return Outcome::warn_of(found, "trust hook install podman");
        }
        let search = files.iter().filter_map(|(_, parsed)| parsed.as_ref().ok());
        let all: Vec<_> = entries(files).collect();
        for name in search.flat_map(|it| &it.search) {
            if !all.iter().any(|(_, entry)| entry.prefix == *name) {
                found.push(format!("{name} is searched and not routed"));
            }
        }
        let mend = "run trust hook install podman again; block registries you do not need: --block";
        if found.is_empty() {
            let words = "registries without an entry are asked directly";
            return Outcome::of(Level::Note, vec![words.into()], mend);
        }
        Outcome::warn_of(found, mend)
    })
}

fn entries(
    files: &[(PathBuf, Result<Registries, String>)],
) -> impl Iterator<Item = (&PathBuf, &crate::gate::install::podman::Entry)> {
    files.iter().flat_map(|(path, parsed)| {
        let entries = parsed.iter().flat_map(|it| &it.entries);
        entries.map(move |entry| (path, entry))
    })
}

fn is_here(location: &str) -> bool {
    let host = location.split('/').next().unwrap_or_default();
    host.starts_with("127.") || host.starts_with("localhost") || host.starts_with("[::1]")
}
