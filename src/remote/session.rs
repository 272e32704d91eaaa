//! A conversation with one server about one scope: asked once who we are, answered until it ends.

use super::{
    RemoteError,
    auth::{Challenge, Token, fetch_token, keeps_secrets, secret_header},
    reply,
    transport::{Over, Repeat, host_of, read_some, send, send_over},
};
use crate::{config::Credentials, tls::StreamingClient};
use base64::{Engine, prelude::BASE64_STANDARD};
use reqwest::{
    Client, Method, RequestBuilder, Response, StatusCode, Url,
    header::{AUTHORIZATION, HeaderMap, HeaderValue},
};
use std::time::{Duration, Instant};
use tokio::sync::Mutex;
use zeroize::Zeroizing;

/// An HTTP client that pings a server before its first request and shows what it asks for.
pub(crate) struct Session {
    http: Client,
    base: Url,
    scope: String,
    credentials: Credentials,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    pinged: bool,
    challenge: Option<Challenge>,
    token: Option<Token>,
}

impl Session {
    /// Nothing is sent yet; `base` is the server, `scope` what tokens are asked for.
    pub(crate) fn new(http: Client, base: &Url, scope: String, credentials: Credentials) -> Self {
        let mut base = base.clone();
        if !base.path().ends_with('/') {
            base.set_path(&format!("{}/", base.path()));
        }
        Self {
            http,
            base,
            scope,
            credentials,
            state: Mutex::default(),
        }
    }

    /// The server answered its ping; who is asking does not matter yet.
    pub(crate) async fn reach(&self) -> Result<(), RemoteError> {
        self.pinged(&mut *self.state.lock().await).await
    }

    /// The address of `path` below the server's `v2/`.
    pub(crate) fn address(&self, path: &str) -> Result<Url, RemoteError> {
        let mut url = self.base.clone();
        // The URL standard would quietly fold these, and so name something else.
        if path.contains('\\') || path.split('/').any(is_dots) {
            return Err(RemoteError::NotFound {
                url: path.to_owned(),
            });
        }
        url.set_path(&format!("{}v2/{path}", self.base.path()));
        url.set_query(None);
        Ok(url)
    }

    /// The answer to a GET, if it is 200.
    pub(crate) async fn get(
        &self,
        url: &Url,
        accept: Option<&str>,
    ) -> Result<Response, RemoteError> {
        let build = |http: &Client| {
            let request = http.get(url.clone());
            match accept {
                Some(types) => request.header(reqwest::header::ACCEPT, types),
                None => request,
            }
        };
        self.exchange(&build, Repeat::Allowed).await
    }

    /// The answer to whatever `build` makes, sent at most once per set of credentials.
    pub(crate) async fn post(
        &self,
        url: &Url,
        build: &(dyn Fn(RequestBuilder) -> RequestBuilder + Send + Sync),
    ) -> Result<Response, RemoteError> {
        let build = |http: &Client| build(http.request(Method::POST, url.clone()));
        self.exchange(&build, Repeat::Never).await
    }

    /// The answer to a DELETE, if it is 200.
    pub(crate) async fn delete(&self, url: &Url) -> Result<Response, RemoteError> {
        let build = |http: &Client| http.request(Method::DELETE, url.clone());
        self.exchange(&build, Repeat::Never).await
    }

    /// The answer to a request with these headers, whatever its status.
    pub(crate) async fn relay(
        &self,
        method: &Method,
        url: &Url,
        headers: &HeaderMap,
    ) -> Result<Response, RemoteError> {
        self.relay_over(Over::Usual, method, url, headers).await
    }

    /// The same over this client; the body comes as it is read.
    pub(crate) async fn stream(
        &self,
        over: &StreamingClient,
        method: &Method,
        url: &Url,
        headers: &HeaderMap,
    ) -> Result<Response, RemoteError> {
        let over = Over::Streaming(over);
        self.relay_over(over, method, url, headers).await
    }

    async fn relay_over(
        &self,
        over: Over<'_>,
        method: &Method,
        url: &Url,
        headers: &HeaderMap,
    ) -> Result<Response, RemoteError> {
        let build = |http: &Client| {
            let request = http.request(method.clone(), url.clone());
            request.headers(headers.clone())
        };
        self.answered(over, &build, Repeat::Allowed).await
    }

    /// The error an unsuccessful answer stands for.
    pub(crate) async fn fault(&self, response: Response) -> RemoteError {
        let (status, url) = (response.status(), response.url().to_string());
        let body = read_some(response, MAX_EXPLANATION).await;
        if status.is_success() {
            let reason = format!("unexpected status {}", status.as_u16());
            return RemoteError::BadResponse { url, reason };
        }
        reply::error(status, &body, &url, &host_of(&self.base))
    }

    async fn exchange(
        &self,
        build: &(dyn Fn(&Client) -> RequestBuilder + Send + Sync),
        repeat: Repeat,
    ) -> Result<Response, RemoteError> {
        let response = self.answered(Over::Usual, build, repeat).await?;
        if response.status() == StatusCode::OK {
            return Ok(response);
        }
        Err(self.fault(response).await)
    }

