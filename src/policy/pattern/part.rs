//! What stands between two separators of a pattern: text, or text with one `*` in it.

use super::PatternError;
use std::cmp::Reverse;
use std::fmt;

/// Characters between two separators.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Part {
    Exact(String),
    /// Something between a beginning and an end
    Around {
        before: String,
        after: String,
    },
}

impl Part {
    pub(super) fn parse(text: &str) -> Result<Self, PatternError> {
        let Some((before, after)) = text.split_once('*') else {
            return Ok(Self::Exact(text.to_owned()));
        };
        if text.contains("**") {
            return Err(PatternError::StarsInside);
        }
        if after.contains('*') {
            return Err(PatternError::TwoStars(text.to_owned()));
        }
        let (before, after) = (before.to_owned(), after.to_owned());
        Ok(Self::Around { before, after })
    }

    pub(super) fn is_exact(&self) -> bool {
        matches!(self, Self::Exact(_))
    }

    pub(super) fn matches(&self, text: &str) -> bool {
        match self {
            Self::Exact(exact) => exact == text,
            Self::Around { before, after } => text
                .strip_prefix(before.as_str())
                .is_some_and(|rest| rest.ends_with(after.as_str())),
        }
    }

    /// Whether all that the other stands for, this stands for too.
    pub(super) fn contains(&self, other: &Self) -> bool {
        match (self, other) {
            (part, Self::Exact(exact)) => part.matches(exact),
            (Self::Exact(_), Self::Around { .. }) => false,
            (
                Self::Around { before, after },
                Self::Around {
                    before: begins,
                    after: ends,
                },
            ) => begins.starts_with(before.as_str()) && ends.ends_with(after.as_str()),
        }
    }

    pub(super) fn overlaps(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Exact(exact), part) | (part, Self::Exact(exact)) => part.matches(exact),
            (
                Self::Around { before, after },
                Self::Around {
                    before: begins,
                    after: ends,
                },
            ) => {
                let begin =
                    before.starts_with(begins.as_str()) || begins.starts_with(before.as_str());
                begin && (after.ends_with(ends.as_str()) || ends.ends_with(after.as_str()))
            }
        }
    }

    /// Less for what stands for less.
    pub(super) fn rank(&self) -> (u8, Reverse<usize>) {
        match self {
            Self::Exact(_) => (0, Reverse(0)),
            Self::Around { before, after } => (1, Reverse(before.len() + after.len())),
        }
    }

    /// Something this part stands for.
    pub(super) fn filled(&self, filling: &str) -> String {
        self.to_string().replace('*', filling)
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(exact) => f.write_str(exact),
            Self::Around { before, after } => write!(f, "{before}*{after}"),
        }
    }
}
