//! The policy as a file: strict TOML.

use super::{Demand, EngineRules, Mode, Policy, Requirement, Rule};
use crate::place::Place;
use serde::Deserialize;

/// What is wrong with a policy, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {reason}")]
pub struct PolicyError {
    /// Where it stands
    pub place: Place,
    /// What is wrong there
    pub reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    default: Default,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Default {
    require: Require,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Require {
    Accept,
    Reject,
    Signed,
}

impl Policy {
    /// Reads a policy.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        let file: File = toml::from_str(text).map_err(|error| PolicyError {
            place: Place::of(text, error.span().map_or(0, |span| span.start)),
            reason: error.message().trim().replace('\n', ", "),
        })?;
        let demand = match file.default.require {
            Require::Accept => Demand::Accept,
            Require::Reject => Demand::Reject,
            Require::Signed => Demand::Signed(Box::new(Requirement::default())),
        };
        let hash = ring::digest::digest(&ring::digest::SHA256, text.as_bytes());
        Ok(Self {
            rules: Vec::new(),
            default: Rule {
                name: "default".to_owned(),
                mode: Mode::Enforce,
                demand,
                exempt: Vec::new(),
            },
            engine: EngineRules::default(),
            hash: hex::encode(hash),
        })
    }
}
