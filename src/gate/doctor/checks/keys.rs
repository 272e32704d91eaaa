//! Private keys, and when what they signed expires.

use super::Row;
use crate::gate::doctor::host::{Host, KeyFact};
use crate::gate::doctor::report::{Level, Outcome};
use crate::gate::install::State;
use jiff::SignedDuration;
use std::path::Path;

pub(super) const ROWS: [Row; 4] = [
    (
        "Ensure private keys are readable by their owner only",
        readable,
    ),
    ("Ensure private keys have a passphrase", passphrase),
    ("Ensure no role expires soon", expiry),
    (
        "Ensure changes to the trust directory are audited (CIS 1.1)",
        audited,
    ),
];

fn with_keys(host: &Host, check: impl FnOnce(&[KeyFact]) -> Outcome) -> Outcome {
    match host.keys.as_slice() {
        [] => Outcome::info(format!("there are no keys in {}", host.trust_dir.display())),
        keys => check(keys),
    }
}

fn readable(host: &Host) -> Outcome {
    with_keys(host, |keys| {
        let open = keys.iter().filter(|key| key.mode & 0o077 != 0);
        let found = open.map(|key| format!("{} has mode {:04o}", key.path.display(), key.mode));
        let mend = format!("chmod -R go= {}", host.trust_dir.join("private").display());
        Outcome::warn_of(found.collect(), &mend)
    })
}

fn passphrase(host: &Host) -> Outcome {
    with_keys(host, |keys| {
        let open = keys.iter().filter(|key| !key.encrypted);
        let found = open.map(|key| {
            let role = key.role.as_deref().unwrap_or("key");
            format!("{role} {} opens without a passphrase", key.id)
        });
        Outcome::warn_of(
            found.collect(),
            "trust key passwd ID gives it one; where it lies in root_keys or tuf_keys, trust key migrate makes \
             a copy that has one",
        )
    })
}

fn expiry(host: &Host) -> Outcome {
    let mut found: Vec<(Level, String)> = Vec::new();
    for role in &host.expiries {
        let left = role.expires.duration_since(host.now);
        let (gun, name, expires) = (&role.gun, &role.role, role.expires);
        if left <= SignedDuration::ZERO {
            found.push((
                Level::Warn,
                format!("{gun}: {name} has expired, on {expires}"),
            ));
        } else if left <= DAYS_30 {
            found.push((Level::Warn, format!("{gun}: {name} expires on {expires}")));
        } else if left <= DAYS_180 {
            found.push((Level::Info, format!("{gun}: {name} expires on {expires}")));
        }
    }
    let Some(worst) = found.iter().map(|(level, _)| *level).max() else {
        return Outcome::pass();
    };
    let lines = found.into_iter().filter(|(level, _)| *level == worst);
    let lines = lines.map(|(_, line)| line).collect();
    Outcome::of(
        worst,
        lines,
        "have its owner publish: signing any tag renews targets and snapshot, and a root near its end",
    )
}

fn audited(host: &Host) -> Outcome {
    let dir = &host.trust_dir;
    if *host.files.state(Path::new(AUDITD)) == State::Absent {
        let words = "auditd is not installed";
        return Outcome::info(words);
    }
    let files = host
        .files
        .within(Path::new(RULES))
        .map(|it| it.0.to_owned());
    let files = files.chain(["/etc/audit/audit.rules".into()]);
    let text: String = files
        .flat_map(|path| [host.text(path).to_owned(), "\n".into()])
        .collect();
    let watched = text.lines().any(|line| watches(line, dir));
    let found = format!("no rule of auditd watches {}", dir.display());
    Outcome::warn_of(
        (!watched).then_some(found).into_iter().collect(),
        &format!(
            "echo '-w {} -p wa -k trust' > {RULES}/trust.rules; augenrules --load",
            dir.display()
        ),
    )
}

/// Whether a rule of auditd is about this folder or one above it.
fn watches(line: &str, folder: &Path) -> bool {
    let mut words = line.split_whitespace().peekable();
    if words.peek().is_some_and(|it| it.starts_with('#')) {
        return false;
    }
    while let Some(word) = words.next() {
        let watched = match word {
            "-w" => words.peek().copied(),
            "-F" => words.peek().and_then(|it| it.strip_prefix("dir=")),
            _ => None,
        };
        if watched.is_some_and(|it| folder.starts_with(it.trim_end_matches('/')) && it.len() > 1) {
            return true;
        }
    }
    false
}

pub(in crate::gate::doctor) const AUDITD: &str = "/etc/audit";
pub(in crate::gate::doctor) const RULES: &str = "/etc/audit/rules.d";
const DAYS_30: SignedDuration = SignedDuration::from_hours(30 * 24);
const DAYS_180: SignedDuration = SignedDuration::from_hours(180 * 24);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_of_auditd_are_read() {
        for (line, watching) in [
            ("-w /root/.docker/trust -p wa -k trust", true),
            ("-w /root/.docker -p wa", true),
            (
                "-a always,exit -F dir=/root/.docker/trust/ -F perm=wa",
                true,
            ),
            ("# -w /root/.docker/trust", false),
            ("-w /root/.docker/trusty", false),
            ("-w /", false),
            ("-w /etc/docker -k docker", false),
        ] {
            let dir = Path::new("/root/.docker/trust");
            assert_eq!(watches(line, dir), watching, "{line}");
        }
    }
}
