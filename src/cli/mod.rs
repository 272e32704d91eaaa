//! The door: what people type, one command a file.

mod failure;
mod globals;
mod inspect;
mod key;
mod name;
mod notice;
mod output;
mod progress;
mod prompt;
mod session;
mod sign;
mod signer;
mod table;
mod usage;
mod verify;

use clap::{Parser, Subcommand};
use failure::Failure;
use globals::Globals;
use session::Session;
use std::{ffi::OsString, io, process::ExitCode};
use tracing_subscriber::filter::LevelFilter;
use trust::config::Environment;

/// Sign container images, and refuse the ones nobody signed
#[derive(Parser)]
#[command(name = "trust", version, max_term_width = 100)]
#[command(subcommand_required = true, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    globals: Globals,
}

#[derive(Subcommand)]
enum Command {
    Key(key::Args),
    Signer(signer::Args),
    Sign(sign::Args),
    Inspect(inspect::Args),
    Verify(verify::Args),
}

/// Runs the program with these words, the first of which is its own name.
pub(crate) fn main(words: Vec<OsString>) -> ExitCode {
    let environment = Environment::capture();
    match Cli::try_parse_from(words) {
        Ok(cli) => start(cli, environment, false),
        Err(error) => usage::answer(&error, environment.no_color),
    }
}

fn start(cli: Cli, environment: Environment, plugin: bool) -> ExitCode {
    let session = Session::begin(cli.globals, environment, plugin);
    if session.globals.verbose {
        trace();
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let done = match runtime {
        Ok(runtime) => runtime.block_on(run(&cli.command, &session)),
        Err(error) => Err(Failure::unfinished(error.to_string())),
    };
    let written = session.out.finish();
    match done.and(written) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            failure.tell(&session.out);
            failure.exit_code()
        }
    }
}

async fn run(command: &Command, session: &Session) -> Result<(), Failure> {
    match command {
        Command::Key(args) => key::run(args, session),
        Command::Signer(args) => signer::run(args, session).await,
        Command::Sign(args) => sign::run(args, session)
            .await
            .map_err(|failure| failure.doing("sign")),
        Command::Inspect(args) => inspect::run(args, session).await,
        Command::Verify(args) => verify::run(args, session).await,
    }
}

/// Says on standard error what this program does; what libraries do may hold secrets.
fn trace() {
    let targets = tracing_subscriber::EnvFilter::builder()
        .with_default_directive(LevelFilter::OFF.into())
        .parse_lossy("trust=debug,trust_store=debug");
    tracing_subscriber::fmt()
        .with_env_filter(targets)
        .with_writer(io::stderr)
        .init();
}
