//! Sockets of a server: TLS that reloads, HTTP/1.1 and HTTP/2, limits on everything a peer does.
//!
//! One task a connection, and no router: what is answered is the business of the service. A peer
//! that is slow, silent or greedy costs one place among the connections for a bounded time.

pub mod authority;
mod body;
mod connection;
mod facts;
mod headers;
mod limits;
mod pace;
mod tls;
mod workers;

#[cfg(test)]
mod tests;

pub use body::{BodyError, read_body};
pub use facts::Facts;
pub use limits::Limits;
pub use tls::{CertificateFiles, CertificateProblem, Tls};
pub use workers::Workers;

use bytes::Bytes;
use connection::{Door, Stage};
use hyper::{
    Request, Response,
    body::{Body, Incoming},
};
use rustls::pki_types::CertificateDer;
use std::{
    io,
    net::{Ipv4Addr, SocketAddr, SocketAddrV4},
    sync::Arc,
    time::Duration,
};
use tokio::{
    net::{TcpListener, TcpStream, UnixListener, UnixStream},
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    time::{Instant, sleep, timeout},
};

/// A socket that listens there; without an address (`:4443`), on all of them.
///
/// Where there is no IPv6, IPv4 has to do.
pub async fn bind(address: &str) -> io::Result<TcpListener> {
    let Some(port) = address.strip_prefix(':') else {
        return TcpListener::bind(address).await;
    };
    match TcpListener::bind(format!("[::]:{port}")).await {
        Err(error) if error.kind() != io::ErrorKind::AddrInUse => {
            TcpListener::bind(format!("0.0.0.0:{port}")).await
        }
        bound => bound,
    }
}

/// A socket that clients come to.
#[derive(Debug)]
pub enum Listener {
    /// From this machine or others
    Tcp(TcpListener),
    /// From this machine, through a file; no TLS is spoken here
    Unix(UnixListener),
}

impl Listener {
    async fn accept(&self) -> io::Result<(Stream, SocketAddr)> {
        match self {
            Self::Tcp(listener) => {
                let (stream, address) = listener.accept().await?;
                Ok((Stream::Tcp(stream), address))
            }
            Self::Unix(listener) => {
                let (stream, _) = listener.accept().await?;
                Ok((Stream::Unix(stream), HERE))
            }
        }
    }
}

/// A new connection.
enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

/// The body of an answer, whole or streamed.
pub trait Answer: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static {}

impl<B: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static> Answer for B {}

/// Any error.
type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Who is at the other end of a connection.
#[derive(Clone, Debug)]
pub struct Peer {
    /// Where the connection comes from: a proxy, where there is one; on a unix socket 127.0.0.1.
    pub address: SocketAddr,
    /// The certificate it showed, if [`CertificateFiles::client_ca`] asks for one: verified.
    pub certificate: Option<CertificateDer<'static>>,
}

impl Peer {
    fn on_socket() -> Self {
        let (address, certificate) = (HERE, None);
        Self {
            address,
            certificate,
        }
    }
}

/// Serves until `stop` is ready and what was asked before is answered.
///
/// Connections are attended to by the workers or, without any, by the threads of this runtime.
/// Requests in flight have [`Limits::grace`] to end, then their connections are closed. On HTTP/1
/// a peer that goes away ends its request where it is: the service's future is dropped.
pub async fn serve<S, F, B>(
    mut workers: Option<Workers>,
    listener: Listener,
    tls: Option<Tls>,
    limits: Limits,
    service: S,
    stop: impl Future<Output = ()>,
) where
    S: Fn(Request<Incoming>, Arc<Peer>) -> F + Clone + Send + 'static,
    F: Future<Output = Response<B>> + Send + 'static,
    B: Answer,
{
    let (stage, stages) = watch::channel(Stage::Open);
    let places = Arc::new(Semaphore::new(places_of(&limits)));
    let watching = tls.clone();
    let door = Door::new(tls, limits.clone(), service, stages);
    tokio::select! {
        () = accept(&listener, &places, door, workers.as_mut()) => {}
        () = tls::watch(watching.as_ref()) => {}
        () = stop => {}
    }
    drop(listener);
    stage.send_replace(Stage::Draining);
    if timeout(limits.grace, all(&places, &limits)).await.is_err() {
        tracing::warn!(grace = ?limits.grace, "closing connections on which requests did not end");
        stage.send_replace(Stage::Over);
        all(&places, &limits).await;
    }
}

/// Every connection has given back its place.
async fn all(places: &Semaphore, limits: &Limits) {
    // An error would say that the semaphore was closed, which nobody does.
    let all = u32::try_from(places_of(limits)).unwrap_or(u32::MAX);
    let _ = places.acquire_many(all).await;
}

fn places_of(limits: &Limits) -> usize {
    usize::try_from(limits.connections.max(1))
        .unwrap_or(Semaphore::MAX_PERMITS)
        .min(Semaphore::MAX_PERMITS)
}

async fn accept<S, F, B>(
    listener: &Listener,
    places: &Arc<Semaphore>,
    door: Door<S>,
    mut workers: Option<&mut Workers>,
) where
    S: Fn(Request<Incoming>, Arc<Peer>) -> F + Clone + Send + 'static,
    F: Future<Output = Response<B>> + Send + 'static,
    B: Answer,
{
    let mut crowded = Seldom::default();
    let mut failed = Seldom::default();
    loop {
        let Some(place) = place(places, &mut crowded).await else {
            return;
        };
        match listener.accept().await {
            Ok((stream, address)) => {
                let door = door.clone();
                let attend = async move |stream| {
                    let _place = place;
                    door.attend(stream, address).await;
                };
                let given = if let Some(workers) = workers.as_deref_mut() {
                    workers.give(stream, attend)
                } else {
                    tokio::spawn(attend(stream));
                    Ok(())
                };
                if let Err(error) = given {
                    tracing::error!(%error, "cannot attend to a connection");
                }
            }
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                if failed.is_time() {
                    tracing::error!(%error, "cannot accept connections");
                }
                sleep(AFTER_FAILURE).await;
            }
        }
    }
}

/// A place among the connections; the rest of the world waits in the system's queue.
async fn place(places: &Arc<Semaphore>, crowded: &mut Seldom) -> Option<OwnedSemaphorePermit> {
    if let Ok(place) = Arc::clone(places).try_acquire_owned() {
        return Some(place);
    }
    if crowded.is_time() {
        tracing::warn!("as many connections as allowed are open; others wait");
    }
    Arc::clone(places).acquire_owned().await.ok()
}

/// The peer went away before it was accepted: no fault of this machine.
fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::Interrupted
    )
}

/// Says when it is time to log what could otherwise fill the log.
#[derive(Default)]
struct Seldom(Option<Instant>);

impl Seldom {
    fn is_time(&mut self) -> bool {
        let now = Instant::now();
        let is_time = self.0.is_none_or(|last| now.duration_since(last) >= SELDOM);
        if is_time {
            self.0 = Some(now);
        }
        is_time
    }
}

/// Answers go out at once: they are written whole.
fn without_delay(stream: &TcpStream) {
    // An error says that the peer is gone, which the next read says as well.
    let _ = stream.set_nodelay(true);
}

/// Where whoever comes through a file comes from.
const HERE: SocketAddr = SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0));
/// File descriptors come back as connections end.
const AFTER_FAILURE: Duration = Duration::from_millis(200);
const SELDOM: Duration = Duration::from_mins(1);
