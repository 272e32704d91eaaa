//! Request bodies, with an end to their size and to the time they take.

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use std::time::Duration;
use tokio::time;

/// Why a body could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BodyError {
    /// The peer went away or broke the rules of HTTP.
    #[error("the body of the request broke off: {source}")]
    Broken {
        /// What the HTTP library said.
        source: hyper::Error,
    },
    /// More bytes than allowed.
    #[error("the body of the request is larger than {limit} bytes")]
    TooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// The end did not arrive in time.
    #[error("the body of the request took longer than {} s", limit.as_secs_f32())]
    TooSlow {
        /// The limit.
        limit: Duration,
    },
}

/// The whole body, if it has at most `max_bytes` and arrives before `timeout` is over.
///
/// One that announces more is refused before any of it is read.
pub async fn read_body(
    body: Incoming,
    max_bytes: usize,
    timeout: Duration,
) -> Result<Bytes, BodyError> {
    time::timeout(timeout, collect(body, max_bytes))
        .await
        .unwrap_or(Err(BodyError::TooSlow { limit: timeout }))
}

async fn collect(mut body: Incoming, limit: usize) -> Result<Bytes, BodyError> {
    let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    if announced > limit {
        return Err(BodyError::TooLarge { limit });
    }
    // What is only announced takes no room.
    let mut bytes = BytesMut::with_capacity(announced.min(FIRST_ROOM));
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|source| BodyError::Broken { source })?;
        let Ok(data) = frame.into_data() else {
            continue;
        };
        if data.len() > limit - bytes.len() {
            return Err(BodyError::TooLarge { limit });
        }
        bytes.extend_from_slice(&data);
    }
    Ok(bytes.freeze())
}

/// Bytes; the room grows with what arrives.
const FIRST_ROOM: usize = 64 * 1024;
