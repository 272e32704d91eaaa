//! The hook of people's shells: a function named docker that honours `DOCKER_CONTENT_TRUST`.
//!
//! Docker's own program ignores that variable since version 29. The function hands every word to
//! this program, which hands it on to Docker's: what is signed is named with its digest then.

mod command_line;
mod dockerfile;
mod flags;

pub use command_line::{Build, Call, Mention, read};
pub use dockerfile::{Dockerfile, NotUnderstood};

use super::files::Files;
use super::plan::Plan;
use super::{Refusal, Wanted};
use std::path::{Path, PathBuf};

/// A shell people type into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shell {
    /// The Bourne-Again shell
    Bash,
    /// The Z shell
    Zsh,
    /// The friendly interactive shell
    Fish,
}

impl Shell {
    /// Every shell there is a function for.
    pub const ALL: [Self; 3] = [Self::Bash, Self::Zsh, Self::Fish];

    /// What it is called.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bash => "bash",
            Self::Zsh => "zsh",
            Self::Fish => "fish",
        }
    }

    /// The file an interactive shell reads.
    pub fn file(self, home: &Path) -> PathBuf {
        home.join(match self {
            Self::Bash => ".bashrc",
            Self::Zsh => ".zshrc",
            Self::Fish => ".config/fish/conf.d/trust.fish",
        })
    }

    /// What shows that somebody uses it.
    fn trace(self, home: &Path) -> PathBuf {
        match self {
            Self::Fish => home.join(".config/fish"),
            other => other.file(home),
        }
    }

    /// The function between its marks.
    pub fn block(self, program: &Path) -> String {
        let program = program.display().to_string();
        let function = match self {
            Self::Bash | Self::Zsh => format!(
                "unalias docker 2>/dev/null || true\nfunction docker {{\n    {} hook call -- \"$@\"\n}}\n",
                quoted(&program, r"'\''")
            ),
            Self::Fish => format!(
                "function docker\n    {} hook call -- $argv\nend\n",
                quoted(&program.replace('\\', r"\\"), r"\'")
            ),
        };
        format!("{BEGIN}\n{ABOUT}{function}{END}\n")
    }
}

/// What is wanted.
#[derive(Clone, Debug)]
pub struct Options {
    /// Shells; empty: those that are used here
    pub shells: Vec<Shell>,
    /// The person's home folder
    pub home: PathBuf,
    /// The program the function calls
    pub program: PathBuf,
}

/// What has to be looked at before planning.
pub fn wanted(home: &Path) -> Vec<Wanted> {
    let files = Shell::ALL.iter().map(|shell| shell.file(home));
    let traces = Shell::ALL.iter().map(|shell| shell.trace(home));
    files.chain(traces).map(Wanted::Content).collect()
}

/// What has to be written so that the function is there.
///
/// # Errors
/// No shell is used here, or its file cannot be read.
pub fn plan(files: &Files, options: &Options) -> Result<Plan, Refusal> {
    let mut plan = Plan::default();
    let home = &options.home;
    let used = |shell: &Shell| *files.state(&shell.trace(home)) != super::State::Absent;
    let mut shells = options.shells.clone();
    if shells.is_empty() {
        shells.extend(Shell::ALL.iter().filter(|shell| used(shell)));
    }
    if shells.is_empty() {
        let words = "there is no file of a shell in the home folder; name one with --shell";
        return Err(Refusal::Option(words.into()));
    }
    for shell in shells {
        let path = shell.file(home);
        let text = files.text(&path)?.unwrap_or_default();
        let mut text = match without_block(text) {
            Some(without) => without,
            None if has_block(text) => return Err(Refusal::Changed { path }),
            None => text.to_owned(),
        };
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        text.push_str(&shell.block(&options.program));
        plan.write(files, &path, &text, 0o644);
    }
    plan.next.push("start a new shell".into());
    Ok(plan)
}

/// Whether there is a mark of ours.
pub(super) fn has_block(text: &str) -> bool {
    text.lines().any(|line| line == BEGIN || line == END)
}

/// The text without our block; none if there is none, or its marks do not fit.
pub(super) fn without_block(text: &str) -> Option<String> {
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let places = |mark: &str| -> Vec<usize> {
        let marked = lines.iter().enumerate();
        marked
            .filter(|(_, line)| line.trim_end_matches('\n') == mark)
            .map(|(at, _)| at)
            .collect()
    };
    match (places(BEGIN).as_slice(), places(END).as_slice()) {
        ([begin], [end]) if begin < end => {
            let (before, after) = (lines.get(..*begin)?, lines.get(end + 1..)?);
            Some([before.concat(), after.concat()].concat())
        }
        _ => None,
    }
}

fn quoted(word: &str, quote: &str) -> String {
    format!("'{}'", word.replace('\'', quote))
}

const BEGIN: &str = "# >>> trust >>>";
const END: &str = "# <<< trust <<<";
const ABOUT: &str = "\
# Written by `trust hook install shell`; `trust hook remove shell` takes it away.
# With DOCKER_CONTENT_TRUST=1, docker pull, run, create and build take signed images only.
";

#[cfg(test)]
mod tests {
    use super::*;

    fn options(shells: &[Shell]) -> Options {
        Options {
            shells: shells.to_vec(),
            home: "/home/a".into(),
            program: "/opt/it's/trust".into(),
        }
    }

    #[test]
    fn the_block_goes_in_once_and_out_again() {
        for before in ["", "alias x=y\n", "alias x=y"] {
            let files = Files::default().with("/home/a/.bashrc", before);
            let once = plan(&files, &options(&[])).unwrap().outcome(&files);
            let twice = plan(&once, &options(&[])).unwrap();
            assert!(twice.changes.is_empty(), "{}", twice.diff());
            let text = once.text(Path::new("/home/a/.bashrc")).unwrap().unwrap();
            let left = without_block(text).unwrap();
            assert_eq!(left.trim_end(), before.trim_end());
        }
    }

    #[test]
    fn a_block_that_was_torn_is_not_guessed_at() {
        let block = Shell::Bash.block(Path::new("/trust"));
        for text in [
            block.replace(END, ""),
            block.replace(BEGIN, ""),
            format!("{block}{block}"),
        ] {
            assert_eq!(without_block(&text), None);
            let files = Files::default().with("/home/a/.bashrc", &text);
            assert!(plan(&files, &options(&[])).is_err(), "{text}");
        }
    }

    #[test]
    fn a_shell_has_to_be_known() {
        assert!(plan(&Files::default(), &options(&[])).is_err());
        let plan = plan(&Files::default(), &options(&[Shell::Fish])).unwrap();
        assert!(
            plan.diff()
                .contains(r"'/opt/it\'s/trust' hook call -- $argv")
        );
    }
}
