//! `trust delegation`: roles below `targets`, at any depth.

mod add;
mod list;
mod purge;
mod remove;

use super::failure::Failure;
use super::session::Session;
use clap::Subcommand;

/// Change and list who may sign which tags, at any depth
#[derive(clap::Args)]
#[command(subcommand_required = true, arg_required_else_help = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Add(add::Args),
    Remove(remove::Args),
    List(list::Args),
    Purge(purge::Args),
}

pub(super) async fn run(args: &Args, session: &Session) -> Result<(), Failure> {
    let (done, doing, repository) = match &args.command {
        Command::Add(args) => (add::run(args, session).await, "add", &args.repository),
        Command::Remove(args) => (remove::run(args, session).await, "remove", &args.repository),
        Command::List(args) => (list::run(args, session).await, "list", &args.repository),
        Command::Purge(args) => (purge::run(args, session).await, "purge", &args.repository),
    };
    done.map_err(|failure| failure.doing(format!("delegation {doing} {repository}")))
}

/// Paths as notary shows them.
fn shown(path: &str) -> &str {
    match path {
        "" => "\"\" <all paths>",
        path => path,
    }
}
