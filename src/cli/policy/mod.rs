//! `trust policy`: what a policy says, before anything is decided by it.

mod check;
mod described;
mod explain;
mod words;

use super::failure::Failure;
use super::session::Session;
use clap::Subcommand;

/// Check a policy, and explain what it says of an image
#[derive(clap::Args)]
#[command(subcommand_required = true, arg_required_else_help = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Check(check::Args),
    Explain(explain::Args),
}

pub(super) fn run(args: &Args, session: &Session) -> Result<(), Failure> {
    let (done, doing) = match &args.command {
        Command::Check(args) => (check::run(args, session), "check"),
        Command::Explain(args) => (explain::run(args, session), "explain"),
    };
    done.map_err(|failure| failure.doing(format!("policy {doing}")))
}
