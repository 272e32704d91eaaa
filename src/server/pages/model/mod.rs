//! The facts of a page: from files and the time, nothing else.

mod archive;
mod believed;
mod changes;
mod problem;
mod role;
mod since;

pub(super) use archive::{Archive, Before, SignedBy, Told};
pub(super) use believed::{Fault, Judged, judge};
pub(super) use changes::{Moved, SignerChange, TagChange, between, delegated};
pub(super) use problem::{Problem, State, problems, state};
pub(super) use role::{FileState, RoleFacts, SignedFile, roles};
pub(super) use since::{Search, Since};

use crate::repository::inspect::{SignedTag, signed_tags};
use crate::tuf::role::RoleName;
use jiff::Timestamp;
use std::collections::BTreeMap;
use trust_store::server::StoredFile;

/// The newest file of each role.
pub(super) type Files = BTreeMap<RoleName, StoredFile>;

/// A repository as its page shows it.
#[derive(Debug)]
pub(super) struct Repository {
    /// Its roles, each before those it delegates to; none if not even the root can be believed
    pub(super) roles: Vec<RoleFacts>,
    /// What is wrong, the worst first
    pub(super) problems: Vec<Problem>,
    /// Released tags, the highest numbers first; none if nobody can say what they are
    pub(super) tags: Option<Vec<SignedTag>>,
    /// The roles whose word counts for a pull, with the digest each has for a tag
    pub(super) judged: Judged,
}

impl Repository {
    /// What these files say at this moment.
    pub(super) fn of(gun: &str, files: &Files, now: Timestamp) -> Self {
        let judged = judge(gun, files, now);
        let roles = roles(gun, files, &judged);
        let problems = problems(&judged, &roles, now);
        let tags = judged.current.as_ref().ok().map(|current| {
            let mut tags = signed_tags(current, None);
            tags.reverse();
            tags
        });
        Self {
            roles,
            problems,
            tags,
            judged,
        }
    }

    /// The one word for it.
    pub(super) fn state(&self) -> State {
        state(&self.problems)
    }
}
