//! What is wrong with a repository, and the one word for it.

use super::role::{FileState, SignedFile};
use super::{Fault, Judged, RoleFacts};
use crate::tuf::error::TufError;
use crate::tuf::role::RoleName;
use jiff::{SignedDuration, Timestamp};

/// Something that people should know, and mostly do something about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Problem {
    /// No client believes any of it
    Refused(Fault),
    /// A role whose date has passed
    Expired { role: RoleName, at: Timestamp },
    /// A role without enough valid signatures
    Unsigned { role: RoleName, why: String },
    /// A role that has fewer keys than it needs
    TooFewKeys {
        role: RoleName,
        keys: usize,
        threshold: u64,
    },
    /// A role whose date is near
    Soon { role: RoleName, at: Timestamp },
    /// A delegation that nobody ever signed
    NeverSigned { role: RoleName },
    /// A delegation that may sign nothing
    NoPaths { role: RoleName },
}

/// A repository in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum State {
    /// Nothing is wrong
    Fine,
    /// Something expires soon
    Soon,
    /// What one signer signed has expired, and no more than that
    SignerExpired,
    /// Something lacks signatures
    Unsigned,
    /// Something has expired
    Expired,
    /// Nobody believes it
    Unreadable,
}

impl Problem {
    /// What it makes of its repository.
    pub(crate) fn state(&self) -> State {
        match self {
            Self::Refused(_) => State::Unreadable,
            Self::Expired { role, .. } if role.is_delegation() && *role != RoleName::releases() => {
                State::SignerExpired
            }
            Self::Expired { .. } => State::Expired,
            Self::Unsigned { .. } | Self::TooFewKeys { .. } => State::Unsigned,
            Self::Soon { .. } => State::Soon,
            Self::NeverSigned { .. } | Self::NoPaths { .. } => State::Fine,
        }
    }
}

/// What is wrong at this moment, the worst first.
pub(crate) fn problems(judged: &Judged, roles: &[RoleFacts], now: Timestamp) -> Vec<Problem> {
    let mut problems: Vec<_> = roles.iter().flat_map(|role| of_role(role, now)).collect();
    match &judged.current {
        Err(Fault::Tuf(TufError::Expired { role, expired, .. })) => {
            let expired = Problem::Expired {
                role: role.clone(),
                at: *expired,
            };
            if !problems.contains(&expired) {
                problems.push(expired);
            }
        }
        Err(fault) => problems.push(Problem::Refused(fault.clone())),
        Ok(_) => {}
    }
    problems.sort_by_key(|problem| std::cmp::Reverse(problem.state()));
    problems
}

/// The word for the worst of them.
pub(crate) fn state(problems: &[Problem]) -> State {
    let worst = problems.iter().map(Problem::state).max();
    worst.unwrap_or(State::Fine)
}

fn of_role(role: &RoleFacts, now: Timestamp) -> Vec<Problem> {
    let name = || role.name.clone();
    let mut problems = Vec::new();
    match &role.file {
        FileState::Signed(file) if file.expires <= now => problems.push(Problem::Expired {
            role: name(),
            at: file.expires,
        }),
        FileState::Signed(file) if file.expires <= now + warning(&role.name, file) => {
            problems.push(Problem::Soon {
                role: name(),
                at: file.expires,
            });
        }
        FileState::Refused(why) => problems.push(Problem::Unsigned {
            role: name(),
            why: why.clone(),
        }),
        FileState::Never if role.paths.is_some() => {
            problems.push(Problem::NeverSigned { role: name() });
        }
        // Without a base file nobody believes anything: that is said once.
        FileState::Never | FileState::Signed(_) => {}
    }
    let keys = role.keys.len();
    if u64::try_from(keys).unwrap_or(u64::MAX) < role.threshold {
        problems.push(Problem::TooFewKeys {
            role: name(),
            keys,
            threshold: role.threshold,
        });
    }
    if role.paths.as_ref().is_some_and(Vec::is_empty) {
        problems.push(Problem::NoPaths { role: name() });
    }
    problems
}

/// How long before its date a role is worth a warning: a month.
///
/// A server signs its timestamps for two weeks and renews them in the middle, and some servers
/// treat snapshots so: for these it is a third of the life, if that is shorter.
fn warning(role: &RoleName, file: &SignedFile) -> SignedDuration {
    if !matches!(role.as_str(), "snapshot" | "timestamp") {
        return MONTH;
    }
    let life = file.expires.duration_since(file.issued);
    (life / 3).clamp(SignedDuration::ZERO, MONTH)
}

const MONTH: SignedDuration = SignedDuration::from_hours(30 * 24);
