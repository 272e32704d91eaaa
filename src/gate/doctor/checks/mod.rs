//! The checks: facts in, outcomes out.

mod client;
mod containerd;
mod engine;
mod hosts;
mod keys;
mod podman;
mod policy;

pub(super) use client::{PROFILES, places as environment_files};
pub(super) use containerd::CONFIG;
pub(super) use keys::{AUDITD, RULES};
pub(super) use podman::folders as podman_folders;

use super::host::Host;
use super::report::{Check, Outcome, Report, Section};

/// What should be so, and who finds out.
type Row = (&'static str, fn(&Host) -> Outcome);

/// Checks a host.
pub fn examine(host: &Host) -> Report {
    let sections = SECTIONS.iter().enumerate().map(|(at, (title, rows))| {
        let id = at + 1;
        let checks = rows.iter().enumerate().map(|(row, (title, find))| Check {
            id: format!("{id}.{}", row + 1),
            title,
            outcome: find(host),
        });
        Section {
            id: id.to_string(),
            title,
            checks: checks.collect(),
        }
    });
    Report {
        sections: sections.collect(),
    }
}

const SECTIONS: [(&str, &[Row]); 6] = [
    ("Docker's command", &client::ROWS),
    ("Docker Engine", &engine::ROWS),
    ("containerd", &containerd::ROWS),
    ("Podman, skopeo, CRI-O", &podman::ROWS),
    ("Policy and gates", &policy::ROWS),
    ("Keys and trusted metadata", &keys::ROWS),
];
