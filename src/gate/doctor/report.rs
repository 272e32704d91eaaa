//! What the doctor says.

use serde::Serialize;

/// How a check came out; the later, the worse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Level {
    /// It is as it should be
    Pass,
    /// There is nothing to check
    Info,
    /// The doctor cannot see it; somebody has to
    Note,
    /// Images get by
    Warn,
}

impl Level {
    /// The word between brackets.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pass => "PASS",
            Self::Info => "INFO",
            Self::Note => "NOTE",
            Self::Warn => "WARN",
        }
    }
}

/// What a check found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Outcome {
    /// How it came out
    pub level: Level,
    /// What was found, a line each
    pub found: Vec<String>,
    /// How to mend it
    pub mend: Option<String>,
}

impl Outcome {
    /// All is well.
    pub fn pass() -> Self {
        Self {
            level: Level::Pass,
            found: Vec::new(),
            mend: None,
        }
    }

    /// Nothing to be checked, and why.
    pub fn info(why: impl Into<String>) -> Self {
        Self {
            level: Level::Info,
            found: vec![why.into()],
            mend: None,
        }
    }

    /// Well if nothing was found, else a warning.
    pub fn warn_of(found: Vec<String>, mend: &str) -> Self {
        Self::of(Level::Warn, found, mend)
    }

    /// Well if nothing was found, else this.
    pub fn of(level: Level, found: Vec<String>, mend: &str) -> Self {
        if found.is_empty() {
            return Self::pass();
        }
        Self {
            level,
            found,
            mend: Some(mend.to_owned()),
        }
    }
}

/// A check and its outcome.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// Its number
    pub id: String,
    /// What should be so
    pub title: &'static str,
    /// How it came out
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// Checks of one thing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Section {
    /// Its number
    pub id: String,
    /// What it is about
    pub title: &'static str,
    /// In order
    pub checks: Vec<Check>,
}

/// All that was checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// In order
    pub sections: Vec<Section>,
}

impl Report {
    /// How many checks came out so.
    pub fn count(&self, level: Level) -> usize {
        let checks = self.sections.iter().flat_map(|section| &section.checks);
        checks.filter(|check| check.outcome.level == level).count()
    }
}
