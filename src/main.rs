//! The `trust` program, and by another name the Docker CLI plugin `docker-trust`.
#![forbid(unsafe_code)]

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main(std::env::args_os().collect())
}