    async fn answered(
        &self,
        over: Over<'_>,
        build: &(dyn Fn(&Client) -> RequestBuilder + Send + Sync),
        repeat: Repeat,
    ) -> Result<Response, RemoteError> {
        let host = host_of(&self.base);
        let shown = self.authorization().await?;
        let attempt = || with_header(build(&self.http), shown.as_ref());
        let response = send_over(over, &attempt, &host, repeat).await?;
        if response.status() == StatusCode::UNAUTHORIZED
            && let Some(renewed) = self.renewed(&response, shown.as_ref()).await?
        {
            // A 401 did nothing, so even a publish may be sent again with a fresh token.
            let attempt = || with_header(build(&self.http), Some(&renewed));
            return send_over(over, &attempt, &host, repeat).await;
        }
        Ok(response)
    }

    /// What to show with the next request; the first call asks the server.
    async fn authorization(&self) -> Result<Option<HeaderValue>, RemoteError> {
        let mut state = self.state.lock().await;
        self.pinged(&mut state).await?;
        self.answer(&mut state).await
    }

    async fn pinged(&self, state: &mut State) -> Result<(), RemoteError> {
        if !state.pinged {
            state.challenge = self.ping().await?;
            state.pinged = true;
        }
        Ok(())
    }

    /// Another try after a 401: a fresh token, or the answer to a challenge that came late.
    async fn renewed(
        &self,
        response: &Response,
        shown: Option<&HeaderValue>,
    ) -> Result<Option<HeaderValue>, RemoteError> {
        let mut state = self.state.lock().await;
        let late = Challenge::from_headers(response.headers());
        match (&state.challenge, late) {
            (None, None) | (Some(Challenge::Basic), _) => return Ok(None),
            (None, late) => state.challenge = late,
            (Some(Challenge::Bearer { .. }), _) => {}
        }
        let current = state.token.as_ref().and_then(bearer);
        if current.as_ref() == shown {
            state.token = None;
        }
        self.answer(&mut state).await
    }

    async fn answer(&self, state: &mut State) -> Result<Option<HeaderValue>, RemoteError> {
        let (realm, service) = match &state.challenge {
            None => return Ok(None),
            Some(Challenge::Basic) => return self.basic().map(Some),
            Some(Challenge::Bearer { realm, service }) => (realm, service),
        };
        if let Some(token) = state
            .token
            .as_ref()
            .filter(|token| token.expires > Instant::now())
        {
            return Ok(bearer(token));
        }
        let token = fetch_token(&self.http, realm, service, &self.scope, &self.credentials).await?;
        let header = bearer(&token).ok_or_else(|| RemoteError::BadResponse {
            url: realm.to_string(),
            reason: "the token has characters no header can carry".to_owned(),
        })?;
        state.token = Some(token);
        Ok(Some(header))
    }

    fn basic(&self) -> Result<HeaderValue, RemoteError> {
        let missing = || RemoteError::Unauthorized {
            status: 401,
            reason: "no basic auth credentials".to_owned(),
        };
        let Credentials::Basic { username, password } = &self.credentials else {
            return Err(missing());
        };
        if !keeps_secrets(&self.base) {
            return Err(RemoteError::InsecureRealm {
                realm: self.base.to_string(),
            });
        }
        let pair = Zeroizing::new(format!("{username}:{}", password.as_str()));
        let encoded = Zeroizing::new(BASE64_STANDARD.encode(pair.as_bytes()));
        secret_header(&format!("Basic {}", encoded.as_str())).ok_or_else(missing)
    }

    /// `GET /v2/`: only a 401 there says how to authenticate, as for Docker's client.
    async fn ping(&self) -> Result<Option<Challenge>, RemoteError> {
        let url = self.address("")?;
        let build = || self.http.get(url.clone()).timeout(LONGEST_PING);
        let response = send(&build, &host_of(&self.base), Repeat::Allowed).await?;
        if response.status() != StatusCode::UNAUTHORIZED {
            // Reading the little there is keeps the connection for the next request.
            let _ = read_some(response, MAX_EXPLANATION).await;
            return Ok(None);
        }
        let challenge = Challenge::from_headers(response.headers());
        let _ = read_some(response, MAX_EXPLANATION).await;
        Ok(challenge)
    }
}

fn is_dots(segment: &str) -> bool {
    matches!(
        segment.to_ascii_lowercase().replace("%2e", ".").as_str(),
        "." | ".."
    )
}

fn with_header(request: RequestBuilder, value: Option<&HeaderValue>) -> RequestBuilder {
    match value {
        Some(value) => request.header(AUTHORIZATION, value),
        None => request,
    }
}

fn bearer(token: &Token) -> Option<HeaderValue> {
    secret_header(&format!("Bearer {}", token.value.as_str()))
}

/// Twice as long as Docker waits, whose client goes on without an answer; ours does not.
const LONGEST_PING: Duration = Duration::from_secs(10);
/// Bytes of an error answer that are read.
const MAX_EXPLANATION: usize = 64 * 1024;
