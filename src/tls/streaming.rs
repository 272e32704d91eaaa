//! A client for bodies without a limit, which takes from a socket as much as there is.
//!
//! The usual way, rustls reads four KiB at a time (five system calls for each record of TLS, and as
//! many chances to wait for the next) and each byte is copied three times. What goes through a proxy
//! of the environment, or in the clear, goes the usual way.

mod line;

use super::{
    CONNECT_TIMEOUT, IDLE_TIMEOUT, READ_TIMEOUT, TlsError, TlsFiles, client, client_config,
    user_agent,
};
use hyper::{
    Uri,
    body::{Body, Bytes, Frame, Incoming, SizeHint},
    header::{HeaderValue, USER_AGENT},
};
use hyper_util::{
    client::{
        legacy::{
            self, Client,
            connect::{Connected, Connection, HttpConnector},
        },
        proxy::matcher::Matcher,
    },
    rt::{TokioExecutor, TokioIo, TokioTimer},
};
use line::{Line, READ_AT_ONCE};
use reqwest::{RequestBuilder, Response, ResponseBuilderExt, Url};
use rustls::{ClientConfig, pki_types::ServerName};
use std::{
    error::Error,
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::time::{Instant, Sleep, sleep, timeout};
use tower_service::Service;

/// A client for bodies without a limit: HTTP/1.1, each on a connection of its own.
///
/// On HTTP/2 they would share one, and a reader that is slow or gone would hold up all others.
/// Clones are the same.
#[derive(Clone, Debug)]
pub struct StreamingClient {
    usual: reqwest::Client,
    wide: Client<Connector, reqwest::Body>,
    /// Those of the environment, unless the server is on this machine
    proxies: Option<Arc<Matcher>>,
    user_agent: Option<HeaderValue>,
    /// Longest silence of a server that is still believed to answer
    patience: Duration,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StreamError {
    /// The usual client failed.
    #[error(transparent)]
    Usual(#[from] reqwest::Error),
    /// The server said nothing for as long as we wait.
    #[error("no answer in time")]
    Silent,
    /// The connection could not be made, or broke.
    #[error(transparent)]
    Wide(#[from] legacy::Error),
}

impl StreamingClient {
    /// A client for the server at `host`, which is told from others as for [`super::http_client`].
    ///
    /// # Errors
    /// Files that rustls does not take.
    pub fn new(files: &TlsFiles, host: &str) -> Result<Self, TlsError> {
        Self::with_patience(files, host, READ_TIMEOUT)
    }

    fn with_patience(files: &TlsFiles, host: &str, patience: Duration) -> Result<Self, TlsError> {
        let mut config = client_config(files)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(CONNECT_TIMEOUT));
        let connector = Connector {
            tcp,
            tls: Arc::new(config.clone()),
        };
        let wide = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_TIMEOUT)
            .pool_max_idle_per_host(MAX_IDLE)
            .http1_max_buf_size(READ_AT_ONCE)
            .build(connector);
        let is_local = super::is_local(host);
        Ok(Self {
            usual: client(config, host, patience)?,
            wide,
            proxies: (!is_local).then(|| Arc::new(Matcher::from_env())),
            user_agent: HeaderValue::from_str(&user_agent()).ok(),
            patience,
        })
    }

    /// The client for all that is not streamed.
    pub fn usual(&self) -> &reqwest::Client {
        &self.usual
    }

    /// The answer to this request of the usual client, once its head is here.
    ///
    /// # Errors
    /// No connection, TLS that is not to be believed, or silence for thirty seconds. The body ends
    /// in an error after such a silence, too, and if it ends before its announced length in bytes.
    pub async fn send(&self, request: RequestBuilder) -> Result<Response, StreamError> {
        let request = request.build()?;
        let url = request.url().clone();
        if !self.is_direct(&url) {
            return Ok(self.usual.execute(request).await?);
        }
        let mut request = hyper::Request::<reqwest::Body>::try_from(request)?;
        if let Some(user_agent) = &self.user_agent {
            request.headers_mut().insert(USER_AGENT, user_agent.clone());
        }
        let answer = timeout(self.patience, self.wide.request(request)).await;
        let (head, body) = answer.map_err(|_| StreamError::Silent)??.into_parts();
        let body = reqwest::Body::wrap(Awaited::new(body, self.patience));
        let mut answer = hyper::Response::new(body);
        *answer.status_mut() = head.status;
        *answer.headers_mut() = head.headers;
        // Only a builder can say where an answer comes from.
        let named = hyper::http::response::Builder::new().url(url).body(());
        if let Ok(named) = named {
            *answer.extensions_mut() = named.into_parts().0.extensions;
        }
        Ok(answer.into())
    }

    /// Whether the server there is reached over TLS, and without a proxy.
    fn is_direct(&self, url: &Url) -> bool {
        let is_proxied = |uri: &Uri| {
            let proxies = self.proxies.as_ref();
            proxies.is_some_and(|proxies| proxies.intercept(uri).is_some())
        };
        url.scheme() == "https" && url.as_str().parse().is_ok_and(|uri| !is_proxied(&uri))
    }
}

impl StreamError {
    /// There was no connection, and trying again may make one.
    pub(crate) fn is_unreached(&self) -> bool {
        match self {
            Self::Usual(error) => error.is_connect() && !error.is_timeout(),
            Self::Silent => false,
            Self::Wide(error) => error.is_connect() && !self.is_late(),
        }
    }

    /// Time ran out.
    pub(crate) fn is_late(&self) -> bool {
        match self {
            Self::Usual(error) => error.is_timeout(),
            Self::Silent => true,
            Self::Wide(error) => super::causes(error)
                .filter_map(|cause| cause.downcast_ref::<io::Error>())
                .any(|cause| cause.kind() == io::ErrorKind::TimedOut),
        }
    }
}

/// Opens connections on which TLS is spoken.
#[derive(Clone)]
struct Connector {
    tcp: HttpConnector,
    tls: Arc<ClientConfig>,
}

impl Service<Uri> for Connector {
    type Response = TokioIo<Line>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.tcp.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let host = uri.host().unwrap_or_default();
        let name = ServerName::try_from(host.trim_matches(['[', ']']).to_owned());
        let (connecting, tls) = (self.tcp.call(uri), Arc::clone(&self.tls));
        Box::pin(async move {
            let tcp = connecting.await?.into_inner();
            let line = timeout(CONNECT_TIMEOUT, Line::shake(tcp, tls, name?)).await;
            Ok(TokioIo::new(line.map_err(io::Error::from)??))
        })
    }
}

impl Connection for Line {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

/// A body whose server may be silent for so long, and no longer, while somebody waits for it.
struct Awaited {
    body: Incoming,
    /// Set anew only when it rings: each time costs a system call
    alarm: Pin<Box<Sleep>>,
    since: Option<Instant>,
    patience: Duration,
}

impl Awaited {
    fn new(body: Incoming, patience: Duration) -> Self {
        Self {
            body,
            alarm: Box::pin(sleep(patience)),
            since: None,
            patience,
        }
    }
}

impl Body for Awaited {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(cx) {
            self.since = None;
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        let due = *self.since.get_or_insert_with(Instant::now) + self.patience;
        loop {
            ready!(self.alarm.as_mut().poll(cx));
            if self.alarm.deadline() >= due {
                return Poll::Ready(Some(Err(StreamError::Silent.into())));
            }
            self.alarm.as_mut().reset(due);
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

type BoxError = Box<dyn Error + Send + Sync>;

/// Connections to one server that are kept for the next blobs, with their buffers.
const MAX_IDLE: usize = 16;

#[cfg(test)]
mod tests;
