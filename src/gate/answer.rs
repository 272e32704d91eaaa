//! What a door hears: never a plain yes or no.

use crate::policy::{Mode, Reason, Rule, Verdict};
use crate::reference::{Digest, ImageReference};
use crate::repository::Decision;

/// What a door does with an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Lets exactly this manifest pass
    Signed(Pinned),
    /// Lets it pass, whatever it is: an accepting rule, an exemption of the digest, or audit mode
    Passed {
        /// What enforcing the rule would have refused, and why
        notice: Option<String>,
    },
    /// Lets nothing pass
    Denied(Denial),
}

/// A manifest that is signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pinned {
    /// The tag that means it
    pub tag: String,
    /// Its digest
    pub digest: Digest,
    /// Its size in bytes
    pub size: u64,
}

/// Which tags pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tags {
    /// Whatever the registry has
    All,
    /// Only these, in the order of their bytes
    Only(Vec<String>),
}

/// A refusal that people understand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denial {
    /// The image
    pub image: String,
    /// Why, as a code
    pub reason: Reason,
    /// Why, in words
    pub message: String,
    /// What to do
    pub hint: Option<String>,
    /// Whether it might be allowed once something can be reached again
    pub undecided: bool,
    /// The rule
    pub rule: String,
}

impl Answer {
    pub(super) fn of(image: &ImageReference, decision: &Decision, rule: &Rule) -> Self {
        let judgement = &decision.judgement;
        let audited = rule.mode == Mode::Audit;
        match (judgement.verdict, &judgement.decided_by) {
            (Verdict::Trusted, Some(_)) if audited => Self::Passed { notice: None },
            (Verdict::Trusted, Some(statement)) => {
                match Digest::parse(&format!("sha256:{}", statement.digest)) {
                    Ok(digest) => Self::Signed(Pinned {
                        tag: statement.tag.clone(),
                        digest,
                        size: statement.size,
                    }),
                    Err(error) => Self::Denied(Denial {
                        reason: Reason::Malformed,
                        message: error.to_string(),
                        ..Denial::of(image, decision, rule)
                    }),
                }
            }
            (Verdict::Trusted, None) => Self::Passed { notice: None },
            _ if audited => Self::Passed {
                notice: Some(format!(
                    "only audited: {}",
                    Denial::of(image, decision, rule).line()
                )),
            },
            _ => Self::Denied(Denial::of(image, decision, rule)),
        }
    }
}

impl Denial {
    pub(super) fn of(image: &ImageReference, decision: &Decision, rule: &Rule) -> Self {
        let judgement = &decision.judgement;
        Self {
            image: image.to_string(),
            reason: judgement.reason.unwrap_or(Reason::Unreachable),
            message: judgement.message.clone(),
            hint: decision.hint.clone(),
            undecided: judgement.verdict == Verdict::Undecided,
            rule: rule.name.clone(),
        }
    }

    /// The refusal in one line: image, reason, code, and what to do.
    pub fn line(&self) -> String {
        let (image, message, code) = (&self.image, &self.message, self.reason.code());
        let hint = self.hint.iter().map(|hint| format!("; {hint}"));
        let hint: String = hint.collect();
        printable(&format!(
            "{image} is refused by rule {}: {message} [{code}]{hint}",
            self.rule
        ))
    }
}

/// One line without what terminals obey: some of these words come from others.
pub(super) fn printable(words: &str) -> String {
    let printable = words.chars().map(|c| if c.is_control() { ' ' } else { c });
    printable.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_one_line_whatever_a_server_says() {
        let denial = Denial {
            image: "app:1".to_owned(),
            reason: Reason::Unreachable,
            message: "gone\n2026-01-01 INFO app:1 is signed\u{1b}[2K".to_owned(),
            hint: Some("wait\r".to_owned()),
            undecided: true,
            rule: "default".to_owned(),
        };
        let line = denial.line();
        assert!(!line.contains(char::is_control), "{line:?}");
        assert!(line.contains("gone 2026-01-01 INFO"), "{line}");
    }
}
