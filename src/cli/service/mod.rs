//! What every long-running command does: say where it listens, log, reload, and end decently.

pub(crate) mod log;

use super::failure::Failure;
use super::session::{Session, read_clock};
use std::path::PathBuf;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use trust::listen::{CertificateFiles, Facts, Tls};

/// The one line that says that clients can come.
pub(crate) fn say_ready(address: &str, session: &Session) -> Result<(), Failure> {
    session.out.say(&format!("listening on {address}"));
    if session.out.is_json() {
        session.out.json(&serde_json::json!({"listening": address}));
    }
    session.out.finish()
}

/// TLS with these files, which are looked at now and then.
pub(crate) fn tls(
    certificate: PathBuf,
    key: PathBuf,
    client_ca: Option<PathBuf>,
) -> Result<Tls, Failure> {
    Ok(Tls::open(files(certificate, key, client_ca))?)
}

/// The same for HTTP/1.1 only.
pub(crate) fn tls_for_http1(
    certificate: PathBuf,
    key: PathBuf,
    client_ca: Option<PathBuf>,
) -> Result<Tls, Failure> {
    Ok(Tls::open_for_http1(files(certificate, key, client_ca))?)
}

fn files(certificate: PathBuf, key: PathBuf, client_ca: Option<PathBuf>) -> CertificateFiles {
    CertificateFiles {
        certificate,
        key,
        client_ca,
        check_every: CHECK_EVERY,
    }
}

/// Reads again at each SIGHUP what `reload` reads; from now on none ends the process.
pub(crate) fn at_hangup(mut reload: impl FnMut()) -> impl Future<Output = ()> {
    let hangups = signal(SignalKind::hangup());
    async move {
        let Ok(mut hangups) = hangups else { return };
        while hangups.recv().await.is_some() {
            reload();
        }
    }
}

/// Reads the certificate again.
pub(crate) fn reload(tls: Option<&Tls>) {
    match tls.map(Tls::reload) {
        None => {}
        Some(Ok(_)) => tracing::info!("read the certificate again"),
        Some(Err(error)) => tracing::error!(%error, "kept the certificate as it was"),
    }
}

/// Says in time that the certificate expires.
pub(crate) async fn warn_of_expiry(tls: Option<Tls>) {
    let Some(tls) = tls else { return };
    let mut days = tokio::time::interval(DAY);
    loop {
        days.tick().await;
        let facts = Facts::of(&tls.certificate()).ok();
        if let Some(warning) = facts.and_then(|facts| facts.warning(read_clock())) {
            tracing::warn!("{warning}");
        }
    }
}

/// Ends at SIGTERM or Ctrl-C, which from now on do not end the process.
pub(crate) fn stopped() -> impl Future<Output = ()> {
    let signals = (
        signal(SignalKind::terminate()),
        signal(SignalKind::interrupt()),
    );
    async {
        let (Ok(mut term), Ok(mut interrupt)) = signals else {
            return std::future::pending().await;
        };
        tokio::select! {
            _ = term.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("stopping: requests in flight finish first");
    }
}

/// How often files of certificates are looked at.
const CHECK_EVERY: Duration = Duration::from_secs(5);
const DAY: Duration = Duration::from_hours(24);
