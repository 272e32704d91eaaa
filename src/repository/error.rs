//! Why a verb could not be done, and what kind of no that is.

use super::keyring::KeyringError;
use crate::policy::Reason;
use crate::remote::RemoteError;
use crate::tuf::edit::EditError;
use crate::tuf::error::TufError;
use crate::tuf::role::RoleName;
use trust_store::metadata::CacheError;

/// What kind of no an [`Error`] is; decides the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Not trusted, or the server says no
    Refused,
    /// The command or a file is wrong
    Wrong,
    /// Could not finish: network, server, disk
    Unfinished,
}

/// Why a verb could not be done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A repository that exists cannot be begun
    #[error("{0} is initialized already")]
    AlreadyInitialized(String),
    /// The kept metadata cannot be read or written
    #[error(transparent)]
    Cache(#[from] CacheError),
    /// Other people kept publishing first
    #[error("others published {0} times meanwhile")]
    Contended(u32),
    /// A change that cannot be made
    #[error(transparent)]
    Edit(#[from] EditError),
    /// The rollback memory is damaged
    #[error("the memory of versions seen is damaged: {0}")]
    Floor(serde_json::Error),
    /// The trust root kept on this machine cannot be used
    #[error("the root kept on this machine cannot be used: {0}")]
    KeptRoot(TufError),
    /// A key cannot be used
    #[error(transparent)]
    Keyring(#[from] KeyringError),
    /// A certificate for the root key cannot be made or used
    #[error("no certificate for the root key: {0}")]
    RootCertificate(String),
    /// A tag that is signed nowhere cannot be revoked
    #[error("No valid trust data for {0}")]
    NotSigned(String),
    /// No tag at all is signed
    #[error("no signed tags to remove")]
    NoSignedTags,
    /// No local key may sign
    #[error("no valid signing keys for delegation roles")]
    NoSigningRole,
    /// A look at the repository was broken off
    #[error("the look at the repository was broken off")]
    Interrupted,
    /// A rule judges images under names that are none
    #[error("the rule's `as` makes no repository name of {0}")]
    NoIdentity(String),
    /// A signer nobody knows
    #[error("no signer {name} for repository {gun}")]
    NoSuchSigner {
        /// The signer
        name: String,
        /// The repository
        gun: String,
    },
    /// The repository has no trust data
    #[error("{server} does not have trust data for {gun}")]
    NotInitialized {
        /// The server asked
        server: String,
        /// The repository
        gun: String,
    },
    /// The repository vanished from its server
    #[error("{gun} is gone from its trust server, although this machine knows it")]
    Gone {
        /// The repository
        gun: String,
    },
    /// Something is needed from the network, and it may not be used
    #[error("client is offline")]
    Offline,
    /// The root is not one to begin with
    #[error("{0}")]
    RootNotTrusted(String),
    /// The server's answer
    #[error(transparent)]
    Remote(#[from] RemoteError),
    /// A key the server gave cannot be used
    #[error("the server's {role} key cannot be used: {reason}")]
    ServerKey {
        /// The role
        role: RoleName,
        /// What is wrong
        reason: String,
    },
    /// The metadata are not believed
    #[error(transparent)]
    Tuf(#[from] TufError),
    /// A threshold that so many keys can never meet
    #[error("a threshold of {threshold} with {keys} {}: it has to be between 1 and the number of keys", if *.keys == 1 { "key" } else { "keys" })]
    WrongThreshold {
        /// What was asked for, or what the role has
        threshold: u64,
        /// How many different keys there are
        keys: usize,
    },
    /// A signer's name that makes no role
    #[error("tuf: invalid role targets/{0}. invalid delegation role name")]
    WrongSignerName(String),
}

impl Error {
    /// The reason code, where this is a refusal to trust.
    pub fn reason(&self) -> Option<Reason> {
        match self {
            Self::Tuf(error) | Self::KeptRoot(error) => Some(reason(error)),
            Self::NotInitialized { .. } | Self::Gone { .. } | Self::NotSigned(_) => {
                Some(Reason::Unsigned)
            }
            Self::RootNotTrusted(_) => Some(Reason::RootMismatch),
            Self::Floor(_) => Some(Reason::Malformed),
            Self::Remote(error) if is_nonsense(error) => Some(Reason::Malformed),
            Self::NoIdentity(_) => Some(Reason::NoRule),
            Self::Remote(_) | Self::Offline | Self::Cache(_) | Self::Interrupted => {
                Some(Reason::Unreachable)
            }
            _ => None,
        }
    }

    /// What kind of no this is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Remote(RemoteError::Rejected { .. }) => Kind::Refused,
            Self::Remote(error) if is_nonsense(error) => Kind::Refused,
            Self::Cache(_)
            | Self::Contended(_)
            | Self::Floor(_)
            | Self::Interrupted
            | Self::Offline
            | Self::Remote(_)
            | Self::ServerKey { .. } => Kind::Unfinished,
            Self::Keyring(error) if error.is_mistake() => Kind::Wrong,
            Self::AlreadyInitialized(_)
            | Self::Edit(_)
            | Self::NoSuchSigner { .. }
            | Self::RootCertificate(_)
            | Self::WrongSignerName(_)
            | Self::WrongThreshold { .. } => Kind::Wrong,
            _ => Kind::Refused,
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::KeptRoot(_) | Self::Gone { .. } | Self::Tuf(TufError::RootMismatch(_)) => Some(
                "ask the publisher over another channel; only if they confirm a new root, remove the \
                 repository's folder below the trust directory's `tuf` and begin anew"
                    .to_owned(),
            ),
            Self::Tuf(TufError::Rollback { .. }) => Some(
                "the server offers older metadata than this machine has seen: a restored backup, or an attack"
                    .to_owned(),
            ),
            Self::Tuf(TufError::Expired { role, .. }) if role.as_str() != "timestamp" => Some(
                "whoever has its keys signs it again with `trust repo renew REPOSITORY`".to_owned(),
            ),
            Self::Tuf(TufError::Malformed { .. }) => {
                Some("check that the server named is the trust server of this image".to_owned())
            }
            Self::Remote(error) => error.hint(),
            Self::Keyring(error) => error.hint(),
            Self::NoSigningRole => {
                Some("load a signer's key with `trust key load`, or name one with `--as`".to_owned())
            }
            Self::Floor(_) => Some("restore the repository's .floor.json from a backup".to_owned()),
            Self::Offline => Some("leave out --offline: this needs more than is kept here".to_owned()),
            Self::Cache(CacheError::Io { .. }) => Some("name a folder with --trust-dir that can be written and has room".to_owned()),
            _ => None,
        }
    }
}

/// Whether a server answered, but not with what the metadata name.
fn is_nonsense(error: &RemoteError) -> bool {
    matches!(
        error,
        RemoteError::NotFound { .. } | RemoteError::TooLarge { .. }
    )
}

/// The reason code of a fault in metadata.
pub(super) fn reason(error: &TufError) -> Reason {
    match error {
        TufError::Expired { .. } => Reason::Expired,
        TufError::Malformed { .. } | TufError::NotNamed { .. } => Reason::Malformed,
        TufError::Rollback { .. } => Reason::Rollback,
        TufError::RootMismatch(_) => Reason::RootMismatch,
        TufError::Signatures { .. } | TufError::WrongFile { .. } => Reason::BadSignature,
        TufError::Threshold { .. } => Reason::ThresholdUnmet,
    }
}
