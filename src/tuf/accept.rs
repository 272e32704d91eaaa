//! What a server accepts as the next state of a repository, and what it signs itself.
//!
//! The checks are those a reader makes, in the order of Notary's server (`validation.go`): root,
//! targets roles from the top down, snapshot; then the timestamp is made. Stricter than Notary:
//! every version has to grow, by a bounded step; a snapshot has to name exactly what will be
//! there; and a file has to be, to the byte, what a writer makes of its facts.

mod files;
mod online;

pub use online::{Margins, Online, renew};

use super::error::{Malformed, TufError};
use super::limits;
use super::role::RoleName;
use bytes::Bytes;
use jiff::Timestamp;
use std::collections::BTreeMap;

/// A file whose version is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// The version it states
    pub version: u64,
    /// The bytes as they are sent
    pub bytes: Bytes,
}

/// The newest file of each role.
pub type Files = BTreeMap<RoleName, File>;

/// What somebody wants to publish, by role.
pub type Upload = BTreeMap<RoleName, Bytes>;

/// Why a publish is refused, in the classes of Notary's `INVALID_UPDATE`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The set would lack a file
    #[error("{message}")]
    Hierarchy {
        /// The role that is missing
        missing: &'static str,
        /// What the server says of it
        message: String,
    },
    /// A file that is no JSON, or more of it than is read
    #[error("{0}")]
    Json(String),
    /// The root
    #[error("{0}")]
    Root(String),
    /// The snapshot
    #[error("{0}")]
    Snapshot(String),
    /// A targets role
    #[error("{0}")]
    Targets(String),
    /// The whole
    #[error("{0}")]
    Validation(String),
    /// A version that is not above the stored one
    #[error("a newer version of {0} is already available")]
    Version(RoleName),
}

/// How much one repository may hold, at most what [`limits`] allows a reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Roles that one file may delegate to
    pub delegations: usize,
    /// Depth of a delegated role; `targets/a` is 1
    pub delegation_depth: usize,
    /// Levels of JSON in a file
    pub json_depth: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            delegations: limits::DELEGATIONS,
            delegation_depth: limits::DELEGATION_DEPTH,
            json_depth: limits::JSON_DEPTH,
        }
    }
}

/// Accepts an upload on top of what is stored: every file to store, snapshot and timestamp too.
///
/// # Errors
/// [`Refusal`]; then nothing may be stored.
pub fn accept(
    gun: &str,
    stored: &Files,
    upload: &Upload,
    bounds: Bounds,
    now: Timestamp,
    online: Online<'_>,
) -> Result<Files, Refusal> {
    let mut publish = files::Publish::new(stored, upload, bounds, now);
    let root = publish.root(gun)?;
    publish.targets(&root)?;
    let uploaded = publish.snapshot(&root)?;
    if uploaded.is_none() {
        let file = online::snapshot(&root, stored, publish.accepted(), now, online)?;
        publish.add(RoleName::snapshot(), file);
    }
    publish.versions_grow()?;
    if let Some(snapshot) = &uploaded {
        publish.is_described_by(snapshot)?;
    }
    let file = online::timestamp(&root, stored, publish.accepted(), now, online)?;
    publish.add(RoleName::timestamp(), file);
    Ok(publish.into_accepted())
}

fn no_root() -> Refusal {
    Refusal::Validation("no pre-existing root and no root provided in update.".to_owned())
}

#[expect(clippy::needless_pass_by_value, reason = "stands in map_err")]
fn bad_root(error: TufError) -> Refusal {
    refusal(&error, Refusal::Root)
}

#[expect(clippy::needless_pass_by_value, reason = "stands in map_err")]
fn bad_targets(error: TufError) -> Refusal {
    refusal(&error, Refusal::Targets)
}

#[expect(clippy::needless_pass_by_value, reason = "stands in map_err")]
fn bad_snapshot(error: TufError) -> Refusal {
    refusal(&error, Refusal::Snapshot)
}

fn refusal(error: &TufError, class: impl FnOnce(String) -> Refusal) -> Refusal {
    match error {
        TufError::Malformed {
            fault: Malformed::Json(_),
            ..
        } => Refusal::Json(error.to_string()),
        _ => class(error.to_string()),
    }
}
