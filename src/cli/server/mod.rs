//! `trust server`: a trust server in place of notary-server, notary-signer and their database.

mod backup;
mod certs;
mod init;
mod prepare;
mod prune;
mod rekey;
mod restore;
mod run;
mod site;
mod user;

use super::failure::Failure;
use super::session::Session;
use clap::Subcommand;

/// Run a trust server and look after it
#[derive(clap::Args)]
#[command(subcommand_required = true, arg_required_else_help = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Init(init::Args),
    Run(run::Args),
    Certs(certs::Args),
    User(user::Args),
    Rekey(rekey::Args),
    Backup(backup::Args),
    Restore(restore::Args),
    Prune(prune::Args),
}

pub(super) async fn run(args: &Args, session: &Session) -> Result<(), Failure> {
    let (done, doing) = match &args.command {
        Command::Init(args) => (init::run(args, session).await, "init"),
        Command::Certs(args) => (certs::run(args, session), "certs"),
        Command::Run(args) => (run::run(args, session).await, "run"),
        Command::User(args) => (user::run(args, session).await, "user"),
        Command::Rekey(args) => (rekey::run(args, session).await, "rekey"),
        Command::Backup(args) => (backup::run(args, session).await, "backup"),
        Command::Restore(args) => (restore::run(args, session).await, "restore"),
        Command::Prune(args) => (prune::run(args, session).await, "prune"),
    };
    done.map_err(|failure| failure.doing(format!("server {doing}")))
}
