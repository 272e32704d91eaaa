//! The answer to the engine, and the words in it.

use super::{Unclear, Way};
use crate::{
    gate::{Answer, Denial, answer::printable},
    policy::Reason,
};

/// Whether the engine may go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It may.
    Allowed,
    /// It may not: the gate said so, and wrote it down.
    Denied(Denial),
    /// It may not: this door says so itself.
    Refused(Refusal),
}

/// What this door refuses itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    what: String,
    why: String,
    reason: Reason,
    hint: Option<String>,
}

impl Verdict {
    /// What the gate says of an image, for a door that cannot choose what is fetched.
    pub(super) fn of(answer: Answer) -> Self {
        match answer {
            Answer::Signed(_) | Answer::Passed { .. } => Self::Allowed,
            Answer::Denied(denial) => Self::Denied(denial),
        }
    }

    /// A refusal of this door itself.
    pub(super) fn refused(what: &str, why: &str, reason: Reason, hint: Option<String>) -> Self {
        Self::Refused(Refusal {
            what: what.to_owned(),
            why: why.chars().take(LONGEST).collect(),
            reason,
            hint,
        })
    }

    /// A request whose meaning cannot be told.
    pub(super) fn unclear(what: &str, why: &Unclear) -> Self {
        Self::refused(what, &why.to_string(), Reason::Malformed, None)
    }

    /// What the policy's rules for the engine forbid.
    pub(super) fn forbidden(way: Way) -> Self {
        let key = match way {
            Way::Build => "build",
            _ => "local",
        };
        let hint = format!("the policy would have to say {key} = \"accept\" under [engine]");
        let why = "only what registries vouch for may come in";
        Self::refused(&way.to_string(), why, Reason::DeniedByRule, Some(hint))
    }

    pub(super) fn is_allowed(&self) -> bool {
        *self == Self::Allowed
    }

    /// What the engine's user reads; nothing if it is allowed.
    pub(super) fn words(&self) -> Option<String> {
        let words = match self {
            Self::Allowed => return None,
            Self::Denied(denial) => denial.line(),
            Self::Refused(refusal) => refusal.line(),
        };
        Some(printable(&words).chars().take(2 * LONGEST).collect())
    }
}

impl Refusal {
    /// The refusal of `request`, as the log has it.
    pub(super) fn denial(&self, request: &str) -> Denial {
        Denial {
            image: request.to_owned(),
            reason: self.reason,
            message: format!("{} is refused: {}", self.what, self.why),
            hint: self.hint.clone(),
            undecided: self.reason == Reason::Unreachable,
            rule: "[engine]".to_owned(),
        }
    }

    fn line(&self) -> String {
        let (what, why, code) = (&self.what, &self.why, self.reason.code());
        let line = format!("{what} is refused: {why} [{code}]");
        match &self.hint {
            Some(hint) => format!("{line}; {hint}"),
            None => line,
        }
    }
}

/// Characters of a reason.
const LONGEST: usize = 700;
