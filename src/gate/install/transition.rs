//! From what is there now to an installed hook, whether one is installed already or not.

use super::files::{Files, State};
use super::plan::{Change, Plan};
use super::record::Record;
use super::{Refusal, undo};
use std::path::PathBuf;

/// What is done, and what is remembered of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transition {
    /// What has to be written now
    pub plan: Plan,
    /// What the way back needs
    pub record: Record,
}

/// Plans a hook as if the one that is there had been removed first.
///
/// # Errors
/// Neither can be planned.
pub fn transition(
    engine: &str,
    files: &Files,
    installed: Option<&Record>,
    plan: impl FnOnce(&Files) -> Result<Plan, Refusal>,
) -> Result<Transition, Refusal> {
    let back = match installed {
        Some(record) => undo(record, files)?,
        None => Plan::default(),
    };
    let bare = back.outcome(files);
    let forth = plan(&bare)?;
    let done = forth.outcome(&bare);
    let mut paths: Vec<&PathBuf> = Vec::new();
    for change in back.changes.iter().chain(&forth.changes) {
        if !paths.contains(&&change.path) {
            paths.push(&change.path);
        }
    }
    let changes = paths.into_iter().map(|path| Change {
        path: path.clone(),
        before: files.state(path).clone(),
        after: done.state(path).clone(),
    });
    let changes = changes
        .filter(|change| change.before != change.after)
        .filter(|change| !matches!(change.after, State::Folder { .. }))
        .collect();
    let record = Record {
        engine: engine.to_owned(),
        changes: forth.changes.clone(),
        folders: installed.map(|it| it.folders.clone()).unwrap_or_default(),
        earlier: installed.map(|it| it.changes.clone()).unwrap_or_default(),
    };
    let mut plan = Plan { changes, ..forth };
    plan.notes.extend(back.notes);
    Ok(Transition { plan, record })
}
