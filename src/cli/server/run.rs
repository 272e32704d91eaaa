//! `trust server run`

use super::prepare;
use super::site::Site;
use crate::cli::{
    failure::Failure,
    service,
    session::{Session, read_clock},
};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::time::MissedTickBehavior;
use trust::hosting::Hosting;
use trust::listen::{self, Listener, Tls};
use trust::server::Server;
use trust::server::access::Access;
use trust_store::server::SealSource;

/// Serve repositories to docker, notary and trust
///
/// On a fresh machine everything that is missing is made first, as by `trust server init`.
/// SIGTERM and Ctrl-C let requests in flight finish; SIGHUP reads the certificate again.
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    site: super::site::Place,
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
    let settings = &site.settings;
    service::log::begin(&settings.log, session.out.has_colors());
    prepare::folder(&site.dir)?;
    let tls = tls(args, &site, session)?;
    if let SealSource::KeyFile(file) = site.seal(session)? {
        SealSource::create_key_file(&file)?;
    }
    let store = site.store().await?;
    let sealer = site.sealer(&store, session).await?;
    let access = Access::new(&settings.access, store.clone())
        .map_err(|error| Failure::wrong(error.to_string()))?
        .sharing(sealer.secret("tokens").as_slice());
    let access = if tls.is_some() {
        access
    } else {
        access.without_tls()
    };
    let address = args.listen.as_ref().unwrap_or(&settings.listen);
    let listener = listen::bind(address)
        .await
        .map_err(|error| Failure::unfinished(format!("cannot listen on {address}: {error}")))?;
    warn_if_open(&access, &listener).await?;
    let hosting = Hosting::new(store.clone(), sealer, settings.of_hosting());
    // Ids of requests differ from those of the process before.
    let first = u64::try_from(session.now().as_microsecond()).unwrap_or_default() << 8;
    let server = Server::new(hosting.clone(), access, settings, read_clock, first);
    let server = Arc::new(server);
    let scheme = if tls.is_some() { "https" } else { "http" };
    service::say_ready(&format!("{scheme}://{}", local(&listener)?), session)?;
    let reloaded = tls.clone();
    let chores = [
        tokio::spawn(renew(hosting.clone(), settings.renew.every.into())),
        tokio::spawn(service::warn_of_expiry(tls.clone())),
        tokio::spawn(service::at_hangup(move || {
            service::reload(reloaded.as_ref());
        })),
    ];
    let answering = Arc::clone(&server);
    let answer = move |request, peer| {
        let server = Arc::clone(&answering);
        async move { server.answer(request, peer).await }
    };
    let limits = settings.limits.of_connections();
    let stop = async {
        service::stopped().await;
        server.stop_soon();
    };
    listen::serve(None, Listener::Tcp(listener), tls, limits, answer, stop).await;
    for chore in chores {
        chore.abort();
    }
    hosting.close().await;
    Ok(())
}

/// TLS as told here, or by the configuration, or with what the folder holds: made if need be.
fn tls(args: &Args, site: &Site, session: &Session) -> Result<Option<Tls>, Failure> {
    let told = &site.settings.tls;
    let given = args.tls_cert.as_ref().zip(args.tls_key.as_ref());
    let given = given.or(told.certificate.as_ref().zip(told.key.as_ref()));
    let (certificate, key) = match given {
        _ if args.no_tls => return Ok(None),
        Some((certificate, key)) => (certificate.clone(), key.clone()),
        None if !told.enabled => return Ok(None),
        None => {
            prepare::prepare(&site.dir, &[], session.now())?;
            (
                site.dir.join(prepare::CERTIFICATE),
                site.dir.join(prepare::KEY),
            )
        }
    };
    service::tls(certificate, key, told.client_ca.clone()).map(Some)
}

/// A server that others can reach and that lets everybody in is rarely meant.
async fn warn_if_open(access: &Access, listener: &TcpListener) -> Result<(), Failure> {
    let here = listener
        .local_addr()
        .is_ok_and(|address| address.ip().is_loopback());
    if !here && access.is_open().await? {
        tracing::warn!(
            "whoever reaches this server may publish and delete: add users with \
             `trust server user add`, or set [access]"
        );
    }
    Ok(())
}

fn local(listener: &TcpListener) -> Result<SocketAddr, Failure> {
    let address = listener.local_addr();
    address.map_err(|error| Failure::unfinished(format!("cannot listen: {error}")))
}

/// Signs anew what is due, now and then.
async fn renew(hosting: Hosting, every: Duration) {
    let mut ticks = tokio::time::interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        match hosting.renew_all(read_clock()).await {
            Ok(done) => {
                for gun in done.renewed {
                    tracing::info!(gun, "signed the timestamp anew");
                }
                for (gun, why) in done.failed {
                    tracing::warn!(gun, why, "could not sign the timestamp anew");
                }
            }
            Err(error) => tracing::error!(%error, "could not look for what expires"),
        }
    }
}
