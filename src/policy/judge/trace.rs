//! The answer, and what was looked at on the way to it.

use super::evidence::Statement;
use crate::policy::Reason;

/// The answer: never a plain yes or no.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Signed as demanded, or let pass by the rule
    Trusted,
    /// Not trusted, whatever happens next
    Refused,
    /// Nothing could be found out
    Undecided,
}

/// The answer and how it came about.
#[derive(Clone, Debug)]
pub struct Judgement {
    /// The answer
    pub verdict: Verdict,
    /// Why not, as a code
    pub reason: Option<Reason>,
    /// The answer in words; Docker's own where it has them
    pub message: String,
    /// The statement that decided what the tag means; none where no signature was asked for
    pub decided_by: Option<Statement>,
    /// Signers of the same tag and digest, by name
    pub signers: Vec<String>,
    /// What was looked at, in order
    pub steps: Vec<String>,
}

impl Judgement {
    /// Refused without a look at anything.
    pub fn refused(reason: Reason, message: String) -> Self {
        Trace::default().no(reason, message)
    }
}

/// What was looked at so far.
#[derive(Clone, Default)]
pub(super) struct Trace(Vec<String>);

impl Trace {
    /// What was looked at on the way to another answer.
    pub(super) fn of(judgement: Judgement) -> Self {
        Self(judgement.steps)
    }

    pub(super) fn note(&mut self, step: impl Into<String>) {
        self.0.push(step.into());
    }

    pub(super) fn yes(self, message: String) -> Judgement {
        self.ends(Verdict::Trusted, None, message)
    }

    pub(super) fn no(self, reason: Reason, message: String) -> Judgement {
        let verdict = match reason {
            Reason::Unreachable => Verdict::Undecided,
            _ => Verdict::Refused,
        };
        self.ends(verdict, Some(reason), message)
    }

    fn ends(self, verdict: Verdict, reason: Option<Reason>, message: String) -> Judgement {
        Judgement {
            verdict,
            reason,
            message,
            decided_by: None,
            signers: Vec::new(),
            steps: self.0,
        }
    }
}
