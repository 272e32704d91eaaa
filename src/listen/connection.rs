//! One connection: handshake, HTTP, limits of time, and a decent end.

use super::{
    Answer, Limits, Peer, Stream, Tls, headers,
    pace::{OverSocket, Pace, Paced},
    without_delay,
};
use bytes::Bytes;
use futures_util::future::{Either, FutureExt, ready};
use http_body_util::Full;
use hyper::{
    Request, Response,
    body::Incoming,
    server::conn::{http1, http2},
    service::service_fn,
};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use std::{convert::Infallible, future::poll_fn, net::SocketAddr, pin::Pin, pin::pin, sync::Arc};
use std::{task::Poll, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::watch,
    time::{Instant, sleep_until, timeout},
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

/// How far the end of the server has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    /// Everything is served.
    Open,
    /// Requests in flight end, nothing new begins.
    Draining,
    /// What is not done yet will not be done.
    Over,
}

/// What every connection needs.
#[derive(Clone)]
pub(super) struct Door<S> {
    tls: Option<Tls>,
    limits: Arc<Limits>,
    http1: http1::Builder,
    http2: http2::Builder<TokioExecutor>,
    service: S,
    stages: watch::Receiver<Stage>,
}

impl<S, F, B> Door<S>
where
    S: Fn(Request<Incoming>, Arc<Peer>) -> F + Clone + Send + 'static,
    F: Future<Output = Response<B>> + Send + 'static,
    B: Answer,
{
    pub(super) fn new(
        tls: Option<Tls>,
        limits: Limits,
        service: S,
        stages: watch::Receiver<Stage>,
    ) -> Self {
        Self {
            tls,
            http1: http1_within(&limits),
            http2: http2_within(&limits),
            limits: Arc::new(limits),
            service,
            stages,
        }
    }

    /// Attends to a new connection until it is closed.
    pub(super) async fn attend(self, stream: Stream, address: SocketAddr) {
        let stream = match stream {
            Stream::Tcp(stream) => stream,
            Stream::Unix(stream) => return self.speak_http1(stream, Peer::on_socket()).await,
        };
        without_delay(&stream);
        let Some(tls) = &self.tls else {
            let certificate = None;
            let peer = Peer {
                address,
                certificate,
            };
            return self.speak_http1(stream, peer).await;
        };
        let acceptor = TlsAcceptor::from(tls.config());
        let mut stages = self.stages.clone();
        let shaken = tokio::select! {
            shaken = timeout(self.limits.handshake_timeout, shake(acceptor, stream)) => shaken,
            _ = stages.wait_for(|stage| *stage >= Stage::Draining) => return,
        };
        let Ok(Some(stream)) = shaken else {
            tracing::debug!(%address, "no TLS handshake");
            return;
        };
        let (_, session) = stream.get_ref();
        let certificate = session.peer_certificates().and_then(|chain| chain.first());
        let peer = Peer {
            address,
            certificate: certificate.map(|certificate| certificate.clone().into_owned()),
        };
        if session.alpn_protocol() == Some(b"h2") {
            self.speak_http2(stream, peer).await;
        } else {
            self.speak_http1(stream, peer).await;
        }
    }

    async fn speak_http1(self, stream: impl OverSocket, peer: Peer) {
        let pace = Pace::new(false, &self.limits);
        let mut io = TokioIo::new(Paced::new(stream, Arc::clone(&pace)));
        let attendant = self.attendant(peer, &pace);
        let service = service_fn(move |request| attendant.answer(request));
        let connection = self.http1.serve_connection(&mut io, service);
        let stop = http1::Connection::graceful_shutdown;
        if let Ending::Done = drive(connection, stop, &pace, self.stages.clone()).await {
            linger(io.into_inner()).await;
        }
    }

    async fn speak_http2(self, stream: TlsStream<TcpStream>, peer: Peer) {
        let pace = Pace::new(true, &self.limits);
        let io = TokioIo::new(Paced::new(stream, Arc::clone(&pace)));
        let attendant = self.attendant(peer, &pace);
        let service = service_fn(move |request| attendant.answer(request));
        let connection = self.http2.serve_connection(io, service);
        let stop = http2::Connection::graceful_shutdown;
        drive(connection, stop, &pace, self.stages.clone()).await;
    }

    fn attendant(&self, peer: Peer, pace: &Arc<Pace>) -> Attendant<S> {
        Attendant {
            service: self.service.clone(),
            peer: Arc::new(peer),
            limits: Arc::clone(&self.limits),
            pace: Arc::clone(pace),
        }
    }
}

/// What a connection's requests are answered with.
struct Attendant<S> {
    service: S,
    peer: Arc<Peer>,
    limits: Arc<Limits>,
    pace: Arc<Pace>,
}

