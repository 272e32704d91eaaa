//! TLS over a socket that is read as much as there is at once, and decrypted where it lies.
//!
//! This is the state machine that [`rustls::unbuffered`] asks its callers to run.

use bytes::{Buf, BytesMut};
use rustls::{
    ClientConfig, client::UnbufferedClientConnection, pki_types::ServerName,
    unbuffered::ConnectionState,
};
use std::{
    error::Error,
    future::poll_fn,
    io,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll, ready},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf},
    net::TcpStream,
};

/// A connection on which both sides know the keys.
pub(super) struct Line {
    tcp: TcpStream,
    tls: UnbufferedClientConnection,
    /// As it came
    incoming: BytesMut,
    /// What was decrypted and nobody had room for
    plain: BytesMut,
    /// Encrypted, and not sent yet
    outgoing: BytesMut,
    /// The peer said that nothing more comes
    ended: bool,
    /// What it sent cannot be believed; nothing of it is looked at again
    failed: bool,
    /// Why, as long as nobody was told
    why: Option<io::Error>,
}

/// What the state machine is to do next.
enum Work<'a, 'b> {
    Shake,
    Read(&'a mut ReadBuf<'b>),
    Write(&'a [u8]),
    Close,
}

/// How far one step of the state machine got.
enum Step {
    /// There is more to do
    Again,
    /// It is done: so many bytes were encrypted
    Done(usize),
    /// Nothing can be done until more has come
    Starved,
    /// The peer has closed
    Ended,
}

impl Line {
    /// Shakes hands with the server of this name over a new connection.
    pub(super) async fn shake(
        tcp: TcpStream,
        config: Arc<ClientConfig>,
        name: ServerName<'static>,
    ) -> io::Result<Self> {
        let mut line = Self {
            tcp,
            tls: UnbufferedClientConnection::new(config, name).map_err(broken)?,
            incoming: BytesMut::with_capacity(READ_AT_ONCE),
            plain: BytesMut::new(),
            outgoing: BytesMut::new(),
            ended: false,
            failed: false,
            why: None,
        };
        let shaken = poll_fn(|cx| line.poll_shake(cx)).await;
        if line.failed {
            // Only as far as that goes at once: there is nobody to wait for it.
            let _ = line.tcp.try_write(&line.outgoing);
        }
        shaken.map(|()| line)
    }

    fn poll_shake(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            match self.step(&mut Work::Shake)? {
                Step::Again => {}
                Step::Done(_) => return self.poll_send(cx),
                Step::Starved => {
                    ready!(self.poll_send(cx))?;
                    ready!(self.poll_receive(cx))?;
                }
                Step::Ended => return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into())),
            }
        }
    }

    fn step(&mut self, work: &mut Work<'_, '_>) -> io::Result<Step> {
        if self.failed {
            let again = || io::ErrorKind::BrokenPipe.into();
            return Err(self.why.take().unwrap_or_else(again));
        }
        let step = self.unless_broken(work);
        if step.is_err() {
            self.failed = true;
            self.take_alerts();
        }
        step
    }

    /// What the peer is to be told of an error.
    ///
    /// As long as there is something to send, rustls gives that and looks at nothing that came; a
    /// second look at what was wrong would be a panic.
    fn take_alerts(&mut self) {
        while self.tls.wants_write() {
            let state = self.tls.process_tls_records(&mut []).state;
            let Ok(ConnectionState::EncodeTlsData(mut data)) = state else {
                return;
            };
            if append(&mut self.outgoing, |room| data.encode(room)).is_err() {
                return;
            }
        }
    }

    fn unless_broken(&mut self, work: &mut Work<'_, '_>) -> io::Result<Step> {
        let status = self.tls.process_tls_records(&mut self.incoming);
        let mut done_with = status.discard;
        let step = match status.state.map_err(broken)? {
            ConnectionState::EncodeTlsData(mut data) => {
                append(&mut self.outgoing, |room| data.encode(room))?;
                Step::Again
            }
            // It goes out in order with all the rest.
            ConnectionState::TransmitTlsData(data) => {
                data.done();
                Step::Again
            }
            ConnectionState::ReadTraffic(mut traffic) => {
                while let Some(record) = traffic.next_record() {
                    let record = record.map_err(broken)?;
                    done_with += record.discard;
                    let rest = match work {
                        Work::Read(target) if self.plain.is_empty() => {
                            let room = record.payload.len().min(target.remaining());
                            let (now, later) = record.payload.split_at(room);
                            target.put_slice(now);
                            later
                        }
                        _ => record.payload,
                    };
                    self.plain.extend_from_slice(rest);
                }
                Step::Again
            }
            ConnectionState::WriteTraffic(mut traffic) => match work {
                Work::Shake => Step::Done(0),
                Work::Read(_) => Step::Starved,
                Work::Write(data) => {
                    append(&mut self.outgoing, |room| traffic.encrypt(data, room))?;
                    Step::Done(data.len())
                }
                Work::Close => {
                    append(&mut self.outgoing, |room| traffic.queue_close_notify(room))?;
                    Step::Done(0)
                }
            },
            ConnectionState::BlockedHandshake => Step::Starved,
            ConnectionState::PeerClosed => {
                self.ended = true;
                Step::Again
            }
            ConnectionState::Closed => Step::Ended,
            other => return Err(io::Error::other(format!("TLS cannot be {other:?} here"))),
        };
        self.incoming.advance(done_with);
        Ok(step)
    }

    /// Sends all that was encrypted.
    fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.outgoing.is_empty() {
            let sent = ready!(Pin::new(&mut self.tcp).poll_write(cx, &self.outgoing))?;
            if sent == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.outgoing.advance(sent);
        }
        Poll::Ready(Ok(()))
    }

    /// Takes what the socket has; a socket that is closed before TLS is, is an error.
    fn poll_receive(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let room = READ_AT_ONCE.saturating_sub(self.incoming.len());
        if room == 0 {
            let large = "a TLS record that has no end";
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, large)));
        }
        self.incoming.reserve(room);
        match ready!(pin!(self.tcp.read_buf(&mut self.incoming)).poll(cx))? {
            0 => Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into())),
            _ => Poll::Ready(Ok(())),
        }
    }

    /// Gives what was decrypted before.
    fn give(&mut self, target: &mut ReadBuf<'_>) {
        let room = self.plain.len().min(target.remaining());
        target.put_slice(&self.plain.split_to(room));
    }
}

