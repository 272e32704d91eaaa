//! What a client believes of these files now; and where only dates stand against them, what it
//! believed before.

use super::Files;
use crate::tuf::error::TufError;
use crate::tuf::floor::Floor;
use crate::tuf::role::RoleName;
use crate::tuf::trusted::{Current, Rooted};
use jiff::{SignedDuration, Timestamp};

/// Why a repository is not believed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Fault {
    /// A file that should be there
    #[error("the server has no file of {0}")]
    Missing(RoleName),
    /// What a client would say
    #[error(transparent)]
    Tuf(#[from] TufError),
}

/// A repository judged as clients judge it.
#[derive(Debug)]
pub(crate) struct Judged {
    /// The state at `at`
    pub(crate) current: Result<Current, Fault>,
    /// The moment for which it was judged: the present one, or the last one before a date passed
    pub(crate) at: Timestamp,
}

/// What a client that comes for the first time believes at `now`, or believed last.
pub(crate) fn judge(gun: &str, files: &Files, now: Timestamp) -> Judged {
    let mut at = now;
    let mut current = climb(gun, files, at);
    let fault = current.as_ref().err().cloned();
    for _ in 0..MOST_DATES {
        let Err(Fault::Tuf(TufError::Expired { expired, .. })) = &current else {
            break;
        };
        at = before(*expired);
        current = climb(gun, files, at);
    }
    match (current, fault) {
        (Ok(current), _) => Judged {
            current: Ok(current),
            at,
        },
        // What stood against it first says more than what stands against it in the past.
        (Err(last), first) => Judged {
            current: Err(first.unwrap_or(last)),
            at: now,
        },
    }
}

fn climb(gun: &str, files: &Files, at: Timestamp) -> Result<Current, Fault> {
    let floor = Floor::default();
    let set = Rooted::kept(gun, file(files, &RoleName::root())?)?
        .timestamp(file(files, &RoleName::timestamp())?, &floor, at)?
        .snapshot(file(files, &RoleName::snapshot())?, &floor, at)?;
    let mut walk = set.walk(floor, at)?;
    while let Some((role, _)) = walk.wanted() {
        walk.accept(file(files, &role)?)?;
    }
    Ok(walk.finish()?)
}

fn file<'f>(files: &'f Files, role: &RoleName) -> Result<&'f [u8], Fault> {
    match files.get(role) {
        Some(file) => Ok(&file.bytes),
        None => Err(Fault::Missing(role.clone())),
    }
}

fn before(expired: Timestamp) -> Timestamp {
    let second = SignedDuration::from_secs(1);
    expired.saturating_sub(second).unwrap_or(Timestamp::MIN)
}

/// The four base files and the root's certificates have dates.
const MOST_DATES: usize = 5;
