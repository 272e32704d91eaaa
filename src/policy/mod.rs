//! What is demanded of an image, and the judgement on what is known of it. Pure.

mod file;
mod judge;
mod pattern;
mod reason;
mod root_trust;
mod rule;

pub use file::{Files, MAX_FILE, PolicyError};
pub use judge::{Asked, Evidence, Judgement, Statement, Unusable, Verdict, judge, passing_tags};
pub use pattern::{Pattern, PatternError, Precedence};
pub use reason::Reason;
pub use root_trust::{RootKey, RootTrust};
pub use rule::{
    Allowance, Demand, EngineRules, Exemption, Identity, Mode, Policy, Quorum, Requirement, Rule,
};
