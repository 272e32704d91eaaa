//! How a connection gets on: what it is waiting for, and since when.
//!
//! Hyper has one limit of time for a head and for the wait before it; here these are two, and a
//! peer that does not take its answer is noticed as well.

use super::Limits;
use std::{
    io::{self, IoSlice},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed},
    },
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpStream, UnixStream},
    time::Instant,
};

/// What one connection is doing. Every request on it holds the [`Pace`] as well.
#[derive(Debug)]
pub(super) struct Pace {
    began: Instant,
    /// Milliseconds from `began` to the last thing that moved.
    moved: AtomicU64,
    /// A head has begun, or the first one is awaited.
    in_head: AtomicBool,
    in_flight: AtomicU32,
    /// HTTP/2 has frames that belong to no request: bytes are no head then.
    has_frames: bool,
    header_timeout: Duration,
    idle_timeout: Duration,
}

impl Pace {
    /// A connection on which nothing has happened yet.
    pub(super) fn new(has_frames: bool, limits: &Limits) -> Arc<Self> {
        Arc::new(Self {
            began: Instant::now(),
            moved: AtomicU64::new(0),
            in_head: AtomicBool::new(!has_frames),
            in_flight: AtomicU32::new(0),
            has_frames,
            header_timeout: limits.header_timeout,
            idle_timeout: limits.idle_timeout,
        })
    }

    /// A request is being worked on until the guard is dropped.
    pub(super) fn working(self: &Arc<Self>) -> Working {
        self.in_flight.fetch_add(1, Relaxed);
        self.in_head.store(false, Relaxed);
        Working(Arc::clone(self))
    }

    /// When the connection has to end unless something moves; never while a request is at work.
    pub(super) fn due(&self) -> Option<Instant> {
        if self.in_flight.load(Relaxed) > 0 {
            return None;
        }
        let patience = if self.in_head.load(Relaxed) {
            self.header_timeout
        } else {
            self.idle_timeout
        };
        Some(self.began + Duration::from_millis(self.moved.load(Relaxed)) + patience)
    }

    /// How long a silent connection is kept.
    pub(super) fn idle_timeout(&self) -> Duration {
        self.idle_timeout
    }

    fn has_read(&self) {
        let idle = !self.has_frames && self.in_flight.load(Relaxed) == 0;
        // Only the first byte of a head counts, or one byte a second would go on for ever.
        if idle && !self.in_head.swap(true, Relaxed) {
            self.moved();
        }
    }

    fn moved(&self) {
        let elapsed = u64::try_from(self.began.elapsed().as_millis());
        self.moved.store(elapsed.unwrap_or(u64::MAX), Relaxed);
    }
}

/// One request at work.
#[derive(Debug)]
pub(super) struct Working(Arc<Pace>);

impl Drop for Working {
    fn drop(&mut self) {
        self.0.moved();
        self.0.in_flight.fetch_sub(1, Relaxed);
    }
}

/// A stream that tells the connection's pace what moves on it.
pub(super) struct Paced<T> {
    stream: T,
    pace: Arc<Pace>,
    ended: bool,
}

impl<T> Paced<T> {
    pub(super) fn new(stream: T, pace: Arc<Pace>) -> Self {
        Self {
            stream,
            pace,
            ended: false,
        }
    }

    /// Whether the peer has said that nothing more comes.
    pub(super) fn has_ended(&self) -> bool {
        self.ended
    }

    /// What is below the pace.
    pub(super) fn stream(&mut self) -> &mut T {
        &mut self.stream
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Paced<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = ready!(Pin::new(&mut self.stream).poll_read(cx, buffer));
        if buffer.filled().len() > before {
            self.pace.has_read();
        } else {
            self.ended = true;
        }
        Poll::Ready(read)
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Paced<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.stream).poll_write(cx, bytes));
        self.pace.moved();
        Poll::Ready(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.stream).poll_write_vectored(cx, slices));
        self.pace.moved();
        Poll::Ready(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// A stream over a socket.
pub(super) trait OverSocket: AsyncRead + AsyncWrite + Unpin + Send + 'static {
    /// The socket below.
    type Socket: AsyncRead + AsyncWrite + Unpin + Send;

    /// The socket below.
    fn socket(&mut self) -> &mut Self::Socket;
}

impl OverSocket for TcpStream {
    type Socket = Self;

    fn socket(&mut self) -> &mut Self {
        self
    }
}

impl OverSocket for UnixStream {
    type Socket = Self;

    fn socket(&mut self) -> &mut Self {
        self
    }
}

impl OverSocket for tokio_rustls::server::TlsStream<TcpStream> {
    type Socket = TcpStream;

    fn socket(&mut self) -> &mut TcpStream {
        self.get_mut().0
    }
}
