//! The only place that prints: results to standard output, all else to standard error.

use super::failure::Failure;
use super::globals::{Color, Format, Globals};
use serde::Serialize;
use std::{
    borrow::Cow,
    io::{self, ErrorKind, IsTerminal, Write},
    sync::Mutex,
};

/// Which streams are painted.
#[derive(Clone, Copy, Debug)]
struct Colors {
    /// Standard error
    talk: bool,
    /// Standard output
    results: bool,
}

/// A color, as terminals number it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Paint {
    /// For what is wrong
    Red = 31,
    /// For what is well
    Green = 32,
    /// For what somebody has to look at
    Yellow = 33,
    /// For all else
    Blue = 34,
}

/// Where everything that is printed goes.
pub(crate) struct Output {
    format: Format,
    quiet: bool,
    plugin: bool,
    colors: Colors,
    stdout: io::Stdout,
    stderr: io::Stderr,
    broken: Mutex<Option<io::Error>>,
}

impl Output {
    /// Output as the global options want it.
    pub(crate) fn new(globals: &Globals, plugin: bool, no_color: bool) -> Self {
        let colors = |terminal: bool| match globals.color {
            Color::Auto => terminal && !no_color,
            Color::Never => false,
            Color::Always => true,
        };
        Self {
            format: globals.format,
            quiet: globals.quiet,
            plugin,
            colors: Colors {
                talk: colors(io::stderr().is_terminal()),
                results: colors(io::stdout().is_terminal()),
            },
            stdout: io::stdout(),
            stderr: io::stderr(),
            broken: Mutex::new(None),
        }
    }

    /// Whether results are JSON.
    pub(crate) fn is_json(&self) -> bool {
        self.format == Format::Json
    }

    /// Whether only results and errors are wanted.
    pub(crate) fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// Whether standard error is painted.
    pub(crate) fn has_colors(&self) -> bool {
        self.colors.talk
    }

    /// Whether Docker's CLI called us, whose users know its words.
    pub(crate) fn is_plugin(&self) -> bool {
        self.plugin
    }

    /// How people call this program.
    pub(crate) fn program(&self) -> &'static str {
        if self.plugin { "docker trust" } else { "trust" }
    }

    /// Prints a line of the result; nothing where JSON is wanted.
    pub(crate) fn say(&self, line: &str) {
        self.text(&format!("{line}\n"));
    }

    /// Prints a result that has line ends of its own; nothing where JSON is wanted.
    pub(crate) fn text(&self, text: &str) {
        if !self.is_json() {
            self.write(&harmless(text));
        }
    }

    /// Prints a line of the result after a word in brackets; nothing where JSON is wanted.
    pub(crate) fn say_in(&self, color: Paint, word: &str, line: &str) {
        if self.is_json() {
            return;
        }
        // Whoever chose a name with a line end in it would write the next line too.
        let line = harmless(line).replace('\n', "\\n");
        if self.colors.results {
            let code = color as u8;
            self.write(&format!("\u{1b}[1;{code}m[{word}]\u{1b}[0m {line}\n"));
        } else {
            self.write(&format!("[{word}] {line}\n"));
        }
    }

    /// Prints the result as JSON, whatever form is wanted.
    pub(crate) fn json(&self, value: &impl Serialize) {
        match indented(value) {
            Ok(text) => self.write(&format!("{text}\n")),
            Err(error) => self.remember(error.into()),
        }
    }

    /// Remarks on what is going on; not when quiet.
    pub(crate) fn note(&self, line: &str) {
        if !self.quiet {
            self.complain(line);
        }
    }

    /// Warns; not when quiet.
    pub(crate) fn warn(&self, line: &str) {
        if !self.quiet {
            self.complain_as("warning:", line);
        }
    }

    /// Warns of something that touches what is trusted: also when quiet.
    pub(crate) fn warn_always(&self, line: &str) {
        self.complain_as("warning:", line);
    }

    /// Prints a line to standard error.
    pub(crate) fn complain(&self, line: &str) {
        // Where nobody can be told, nobody can be told that either.
        let _ = writeln!(self.stderr.lock(), "{}", harmless(line));
    }

    /// Prints a line with a label in front to standard error.
    pub(crate) fn complain_as(&self, label: &str, line: &str) {
        // Whoever chose a name with a line end in it would write the next line too.
        let line = harmless(line).replace('\n', "\\n");
        let painted = match label {
            _ if !self.colors.talk => Cow::Borrowed(label),
            "trust:" => format!("\u{1b}[1;31m{label}\u{1b}[0m").into(),
            "hint:" => format!("\u{1b}[1;36m{label}\u{1b}[0m").into(),
            _ => format!("\u{1b}[1;33m{label}\u{1b}[0m").into(),
        };
        let _ = writeln!(self.stderr.lock(), "{painted} {line}");
    }

    /// Asks on standard error; the answer comes on the same line.
    pub(crate) fn ask(&self, question: &str) {
        let mut stderr = self.stderr.lock();
        let _ = write!(stderr, "{}", harmless(question)).and_then(|()| stderr.flush());
    }

    /// Says whether every result could be written.
    pub(crate) fn finish(&self) -> Result<(), Failure> {
        if let Err(error) = self.stdout.lock().flush() {
            self.remember(error);
        }
        let broken = self.broken.lock().ok().and_then(|mut it| it.take());
        match broken {
            None => Ok(()),
            // The reader has seen enough.
            Some(error) if error.kind() == ErrorKind::BrokenPipe => Err(Failure::unfinished("")),
            Some(error) => Err(Failure::unfinished(format!(
                "could not write to standard output: {error}"
            ))),
        }
    }

    fn write(&self, text: &str) {
        if let Err(error) = self.stdout.lock().write_all(text.as_bytes()) {
            self.remember(error);
        }
    }

    fn remember(&self, error: io::Error) {
        if let Ok(mut broken) = self.broken.lock() {
            broken.get_or_insert(error);
        }
    }
}

