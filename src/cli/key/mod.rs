//! `trust key`: private keys on this machine.

mod generate;

use super::failure::Failure;
use super::session::Session;
use clap::Subcommand;

/// Make, load and look at signing keys
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Generate(generate::Args),
}

pub(super) fn run(args: &Args, session: &Session) -> Result<(), Failure> {
    match &args.command {
        Command::Generate(args) => {
            generate::run(args, session).map_err(|failure| failure.doing("key generate"))
        }
    }
}
