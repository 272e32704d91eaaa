//! `[limits]`: what a request and a connection may cost.
//!
//! What this program's own client would not read cannot be allowed here either.

use crate::listen;
use crate::quantity::{GIB, HOUR, KIB, MIB, Period, Size, count, period, size};
use crate::tuf::limits::{DELEGATION_DEPTH, DELEGATIONS, JSON_DEPTH};
use serde::Deserialize;

/// What a request and a connection may cost.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LimitSettings {
    /// Largest body of a request.
    #[serde(deserialize_with = "size::<KIB, GIB, _>")]
    pub body: Size,
    /// How long a body may take to arrive.
    #[serde(deserialize_with = "period::<1, HOUR, _>")]
    pub body_timeout: Period,
    /// Files in one publish.
    #[serde(deserialize_with = "count::<1, 10_000, _, _>")]
    pub parts: usize,
    /// Roles that one file may delegate to.
    #[serde(deserialize_with = "count::<1, { DELEGATIONS }, _, _>")]
    pub delegations: usize,
    /// How deep delegations may go; `targets/a` is 1.
    #[serde(deserialize_with = "count::<1, { DELEGATION_DEPTH }, _, _>")]
    pub delegation_depth: usize,
    /// Levels of JSON in a published file.
    #[serde(deserialize_with = "count::<8, { JSON_DEPTH }, _, _>")]
    pub json_depth: usize,
    /// Bytes of a request's target and headers.
    #[serde(deserialize_with = "size::<KIB, MIB, _>")]
    pub header_bytes: Size,
    /// Headers of a request.
    #[serde(deserialize_with = "count::<8, 1000, _, _>")]
    pub headers: u32,
    /// Connections at a time; more wait unaccepted.
    #[serde(deserialize_with = "count::<1, 1_000_000, _, _>")]
    pub connections: u32,
    /// Requests at a time on one HTTP/2 connection.
    #[serde(deserialize_with = "count::<1, 10_000, _, _>")]
    pub streams: u32,
    /// How long a TLS handshake may take.
    #[serde(deserialize_with = "period::<0, HOUR, _>")]
    pub handshake_timeout: Period,
    /// How long the head of a request may take to arrive.
    #[serde(deserialize_with = "period::<0, HOUR, _>")]
    pub header_timeout: Period,
    /// How long a connection is kept on which nothing moves and no request is worked on.
    #[serde(deserialize_with = "period::<0, HOUR, _>")]
    pub idle_timeout: Period,
    /// How long requests in flight may take to end when the server stops.
    #[serde(deserialize_with = "period::<0, HOUR, _>")]
    pub grace: Period,
}

impl LimitSettings {
    /// The limits that hold before a request is looked at.
    pub fn of_connections(&self) -> listen::Limits {
        listen::Limits {
            connections: self.connections,
            handshake_timeout: self.handshake_timeout.into(),
            header_timeout: self.header_timeout.into(),
            header_bytes: u32::try_from(self.header_bytes.bytes()).unwrap_or(u32::MAX),
            headers: self.headers,
            streams: self.streams,
            idle_timeout: self.idle_timeout.into(),
            grace: self.grace.into(),
        }
    }
}

impl Default for LimitSettings {
    fn default() -> Self {
        Self {
            body: Size::of(64 * MIB),
            body_timeout: Period::seconds(60),
            parts: 256,
            delegations: DELEGATIONS,
            delegation_depth: DELEGATION_DEPTH,
            json_depth: JSON_DEPTH,
            header_bytes: Size::of(32 * KIB),
            headers: 64,
            connections: 4096,
            streams: 100,
            handshake_timeout: Period::seconds(10),
            header_timeout: Period::seconds(10),
            idle_timeout: Period::seconds(75),
            grace: Period::seconds(25),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_those_of_the_sockets() {
        let ours = LimitSettings::default().of_connections();
        assert_eq!(ours, listen::Limits::default());
    }
}
