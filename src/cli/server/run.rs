//! `trust server run`

use super::site::Site;
use crate::cli::{failure::Failure, session::Session};
use jiff::Timestamp;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use trust::hosting::{Hosting, Policy};
use trust::listen::{self, CertificateFiles, Tls};
use trust::server::Server;
use trust::server::access::Access;

/// Serve repositories to docker, notary and trust
///
/// On a fresh machine everything that is missing is made first, as by `trust server init`.
/// SIGTERM and Ctrl-C let requests in flight finish; SIGHUP reads the certificate again.
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    site: super::site::Args,
    /// Address to listen on [default: 127.0.0.1:4443]
    #[arg(long, value_name = "ADDR")]
    listen: Option<String>,
    /// Certificate of the server, with those that vouch for it
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// Private key of the certificate
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Plain HTTP: only behind something else that speaks TLS
    #[arg(long, conflicts_with_all = ["tls_cert", "tls_key"])]
    no_tls: bool,
}

pub(super) async fn run(args: &Args, session: &Session) -> Result<(), Failure> {
    let site = Site::find(&args.site, session)?;
    let tls = if args.no_tls {
        None
    } else {
        Some(tls(args, &site, session)?)
    };
    if let SealSource::KeyFile(file) = site.seal(session)? {
        SealSource::create_key_file(&file)?;
    }
    let store = site.store().await?;
    let sealer = site.sealer(&store, session).await?;
    let settings = &site.settings;
    let access = Access::new(&settings.access, store.clone())?;
    let hosting = Hosting::new(store.clone(), sealer, policy(settings));
    let first = Timestamp::now().as_nanosecond() as u64;
    let server = Server::new(hosting.clone(), access, settings, Timestamp::now, first);
    let server = Arc::new(server);
    let address = args.listen.as_ref().unwrap_or(&settings.listen);
    let listener = TcpListener::bind(address).await.map_err(|error| {
        Failure::unfinished(format!("cannot listen on {address}: {error}"))
    })?;
    let renewing = tokio::spawn(renew(hosting, settings.renew.every.into()));
    let reloading = tls.clone().map(|tls| tokio::spawn(reload(tls)));
    say_ready(&listener, tls.is_some(), session)?;
    let answering = Arc::clone(&server);
    let service = move |request, peer| {
        let server = Arc::clone(&answering);
        async move { server.answer(request, peer).await }
    };
    let limits = settings.limits.of_connections();
    listen::serve(listener, tls, limits, service, stopped(&server)).await;
    renewing.abort();
    if let Some(reloading) = reloading {
        reloading.abort();
    }
    store.close().await;
    Ok(())
}
