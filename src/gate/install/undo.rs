//! The way back: every file as it was, or without our part where others changed it since.

use super::files::{Files, State};
use super::plan::{Change, Plan};
use super::record::Record;
use super::{Refusal, daemon_json, docker, shell};
use std::path::Path;

/// What has to be written so that a hook is gone.
///
/// # Errors
/// Somebody else changed the very lines that are ours.
pub fn undo(record: &Record, files: &Files) -> Result<Plan, Refusal> {
    let mut plan = Plan::default();
    // The last change is undone first: what starts a gate goes before what asks it comes back.
    for (change, earlier) in record.ours().into_iter().rev() {
        let now = files.state(&change.path);
        if *now == change.before {
            continue;
        }
        let is_ours = *now == change.after || earlier.is_some_and(|it| *now == it.after);
        let before = if is_ours {
            change.before.clone()
        } else {
            plan.notes.push(format!(
                "{} was changed since; only what is ours goes",
                change.path.display()
            ));
            taken_out(change, now)?
        };
        plan.change(files, change.path.clone(), before);
    }
    Ok(plan)
}

/// What stands there now, without our part.
fn taken_out(change: &Change, now: &State) -> Result<State, Refusal> {
    let refusal = || Refusal::Changed {
        path: change.path.clone(),
    };
    let State::File { bytes, mode } = now else {
        return match now {
            // Somebody took it away, and what was there before us went with it.
            State::Absent => Ok(State::Absent),
            _ => Err(refusal()),
        };
    };
    let text = |state: &State| match state {
        State::File { bytes, .. } => str::from_utf8(bytes).ok().map(str::to_owned),
        State::Absent => Some(String::new()),
        _ => None,
    };
    let before = text(&change.before).ok_or_else(refusal)?;
    let after = text(&change.after).ok_or_else(refusal)?;
    let now = str::from_utf8(bytes).map_err(|_| refusal())?;
    let left = if now == after {
        Some(before.clone())
    } else {
        without(&change.path, &before, &after, now)
    };
    let left = left.ok_or_else(refusal)?;
    // Whatever mode somebody gave it since is theirs, unless only the bytes are.
    let mode = match (&change.before, &change.after) {
        (State::File { mode: old, .. }, State::File { mode: ours, .. }) if ours == mode => *old,
        _ => *mode,
    };
    if left.is_empty() && change.before == State::Absent {
        return Ok(State::Absent);
    }
    Ok(State::File {
        bytes: left.into_bytes(),
        mode,
    })
}

fn without(path: &Path, before: &str, after: &str, now: &str) -> Option<String> {
    if shell::has_block(after) {
        return shell::without_block(now);
    }
    if path.extension().is_some_and(|it| it == "json") {
        let had = daemon_json::settings(before).ok()?;
        let ours = !had.contains_key("authorization-plugins");
        return daemon_json::without_plugin(now, docker::PLUGIN, ours).ok();
    }
    super::merge::without(before, after, now)
}
