//! The one place where TLS is set up and HTTP clients are built.
//!
//! Certificates are always verified, on loopback too: Docker's client stops verifying a trust
//! server as soon as the *image* lives on a loopback registry, which hands signing sessions to
//! whoever can bind a port. Private authorities are added to the system's, never replace them; the
//! system's bundle is read only when no private authority vouches for the server.

mod files;
mod streaming;
mod verifier;

pub use files::{Identity, TlsError, TlsFiles};
pub use streaming::{StreamError, StreamingClient};

use reqwest::Url;
use rustls::{
    ClientConfig,
    crypto::{CryptoProvider, ring},
};
use std::{error::Error, io, iter, sync::Arc, time::Duration};

/// An HTTP client that verifies servers, keeps connections alive and follows no redirects.
///
/// It is meant for the server at `host`, with or without port: one on this machine is reached
/// directly whatever proxy the environment names, as Docker does it; all others go by the
/// environment.
pub fn http_client(files: &TlsFiles, host: &str) -> Result<reqwest::Client, TlsError> {
    http_client_with(files, host, READ_TIMEOUT)
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
    let builder = reqwest::Client::builder()
        .tls_backend_preconfigured(config)
        .user_agent(user_agent())
        .connect_timeout(CONNECT_TIMEOUT)
        .pool_idle_timeout(IDLE_TIMEOUT)
        .read_timeout(read_timeout)
        .redirect(reqwest::redirect::Policy::none());
    let builder = if is_local(host) {
        builder.no_proxy()
    } else {
        builder
    };
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

/// Whether a host, with or without port, is this machine, which no proxy stands before.
fn is_local(host: &str) -> bool {
    Url::parse(&format!("https://{host}")).is_ok_and(|url| is_loopback(&url))
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
    causes(error).find_map(<dyn Error>::downcast_ref)
}

/// An error and its causes, also those that an I/O error hides from `source`.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    let deeper = |&cause: &&'a (dyn Error + 'static)| match cause
        .downcast_ref()
        .and_then(io::Error::get_ref)
    {
        Some(wrapped) => Some(wrapped as _),
        None => cause.source(),
    };
    iter::successors(Some(error), deeper).take(MAX_CHAIN)
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
