//! What can be wrong with a token, or with the module that leads to it.

use std::path::PathBuf;

use super::TokenName;

/// Why a token, or a key on it, could not be used.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// Two tokens answer to one name.
    #[error("{} tokens are called {word}", serials.len())]
    Ambiguous {
        /// The name as given.
        word: String,
        /// Their serial numbers.
        serials: Vec<String>,
    },
    /// The token said no.
    #[error("token {token} could not {doing}: {reason}")]
    Failed {
        /// The token.
        token: TokenName,
        /// What it was asked to do.
        doing: &'static str,
        /// Its answer.
        reason: String,
    },
    /// The token was there and is not any more.
    #[error("token {token} was pulled out before it could {doing}")]
    Gone {
        /// The token.
        token: TokenName,
        /// What it was asked to do.
        doing: &'static str,
    },
    /// Too many wrong PINs have been given.
    #[error("token {token} is locked: its PIN was wrong too often")]
    Locked {
        /// The token.
        token: TokenName,
    },
    /// A PKCS#11 module cannot be used.
    #[error("PKCS#11 module {}: {reason}", path.display())]
    Module {
        /// The module.
        path: PathBuf,
        /// What stopped us.
        reason: String,
    },
    /// Modules are named, and one of them has no token to show.
    #[error("no token is in the slots of {}", path.display())]
    NoToken {
        /// The module.
        path: PathBuf,
    },
    /// The public half of a key is there, the private one is not.
    #[error("token {token} has no private key {id}, only its public half")]
    NoPrivateHalf {
        /// The token.
        token: TokenName,
        /// Canonical key id.
        id: String,
    },
    /// No token of that name.
    #[error("no token is called {word}")]
    NotHere {
        /// The name as given.
        word: String,
        /// The names of those that are here.
        others: Vec<String>,
    },
    /// The token is closed, and no PIN was given.
    #[error("token {token} needs its PIN")]
    PinNeeded {
        /// The token.
        token: TokenName,
        /// What it says of the tries that are left.
        tries: Tries,
    },
    /// This program was built without tokens.
    #[error("this program was built without PKCS#11")]
    Unsupported,
    /// The PIN is wrong.
    #[error("the PIN of token {token} is wrong{tries}")]
    WrongPin {
        /// The token.
        token: TokenName,
        /// What the token says of the tries that are left.
        tries: Tries,
    },
}

/// How near a token is to locking itself.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Tries {
    /// It says nothing.
    #[default]
    Unsaid,
    /// A wrong PIN has been given since the last right one.
    Low,
    /// The next wrong PIN locks it.
    Last,
}

impl std::fmt::Display for Tries {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Unsaid => "",
            Self::Low => "; few tries are left before it locks itself",
            Self::Last => "; one try is left before it locks itself",
        })
    }
}
