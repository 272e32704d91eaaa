//! `trust gate admission`

use super::start::GateArgs;
use crate::cli::failure::Failure;
use crate::cli::service;
use crate::cli::session::Session;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use trust::gate::admission::{Admission, ExtraPath};
use trust::listen::{self, Limits, Listener};
use trust::server::settings::LogSettings;

/// Have Kubernetes run nothing that the policy refuses
///
/// An admission webhook: POST /mutate pins signed images to their digests, POST /validate refuses
/// pods whose images are not pinned. Both refuse what the policy refuses. SIGTERM and Ctrl-C let
/// requests in flight finish; SIGHUP reads the policy and the certificate again.
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    gate: GateArgs,
    /// Address to listen on; without one before the colon, on all
    #[arg(long, value_name = "ADDR", default_value = ":8443")]
    listen: String,
    /// Certificate of the webhook, with those that vouch for it
    #[arg(long, value_name = "FILE")]
    tls_cert: PathBuf,
    /// Private key of the certificate
    #[arg(long, value_name = "FILE")]
    tls_key: PathBuf,
    /// Authority of the API server's client certificate; nobody else is let in
    #[arg(long, value_name = "FILE")]
    client_ca: Option<PathBuf>,
    /// More places of images: GROUP/KIND:/PATH, in which * stands for every item
    #[arg(long = "extra-path", value_name = "PATH")]
    extra_paths: Vec<ExtraPath>,
}

pub(super) async fn run(args: &Args, session: &Session) -> Result<(), Failure> {
    service::log::begin(&LogSettings::default(), session.out.has_colors());
    let gate = args.gate.gate(LONGEST, session)?;
    let policy = args.gate.policy_file(session)?;
    let (certificate, key) = (args.tls_cert.clone(), args.tls_key.clone());
    let tls = service::tls(certificate, key, args.client_ca.clone())?;
    let listener = listen::bind(&args.listen).await;
    let unfinished =
        |error| Failure::unfinished(format!("cannot listen on {}: {error}", args.listen));
    let listener = listener.map_err(unfinished)?;
    let address = listener.local_addr().map_err(unfinished)?;
    service::say_ready(&format!("https://{address}"), session)?;
    let chores = [
        tokio::spawn(GateArgs::reload(gate.clone(), policy)),
        tokio::spawn(service::warn_of_expiry(Some(tls.clone()))),
        tokio::spawn({
            let tls = tls.clone();
            service::at_hangup(move || service::reload(Some(&tls)))
        }),
    ];
    let admission = Arc::new(Admission::new(gate, args.extra_paths.clone()));
    let service = move |request, _| {
        let admission = Arc::clone(&admission);
        async move { admission.answer(request).await }
    };
    let (listener, limits) = (Listener::Tcp(listener), Limits::default());
    listen::serve(
        None,
        listener,
        Some(tls),
        limits,
        service,
        service::stopped(),
    )
    .await;
    for chore in chores {
        chore.abort();
    }
    Ok(())
}

/// The API server waits no longer, and says in each request how long it waits.
const LONGEST: Duration = Duration::from_secs(30);