/// JSON as Go prints it with an indent of four spaces.
fn indented(value: &impl Serialize) -> serde_json::Result<String> {
    let mut bytes = Vec::new();
    let formatter = serde_json::ser::PrettyFormatter::with_indent(b"    ");
    value.serialize(&mut serde_json::Serializer::with_formatter(
        &mut bytes, formatter,
    ))?;
    let text = String::from_utf8_lossy(&bytes);
    // Outside of strings none of these can stand, so this is how Go escapes them inside.
    let escapes = [
        ('<', "\\u003c"),
        ('>', "\\u003e"),
        ('&', "\\u0026"),
        ('\u{2028}', "\\u2028"),
        ('\u{2029}', "\\u2029"),
    ];
    Ok(escapes
        .iter()
        .fold(text.into_owned(), |text, (char, escape)| {
            text.replace(*char, escape)
        }))
}

/// Text that cannot steer the terminal: names come from servers, and so do their errors.
pub(super) fn harmless(text: &str) -> Cow<'_, str> {
    let harmful = |c: char| c.is_control() && c != '\n' && c != '\t';
    if !text.contains(harmful) {
        return Cow::Borrowed(text);
    }
    let escaped = text.chars().map(|c| {
        if harmful(c) {
            c.escape_default().to_string()
        } else {
            c.to_string()
        }
    });
    Cow::Owned(escaped.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_escaped_as_go_does() {
        let value = serde_json::json!({"a": ["<&>\u{2028}", []], "b": "\u{1}\n\u{8}\u{7f}"});
        let expected = "{\n    \"a\": [\n        \"\\u003c\\u0026\\u003e\\u2028\",\n        []\n    \
                        ],\n    \"b\": \"\\u0001\\n\\b\u{7f}\"\n}";
        assert_eq!(indented(&value).unwrap(), expected);
    }

    #[test]
    fn foreign_text_cannot_steer_the_terminal() {
        assert_eq!(harmless("tag\tone\n"), "tag\tone\n");
        assert_eq!(harmless("\u{1b}[2Jgone\r"), "\\u{1b}[2Jgone\\r");
    }
}
