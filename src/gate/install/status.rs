//! Whether a hook is still as it was installed.

use super::files::{Files, State};
use super::record::Record;
use std::path::Path;

/// How one path of a hook stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// As the hook wrote it
    Intact,
    /// As it was before the hook: it does nothing
    Undone,
    /// Somebody changed it since
    Changed,
    /// It is gone
    Missing,
}

/// How every path of a hook stands.
pub fn standing<'a>(record: &'a Record, files: &'a Files) -> Vec<(&'a Path, Standing)> {
    let of = |state: &State, before: &State, after: &State| {
        if state == after {
            Standing::Intact
        } else if *state == State::Absent {
            Standing::Missing
        } else if state == before {
            Standing::Undone
        } else {
            Standing::Changed
        }
    };
    let changes = record.changes.iter();
    changes
        .map(|it| {
            (
                it.path.as_path(),
                of(files.state(&it.path), &it.before, &it.after),
            )
        })
        .collect()
}
