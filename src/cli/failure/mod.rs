//! What is said when a command fails, and how the program ends then.

mod causes;

use super::output::Output;
use std::{io, process::ExitCode};
use trust::{
    policy::{Judgement, Reason, Verdict},
    repository::Kind,
};

/// Why a command did not do what was asked.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    kind: Kind,
    doing: Doing,
    wrong: String,
    reason: Option<Reason>,
    hint: Option<String>,
    code: Option<u8>,
}

/// What was being done.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Doing {
    /// Nobody has said yet
    Unsaid,
    /// In our words, which Docker's users do not expect
    Ours(String),
    /// In Docker's words
    Dockers(String),
}

impl Failure {
    /// Something in the command, or a file it names, is wrong.
    pub(crate) fn wrong(words: impl Into<String>) -> Self {
        Self::of(Kind::Wrong, words)
    }

    /// The answer is no.
    pub(crate) fn refused(words: impl Into<String>) -> Self {
        Self::of(Kind::Refused, words)
    }

    /// Network, server or disk did not let it happen.
    pub(crate) fn unfinished(words: impl Into<String>) -> Self {
        Self::of(Kind::Unfinished, words)
    }

    /// The end of a command that has said already what failed.
    pub(crate) fn told(kind: Kind) -> Self {
        Self::of(kind, "")
    }

    /// A failure of this kind.
    pub(crate) fn of(kind: Kind, words: impl Into<String>) -> Self {
        Self {
            kind,
            doing: Doing::Unsaid,
            wrong: words.into(),
            reason: None,
            hint: None,
            code: None,
        }
    }

    /// Another program, run in our place, has said what failed and ended with this code.
    pub(crate) fn passed_on(code: i32) -> Self {
        Self {
            code: u8::try_from(code).ok().filter(|code| *code > 0),
            ..Self::told(Kind::Unfinished)
        }
    }

    /// Names what was being done, unless that is known more exactly already.
    #[must_use]
    pub(crate) fn doing(mut self, doing: impl Into<String>) -> Self {
        if self.doing == Doing::Unsaid {
            self.doing = Doing::Ours(doing.into());
        }
        self
    }

    /// Names what was being done in Docker's words, around those that are there already.
    #[must_use]
    pub(crate) fn after(mut self, words: &str) -> Self {
        if let Doing::Dockers(inner) = &self.doing {
            self.wrong = format!("{inner}: {}", self.wrong);
        }
        self.doing = Doing::Dockers(words.to_owned());
        self
    }

    /// Says it in other words.
    #[must_use]
    pub(crate) fn saying(mut self, words: impl Into<String>) -> Self {
        self.wrong = words.into();
        self
    }

    /// Says what to do about it.
    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds the code programs go by.
    #[must_use]
    pub(crate) fn because(mut self, reason: Reason) -> Self {
        self.reason = Some(reason);
        self
    }

    /// What kind of no this is.
    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    /// The code programs go by.
    pub(crate) fn reason(&self) -> Option<Reason> {
        self.reason
    }

    /// What is wrong, without what was being done.
    pub(crate) fn words(&self) -> &str {
        &self.wrong
    }

    /// Prints the failure; Docker's users get Docker's bare words.
    pub(crate) fn tell(&self, out: &Output) {
        if self.wrong.is_empty() {
            return;
        }
        let wrong = without_innards(&self.wrong);
        let line = match &self.doing {
            Doing::Ours(doing) if !out.is_plugin() => format!("{doing}: {wrong}"),
            Doing::Dockers(doing) => format!("{doing}: {wrong}"),
            _ => wrong,
        };
        match self.reason {
            _ if out.is_plugin() => out.complain(&line),
            Some(reason) => out.complain_as("trust:", &format!("{line} [{reason}]")),
            None => out.complain_as("trust:", &line),
        }
        if let Some(hint) = &self.hint {
            out.complain_as("hint:", hint);
        }
    }

    /// How the program ends.
    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(self.code.unwrap_or_else(|| code_of(self.kind)))
    }
}

/// The kind of several failures together: a refusal outweighs a mistake, a mistake an accident.
pub(crate) fn worst(kinds: impl IntoIterator<Item = Kind>) -> Option<Kind> {
    kinds.into_iter().min_by_key(|kind| code_of(*kind))
}

fn code_of(kind: Kind) -> u8 {
    match kind {
        Kind::Refused => 1,
        Kind::Wrong => 2,
        Kind::Unfinished => 3,
    }
}

/// Words without the numbers of the system's errors and the names of temporary files.
fn without_innards(words: &str) -> String {
    INNARDS.iter().fold(words.to_owned(), |words, (from, to)| {
        let mut parts = words.split(from);
        let first = parts.next().unwrap_or_default().to_owned();
        parts.fold(first, |text, part| {
            text + part.split_once(to).map_or(part, |(_, rest)| rest)
        })
    })
}

/// What the system said, as Docker's language words it.
pub(crate) fn in_gos_words(error: &io::Error) -> String {
    let words = error.to_string();
    let words = words.split(" (os error").next().unwrap_or_default();
    let mut letters = words.chars();
    let first = letters.next().map(|first| first.to_ascii_lowercase());
    first.into_iter().chain(letters).collect()
}

/// A judgement against an image as a failure; none if it is trusted.
pub(crate) fn verdict(judgement: &Judgement, hint: Option<&String>) -> Option<Failure> {
    let kind = match judgement.verdict {
        Verdict::Trusted => return None,
        Verdict::Refused => Kind::Refused,
        Verdict::Undecided => Kind::Unfinished,
    };
    Some(Failure {
        kind,
        doing: Doing::Unsaid,
        wrong: judgement.message.clone(),
        reason: judgement.reason,
        hint: hint.cloned(),
        code: None,
    })
}

/// How such words begin and end.
const INNARDS: [(&str, &str); 2] = [(" (os error ", ")"), (" at path \"", "\"")];

#[cfg(test)]
mod tests {
    use super::*;

    fn line(failure: &Failure) -> String {
        match &failure.doing {
            Doing::Unsaid => failure.wrong.clone(),
            Doing::Ours(doing) | Doing::Dockers(doing) => format!("{doing}: {}", failure.wrong),
        }
    }

    #[test]
    fn dockers_words_nest_and_are_not_overwritten() {
        let failure = Failure::wrong("no key")
            .after("could not decrypt")
            .after("error importing")
            .doing("key load");
        assert_eq!(line(&failure), "error importing: could not decrypt: no key");
        let failure = Failure::wrong("bad").doing("sign a").doing("sign");
        assert_eq!(line(&failure), "sign a: bad");
    }

    #[test]
    fn a_refusal_outweighs_everything() {
        use Kind::{Refused, Unfinished, Wrong};
        assert_eq!(worst([]), None);
        assert_eq!(worst([Unfinished, Wrong]), Some(Wrong));
        assert_eq!(worst([Unfinished, Refused, Wrong]), Some(Refused));
    }

    #[test]
    fn the_system_speaks_as_to_docker() {
        let error = io::Error::from_raw_os_error(2);
        assert_eq!(in_gos_words(&error), "no such file or directory");
    }
}
