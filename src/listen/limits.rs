//! What a peer may cost.

use std::time::Duration;

/// Limits of connections and of what comes before a request's body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections at a time; more wait unaccepted.
    pub connections: u32,
    /// From the connection to the end of the TLS handshake.
    pub handshake_timeout: Duration,
    /// From the first byte of a request's head to its last, and for the first one to come.
    pub header_timeout: Duration,
    /// Bytes of a request's target and headers; more are answered 431.
    pub header_bytes: u32,
    /// Headers of a request; more are answered 431.
    pub headers: u32,
    /// Requests at a time on one HTTP/2 connection.
    pub streams: u32,
    /// How long nothing may move on a connection on which no request is being worked on.
    pub idle_timeout: Duration,
    /// How long requests in flight may take to end when the server stops.
    pub grace: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 4096,
            handshake_timeout: Duration::from_secs(10),
            header_timeout: Duration::from_secs(10),
            header_bytes: 32 * 1024,
            headers: 64,
            streams: 100,
            idle_timeout: Duration::from_secs(75),
            grace: Duration::from_secs(25),
        }
    }
}
