//! docs/recovery.md as people follow it: its sections, and the commands in each.

use std::{collections::VecDeque, fs, path::Path};

use crate::peers::{home::Home, run::Ran, terminal::Terminal};

/// The commands of one section, in order, and what the words in them stand for.
pub(super) struct Way {
    heading: String,
    commands: VecDeque<String>,
    words: Vec<(&'static str, String)>,
}

impl Way {
    /// The section with this heading.
    pub(super) fn of(heading: &str) -> Self {
        let page = page();
        let mut sections = page.split("\n## ");
        let section = sections
            .find(|section| section.lines().next() == Some(heading))
            .unwrap_or_else(|| panic!("no section {heading:?}"));
        let lines = section.lines().filter_map(|line| line.strip_prefix("    "));
        Self {
            heading: heading.to_owned(),
            commands: lines.map(command).collect(),
            words: Vec::new(),
        }
    }

    /// From here on `word` stands for `meaning`.
    pub(super) fn with(&mut self, word: &'static str, meaning: impl Into<String>) -> &mut Self {
        self.words.retain(|(other, _)| *other != word);
        self.words.push((word, meaning.into()));
        self
    }

    /// Runs the next command on this machine.
    #[must_use = "a command that nobody checks proves nothing"]
    pub(super) fn next(&mut self, home: &Home<'_>) -> Ran {
        let line = self.line();
        home.trust(&line)
    }

    /// Runs the next command on a terminal, where a person reads what it asks and says yes.
    pub(super) fn next_with_a_yes(&mut self, home: &Home<'_>, question: &str) -> String {
        let line = self.line();
        let mut terminal = Terminal::start(home.trust_command(&line));
        terminal.shows(question).types("y");
        terminal.ends(0)
    }

    /// The next command, for others than whoever runs it next.
    pub(super) fn peek(&self) -> String {
        let line = self.commands.front();
        self.meant(line.unwrap_or_else(|| panic!("{}: no more commands", self.heading)))
    }

    /// All commands of the section were run.
    pub(super) fn ends(self) {
        let (heading, left) = (self.heading, self.commands);
        assert!(left.is_empty(), "{heading}: not run: {left:?}");
    }

    fn line(&mut self) -> String {
        let line = self.peek();
        self.commands.pop_front();
        line
    }

    fn meant(&self, line: &str) -> String {
        let mut line = line.to_owned();
        for (word, meaning) in &self.words {
            line = line.replace(word, meaning);
        }
        line
    }
}

/// The headings of the page, in order.
pub(super) fn headings() -> Vec<String> {
    let page = page();
    let headings = page.lines().filter_map(|line| line.strip_prefix("## "));
    headings.map(str::to_owned).collect()
}

/// The words of a command, without the program's name and the remark behind it.
fn command(line: &str) -> String {
    let words = line.split(" #").next().unwrap_or_default().trim();
    let command = words.strip_prefix("trust ");
    command
        .unwrap_or_else(|| panic!("not a command of trust: {line:?}"))
        .to_owned()
}

fn page() -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/recovery.md");
    fs::read_to_string(file).expect("the page")
}
