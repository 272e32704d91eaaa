//! Why keys cannot be used, and what to do about it.

use trust_store::keys::{KeyError, TokenError};

/// Why there is no passphrase.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PassphraseError {
    /// Nobody can be asked and nothing was given
    #[error("no passphrase for the {key} key, and no terminal to ask on")]
    Nowhere {
        /// What kind of key
        key: String,
        /// Where one could be given
        hint: String,
    },
    /// Nobody can be asked for a PIN and none was given
    #[error("no PIN for token {token}, and no terminal to ask on")]
    NoPin {
        /// The token
        token: String,
        /// Where one could be given
        hint: String,
    },
    /// A passphrase that was given cannot be used
    #[error("{0}")]
    Unusable(String),
    /// The person gave up, or tried too often
    #[error("maximum number of passphrase attempts exceeded")]
    TooManyTries,
}

/// Why a key cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyringError {
    /// The key itself
    #[error(transparent)]
    Key(#[from] KeyError),
    /// Some of the keys that have to sign together are not here
    #[error(transparent)]
    Lacking(#[from] Lacking),
    /// None of the keys that may sign is here
    #[error(
        "could not find necessary signing keys, at least one of these keys must be available: {}",
        .0.join(", ")
    )]
    NoKey(Vec<String>),
    /// Its passphrase
    #[error(transparent)]
    Passphrase(#[from] PassphraseError),
}

/// Which keys a role lacks here to be signed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{role} needs {needed} signatures and {here} can be made here; keys that are not here: {}",
    .absent.join(", ")
)]
pub struct Lacking {
    /// The role
    pub role: String,
    /// How many of its keys are here
    pub here: u64,
    /// How many of its keys have to sign
    pub needed: u64,
    /// Canonical ids of its other keys
    pub absent: Vec<String>,
}

impl KeyringError {
    /// Whether the caller gave something wrong, rather than the keys being wrong.
    pub fn is_mistake(&self) -> bool {
        matches!(
            self,
            Self::Passphrase(_)
                | Self::Key(
                    KeyError::WrongPassphrase | KeyError::Token(TokenError::WrongPin { .. })
                )
        )
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Lacking(lacking) if lacking.needed > 1 => Some(
                "let their holders sign in turn: say it again with --request FILE, then \
                 `trust sign --approve FILE` on their machines"
                    .to_owned(),
            ),
            Self::NoKey(_) | Self::Lacking(_) => {
                Some("load one of them with `trust key load KEYFILE`".to_owned())
            }
            Self::Passphrase(
                PassphraseError::Nowhere { hint, .. } | PassphraseError::NoPin { hint, .. },
            ) => Some(hint.clone()),
            _ => None,
        }
    }
}
