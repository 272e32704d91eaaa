//! The `trust` program, and by another name the Docker CLI plugin `docker-trust`.
#![forbid(unsafe_code)]

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    let words: Vec<_> = std::env::args_os().collect();
    cli::main(&words)
}
