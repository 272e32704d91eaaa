//! `trust repo`: repositories of signed tags.

mod delete;
mod init;
mod list;
mod pin;
mod renew;
mod show;

use super::failure::Failure;
use super::session::Session;
use clap::Subcommand;

/// Begin repositories of signed tags, look at them, keep them in force
#[derive(clap::Args)]
#[command(subcommand_required = true, arg_required_else_help = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Init(init::Args),
    List(list::Args),
    Pin(pin::Args),
    Show(show::Args),
    Renew(renew::Args),
    Delete(delete::Args),
}

pub(super) async fn run(args: &Args, session: &Session) -> Result<(), Failure> {
    let (done, doing, repository) = match &args.command {
        Command::Init(args) => (init::run(args, session).await, "init", &args.repository),
        Command::List(args) => (list::run(args, session).await, "list", &args.repository),
        Command::Pin(args) => (pin::run(args, session).await, "pin", &args.repository),
        Command::Show(args) => (show::run(args, session).await, "show", &args.repository),
        Command::Renew(args) => {
            let done = renew::run(args, session).await;
            return done.map_err(|failure| failure.doing("repo renew"));
        }
        Command::Delete(args) => (delete::run(args, session).await, "delete", &args.repository),
    };
    done.map_err(|failure| failure.doing(format!("repo {doing} {repository}")))
}
