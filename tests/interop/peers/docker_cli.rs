//! The `docker` that comes first in PATH.

use std::{process::Command, sync::OnceLock};

use super::{
    home::Home,
    program,
    run::{Ran, run},
};

impl Home<'_> {
    /// Runs `docker` with the words of `line`.
    #[must_use = "a command that nobody checks proves nothing"]
    pub(crate) fn docker(&self, line: &str) -> Ran {
        run(self.command(&program::find("docker"), line))
    }

    /// Runs `docker` with content trust switched on.
    #[must_use = "a command that nobody checks proves nothing"]
    pub(crate) fn docker_trusting(&self, line: &str) -> Ran {
        self.with("DOCKER_CONTENT_TRUST", "1").docker(line)
    }
}

/// Which docker these tests compare with.
pub(crate) fn version() -> &'static str {
    static VERSION: OnceLock<String> = OnceLock::new();
    VERSION.get_or_init(|| {
        let output = Command::new(program::find("docker"))
            .arg("--version")
            .output();
        let text = String::from_utf8_lossy(&output.expect("docker --version").stdout).into_owned();
        text.trim().to_owned()
    })
}
