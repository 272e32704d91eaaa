//! The one place where TLS is set up and HTTP clients are built.
//!
//! Certificates are always verified, on loopback too: Docker's client stops verifying a trust
//! server as soon as the *image* lives on a loopback registry, which hands signing sessions to
//! whoever can bind a port. Private authorities are added to the system's, never replace them; the
//! system's bundle is read only when no private authority vouches for the server.

mod files;
mod verifier;

pub use files::{Identity, TlsError, TlsFiles};

use reqwest::Url;
use rustls::{
    ClientConfig,
    crypto::{CryptoProvider, ring},
};
use std::{error::Error, io, sync::Arc, time::Duration};

/// An HTTP client that verifies servers, keeps connections alive and follows no redirects.
///
/// It is meant for the server at `host`, with or without port: one on this machine is reached
/// directly whatever proxy the environment names, as Docker does it; all others go by the
/// environment.
pub fn http_client(files: &TlsFiles, host: &str) -> Result<reqwest::Client, TlsError> {
    http_client_with(files, host, READ_TIMEOUT)
}

/// The same client for bodies without a limit: HTTP/1.1, each on a connection of its own.
///
/// On HTTP/2 they would share one, and a reader that is slow or gone would hold up all others.
pub fn streaming_client(files: &TlsFiles, host: &str) -> Result<reqwest::Client, TlsError> {
    let mut config = client_config(files)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    client(config, host, READ_TIMEOUT)
}

/// The same client with another limit on the silence between two reads.
pub(crate) fn http_client_with(
    files: &TlsFiles,
    host: &str,
    read_timeout: Duration,
) -> Result<reqwest::Client, TlsError> {
    client(client_config(files)?, host, read_timeout)
}

fn client(
    config: ClientConfig,
    host: &str,
    read_timeout: Duration,
) -> Result<reqwest::Client, TlsError> {
    let local = Url::parse(&format!("https://{host}")).is_ok_and(|url| is_loopback(&url));
    let builder = reqwest::Client::builder()
        .tls_backend_preconfigured(config)
        .user_agent(user_agent())
        .connect_timeout(CONNECT_TIMEOUT)
        .pool_idle_timeout(IDLE_TIMEOUT)
        .read_timeout(read_timeout)
        .redirect(reqwest::redirect::Policy::none());
    let builder = if local { builder.no_proxy() } else { builder };
    builder
        .build()
        .map_err(|source| TlsError::Client { source })
}

/// TLS settings that trust the given authorities and, if those do not vouch, the system's.
pub fn client_config(files: &TlsFiles) -> Result<ClientConfig, TlsError> {
    install_provider();
    let provider = provider();
    let verifier = verifier::Verifier::new(&files.authorities, Arc::clone(&provider))?;
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|source| TlsError::Rejected { source })?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier));
    let mut config = match files.identities.first() {
        Some(identity) => builder
            .with_client_auth_cert(identity.chain.clone(), identity.key.clone_key())
            .map_err(|source| TlsError::Rejected { source })?,
        None => builder.with_no_client_auth(),
    };
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

/// Makes ring the process-wide crypto provider; a second call changes nothing.
///
/// Some clients (the Docker Engine's) take the provider of the process and panic without one.
pub fn install_provider() {
    // An error only says that a provider is there already.
    let _ = ring::default_provider().install_default();
}

/// The cryptography that TLS works with, of servers too.
pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

/// Whether the host is this machine by its very name; nothing is resolved.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// The TLS library's error, wherever in the chain it hides.
pub(crate) fn tls_cause<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a rustls::Error> {
    let mut next = Some(error);
    for _ in 0..MAX_CHAIN {
        let cause = next?;
        if let Some(tls) = cause.downcast_ref() {
            return Some(tls);
        }
        // An I/O error hides what it wraps from `source`.
        next = match cause
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref)
        {
            Some(inner) => Some(inner),
            None => cause.source(),
        };
    }
    None
}

/// How this program names itself to servers.
fn user_agent() -> String {
    format!(
        "trust/{} ({})",
        env!("CARGO_PKG_VERSION"),
        std::env::consts::OS
    )
}

/// As long as Docker's client waits for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);
/// Shorter than servers wait for the first request on a connection (ours: ten seconds), so that none
/// is sent just as they hang up.
const IDLE_TIMEOUT: Duration = Duration::from_secs(8);
/// Longest silence of a server that is still believed to answer.
const READ_TIMEOUT: Duration = Duration::from_secs(30);
/// Errors nest a handful deep.
const MAX_CHAIN: usize = 16;
