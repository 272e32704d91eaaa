//! `trust gate authz`

use super::start::GateArgs;
use crate::cli::failure::Failure;
use crate::cli::service;
use crate::cli::session::Session;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use trust::gate::authz::{Authz, Registries, bind};
use trust::listen::{self, Limits, Listener};
use trust::server::settings::LogSettings;

/// Be asked by the Docker Engine before it pulls, loads, builds or runs anything
///
/// The engine finds the plugin by the name of its socket, as in `dockerd
/// --authorization-plugin=trust`, and has to be started after it. SIGHUP reads the policy again.
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    gate: GateArgs,
    /// Socket to listen on; one that a process left which is gone is replaced
    #[arg(
        long,
        value_name = "PATH",
        default_value = "/run/docker/plugins/trust.sock"
    )]
    socket: PathBuf,
}

pub(super) async fn run(args: &Args, session: &Session) -> Result<(), Failure> {
    service::log::begin(&LogSettings::default(), session.out.has_colors());
    let gate = args.gate.gate(DECISION, session)?;
    let registries = Registries::new(session.docker()?, session.globals.tls_ca.clone());
    let authz = Authz::new(gate.clone(), registries, session.engine_endpoint()?);
    let (listener, _file) = bind(&args.socket).map_err(|error| {
        Failure::unfinished(format!(
            "cannot listen on {}: {error}",
            args.socket.display()
        ))
    })?;
    let policy = args.gate.policy_file(session)?;
    let reloading = tokio::spawn(GateArgs::reload(gate, policy));
    let stopped = service::stopped();
    service::say_ready(&format!("unix://{}", args.socket.display()), session)?;
    let authz = Arc::new(authz);
    let service = move |request, _| {
        let authz = Arc::clone(&authz);
        async move { authz.answer(request).await }
    };
    let listener = Listener::Unix(listener);
    listen::serve(None, listener, None, limits(), service, stopped).await;
    reloading.abort();
    Ok(())
}

fn limits() -> Limits {
    Limits {
        connections: CONNECTIONS,
        ..Limits::default()
    }
}

/// For one image; the whole answer takes no longer than [`trust::gate::authz::DEADLINE`].
const DECISION: Duration = Duration::from_millis(800);
/// The engine opens one for each request it is working on.
const CONNECTIONS: u32 = 256;
