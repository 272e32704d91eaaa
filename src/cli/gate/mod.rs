//! `trust gate`: the trust decision behind the protocols of engines.

mod admission;
mod proxy;
mod start;

use super::failure::Failure;
use super::session::Session;
use clap::Subcommand;

/// Let engines run nothing that the policy refuses
#[derive(clap::Args)]
#[command(subcommand_required = true, arg_required_else_help = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Admission(admission::Args),
    Proxy(proxy::Args),
}

pub(super) async fn run(args: &Args, session: &Session) -> Result<(), Failure> {
    match &args.command {
        Command::Admission(args) => admission::run(args, session)
            .await
            .map_err(|failure| failure.doing("gate admission")),
        Command::Proxy(args) => proxy::run(args, session)
            .await
            .map_err(|failure| failure.doing("gate proxy")),
    }
}
