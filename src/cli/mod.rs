//! The door: what people type, one command a file.

mod decision;
mod doctor;
mod failure;
mod gate;
mod globals;
mod hook;
mod inspect;
mod interrupt;
mod key;
mod name;
mod notice;
mod output;
mod plugin;
mod policy;
mod progress;
mod prompt;
mod pull;
mod repo;
mod revoke;
mod rules;
mod server;
mod service;
mod session;
mod sign;
mod signer;
mod table;
mod usage;
mod verify;
mod why;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use failure::Failure;
use globals::Globals;
use output::Output;
use plugin::Call;
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
    Repo(repo::Args),
    Sign(sign::Args),
    Revoke(revoke::Args),
    Inspect(inspect::Args),
    Verify(verify::Args),
    Pull(pull::Args),
    Why(why::Args),
    Server(server::Args),
    Policy(policy::Args),
    Gate(gate::Args),
    Hook(hook::Args),
    Doctor(doctor::Args),
}

/// Runs the program with these words, the first of which is its own name.
pub(crate) fn main(words: &[OsString]) -> ExitCode {
    let mut environment = Environment::capture();
    let (program, words) = words.split_first().unzip();
    let words = words.unwrap_or_default();
    if gate::containerd::is_called(program) {
        let words = gate::containerd::command(words);
        return start(&words, "trust", environment, false);
    }
    if !plugin::is_called(program) {
        return start(words, "trust", environment, false);
    }
    match plugin::read(words, &mut environment) {
        Ok(Call::Metadata(text)) => {
            let out = Output::new(&Globals::default(), true, environment.no_color);
            out.say(&text);
            ended(&out, Ok(()))
        }
        Ok(Call::Command { mut words, debug }) => {
            if debug {
                words.push("--verbose".into());
            }
            start(&words, "docker trust", environment, true)
        }
        Err(failure) => {
            let out = Output::new(&Globals::default(), true, environment.no_color);
            ended(&out, Err(failure))
        }
    }
}

/// Parses the command and runs it.
fn start(
    words: &[OsString],
    name: &'static str,
    mut environment: Environment,
    plugin: bool,
) -> ExitCode {
    let command = Cli::command().no_binary_name(true).bin_name(name);
    let parsed = command.try_get_matches_from(gate::containerd::with_two_dashes(words));
    let mut cli = match parsed.and_then(|matches| Cli::from_arg_matches(&matches)) {
        Ok(cli) => cli,
        Err(error) => return usage::answer(&error, plugin, environment.no_color),
    };
    if let Command::Gate(_) = cli.command {
        gate::settle(&mut cli.globals, &mut environment);
    }
    let session = Session::begin(cli.globals, environment, plugin);
    if session.globals.verbose {
        trace(session.out.has_colors());
    }
    let mut runtime = match cli.command {
        Command::Server(_) | Command::Gate(_) => tokio::runtime::Builder::new_multi_thread(),
        _ => tokio::runtime::Builder::new_current_thread(),
    };
    let runtime = runtime.enable_all().build();
    let done = match runtime {
        Ok(runtime) => runtime.block_on(async {
            tokio::select! {
                done = run(&cli.command, &session) => done,
                () = session.interrupt.pressed() => Err(Failure::unfinished("interrupted")),
            }
        }),
        Err(error) => Err(Failure::unfinished(error.to_string())),
    };
    ended(&session.out, done)
}

fn ended(out: &Output, done: Result<(), Failure>) -> ExitCode {
    let written = out.finish();
    match done.and(written) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            failure.tell(out);
            failure.exit_code()
        }
    }
}

async fn run(command: &Command, session: &Session) -> Result<(), Failure> {
    match command {
        Command::Key(args) => key::run(args, session).await,
        Command::Signer(args) => signer::run(args, session).await,
        Command::Repo(args) => repo::run(args, session).await,
        Command::Sign(args) => sign::run(args, session)
            .await
            .map_err(|failure| failure.doing("sign")),
        Command::Revoke(args) => revoke::run(args, session)
            .await
            .map_err(|failure| failure.doing(format!("revoke {}", args.image))),
        Command::Inspect(args) => inspect::run(args, session).await,
        Command::Verify(args) => verify::run(args, session).await,
        Command::Pull(args) => pull::run(args, session).await,
        Command::Why(args) => why::run(args, session)
            .await
            .map_err(|failure| failure.doing(format!("why {}", args.image))),
        Command::Server(args) => server::run(args, session).await,
        Command::Policy(args) => policy::run(args, session),
        Command::Gate(args) => gate::run(args, session).await,
        Command::Hook(args) => hook::run(args, session).await,
        Command::Doctor(args) => doctor::run(args, session).await,
    }
}

/// Says on standard error what this program does; what libraries do may hold secrets.
fn trace(colors: bool) {
    let targets = tracing_subscriber::EnvFilter::builder()
        .with_default_directive(LevelFilter::OFF.into())
        .parse_lossy("trust=debug,trust_store=debug");
    tracing_subscriber::fmt()
        .with_env_filter(targets)
        .with_ansi(colors)
        .with_writer(io::stderr)
        .init();
}