impl AsyncRead for Line {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        target: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = target.filled().len();
        self.give(target);
        while target.remaining() > 0 && !self.ended {
            let step = self.step(&mut Work::Read(target));
            let has_some = target.filled().len() > before;
            match step {
                Ok(Step::Again | Step::Done(_)) => {}
                Ok(Step::Ended) => break,
                // What is here is wanted now; the rest is for the next call.
                Ok(Step::Starved) if has_some => break,
                Err(error) if has_some => {
                    self.why = Some(error);
                    break;
                }
                Err(error) => return Poll::Ready(Err(error)),
                Ok(Step::Starved) => {
                    // An answer to what came, such as a new key; nobody waits for it.
                    let _ = self.poll_send(cx)?;
                    ready!(self.poll_receive(cx))?;
                }
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Line {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_send(cx))?;
        let data = data.get(..WRITTEN_AT_ONCE).unwrap_or(data);
        loop {
            match self.step(&mut Work::Write(data))? {
                Step::Again => {}
                Step::Done(written) => {
                    let _ = self.poll_send(cx)?;
                    return Poll::Ready(Ok(written));
                }
                Step::Starved | Step::Ended => {
                    return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
                }
            }
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_send(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.failed && matches!(self.step(&mut Work::Close)?, Step::Again) {}
        ready!(self.poll_send(cx))?;
        Pin::new(&mut self.tcp).poll_shutdown(cx)
    }
}

/// Appends the record that `write` writes.
fn append<E: Error + Send + Sync + 'static>(
    to: &mut BytesMut,
    write: impl FnOnce(&mut [u8]) -> Result<usize, E>,
) -> io::Result<()> {
    let mut record = to.split_off(to.len());
    record.resize(LARGEST_RECORD, 0);
    let written = write(&mut record).map_err(io::Error::other)?;
    record.truncate(written);
    to.unsplit(record);
    Ok(())
}

/// The error as the rest of the program looks for it.
fn broken(error: rustls::Error) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

/// Bytes that are read and decrypted at once: sixteen records.
pub(super) const READ_AT_ONCE: usize = 256 << 10;
/// What surely fits in one record; requests are small.
const WRITTEN_AT_ONCE: usize = 8 << 10;
/// RFC 8446, section 5.2, and RFC 5246, section 6.2.3
const LARGEST_RECORD: usize = 5 + (16 << 10) + 2048;

#[cfg(test)]
mod tests;
