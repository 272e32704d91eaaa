//! Requests whose meaning cannot be told: refused whatever the policy says.

use crate::{listen::BodyError, reference::ReferenceError};

/// Why nobody can say what the engine would do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unclear {
    /// A form in the body, which the engine reads before the query.
    #[error("a form in the body may say other things than the address")]
    Form,
    /// A body the engine did not pass on.
    #[error("its body cannot be seen and may say other things than the address")]
    HiddenBody,
    /// A body that is not the JSON it has to be.
    #[error("its body is not clear: {wrong}")]
    Json {
        /// What is wrong with it.
        wrong: String,
    },
    /// A message of the engine that is none.
    #[error("the engine's message cannot be read: {wrong}")]
    Message {
        /// What is wrong with it.
        wrong: String,
    },
    /// A name that no image can have.
    #[error("{wrong}: {name:?}")]
    Name {
        /// The name.
        name: String,
        /// What is wrong with it.
        wrong: ReferenceError,
    },
    /// A body that is missing, empty, too large for the engine to pass on, or of another type.
    #[error("its body cannot be seen")]
    NoBody,
    /// A path that is not written the one way everybody reads alike.
    #[error("its path is not in plain form")]
    Path,
    /// A query that is not written the one way everybody reads alike.
    #[error("its query is not in plain form")]
    Query,
    /// A parameter that may be given once.
    #[error("{key} is given twice")]
    Twice {
        /// Its name.
        key: String,
    },
    /// A route or a method that did not exist when this program was made.
    #[error("what it does is not known here")]
    Unknown,
}

impl Unclear {
    /// A name that no image can have, as much of it as people want to read.
    pub(super) fn name(name: &str, wrong: ReferenceError) -> Self {
        let name = name.chars().take(LONGEST).collect();
        Self::Name { name, wrong }
    }

    /// A message that did not arrive as it has to.
    pub(super) fn unread(error: &BodyError) -> Self {
        let wrong = error.to_string();
        Self::Message { wrong }
    }
}

/// Characters.
const LONGEST: usize = 200;
