//! `trust server run`

use super::site::Site;
use crate::cli::{failure::Failure, session::Session};
use jiff::{SignedDuration, Timestamp};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::MissedTickBehavior;
use trust::hosting::{Hosting, Policy};
use trust::listen::{self, CertificateFiles, Tls};
use trust::server::Server;
use trust::server::access::Access;
use trust::server::settings::Settings;
use trust::tuf::accept::{Bounds, Margins};
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
    let access = Access::new(&settings.access, store.clone())
        .map_err(|error| Failure::wrong(error.to_string()))?
        .sharing(sealer.secret("tokens").as_slice());
    let access = if tls.is_some() {
        access
    } else {
        access.without_tls()
    };
    let hosting = Hosting::new(store.clone(), sealer, policy(settings));
    // Ids of requests differ from those of the process before.
    let first = u64::try_from(session.now().as_microsecond()).unwrap_or_default() << 8;
    let server = Server::new(hosting.clone(), access, settings, Timestamp::now, first);
    let server = Arc::new(server);
    let address = args.listen.as_ref().unwrap_or(&settings.listen);
    let listener = TcpListener::bind(address)
        .await
        .map_err(|error| Failure::unfinished(format!("cannot listen on {address}: {error}")))?;
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

/// TLS as told here, or in the configuration, or with what the folder holds.
fn tls(args: &Args, site: &Site, session: &Session) -> Result<Tls, Failure> {
    let told = &site.settings.tls;
    let _ = session;
    let files = CertificateFiles {
        certificate: file(
            args.tls_cert.as_ref(),
            told.certificate.as_ref(),
            site,
            "server.crt",
        ),
        key: file(args.tls_key.as_ref(), told.key.as_ref(), site, "server.key"),
        client_ca: told.client_ca.clone(),
        check_every: Duration::from_secs(5),
    };
    Ok(Tls::open(files)?)
}

fn file(first: Option<&PathBuf>, second: Option<&PathBuf>, site: &Site, usual: &str) -> PathBuf {
    let told = first.or(second).cloned();
    told.unwrap_or_else(|| site.dir.join(usual))
}

fn policy(settings: &Settings) -> Policy {
    let limits = &settings.limits;
    Policy {
        bounds: Bounds {
            delegations: limits.delegations,
            delegation_depth: limits.delegation_depth,
            json_depth: limits.json_depth,
        },
        margins: Margins {
            snapshot: margin(settings.renew.snapshot.into()),
            timestamp: margin(settings.renew.timestamp.into()),
        },
        memory: settings.cache.memory.bytes() as u64,
    }
}

fn margin(time: Duration) -> SignedDuration {
    SignedDuration::try_from(time).unwrap_or(SignedDuration::MAX)
}

/// The one line that says that clients can come.
fn say_ready(listener: &TcpListener, tls: bool, session: &Session) -> Result<(), Failure> {
    let address = listener
        .local_addr()
        .map_err(|error| Failure::unfinished(format!("cannot listen: {error}")))?;
    let scheme = if tls { "https" } else { "http" };
    let url = format!("{scheme}://{address}");
    session.out.say(&format!("listening on {url}"));
    if session.out.is_json() {
        session.out.json(&serde_json::json!({"listening": url}));
    }
    session.out.finish()
}

/// Signs anew what is due, now and then.
async fn renew(hosting: Hosting, every: Duration) {
    let mut ticks = tokio::time::interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        match hosting.renew_all(Timestamp::now()).await {
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

/// Reads the certificate again at each SIGHUP.
async fn reload(tls: Tls) {
    let Ok(mut hangups) = signal(SignalKind::hangup()) else {
        return;
    };
    while hangups.recv().await.is_some() {
        match tls.reload() {
            Ok(_) => tracing::info!("read the certificate again"),
            Err(error) => tracing::error!(%error, "kept the certificate as it was"),
        }
    }
}

/// Ends at SIGTERM or Ctrl-C.
async fn stopped(server: &Server) {
    let asked = async {
        let (Ok(mut term), Ok(mut interrupt)) = (
            signal(SignalKind::terminate()),
            signal(SignalKind::interrupt()),
        ) else {
            return std::future::pending().await;
        };
        tokio::select! {
            _ = term.recv() => {}
            _ = interrupt.recv() => {}
        }
    };
    asked.await;
    tracing::info!("stopping: requests in flight finish first");
    server.stop_soon();
}
