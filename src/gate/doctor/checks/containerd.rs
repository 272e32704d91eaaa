//! containerd, as Kubernetes and nerdctl use it.

use super::Row;
use super::hosts::{Folder, MEND_FALL, MEND_OWN, MEND_PARSE};
use crate::gate::doctor::host::{Host, Version};
use crate::gate::doctor::report::{Level, Outcome};
use crate::gate::install::State;
use crate::gate::install::containerd::{CERTS, Settings, VERIFIER};
use std::path::{Path, PathBuf};

pub(super) const ROWS: [Row; 8] = [
    ("Ensure containerd's configuration is understood", readable),
    (
        "Ensure pulls for Kubernetes are routed by hosts.toml",
        routed,
    ),
    ("Ensure every hosts.toml can be parsed", parse),
    (
        "Ensure no registry's own folder overrides the default",
        overriding,
    ),
    ("Ensure no hosts.toml falls through to the registry", fall),
    ("Ensure the image verifier is installed", verifier),
    ("Ensure nothing else is in the verifiers' folder", strays),
    ("Ensure no setting passes by the verifiers", skipping),
];

pub(in crate::gate::doctor) const CONFIG: &str = "/etc/containerd/config.toml";

/// What containerd's configuration says; the defaults where there is none.
fn settings(host: &Host) -> Result<Settings, String> {
    let text = host.files.text(Path::new(CONFIG));
    Settings::parse(text.map_err(|why| why.to_string())?.unwrap_or_default())
}

/// Folders of registries' settings that it reads; since version 2, two of its own accord.
fn folders(host: &Host, settings: &Settings) -> Vec<PathBuf> {
    match settings.config_path.as_slice() {
        [] if is_new(host, settings) => [CERTS, "/etc/docker/certs.d"].map(PathBuf::from).into(),
        paths => paths.to_vec(),
    }
}

fn with_settings(host: &Host, check: impl FnOnce(&Settings) -> Outcome) -> Outcome {
    if !host.has_containerd() {
        return Outcome::info("there is no containerd");
    }
    match settings(host) {
        Ok(settings) => check(&settings),
        Err(_) => Outcome::info("its configuration is not understood"),
    }
}

fn each<'h>(host: &'h Host, of: impl Fn(&Folder<'h>) -> Vec<String>, mend: &str) -> Outcome {
    with_settings(host, |settings| {
        let folders = folders(host, settings);
        let found = folders.iter().flat_map(|path| of(&Folder::of(host, path)));
        Outcome::warn_of(found.collect(), mend)
    })
}

fn readable(host: &Host) -> Outcome {
    if !host.has_containerd() {
        return Outcome::info("there is no containerd");
    }
    let error = settings(host).err();
    let found = error.map(|why| format!("{CONFIG}: {}", why.lines().next().unwrap_or_default()));
    Outcome::warn_of(
        found.into_iter().collect(),
        "mend it; containerd config dump shows what holds",
    )
}

fn routed(host: &Host) -> Outcome {
    with_settings(host, |settings| {
        if settings.cri_disabled {
            return Outcome::info("its Kubernetes interface is off");
        }
        let found = if settings.has_legacy_registry {
            "mirrors of the old form: after they say no, the registry itself is asked"
        } else if settings.config_path.is_empty() && !is_new(host, settings) {
            "config_path is not set: registries are asked directly"
        } else if !folders(host, settings)
            .iter()
            .any(|path| Folder::of(host, path).is_used())
        {
            "there is no hosts.toml: registries are asked directly"
        } else {
            return Outcome::pass();
        };
        Outcome::warn_of(vec![found.to_owned()], "trust hook install containerd")
    })
}

fn parse(host: &Host) -> Outcome {
    let is_old = host.containerd.is_some_and(|it| it < Version(2, 0, 0));
    each(host, |folder| folder.unparsable(is_old), MEND_PARSE)
}

fn overriding(host: &Host) -> Outcome {
    each(host, Folder::overriding, MEND_OWN)
}

fn fall(host: &Host) -> Outcome {
    each(host, Folder::falling_through, MEND_FALL)
}

fn verifier(host: &Host) -> Outcome {
    with_settings(host, |settings| {
        if !is_new(host, settings) {
            return Outcome::info("containerd asks verifiers since version 2");
        }
        let ours = settings.bin_dir.join(VERIFIER);
        let found = match host.files.state(&host.files.behind(&ours)) {
            State::Absent => format!("{} is not there: containerd asks nobody", ours.display()),
            State::File { mode, .. } if mode & 0o111 == 0 => {
                format!("{} cannot be run: every pull fails", ours.display())
            }
            _ => return Outcome::pass(),
        };
        Outcome::warn_of(vec![found], "trust hook install containerd --verifier true")
    })
}

/// Bypass 18: one file that cannot be run fails every pull, and the eleventh is not asked.
fn strays(host: &Host) -> Outcome {
    with_settings(host, |settings| {
        let folder = &settings.bin_dir;
        let entries: Vec<_> = host.files.within(folder).collect();
        let mut found = Vec::new();
        for (path, state) in &entries {
            match state {
                State::File { mode, .. } if mode & 0o111 == 0 => {
                    found.push(format!(
                        "{} cannot be run: every pull fails",
                        path.display()
                    ));
                }
                State::Folder { .. } => {
                    found.push(format!("{} is a folder: every pull fails", path.display()));
                }
                _ => {}
            }
        }
        if let Some(max) = settings.max_verifiers {
            let unasked = entries.iter().skip(max);
            found.extend(unasked.map(|(path, _)| {
                format!(
                    "{} is never asked: only {max} verifiers are",
                    path.display()
                )
            }));
        }
        Outcome::warn_of(
            found,
            "leave only the verifiers in that folder, or raise max_verifiers",
        )
    })
}

/// Bypass 17: the CRI then pulls by itself.
fn skipping(host: &Host) -> Outcome {
    with_settings(host, |settings| {
        let found = settings.skipping.iter();
        let found: Vec<_> = found
            .map(|setting| format!("{setting}: containerd pulls without asking verifiers"))
            .collect();
        let level = if is_new(host, settings) {
            Level::Warn
        } else {
            Level::Info
        };
        Outcome::of(
            level,
            found,
            "take the setting out, or rely on the proxy: trust hook install containerd",
        )
    })
}

fn is_new(host: &Host, settings: &Settings) -> bool {
    settings.version > 2 || host.containerd.is_some_and(|it| it >= Version(2, 0, 0))
}
