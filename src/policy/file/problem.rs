//! What is wrong with a policy file, and where.

use crate::place::Place;
use std::fmt::Display;
use toml::Spanned;

/// What is wrong with a policy, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {reason}")]
pub struct PolicyError {
    /// Where it stands
    pub place: Place,
    /// What is wrong there
    pub reason: String,
}

impl PolicyError {
    pub(super) fn of(text: &str, problem: Problem) -> Self {
        Self {
            place: Place::of(text, problem.offset),
            reason: problem.reason,
        }
    }
}

/// The same with the place as an offset in bytes.
#[derive(Debug)]
pub(super) struct Problem {
    offset: usize,
    reason: String,
}

impl Problem {
    pub(super) fn new(offset: usize, reason: impl Into<String>) -> Self {
        let reason = reason.into();
        Self { offset, reason }
    }

    /// Something is wrong with this value.
    pub(super) fn with<T>(value: &Spanned<T>, reason: impl Display) -> Self {
        Self::new(value.span().start, reason.to_string())
    }
}

impl From<toml::de::Error> for Problem {
    /// The library's words without the picture it draws of the place.
    fn from(error: toml::de::Error) -> Self {
        let offset = error.span().map_or(0, |span| span.start);
        Self::new(offset, error.message().trim().replace('\n', ", "))
    }
}
