//! Real sockets, short limits, and no waiting for luck: each test waits for what it is about.

mod http;
mod slow;
mod stop;
mod tls;
mod workers;

use super::*;
use http_body_util::Full;
use hyper::StatusCode;
use std::{net::SocketAddr, path::Path};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::oneshot,
    task::JoinHandle,
};

/// A server that is under way, until it is told to stop.
struct Running {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    ended: JoinHandle<()>,
}

impl Running {
    async fn stop(self) {
        self.stop.send(()).unwrap();
        self.ended.await.unwrap();
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }
}

async fn start<S, F>(tls: Option<Tls>, limits: Limits, service: S) -> Running
where
    S: Fn(Request<Incoming>, Arc<Peer>) -> F + Clone + Send + 'static,
    F: Future<Output = Response<Full<Bytes>>> + Send + 'static,
{
    start_by(None, tls, limits, service).await
}

async fn start_by<S, F>(
    workers: Option<Workers>,
    tls: Option<Tls>,
    limits: Limits,
    service: S,
) -> Running
where
    S: Fn(Request<Incoming>, Arc<Peer>) -> F + Clone + Send + 'static,
    F: Future<Output = Response<Full<Bytes>>> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel();
    let stopped = async {
        let _ = stopped.await;
    };
    let ended = tokio::spawn(serve(
        workers,
        Listener::Tcp(listener),
        tls,
        limits,
        service,
        stopped,
    ));
    Running {
        address,
        stop,
        ended,
    }
}

/// The service of most tests: says which path was asked for.
async fn echo(request: Request<Incoming>, _: Arc<Peer>) -> Response<Full<Bytes>> {
    answer(200, request.uri().path().to_owned())
}

fn answer(status: u16, text: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(text.into()));
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    response
}

fn short() -> Limits {
    let soon = Duration::from_millis(150);
    Limits {
        handshake_timeout: soon,
        header_timeout: soon,
        idle_timeout: soon,
        grace: soon,
        ..Limits::default()
    }
}

/// All that comes until the server closes the connection; an error counts as closing.
async fn rest(stream: &mut TcpStream) -> String {
    let mut all = Vec::new();
    let mut some = [0; 1024];
    while let Ok(read @ 1..) = stream.read(&mut some).await {
        all.extend_from_slice(&some[..read]);
    }
    String::from_utf8_lossy(&all).into_owned()
}

/// One whole response with a body, on a connection that stays open.
async fn response(stream: &mut TcpStream) -> String {
    let mut all = String::new();
    let mut byte = [0];
    while !all.ends_with("\r\n\r\n") {
        assert_eq!(stream.read(&mut byte).await.unwrap(), 1, "after {all:?}");
        all.push(char::from(byte[0]));
    }
    let length = all
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.unwrap();
    all + &String::from_utf8(body).unwrap()
}

async fn send(stream: &mut TcpStream, text: &str) {
    stream.write_all(text.as_bytes()).await.unwrap();
}

/// A certificate of its own and its key, written into the folder.
fn certificate(
    folder: &Path,
    name: &str,
) -> (CertificateFiles, rcgen::CertifiedKey<rcgen::KeyPair>) {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let files = CertificateFiles {
        certificate: folder.join(format!("{name}.crt")),
        key: folder.join(format!("{name}.key")),
        client_ca: None,
        check_every: Duration::from_millis(20),
    };
    write(&files.certificate, &made.cert.pem());
    write(&files.key, &made.signing_key.serialize_pem());
    (files, made)
}

fn write(path: &Path, text: &str) {
    trust_store::write_atomic(path, text.as_bytes(), 0o600).unwrap();
}

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}
