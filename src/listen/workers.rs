//! Threads that each attend to connections of their own.
//!
//! What streams through a connection is then moved by one thread, close to its memory. A runtime of
//! many threads hands each piece from one to the other, which costs a third of a proxy's time.

use super::Stream;
use std::{io, net, num::NonZeroUsize, os::unix, thread};
use tokio::{
    net::{TcpStream, UnixStream},
    runtime::{Builder, Handle},
    sync::oneshot,
};

/// One thread for each processor; they end when this is dropped.
#[derive(Debug)]
pub struct Workers {
    /// The first is the one that had the last connection
    all: Vec<Worker>,
}

#[derive(Debug)]
struct Worker {
    runtime: Handle,
    /// Its thread ends when this is gone
    _until: oneshot::Sender<()>,
}

impl Workers {
    /// Starts them.
    ///
    /// # Errors
    /// The system has no more threads.
    pub fn start() -> io::Result<Self> {
        let count = thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let all = (0..count).map(Worker::start).collect::<io::Result<_>>()?;
        Ok(Self { all })
    }

    /// Has the next of them attend to this connection.
    pub(super) fn give<F>(
        &mut self,
        stream: Stream,
        attend: impl FnOnce(Stream) -> F + Send + 'static,
    ) -> io::Result<()>
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let stream = Unheard::of(stream)?;
        self.all.rotate_left(1);
        let worker = self.all.first().ok_or(io::ErrorKind::NotFound)?;
        worker.runtime.spawn(async move {
            match stream.here() {
                Ok(stream) => attend(stream).await,
                Err(error) => tracing::error!(%error, "cannot attend to a connection"),
            }
        });
        Ok(())
    }
}

impl Worker {
    fn start(number: usize) -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let (until, end) = oneshot::channel::<()>();
        let thread = thread::Builder::new().name(format!("connections-{number}"));
        thread.spawn(move || runtime.block_on(end))?;
        Ok(Self {
            runtime: handle,
            _until: until,
        })
    }
}

/// A connection whose events no runtime listens to.
enum Unheard {
    Tcp(net::TcpStream),
    Unix(unix::net::UnixStream),
}

impl Unheard {
    fn of(stream: Stream) -> io::Result<Self> {
        match stream {
            Stream::Tcp(stream) => stream.into_std().map(Self::Tcp),
            Stream::Unix(stream) => stream.into_std().map(Self::Unix),
        }
    }

    /// The connection, of the runtime that asks.
    fn here(self) -> io::Result<Stream> {
        match self {
            Self::Tcp(stream) => TcpStream::from_std(stream).map(Stream::Tcp),
            Self::Unix(stream) => UnixStream::from_std(stream).map(Stream::Unix),
        }
    }
}
