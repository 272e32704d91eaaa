//! One staged change of a repository, as Notary v1's client keeps it (`client/changelist`).

mod file;

pub use file::ChangeError;

use super::digest::FileMeta;
use super::edit::{Draft, EditError, Terms};
use super::envelope::RoleKeys;
use super::key::KeyId;
use super::role::RoleName;
use std::fmt;

/// A change to make to a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A role states what a name means
    Sign {
        /// `targets` or a delegation
        role: RoleName,
        /// The name
        name: String,
        /// What it means
        meta: FileMeta,
    },
    /// A role does not state anything of a name any more
    Revoke {
        /// `targets` or a delegation
        role: RoleName,
        /// The name
        name: String,
    },
    /// A delegation begins, or gets keys and paths
    Begin {
        /// The delegation
        role: RoleName,
        /// Keys, paths, and the threshold if it is new
        terms: Terms,
    },
    /// A delegation that is there changes
    Amend {
        /// The delegation
        role: RoleName,
        /// What changes
        terms: Terms,
    },
    /// A delegation ends, and what is below it
    End {
        /// The delegation
        role: RoleName,
    },
    /// Keys go from every file that can be signed here
    Purge {
        /// Where to begin
        from: RoleName,
        /// Canonical ids
        keys: Vec<KeyId>,
    },
    /// A role is signed again as it is
    Witness {
        /// `targets` or a delegation
        role: RoleName,
    },
}

/// What somebody should know of a change that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Remark {
    /// The file of this role still lists the keys: nobody here can sign it
    NotPurged(RoleName),
    /// What this role says was vouched for by nobody
    Vouched(RoleName),
}

impl Change {
    /// `create`, `update` or `delete`.
    pub fn action(&self) -> &'static str {
        match self {
            Self::Sign { .. } | Self::Begin { .. } => "create",
            Self::Amend { .. } | Self::Purge { .. } | Self::Witness { .. } => "update",
            Self::Revoke { .. } | Self::End { .. } => "delete",
        }
    }

    /// The role it is about, or everything below a role: `targets/*`.
    pub fn scope(&self) -> String {
        match self {
            Self::Purge { from, .. } => format!("{from}{EVERYTHING_BELOW}"),
            Self::Sign { role, .. }
            | Self::Revoke { role, .. }
            | Self::Begin { role, .. }
            | Self::Amend { role, .. }
            | Self::End { role }
            | Self::Witness { role } => role.to_string(),
        }
    }

    /// `target`, `delegation` or `witness`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Sign { .. } | Self::Revoke { .. } => "target",
            Self::Witness { .. } => "witness",
            _ => "delegation",
        }
    }

    /// The name it is about; empty if it is not about one.
    pub fn path(&self) -> &str {
        match self {
            Self::Sign { name, .. } | Self::Revoke { name, .. } => name,
            _ => "",
        }
    }

    /// Makes the change; one that is made already changes nothing.
    ///
    /// # Errors
    /// It cannot be made on what is there.
    pub fn apply(
        &self,
        draft: &mut Draft,
        may_sign: &mut dyn FnMut(&RoleName, &RoleKeys) -> bool,
    ) -> Result<Vec<Remark>, EditError> {
        match self {
            Self::Sign { role, name, meta } => draft.sign(role, name, meta)?,
            Self::Revoke { role, .. } if draft.keys_of(role).is_none() => {
                return Err(EditError::UnknownRole(role.clone()));
            }
            Self::Revoke { role, name } => drop(draft.revoke(role, name)),
            Self::Begin { role, terms } => draft.begin_delegation(role, terms)?,
            Self::Amend { role, terms } => draft.amend_delegation(role, terms)?,
            Self::End { role } => drop(draft.end_delegation(role)?),
            Self::Purge { from, keys } => {
                let skipped = draft.purge(from, keys, may_sign).skipped;
                return Ok(skipped.into_iter().map(Remark::NotPurged).collect());
            }
            Self::Witness { role } => {
                let vouched = draft.witness(role)?.then(|| role.clone());
                return Ok(vouched.into_iter().map(Remark::Vouched).collect());
            }
        }
        Ok(Vec::new())
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (action, kind, scope) = (self.action(), self.kind(), self.scope());
        write!(f, "{action} {kind} {scope}")?;
        match self.path() {
            "" => Ok(()),
            path => write!(f, " {path}"),
        }
    }
}

/// After a role: it and everything below it.
const EVERYTHING_BELOW: &str = "/*";

#[cfg(test)]
mod tests;
