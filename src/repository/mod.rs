//! What can be done with a signed repository: one verb a file.

pub mod decide;
pub mod delete;
mod errand;
mod error;
mod evidence;
pub mod init;
pub mod inspect;
pub mod keyring;
pub mod known;
mod memory;
mod mend;
mod open;
mod pin;
mod publish;
mod refresh;
pub mod renew;
pub mod revoke;
mod root_certificate;
mod root_keys;
pub mod rotate;
pub mod show;
pub mod sign;
pub mod signer;

pub use decide::{Decider, Decision};
pub use error::{Error, Kind};
pub use evidence::State;
pub use open::{OpenError, Reach};
pub use refresh::NEAR_EXPIRY_DAYS;
pub use root_keys::RootKeys;

use crate::remote::Notary;
use jiff::Timestamp;
use trust_store::metadata::RepositoryCache;

/// One repository: what this machine keeps of it, and the server that publishes it.
pub struct Repository {
    gun: String,
    cache: RepositoryCache,
    remote: Option<Notary>,
}

impl Repository {
    /// The repository `gun`; without `remote` only what was kept is used.
    pub fn new(gun: &str, cache: RepositoryCache, remote: Option<Notary>) -> Self {
        Self {
            gun: gun.to_owned(),
            cache,
            remote,
        }
    }

    /// The repository's name.
    pub fn gun(&self) -> &str {
        &self.gun
    }

    fn is_offline(&self) -> bool {
        self.remote.is_none()
    }

    fn remote(&self) -> Result<&Notary, Error> {
        self.remote.as_ref().ok_or(Error::Offline)
    }
}

/// Something people want to hear about while a command runs.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event {
    /// The clock is behind what it showed when this repository was looked at before
    ClockBehind {
        /// What it showed then; this is what counts
        seen: Timestamp,
        /// The repository
        gun: String,
    },
    /// Someone else published first; the change is made again on theirs
    Conflict,
    /// The tag is signed already, as this digest by these signers
    ExistingSignatures {
        /// SHA-256 of the manifest in hex
        digest: String,
        /// Names of signers
        signers: Vec<String>,
    },
    /// A file that is used although a newer one may exist
    KeptTimestamp {
        /// Why the server's was not to be had
        cause: String,
        /// How long the kept one is valid
        valid_until: Timestamp,
    },
    /// The timestamp is past its date, and no server signs another before its owners have acted
    LapsedTimestamp {
        /// When it expired
        expired: Timestamp,
    },
    /// A file that has to be signed again soon
    NearExpiry {
        /// The repository
        gun: String,
        /// The role
        role: String,
        /// When it expires
        expires: Timestamp,
    },
    /// A change was published, but what the server serves now could not be read back
    NotSeenYet {
        /// Why
        cause: String,
    },
    /// A delegation is begun anew because its file had lost its valid signatures
    RoleRestarted {
        /// The role
        role: String,
    },
    /// A repository is about to be initialised
    Initializing,
    /// The repository is initialised
    Initialized,
    /// A signature could be left out because its key did not open
    KeySkipped {
        /// Canonical key id
        id: String,
        /// Why
        cause: String,
    },
}

/// Where [`Event`]s go.
pub type Watch<'w> = &'w mut (dyn FnMut(Event) + Send);