impl<S> Attendant<S> {
    fn answer<F, B>(
        &self,
        request: Request<Incoming>,
    ) -> impl Future<Output = Result<Response<Body<B>>, Infallible>> + use<S, F, B>
    where
        S: Fn(Request<Incoming>, Arc<Peer>) -> F,
        F: Future<Output = Response<B>>,
    {
        let working = self.pace.working();
        let refusal = headers::refusal(request.uri(), request.headers(), &self.limits);
        let answer = if let Some(refusal) = refusal {
            Either::Left(ready(refusal.map(Body::Left)))
        } else {
            let answer = (self.service)(request, Arc::clone(&self.peer));
            Either::Right(answer.map(|answer| answer.map(Body::Right)))
        };
        async move {
            let response = answer.await;
            drop(working);
            Ok(response)
        }
    }
}

/// Our own refusal, or what the service answers.
type Body<B> = http_body_util::Either<Full<Bytes>, B>;

/// How a connection ended.
enum Ending {
    /// As HTTP ends it, by either side.
    Done,
    /// By a limit, or because the server is over.
    Cut,
}

/// Runs a connection until it ends, or nothing moves for too long.
async fn drive<C>(
    connection: C,
    stop: impl Fn(Pin<&mut C>),
    pace: &Pace,
    mut stages: watch::Receiver<Stage>,
) -> Ending
where
    C: Future<Output = hyper::Result<()>>,
{
    let mut connection = pin!(connection);
    let mut over = stages.clone();
    let mut draining = pin!(stages.wait_for(|stage| *stage >= Stage::Draining));
    let mut over = pin!(over.wait_for(|stage| *stage >= Stage::Over));
    let mut alarm = pin!(sleep_until(pace.due().unwrap_or_else(Instant::now)));
    let mut stopping = false;
    poll_fn(|cx| {
        if !stopping && draining.as_mut().poll(cx).is_ready() {
            stopping = true;
            stop(connection.as_mut());
        }
        if let Poll::Ready(ended) = connection.as_mut().poll(cx) {
            if let Err(error) = ended {
                tracing::debug!(%error, "connection broke");
            }
            return Poll::Ready(Ending::Done);
        }
        if stopping && over.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Ending::Cut);
        }
        if let Some(due) = pace.due().filter(|due| *due < alarm.deadline()) {
            alarm.as_mut().reset(due);
        }
        while alarm.as_mut().poll(cx).is_ready() {
            let now = Instant::now();
            match pace.due() {
                Some(due) if due <= now => return Poll::Ready(Ending::Cut),
                Some(due) => alarm.as_mut().reset(due),
                None => alarm.as_mut().reset(now + pace.idle_timeout()),
            }
        }
        Poll::Pending
    })
    .await
}

/// Takes what the peer still sends, for a while: closing at once could lose our last answer.
async fn linger(mut io: Paced<impl OverSocket>) {
    if io.has_ended() {
        return;
    }
    let socket = io.stream().socket();
    // An error says that the peer is gone already.
    if socket.shutdown().await.is_err() {
        return;
    }
    let mut rest = [0; 4096];
    let until_end = async { while socket.read(&mut rest).await.is_ok_and(|read| read > 0) {} };
    let _ = timeout(LINGER, until_end).await;
}

/// The TLS handshake; whoever speaks HTTP instead is told so, in the words of Go's servers.
async fn shake(acceptor: TlsAcceptor, mut stream: TcpStream) -> Option<TlsStream<TcpStream>> {
    let mut first = [0];
    let read = stream.peek(&mut first).await.ok()?;
    if read == 1 && first.iter().all(u8::is_ascii_uppercase) {
        let _ = stream.write_all(NOT_TLS).await;
        return None;
    }
    let mut stream = acceptor.accept(stream).await.ok()?;
    // Large metadata go out in fewer, larger writes than rustls makes of itself.
    stream.get_mut().1.set_buffer_limit(Some(SENT_AT_ONCE));
    Some(stream)
}

fn http1_within(limits: &Limits) -> http1::Builder {
    let mut builder = http1::Builder::new();
    let header_bytes = usize::try_from(limits.header_bytes).unwrap_or(usize::MAX);
    builder
        .header_read_timeout(None)
        .max_header_size(beyond(header_bytes))
        .max_buf_size(beyond(header_bytes).max(BUFFER));
    // Up to a hundred headers fit on the stack, which is faster.
    let headers = usize::try_from(limits.headers).unwrap_or(usize::MAX);
    if headers >= HEADERS_ON_STACK {
        builder.max_headers(beyond(headers));
    }
    builder
}

fn http2_within(limits: &Limits) -> http2::Builder<TokioExecutor> {
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .max_concurrent_streams(limits.streams)
        .max_header_list_size(limits.header_bytes.saturating_mul(2))
        .max_send_buf_size(BUFFER);
    builder
}

/// Where the HTTP library ends a connection that our own, clearer answer did not reach.
fn beyond(limit: usize) -> usize {
    limit.saturating_mul(2)
}

/// Bytes a connection may hold in each direction.
const BUFFER: usize = 64 * 1024;
/// Headers the HTTP library reads without asking for memory.
const HEADERS_ON_STACK: usize = 100;
/// As long as a peer needs to read an answer that it did not wait for.
const LINGER: Duration = Duration::from_secs(2);
const NOT_TLS: &[u8] =
    b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n";

/// Bytes a connection may hold encrypted; rustls would take 64 KiB.
const SENT_AT_ONCE: usize = 256 << 10;
