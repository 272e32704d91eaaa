//! What a hook changes: shown before it is done.

use super::files::{Files, State};
use similar::TextDiff;
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// One path, before and after.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Where, as the host names it
    pub path: PathBuf,
    /// What is there now
    pub before: State,
    /// What will be there
    pub after: State,
}

/// All that is done for a hook.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// What is written and removed, in this order
    pub changes: Vec<Change>,
    /// What people should know
    pub notes: Vec<String>,
    /// Commands that make it take effect
    pub next: Vec<String>,
    /// What is never shown
    pub secrets: Vec<String>,
}

impl Plan {
    /// Has a file hold these bytes; one that is there keeps its permissions.
    pub(super) fn write(&mut self, files: &Files, path: &Path, text: &str, mode: u32) {
        let path = files.behind(path);
        let mode = match files.state(&path) {
            State::File { mode, .. } => *mode,
            _ => mode,
        };
        let bytes = text.as_bytes().to_vec();
        self.change(files, path, State::File { bytes, mode });
    }

    /// Has a path be this, behind no link.
    pub(super) fn change(&mut self, files: &Files, path: PathBuf, after: State) {
        let before = files.state(&path).clone();
        if before != after {
            self.changes.push(Change {
                path,
                before,
                after,
            });
        }
    }

    /// The host's files once the plan is carried out.
    pub fn outcome(&self, files: &Files) -> Files {
        let mut files = files.clone();
        for change in &self.changes {
            files.put(&change.path, change.after.clone());
        }
        files
    }

    /// The changes as a unified diff, without secrets.
    pub fn diff(&self) -> String {
        let text: String = self.changes.iter().map(diff).collect();
        let hide = |text: String, secret: &String| text.replace(secret.as_str(), "********");
        self.secrets.iter().fold(text, hide)
    }
}

fn diff(change: &Change) -> String {
    let path = change.path.display().to_string();
    let name = |state: &State| match state {
        State::Absent => "/dev/null".to_owned(),
        _ => path.clone(),
    };
    let (before, after) = (shown(&change.before), shown(&change.after));
    let mut text = String::new();
    if let (State::File { mode: old, .. }, State::File { mode: new, .. }) =
        (&change.before, &change.after)
        && old != new
    {
        // Writing to a text does not fail.
        let _ = writeln!(text, "{path}: mode {old:04o} becomes {new:04o}");
    }
    let lines = TextDiff::from_lines(&before, &after);
    let names = (name(&change.before), name(&change.after));
    text + &lines.unified_diff().header(&names.0, &names.1).to_string()
}

/// A state as lines of text.
fn shown(state: &State) -> String {
    match state {
        State::Absent => String::new(),
        State::File { bytes, .. } => String::from_utf8_lossy(bytes).into_owned(),
        State::Link { to } => format!("-> {}\n", to.display()),
        State::Folder { .. } => "a folder\n".to_owned(),
        State::Unreadable(why) => format!("unreadable: {why}\n"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use snapbox::{assert_data_eq, str};

    #[test]
    fn the_diff_shows_all_but_secrets() {
        let files = Files::default().with("/etc/a", "one\ntwo\n");
        let mut plan = Plan::default();
        plan.write(&files, Path::new("/etc/a"), "one\nsesame\n", 0o600);
        plan.write(&files, Path::new("/etc/b"), "new\n", 0o600);
        let to = "/usr/bin/trust".into();
        plan.change(&files, "/opt/l".into(), State::Link { to });
        plan.secrets.push("sesame".into());
        assert_data_eq!(
            plan.diff(),
            str![[r#"
--- /etc/a
+++ /etc/a
@@ -1,2 +1,2 @@
 one
-two
+********
--- /dev/null
+++ /etc/b
@@ -0,0 +1 @@
+new
--- /dev/null
+++ /opt/l
@@ -0,0 +1 @@
+-> /usr/bin/trust

"#]]
        );
    }

    #[test]
    fn what_is_so_already_is_no_change() {
        let files = Files::default().with("/etc/a", "one\n");
        let mut plan = Plan::default();
        plan.write(&files, Path::new("/etc/a"), "one\n", 0o600);
        assert_eq!(plan, Plan::default());
    }
}
