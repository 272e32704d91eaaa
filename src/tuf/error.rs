//! What can be wrong with metadata, as situations with their data.

use super::digest::Difference;
use super::role::RoleName;
use jiff::Timestamp;

/// A file that does not have the shape its role needs.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Malformed {
    /// A certificate that cannot be read or does not fit its key
    #[error("a root certificate is invalid: {0}")]
    Certificate(String),
    /// A delegation that is not directly below the file that names it
    #[error("delegation role {0} invalid")]
    Delegation(String),
    /// Not JSON as we accept it
    #[error("not acceptable JSON: {0}")]
    Json(String),
    /// A key whose id is not the hash of its content
    #[error("key ID {0} is not valid for key content")]
    KeyId(String),
    /// A role that names a key the file does not hold
    #[error("key ID {key} specified in {role} without corresponding key")]
    KeyMissing {
        /// The id
        key: String,
        /// The role that names it
        role: String,
    },
    /// A member that has to be there
    #[error("{0} is missing")]
    Missing(&'static str),
    /// A threshold below one
    #[error("invalid threshold specified for {role}: {threshold}")]
    Threshold {
        /// The role
        role: String,
        /// What was stated
        threshold: i64,
    },
    /// A file that is not what a writer makes of its facts
    #[error("the file is not in the form in which it is signed and stored")]
    NotCanonical,
    /// More of something than a repository can reasonably have
    #[error("too many {0}")]
    TooMany(&'static str),
    /// Another type of file than its place says
    #[error("expected type {expected}, not {found}")]
    Type {
        /// What the place needs
        expected: &'static str,
        /// What the file says
        found: String,
    },
    /// A version below one or above 2147483647
    #[error("version {0} is outside 1 to 2147483647")]
    Version(i64),
    /// A member of another type or form than expected
    #[error("{0} has an invalid value")]
    Wrong(&'static str),
}

/// Why metadata are not believed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TufError {
    /// The file is past its date
    #[error("{role} expired at {expired}")]
    Expired {
        /// The role
        role: RoleName,
        /// When it expired
        expired: Timestamp,
        /// The time at which it was judged
        now: Timestamp,
    },
    /// The file cannot be read as its role
    #[error("{role} metadata are invalid: {fault}")]
    Malformed {
        /// The role
        role: RoleName,
        /// What is wrong with it
        fault: Malformed,
    },
    /// A file that another file needs is not named by it
    #[error("{by} does not name {role}")]
    NotNamed {
        /// The role that is missing
        role: RoleName,
        /// The role that should name it
        by: RoleName,
    },
    /// A file older than one already believed
    #[error("{role} version {got} is lower than current version {seen}")]
    Rollback {
        /// The role
        role: RoleName,
        /// The lowest version still acceptable
        seen: u64,
        /// The version offered
        got: u64,
    },
    /// A root that the keys trusted so far did not sign
    #[error("could not rotate trust to a new trusted root: {0}")]
    RootMismatch(String),
    /// Signatures there are, but none that counts
    #[error("no valid signature by a key of {role} ({found} signatures, {needed} needed)")]
    Signatures {
        /// The role
        role: RoleName,
        /// Signatures in the file
        found: usize,
        /// Signatures needed
        needed: u64,
    },
    /// Some valid signatures, but too few distinct keys
    #[error("valid signatures did not meet threshold for {role}: {valid} of {needed}")]
    Threshold {
        /// The role
        role: RoleName,
        /// Distinct keys with a valid signature
        valid: u64,
        /// Keys needed
        needed: u64,
    },
    /// Other bytes than the parent file names
    #[error("{} checksum for {role} did not match: expected {}, found {}", .difference.what, .difference.expected, .difference.found)]
    WrongFile {
        /// The role
        role: RoleName,
        /// What differs
        difference: Difference,
    },
}

impl TufError {
    /// Whether a delegated role with this fault is left out while the rest stays usable
    /// (Notary v1 client: expiry and threshold only).
    pub fn prunes_only(&self) -> bool {
        matches!(
            self,
            Self::Expired { .. } | Self::Signatures { .. } | Self::Threshold { .. }
        )
    }
}

/// Attaches the role to a fault found while reading its file.
pub(super) fn of_role(role: &RoleName) -> impl Fn(Malformed) -> TufError + '_ {
    |fault| TufError::Malformed {
        role: role.clone(),
        fault,
    }
}
