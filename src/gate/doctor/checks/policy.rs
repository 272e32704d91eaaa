//! The policy, and the gates that go by it.

use super::Row;
use crate::gate::doctor::host::{Host, POLICY};
use crate::gate::doctor::report::{Level, Outcome};
use crate::gate::install::Standing;
use crate::policy::{Demand, Mode, Policy, Rule};
use std::path::Path;

pub(super) const ROWS: [Row; 8] = [
    ("Ensure there is a policy, and it can be read", present),
    ("Ensure what no rule names is not accepted", default),
    (
        "Ensure roots are pinned instead of trusted on first use",
        first_use,
    ),
    ("Ensure no rule is in audit mode", audit),
    ("Ensure no exemption has run out", exemptions),
    ("Ensure gates are running and ready", ready),
    ("Ensure hooks are as they were installed", hooks),
    ("Ensure the policy can be changed by its owner only", owner),
];

fn with_policy(host: &Host, check: impl FnOnce(&Path, &Policy) -> Outcome) -> Outcome {
    match &host.policy {
        None => Outcome::info("there is no policy"),
        Some((_, Err(_))) => Outcome::info("the policy cannot be read"),
        Some((path, Ok(policy))) => check(path, policy),
    }
}

fn rules(policy: &Policy) -> impl Iterator<Item = &Rule> {
    policy.rules.iter().chain([&policy.default])
}

fn present(host: &Host) -> Outcome {
    let found = match &host.policy {
        Some((_, Ok(_))) => return Outcome::pass(),
        Some((path, Err(error))) => format!("{}, {error}", path.display()),
        None => format!("there is neither {POLICY} nor policy.toml in the trust directory"),
    };
    Outcome::warn_of(
        vec![found],
        "write one; trust policy check says what it means",
    )
}

fn default(host: &Host) -> Outcome {
    with_policy(host, |path, policy| {
        let accepts = policy.default.demand == Demand::Accept;
        let found = format!("{}: what no rule names passes unsigned", path.display());
        Outcome::warn_of(
            accepts.then_some(found).into_iter().collect(),
            "set [default] require = \"signed\" or \"reject\"",
        )
    })
}

fn first_use(host: &Host) -> Outcome {
    with_policy(host, |_, policy| {
        let trusting = rules(policy).filter(|rule| match &rule.demand {
            Demand::Signed(requirement) => {
                requirement.root.first_use && !requirement.root.is_pinned()
            }
            _ => false,
        });
        let found = trusting.map(|rule| {
            format!(
                "rule {} trusts the first root it sees, whoever sends it",
                rule.name
            )
        });
        Outcome::warn_of(
            found.collect(),
            "pin the root: root_keys or root_ca in the rule; trust repo show names its keys",
        )
    })
}

fn audit(host: &Host) -> Outcome {
    with_policy(host, |_, policy| {
        let audited = rules(policy).filter(|rule| rule.mode == Mode::Audit);
        let found =
            audited.map(|rule| format!("rule {} only writes down what it would refuse", rule.name));
        Outcome::warn_of(
            found.collect(),
            "set mode = \"enforce\" once the log shows nothing to refuse",
        )
    })
}

fn exemptions(host: &Host) -> Outcome {
    with_policy(host, |_, policy| {
        let mut found = Vec::new();
        for rule in rules(policy) {
            let over = rule.exempt.iter().filter(|it| it.until <= host.now);
            found.extend(over.map(|it| {
                let digest = it.digest.get(..12).unwrap_or(&it.digest);
                format!(
                    "rule {}: the exemption of {digest} ended on {}",
                    rule.name, it.until
                )
            }));
        }
        Outcome::warn_of(found, "have the image signed, or take the line out")
    })
}

fn ready(host: &Host) -> Outcome {
    if host.gates.is_empty() {
        return Outcome::info("no engine is told of a gate");
    }
    let wrong = host.gates.iter().filter_map(|gate| {
        let why = gate.wrong.as_ref()?;
        Some(format!("the gate at {} is not ready: {why}", gate.address))
    });
    Outcome::warn_of(
        wrong.collect(),
        "start it: systemctl start trust-gate-authz trust-gate-proxy; without it nothing is pulled",
    )
}

fn hooks(host: &Host) -> Outcome {
    if host.hooks.is_empty() {
        return Outcome::info("no hook is installed");
    }
    let broken = host.hooks.iter().filter_map(|(engine, path, standing)| {
        let how = match standing {
            Standing::Intact => return None,
            Standing::Undone => "is as it was before",
            Standing::Changed => "was changed",
            Standing::Missing => "is gone",
        };
        Some(format!("hook of {engine}: {} {how}", path.display()))
    });
    Outcome::warn_of(
        broken.collect(),
        "trust hook install writes them again, and shows the difference",
    )
}

fn owner(host: &Host) -> Outcome {
    with_policy(host, |path, _| {
        let path = host.files.behind(path);
        let found = match host.files.state(&path) {
            crate::gate::install::State::File { mode, .. } if mode & 0o022 != 0 => {
                Some(format!("others can write to {}", path.display()))
            }
            _ => None,
        };
        let mend = format!("chmod go-w {}", path.display());
        Outcome::of(Level::Warn, found.into_iter().collect(), &mend)
    })
}
