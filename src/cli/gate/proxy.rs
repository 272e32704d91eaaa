//! `trust gate proxy`

use super::start::{GateArgs, period};
use crate::cli::failure::Failure;
use crate::cli::service::{self, log};
use crate::cli::session::Session;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use trust::config::DockerConfig;
use trust::gate::proxy::{Clients, Proxy, ReadDocker, Secret, Settings};
use trust::listen::{self, Limits, Listener, Tls, Workers};
use trust::quantity::Size;
use trust::server::settings::LogSettings;
use zeroize::Zeroizing;

/// Be the registry for any client: a tag brings the signed digest, or a refusal with its reason
///
/// The registry behind it is named by `?ns=HOST` (as containerd does) or by the first part of the
/// path (`/v2/HOST/team/app/…`). It is asked with the credentials of Docker's configuration here.
/// SIGTERM and Ctrl-C let requests in flight finish; SIGHUP reads policy and certificate again.
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    gate: GateArgs,
    /// Address to listen on
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8443")]
    listen: String,
    /// Certificate of the gate, with those that vouch for it
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// Private key of the certificate
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Plain HTTP: for clients on this machine
    #[arg(long, conflicts_with_all = ["tls_cert", "tls_key", "client_ca"])]
    no_tls: bool,
    /// Answer only who shows a certificate of these authorities
    #[arg(long, value_name = "FILE")]
    client_ca: Option<PathBuf>,
    /// Answer only who shows the first line of this file in the header `X-Trust-Gate-Secret`
    #[arg(long, value_name = "FILE")]
    client_secret_file: Option<PathBuf>,
    /// Answer anybody who can reach the address, in the clear if need be
    #[arg(long)]
    open: bool,
    /// Registry of images that name none
    #[arg(long, value_name = "HOST", default_value = "docker.io")]
    upstream: String,
    /// Send clients where the registry keeps its blobs, instead of fetching these for them
    #[arg(long)]
    redirect_blobs: bool,
    /// Memory for manifests
    #[arg(long, value_name = "SIZE", value_parser = size, default_value = "32MiB")]
    manifest_cache: Size,
    /// Longest time for a decision
    #[arg(long, value_name = "TIME", value_parser = period, default_value = "10s")]
    deadline: Duration,
}

pub(super) async fn run(args: &Args, session: &Session) -> Result<(), Failure> {
    log::begin(&LogSettings::default(), session.out.has_colors());
    let tls = args.tls()?;
    let gate = args.gate.gate(args.deadline, session)?;
    let address = &args.listen;
    let cannot = |error| Failure::unfinished(format!("cannot listen on {address}: {error}"));
    let listener = listen::bind(address).await.map_err(cannot)?;
    let local = listener.local_addr().map_err(cannot)?;
    let settings = Settings {
        clients: args.clients(local, tls.is_some())?,
        default: args.upstream.clone(),
        redirect: args.redirect_blobs,
        docker: docker(session)?,
        tls_ca: session.globals.tls_ca.clone(),
        memory: args.manifest_cache.bytes() as u64,
    };
    let proxy =
        Proxy::new(gate.clone(), settings).map_err(|error| Failure::wrong(error.to_string()))?;
    let workers = Workers::start().map_err(|error| {
        Failure::unfinished(format!("cannot start threads for connections: {error}"))
    })?;
    let scheme = if tls.is_some() { "https" } else { "http" };
    service::say_ready(&format!("{scheme}://{local}"), session)?;
    let reloaded = tls.clone();
    let chores = [
        tokio::spawn(service::warn_of_expiry(tls.clone())),
        tokio::spawn(service::at_hangup(move || {
            service::reload(reloaded.as_ref());
        })),
        tokio::spawn(GateArgs::reload(gate, args.gate.policy_file(session)?)),
    ];
    serve(Arc::new(proxy), workers, listener, tls).await;
    for chore in chores {
        chore.abort();
    }
    Ok(())
}

async fn serve(proxy: Arc<Proxy>, workers: Workers, listener: TcpListener, tls: Option<Tls>) {
    let answer = move |request, peer: Arc<listen::Peer>| {
        let proxy = Arc::clone(&proxy);
        async move { proxy.answer(&request, &peer).await }
    };
    let (listener, limits) = (Listener::Tcp(listener), Limits::default());
    listen::serve(
        Some(workers),
        listener,
        tls,
        limits,
        answer,
        service::stopped(),
    )
    .await;
}

impl Args {
    fn tls(&self) -> Result<Option<Tls>, Failure> {
        match (&self.tls_cert, &self.tls_key) {
            (Some(certificate), Some(key)) => {
                let client_ca = self.client_ca.clone();
                // Older clients show people nothing of a refusal but its status line.
                service::tls_for_http1(certificate.clone(), key.clone(), client_ca).map(Some)
            }
            _ if self.no_tls => Ok(None),
            _ => Err(Failure::wrong("there is no certificate").hint(
                "name one with --tls-cert and --tls-key, or choose plain HTTP with --no-tls",
            )),
        }
    }

    /// Whom it answers; what others can reach, and nothing guards, does not start.
    fn clients(&self, local: SocketAddr, has_tls: bool) -> Result<Clients, Failure> {
        let is_here = local.ip().is_loopback();
        if !has_tls && !is_here && !self.open {
            return Err(Failure::wrong(format!(
                "plain HTTP on {local} could be read and changed on the way"
            ))
            .hint("use --tls-cert and --tls-key, or say that this is meant with --open"));
        }
        match (&self.client_secret_file, &self.client_ca) {
            (Some(file), _) => secret(file).map(Clients::Knowing),
            (None, Some(_)) => Ok(Clients::Certified),
            (None, None) if self.open => Ok(Clients::Anybody),
            (None, None) if is_here => Ok(Clients::Here {
                in_the_clear: !has_tls,
            }),
            (None, None) => Err(Failure::wrong(format!(
                "whoever reaches {local} could fetch images with the credentials of this gate"
            ))
            .hint(
                "use --client-ca or --client-secret-file, or say that this is meant with --open",
            )),
        }
    }
}

fn secret(file: &Path) -> Result<Secret, Failure> {
    let wrong = |why: String| Failure::wrong(format!("{}: {why}", file.display()));
    let text = std::fs::read(file).map_err(|error| wrong(error.to_string()))?;
    Secret::parse(&Zeroizing::new(text)).map_err(wrong)
}

/// Docker's configuration as it is whenever a registry is asked who we are.
fn docker(session: &Session) -> Result<ReadDocker, Failure> {
    let dir = session.environment.docker_config_dir()?;
    let auth = session.environment.docker_auth_config.clone();
    let read = move || DockerConfig::load(&dir, auth.as_ref().map(|auth| auth.as_str()));
    read()?;
    Ok(Box::new(read))
}

fn size(text: &str) -> Result<Size, String> {
    Size::parse(text).ok_or_else(|| "it is a size such as 100KiB or 64MiB".to_owned())
}
