//! What is said about a command line that no command understands.

use super::{failure::Failure, globals::Globals, output::Output};
use clap::error::ErrorKind;
use std::process::ExitCode;

/// Prints the help that was asked for, or what is wrong with the command line.
pub(super) fn answer(error: &clap::Error, plugin: bool, no_color: bool) -> ExitCode {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            // Where nobody can be told, nobody can be told that either.
            let _ = error.print();
            ExitCode::SUCCESS
        }
        // Help that nobody asked for is an error, but no less readable; for Docker it is none.
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            let _ = error.print();
            ExitCode::from(if plugin { 0 } else { 2 })
        }
        _ => {
            let failure = failure(&error.render().to_string());
            failure.tell(&Output::new(&Globals::default(), plugin, no_color));
            failure.exit_code()
        }
    }
}

/// The paragraphs of a parser's error: what is wrong, then tips, then the usage.
fn failure(text: &str) -> Failure {
    let mut paragraphs = text.split("\n\n").map(on_one_line);
    let wrong = paragraphs.next().unwrap_or_default();
    let wrong = wrong.strip_prefix("error: ").unwrap_or(&wrong).to_owned();
    let rest: Vec<String> = paragraphs.collect();
    let failure = Failure::wrong(wrong).doing("command line");
    let hint = HINTS.iter().find_map(|(label, before)| {
        let found = rest.iter().find_map(|text| text.strip_prefix(label))?;
        Some(format!("{before}{found}"))
    });
    match hint {
        Some(hint) => failure.hint(hint),
        None => failure.hint("--help says more"),
    }
}

fn on_one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// How the paragraphs worth repeating begin, the most helpful first, and what replaces that.
const HINTS: [(&str, &str); 2] = [("tip: a similar", "a similar"), ("Usage: ", "usage: ")];

#[cfg(test)]
mod tests {
    use super::on_one_line;

    #[test]
    fn lists_join_their_sentence() {
        assert_eq!(on_one_line("needed:\n  <A>\n  <B>"), "needed: <A> <B>");
    }
}
