//! The `notary` client, working in the same trust directory as docker.

use std::process::Command;

use super::{
    home::Home,
    program,
    run::{Ran, run, run_with_input},
};

impl Home<'_> {
    /// Runs `notary` with the words of `line`.
    #[must_use = "a command that nobody checks proves nothing"]
    pub(crate) fn notary(&self, line: &str) -> Ran {
        run(self.notary_command(line))
    }

    /// Runs `notary` and feeds it `input`.
    #[must_use = "a command that nobody checks proves nothing"]
    pub(crate) fn notary_with_input(&self, line: &str, input: &str) -> Ran {
        run_with_input(self.notary_command(line), input)
    }

    fn notary_command(&self, line: &str) -> Command {
        let global = format!(
            "-s {} -d {} --tlscacert {}",
            self.lab.server.url(),
            self.trust_dir().display(),
            self.lab.ca().display(),
        );
        self.command(&program::find("notary"), &format!("{global} {line}"))
    }
}
