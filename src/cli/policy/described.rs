//! A rule as programs are told of it: the keys of the file, as they were understood.

use super::words;
use serde::Serialize;
use trust::policy::{Demand, Exemption, Quorum, Requirement, Rule};
use trust::quantity::Period;

/// A rule.
#[derive(Serialize)]
pub(super) struct Described<'p> {
    #[serde(rename = "match")]
    pattern: Option<String>,
    require: &'static str,
    mode: &'static str,
    #[serde(flatten)]
    signed: Option<Signed<'p>>,
    exempt: Vec<Exempt<'p>>,
}

/// What a rule demands that wants signatures.
#[derive(Serialize)]
struct Signed<'p> {
    roles: &'p [String],
    signers: &'p [String],
    quorum: Vec<AtLeast<'p>>,
    root_keys: Vec<&'p str>,
    root_authorities: usize,
    first_use: bool,
    #[serde(rename = "as")]
    identity: Option<String>,
    server: Option<&'p str>,
    context: Option<&'p str>,
    refuse_superseded: bool,
    refresh: String,
    max_age: Option<String>,
}

#[derive(Serialize)]
struct AtLeast<'p> {
    at_least: u64,
    of: &'p [String],
}

#[derive(Serialize)]
struct Exempt<'p> {
    digest: String,
    until: String,
    why: Option<&'p str>,
}

impl<'p> Described<'p> {
    pub(super) fn of(rule: &'p Rule) -> Self {
        let signed = match &rule.demand {
            Demand::Signed(requirement) => Some(Signed::of(requirement)),
            Demand::Accept | Demand::Reject => None,
        };
        Self {
            pattern: rule.pattern.as_ref().map(ToString::to_string),
            require: words::require(rule),
            mode: words::mode(rule),
            signed,
            exempt: rule.exempt.iter().map(Exempt::of).collect(),
        }
    }
}

impl<'p> Signed<'p> {
    fn of(requirement: &'p Requirement) -> Self {
        let root = &requirement.root;
        let identity = requirement.identity.as_ref();
        Self {
            roles: &requirement.roles,
            signers: &requirement.signers,
            quorum: requirement.quorums.iter().map(AtLeast::of).collect(),
            root_keys: root.key_ids.iter().map(String::as_str).collect(),
            root_authorities: root.authorities.len(),
            first_use: root.first_use,
            identity: identity.map(|identity| identity.to.to_string()),
            server: requirement.server.as_deref(),
            context: requirement.context.as_deref(),
            refuse_superseded: requirement.refuse_superseded,
            refresh: Period::from(requirement.refresh).to_string(),
            max_age: requirement.max_age.map(|age| Period::from(age).to_string()),
        }
    }
}

impl<'p> AtLeast<'p> {
    fn of(quorum: &'p Quorum) -> Self {
        Self {
            at_least: quorum.at_least,
            of: &quorum.of,
        }
    }
}

impl<'p> Exempt<'p> {
    fn of(exemption: &'p Exemption) -> Self {
        Self {
            digest: format!("sha256:{}", exemption.digest),
            until: exemption.until.to_string(),
            why: exemption.why.as_deref(),
        }
    }
}
