//! `trust gate`: the trust decision behind the protocols of engines.

mod admission;
mod authz;
pub(super) mod containerd;
mod proxy;
mod start;

use super::failure::Failure;
use super::globals::Globals;
use super::session::Session;
use clap::Subcommand;
use trust::config::Environment;

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
    Authz(authz::Args),
    ContainerdVerifier(containerd::Args),
    Proxy(proxy::Args),
}

pub(super) async fn run(args: &Args, session: &Session) -> Result<(), Failure> {
    let (done, doing) = match &args.command {
        Command::Admission(args) => (admission::run(args, session).await, "admission"),
        Command::Authz(args) => (authz::run(args, session).await, "authz"),
        Command::ContainerdVerifier(args) => {
            (containerd::run(args, session).await, "containerd-verifier")
        }
        Command::Proxy(args) => (proxy::run(args, session).await, "proxy"),
    };
    done.map_err(|failure| failure.doing(format!("gate {doing}")))
}

/// Where a service without a home looks, which system services are.
pub(super) fn settle(globals: &mut Globals, environment: &mut Environment) {
    if environment.home.is_some() || environment.docker_config.is_some() {
        return;
    }
    environment.docker_config = Some("/etc/trust".into());
    globals
        .trust_dir
        .get_or_insert_with(|| "/var/lib/trust".into());
}
