//! `trust policy check`

use super::described::Described;
use super::words;
use crate::cli::{failure::Failure, rules, session::Session, table::table};
use jiff::Timestamp;
use serde::Serialize;
use std::path::PathBuf;
use trust::policy::{Allowance, Demand, Mode, Policy, Rule};

/// Check a policy file, and list its rules in order of precedence
///
/// The first rule that matches an image holds. Exits with 2 if something in the file is wrong, and
/// says in which line and column; two rules for the same names of which neither is more exact are
/// wrong, too.
#[derive(clap::Args)]
pub(super) struct Args {
    /// The policy
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

/// All that the policy says.
#[derive(Serialize)]
struct Checked<'p> {
    file: String,
    hash: &'p str,
    rules: Vec<Described<'p>>,
    default: Described<'p>,
    engine: Engine,
    warnings: Vec<String>,
}

#[derive(Serialize)]
struct Engine {
    local: &'static str,
    build: &'static str,
}

pub(super) fn run(args: &Args, session: &Session) -> Result<(), Failure> {
    let policy = rules::read(&args.file)?;
    let warnings = warnings(&policy, session.now());
    for warning in &warnings {
        session.out.warn(warning);
    }
    if session.out.is_json() {
        session.out.json(&Checked {
            file: args.file.display().to_string(),
            hash: &policy.hash,
            rules: policy.rules.iter().map(Described::of).collect(),
            default: Described::of(&policy.default),
            engine: Engine {
                local: allowed(policy.engine.local),
                build: allowed(policy.engine.build),
            },
            warnings,
        });
        return Ok(());
    }
    session.out.text(&listed(&policy));
    Ok(())
}

fn listed(policy: &Policy) -> String {
    let rows: Vec<_> = policy
        .rules
        .iter()
        .chain([&policy.default])
        .map(row)
        .collect();
    let engine = &policy.engine;
    let (local, build) = (allowed(engine.local), allowed(engine.build));
    let rules = table(["MATCH", "REQUIRE", "MODE", "DEMANDS"], &rows);
    format!("{rules}\nLocal images: {local}\nBuilds: {build}\n")
}

fn row(rule: &Rule) -> [String; 4] {
    let demands = match &rule.demand {
        Demand::Signed(requirement) => words::summary(requirement),
        Demand::Accept | Demand::Reject => Vec::new(),
    };
    let exempt = match rule.exempt.len() {
        0 => None,
        1 => Some("1 exemption".to_owned()),
        several => Some(format!("{several} exemptions")),
    };
    let demands: Vec<_> = demands.into_iter().chain(exempt).collect();
    [
        rule.name.clone(),
        words::require(rule).to_owned(),
        words::mode(rule).to_owned(),
        demands.join("; "),
    ]
}

/// What is right, but may not be what was meant, or not any more.
fn warnings(policy: &Policy, now: Timestamp) -> Vec<String> {
    let mut warnings = Vec::new();
    for rule in policy.rules.iter().chain([&policy.default]) {
        let name = &rule.name;
        if rule.mode == Mode::Audit {
            warnings.push(format!("{name} is only audited: what it refuses passes"));
        }
        for exempt in rule.exempt.iter().filter(|exempt| exempt.until <= now) {
            let (digest, until) = (&exempt.digest, exempt.until);
            warnings.push(format!(
                "{name}: the exemption of sha256:{digest} ran out at {until}"
            ));
        }
    }
    if policy.default.demand == Demand::Accept {
        warnings.push("the default accepts every image that no rule is for, signed or not".into());
    }
    warnings
}

fn allowed(allowance: Allowance) -> &'static str {
    match allowance {
        Allowance::Accept => "accept",
        Allowance::Reject => "reject",
    }
}
