//! One exchange with a server: bounded repeats of reads, bounded bodies, errors sorted.

use super::RemoteError;
use crate::tls::{StreamError, StreamingClient};
use reqwest::{RequestBuilder, Response, StatusCode, Url, header::RETRY_AFTER};
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// Whether sending a request twice may change anything.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Repeat {
    /// Reading: try again, a few times and soon.
    Allowed,
    /// Writing: never without looking first.
    Never,
}

/// What a request goes out over.
#[derive(Clone, Copy)]
pub(super) enum Over<'a> {
    /// A client for bodies without a limit
    Streaming(&'a StreamingClient),
    /// The client that the request is of
    Usual,
}

impl Over<'_> {
    async fn send(self, request: RequestBuilder) -> Result<Response, StreamError> {
        match self {
            Self::Streaming(client) => client.send(request).await,
            Self::Usual => Ok(request.send().await?),
        }
    }
}

/// Sends what `build` makes; a read that meets a busy or restarting server is tried twice more.
pub(super) async fn send(
    build: &(dyn Fn() -> RequestBuilder + Send + Sync),
    host: &str,
    repeat: Repeat,
) -> Result<Response, RemoteError> {
    send_over(Over::Usual, build, host, repeat).await
}

/// The same over another client.
pub(super) async fn send_over(
    over: Over<'_>,
    build: &(dyn Fn() -> RequestBuilder + Send + Sync),
    host: &str,
    repeat: Repeat,
) -> Result<Response, RemoteError> {
    for pause in PAUSES.iter().filter(|_| repeat == Repeat::Allowed) {
        let wait = match over.send(build()).await {
            Ok(response) if !is_passing(response.status()) => return Ok(response),
            Ok(response) => asked_pause(&response).unwrap_or(*pause),
            Err(error) => match RemoteError::from_stream(&error, host) {
                // A wait that ran out once will run out again, and bad TLS stays bad.
                RemoteError::Unreachable { .. } if error.is_unreached() => *pause,
                fault => return Err(fault),
            },
        };
        sleep(wait).await;
    }
    over.send(build())
        .await
        .map_err(|error| RemoteError::from_stream(&error, host))
}

/// The whole body, or an error as soon as it is known to exceed `limit` bytes.
pub(crate) async fn read_body(mut response: Response, limit: u64) -> Result<Vec<u8>, RemoteError> {
    let url = response.url().to_string();
    let too_large = || RemoteError::TooLarge {
        url: url.clone(),
        limit,
    };
    if response
        .content_length()
        .is_some_and(|length| length > limit)
    {
        return Err(too_large());
    }
    let host = host_of(response.url());
    let collect = async {
        // What a server does not state is rarely less than what it may send.
        let stated = response.content_length().unwrap_or(limit);
        let mut body = Vec::with_capacity(usize::try_from(stated).unwrap_or(0));
        while let Some(chunk) = response
            .chunk()
            .await
            .map_err(|error| RemoteError::from_http(&error, &host))?
        {
            if u64::try_from(body.len() + chunk.len()).is_ok_and(|length| length > limit) {
                return Err(too_large());
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    };
    // Silence is limited by the client; this ends a body that trickles for ever.
    timeout(LONGEST_BODY, collect)
        .await
        .map_err(|_| RemoteError::Unreachable {
            host: host.clone(),
            status: None,
            reason: format!(
                "{host}: the answer took more than {} s",
                LONGEST_BODY.as_secs()
            ),
        })?
}

/// As much of the body as fits; for answers that only explain an error.
pub(super) async fn read_some(mut response: Response, limit: usize) -> Vec<u8> {
    let mut body = Vec::new();
    let collect = async {
        while let Ok(Some(chunk)) = response.chunk().await {
            body.extend_from_slice(&chunk);
            if body.len() >= limit {
                break;
            }
        }
    };
    // What has arrived by then is what there is to say.
    let _ = timeout(LONGEST_EXPLANATION, collect).await;
    body.truncate(limit);
    body
}

/// Host and port as Docker names its folders: the port only where the URL has one.
pub(super) fn host_of(url: &Url) -> String {
    match (url.host_str(), url.port()) {
        (Some(host), Some(port)) => format!("{host}:{port}"),
        (Some(host), None) => host.to_owned(),
        (None, _) => String::new(),
    }
}

fn is_passing(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT
            | StatusCode::TOO_MANY_REQUESTS
    )
}

fn asked_pause(response: &Response) -> Option<Duration> {
    let seconds = response
        .headers()
        .get(RETRY_AFTER)?
        .to_str()
        .ok()?
        .trim()
        .parse()
        .ok()?;
    Some(Duration::from_secs(seconds).min(LONGEST_PAUSE))
}

/// How long to wait before the second and the third try.
const PAUSES: [Duration; 2] = [Duration::from_millis(100), Duration::from_millis(300)];
/// Longest wait a server can ask for.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// 100 MiB, the largest metadata file, at 350 kB/s.
const LONGEST_BODY: Duration = Duration::from_mins(5);
const LONGEST_EXPLANATION: Duration = Duration::from_secs(5);
