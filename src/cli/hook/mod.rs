//! `trust hook`: wires a gate into an engine, undoes it, shows whether it holds.

mod ask;
mod call;
mod install;
mod place;
mod prove;
mod remove;
mod status;

use super::failure::Failure;
use super::session::Session;
use clap::Subcommand;
use trust::gate::install::{Refusal, RootError};

/// Wire a gate into an engine, and undo it
#[derive(clap::Args)]
#[command(subcommand_required = true, arg_required_else_help = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Install(Box<install::Args>),
    Remove(remove::Args),
    Status(status::Args),
    Prove(prove::Args),
    #[command(hide = true)]
    Call(call::Args),
}

pub(super) async fn run(args: &Args, session: &Session) -> Result<(), Failure> {
    let (done, doing) = match &args.command {
        Command::Install(args) => (install::run(args, session), "install"),
        Command::Remove(args) => (remove::run(args, session), "remove"),
        Command::Status(args) => (status::run(args, session), "status"),
        Command::Prove(args) => (prove::run(args, session), "prove"),
        Command::Call(args) => return call::run(args, session).await,
    };
    done.map_err(|failure| failure.doing(format!("hook {doing}")))
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        let failure = Self::wrong(refusal.to_string());
        match refusal.hint() {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    }
}

impl From<RootError> for Failure {
    fn from(error: RootError) -> Self {
        Self::unfinished(error.to_string())
    }
}
