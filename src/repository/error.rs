//! Why a verb could not be done, and what kind of no that is.

use super::keyring::KeyringError;
use super::replace::Loss;
use crate::policy::Reason;
use crate::remote::RemoteError;
use crate::tuf::change::ChangeError;
use crate::tuf::edit::{EditError, ProposalError};
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
    /// A change that cannot be written down
    #[error(transparent)]
    Change(#[from] ChangeError),
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
    /// Keys that are to go and are nowhere
    #[error("no delegation lists {}", .0.join(", "))]
    NoSuchKeys(Vec<String>),
    /// Something that is to go and is not there
    #[error("{role} lists no {what}")]
    NotListed {
        /// The role
        role: RoleName,
        /// What was to go
        what: String,
    },
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
    /// A request to sign in turn that is not signed
    #[error(transparent)]
    Proposal(#[from] ProposalError),
    /// A request was signed and could not be kept, so nothing was published
    #[error("the signed request could not be kept: {0}")]
    RequestNotKept(String),
    /// A request that was good until somebody else published
    #[error("somebody else published while this request was signed")]
    RequestOvertaken,
    /// A request has all signatures, and whoever publishes it has to sign the snapshot
    #[error("the request is complete, and only the holder of the snapshot key can publish it: {}", .0.join(", "))]
    RequestWithoutSnapshot(Vec<String>),
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
    /// A staged change that cannot be made
    #[error("change {number} ({change}) cannot be made: {cause}")]
    StagedChange {
        /// Its place in the list
        number: usize,
        /// What it is
        change: String,
        /// Why it cannot be made
        cause: EditError,
    },
    /// A staged change that cannot be read
    #[error("change {number} ({file}) cannot be read: {cause}")]
    StagedUnreadable {
        /// Its place in the list
        number: usize,
        /// Its file
        file: String,
        /// What is wrong with it
        cause: ChangeError,
    },
    /// The metadata are not believed
    #[error(transparent)]
    Tuf(#[from] TufError),
    /// Signatures would be lost that nobody here can make again
    #[error("no key is here to sign again: {}", losses(.0))]
    WouldLose(Vec<Loss>),
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
            Self::Proposal(error) => proposal_reason(error),
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
            | Self::RequestNotKept(_)
            | Self::ServerKey { .. } => Kind::Unfinished,
            Self::Keyring(error) if error.is_mistake() => Kind::Wrong,
            Self::AlreadyInitialized(_)
            | Self::Change(_)
            | Self::Edit(_)
            | Self::NoSuchKeys(_)
            | Self::NoSuchSigner { .. }
            | Self::NotListed { .. }
            | Self::StagedChange { .. }
            | Self::StagedUnreadable { .. }
            | Self::Proposal(ProposalError::Foreign { .. } | ProposalError::NoRequest(_))
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
                "ask the publisher over another channel; only if they confirm a new root, forget this one \
                 with `trust repo delete REPOSITORY` and trust theirs with `trust repo pin`"
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
            Self::RequestOvertaken | Self::Proposal(ProposalError::Stale { .. }) => {
                Some("make the request again on top of what is published now".to_owned())
            }
            Self::RequestWithoutSnapshot(_) => {
                Some("hand the signed file to whoever has that key; they approve it, too".to_owned())
            }
            Self::Remote(error) => error.hint(),
            Self::Keyring(error) => error.hint(),
            Self::NoSigningRole => {
                Some("load a signer's key with `trust key load`, or name one with `--as`".to_owned())
            }
            Self::StagedChange { cause, .. } => Some(match Self::from(cause.clone()).hint() {
                Some(hint) => hint,
                None => "take it out of the list with `trust repo reset`".to_owned(),
            }),
            Self::StagedUnreadable { .. } => {
                Some("take it out of the list with `trust repo reset`".to_owned())
            }
            Self::Edit(EditError::Unbelieved(role)) => {
                Some(format!("have it signed again first, with `trust witness` and {role}"))
            }
            Self::WouldLose(losses) => {
                let roles: Vec<_> = losses.iter().map(|loss| loss.role.as_str()).collect();
                Some(format!(
                    "load the new private key with `trust key load`; or go on with -f, and have its \
                     holder sign again with `trust witness` and {}",
                    roles.join(" ")
                ))
            }
            Self::Floor(_) => Some("restore the repository's .floor.json from a backup".to_owned()),
            Self::Offline => Some("leave out --offline: this needs more than is kept here".to_owned()),
            Self::Cache(CacheError::Io { .. }) => Some("name a folder with --trust-dir that can be written and has room".to_owned()),
            _ => None,
        }
    }
}

/// Which roles lose which tags; of many tags the first ones.
fn losses(losses: &[Loss]) -> String {
    let words = losses.iter().map(|loss| {
        let (tags, more) = loss.tags.split_at(loss.tags.len().min(SHOWN_TAGS));
        let more = match more.len() {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let tags = match tags {
            [] => "nothing".to_owned(),
            tags => tags.join(", "),
        };
        format!("{} loses its signature on {tags}{more}", loss.role)
    });
    words.collect::<Vec<_>>().join("; ")
}

/// Whether a server answered, but not with what the metadata name.
fn is_nonsense(error: &RemoteError) -> bool {
    matches!(
        error,
        RemoteError::NotFound { .. } | RemoteError::TooLarge { .. }
    )
}

/// The reason code of a request that is refused.
fn proposal_reason(error: &ProposalError) -> Option<Reason> {
    match error {
        ProposalError::Fault(fault) => Some(reason(fault)),
        ProposalError::Tampered { .. } => Some(Reason::BadSignature),
        ProposalError::Stale { .. } => Some(Reason::Rollback),
        ProposalError::Dates { .. } | ProposalError::UnknownRole(_) => Some(Reason::Malformed),
        _ => None,
    }
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

/// Tags named in one line.
const SHOWN_TAGS: usize = 20;
