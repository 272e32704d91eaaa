//! The answer to the engine, and the words in it.

use super::{Unclear, Way};
use crate::{
    gate::{Answer, Denial},
    policy::Reason,
};

/// Whether the engine may go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It may.
    Allowed,
    /// It may not, and this is what its user reads.
    Denied(String),
}

impl Verdict {
    /// What the gate says of an image, for a door that cannot choose what is fetched.
    pub(super) fn of(answer: Answer) -> Self {
        match answer {
            Answer::Signed(_) | Answer::Passed { .. } => Self::Allowed,
            Answer::Denied(denial) => Self::from(denial),
        }
    }

    /// A refusal of this door itself.
    pub(super) fn denied(what: &str, why: &str, reason: Reason, hint: &str) -> Self {
        let hint = match hint {
            "" => String::new(),
            hint => format!("; {hint}"),
        };
        let code = reason.code();
        Self::Denied(format!("{what} is refused: {why} [{code}]{hint}"))
    }

    /// A request whose meaning cannot be told.
    pub(super) fn unclear(what: &str, why: &Unclear) -> Self {
        Self::denied(what, &why.to_string(), Reason::Malformed, "")
    }

    /// What the policy's rules for the engine forbid.
    pub(super) fn forbidden(way: Way) -> Self {
        let key = match way {
            Way::Build => "build",
            _ => "local",
        };
        Self::denied(
            &way.to_string(),
            "only what registries vouch for may come in",
            Reason::DeniedByRule,
            &format!("the policy would have to say {key} = \"accept\" under [engine]"),
        )
    }

    pub(super) fn is_allowed(&self) -> bool {
        *self == Self::Allowed
    }
}

impl From<Denial> for Verdict {
    fn from(denial: Denial) -> Self {
        Self::Denied(denial.line())
    }
}
