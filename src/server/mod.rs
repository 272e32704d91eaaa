//! The trust server's door: Notary's HTTP interface, access control, pages.
//!
//! A request passes here in this order: its route (`route.rs`), the names this server is for, who
//! may do it ([`access`]), one file a route for the doing, then metrics and the log.

pub mod access;
mod changefeed;
mod health;
mod keys;
mod log;
mod metadata;
mod metrics;
pub mod pages;
mod publish;
mod reply;
mod route;
pub mod settings;
mod upload;

use crate::hosting::{Hosting, HostingError};
use crate::listen::Peer;
use access::{Access, Asked, Denied, Wanted, Who};
use hyper::body::Incoming;
use hyper::header::{HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use hyper::{Request, StatusCode};
use jiff::Timestamp;
use log::{Line, RequestId};
use metadata::Caching;
use metrics::{Answered, Metrics};
use reply::{Fault, Reply};
use route::Route;
use settings::Settings;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use trust_store::server::{Action, StoreError};

/// A trust server: answers requests, whoever listens for them.
pub struct Server {
    hosting: Hosting,
    access: Access,
    prefixes: Vec<String>,
    caching: Cachings,
    limits: Limits,
    pages: bool,
    clock: fn() -> Timestamp,
    metrics: Metrics,
    stopping: AtomicBool,
    requests: AtomicU64,
}

struct Cachings {
    current: Caching,
    consistent: Caching,
}

#[derive(Clone, Copy)]
struct Limits {
    body: usize,
    body_timeout: Duration,
    parts: usize,
}

impl Server {
    /// A server of these repositories, for whom `access` lets in.
    ///
    /// `first` is where request ids begin: something that differs each time.
    pub fn new(
        hosting: Hosting,
        access: Access,
        settings: &Settings,
        clock: fn() -> Timestamp,
        first: u64,
    ) -> Self {
        let cache = &settings.cache;
        Self {
            hosting,
            access,
            prefixes: settings.repositories.prefixes.clone(),
            caching: Cachings {
                current: Caching::of_current(cache.current_max_age.into()),
                consistent: Caching::of_consistent(cache.consistent_max_age.into()),
            },
            limits: Limits {
                body: settings.limits.body.bytes(),
                body_timeout: settings.limits.body_timeout.into(),
                parts: settings.limits.parts,
            },
            pages: settings.pages.enabled,
            clock,
            metrics: Metrics::new(),
            stopping: AtomicBool::new(false),
            requests: AtomicU64::new(first),
        }
    }

    /// From now on `/readyz` says that others should be asked.
    pub fn stop_soon(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    /// Answers one request.
    pub async fn answer(&self, request: Request<Incoming>, peer: Arc<Peer>) -> Reply {
        let begun = Instant::now();
        let _in_flight = self.metrics.begin();
        let next = || self.requests.fetch_add(1, Ordering::Relaxed);
        let id = RequestId::of(request.headers(), next);
        let (method, uri) = (request.method().clone(), request.uri().clone());
        let route = Route::of(&method, uri.path());
        let received = hyper::body::Body::size_hint(request.body()).lower();
        let mut who = None;
        let done = self.handle(&route, request, &peer, &mut who).await;
        let (mut reply, fault) = match done {
            Ok(reply) => (reply, None),
            Err(refused) if route == Route::Page && self.pages => refused.into_page(self.now()),
            Err(refused) => refused.into_parts(),
        };
        let took = begun.elapsed();
        let size = hyper::body::Body::size_hint(reply.body()).lower();
        self.metrics.answered(&Answered {
            route: &route,
            method: &method,
            code: reply.status().as_u16(),
            received,
            size,
            took,
        });
        let who = who.map(|who: Who| who.to_string()).unwrap_or_default();
        Line {
            id: &id,
            peer: peer.address,
            who: &who,
            method: &method,
            route: &route,
            path: uri.path(),
            status: reply.status().as_u16(),
            took,
            fault: fault.as_ref(),
        }
        .write();
        let (name, value) = id.header();
        reply
            .headers_mut()
            .insert(HeaderName::from_static(name), value);
        reply
    }

    async fn handle(
        &self,
        route: &Route<'_>,
        request: Request<Incoming>,
        peer: &Peer,
        who: &mut Option<Who>,
    ) -> Result<Reply, Refused> {
        match route {
            Route::NoMethod => return Ok(reply::empty(StatusCode::METHOD_NOT_ALLOWED)),
            Route::Alive => return Ok(reply::empty(StatusCode::OK)),
            Route::Health => return Ok(self.health().await),
            Route::Ready => return Ok(self.ready().await),
            Route::Metrics => return Ok(self.numbers()),
            Route::Token => return self.token(&request, peer).await,
            // How a page looks is no secret, and the page that asks for a password needs it.
            Route::Page if self.pages && request.uri().path().starts_with("/-/") => {
                return Ok(self.page(&request, &|_| false).await);
            }
            _ => {}
        }
        self.is_for(route)?;
        let admitted = self.admit(route, &request, peer).await?;
        let admitted = who.insert(admitted);
        Ok(self.dispatch(route, request, admitted).await?)
    }

    async fn dispatch(
        &self,
        route: &Route<'_>,
        request: Request<Incoming>,
        who: &Who,
    ) -> Result<Reply, Fault> {
        let headers = request.headers();
        match route {
            Route::Base => Ok(reply::text("{}")),
            Route::Current(gun, role) => self.current(gun, role, headers).await,
            Route::Hash(gun, role, hash) => self.by_hash(gun, role, hash, headers).await,
            Route::Version(gun, role, n) => self.by_version(gun, role, *n, headers).await,
            Route::Publish(gun) => self.publish(gun.to_string(), request).await,
            Route::Delete(gun) => self.delete(gun.to_string()).await,
            Route::Key(gun, role) => self.key(gun, role).await,
            Route::NewKey(gun, role) => self.new_key(gun, role).await,
            Route::Changes(gun) => {
                let query = request.uri().query();
                self.changes(gun.as_deref(), query, who).await
            }
            Route::Page if self.pages => {
                Ok(self.page(&request, &|gun: &str| who.may_read(gun)).await)
            }
            _ => Err(reply::NOT_FOUND),
        }
    }

    /// Whether this server is for repositories of this name at all.
    fn is_for(&self, route: &Route<'_>) -> Result<(), Fault> {
        let Some(gun) = route.gun() else {
            return Ok(());
        };
        if self.prefixes.is_empty() || self.prefixes.iter().any(|p| gun.starts_with(p)) {
            return Ok(());
        }
        match route {
            Route::Publish(_) => {
                let prefixes = self.prefixes.join(" ");
                Err(reply::GUN.about(format!("Require GUNs with prefix: [{prefixes}]")))
            }
            _ => Err(reply::NOT_FOUND),
        }
    }

    async fn admit(
        &self,
        route: &Route<'_>,
        request: &Request<Incoming>,
        peer: &Peer,
    ) -> Result<Who, Refused> {
        let wanted = match (route.gun(), actions(route)) {
            (Some(gun), actions) => Wanted::Repository { gun, actions },
            (None, _) if *route == Route::Page => Wanted::Pages,
            (None, _) => Wanted::Catalog,
        };
        let asked = Asked::of(request);
        let admitted = self.access.admit(&asked, peer, &wanted, self.now());
        Ok(admitted.await?)
    }

    async fn page(
        &self,
        request: &Request<Incoming>,
        may_read: &(dyn Fn(&str) -> bool + Sync),
    ) -> Reply {
        let (path, query) = (request.uri().path(), request.uri().query());
        let store = self.hosting.store();
        pages::answer(path, query, store, may_read, self.now()).await
    }

    async fn token(&self, request: &Request<Incoming>, peer: &Peer) -> Result<Reply, Refused> {
        let asked = Asked::of(request);
        let token = self.access.token(&asked, peer, self.now()).await?;
        Ok(reply::secret_json(&token))
    }

    fn now(&self) -> Timestamp {
        (self.clock)()
    }
}

/// What somebody has to be allowed to do (Notary server, `server.go`).
fn actions(route: &Route<'_>) -> &'static [Action] {
    match route {
        Route::Publish(_) | Route::Key(..) => &[Action::Pull, Action::Push],
        Route::Delete(_) | Route::NewKey(..) => &[Action::All],
        _ => &[Action::Pull],
    }
}

/// Why a request is not done: by access control, or by what it asks.
enum Refused {
    Access(Denied),
    Fault(Fault),
}

impl Refused {
    fn into_parts(self) -> (Reply, Option<Fault>) {
        let denied = match self {
            Self::Fault(fault) => return (fault.reply(), Some(fault)),
            Self::Access(denied) => denied,
        };
        let fault = match denied.status {
            StatusCode::SERVICE_UNAVAILABLE => reply::UNAVAILABLE,
            status => reply::UNAUTHORIZED.with_status(status).about(denied.detail),
        };
        let mut reply = fault.reply();
        let headers = reply.headers_mut();
        if let Some(challenge) = denied.challenge {
            headers.insert(WWW_AUTHENTICATE, challenge);
        }
        if let Some(seconds) = denied.retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        (reply, Some(fault))
    }

    /// The same for people.
    fn into_page(self, now: Timestamp) -> (Reply, Option<Fault>) {
        let (told, fault) = self.into_parts();
        let mut page = pages::refused(told.status(), now);
        for name in [WWW_AUTHENTICATE, RETRY_AFTER] {
            if let Some(value) = told.headers().get(&name) {
                page.headers_mut().insert(name, value.clone());
            }
        }
        (page, fault)
    }
}

impl From<Denied> for Refused {
    fn from(denied: Denied) -> Self {
        Self::Access(denied)
    }
}

impl From<Fault> for Refused {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

/// Anything but a failed publish in Notary's words.
fn reading(error: &HostingError) -> Fault {
    tracing::error!(%error, "a request failed");
    match error {
        HostingError::Store(StoreError::BadName { .. }) => reply::NOT_FOUND,
        HostingError::Store(StoreError::Unavailable { .. }) => reply::UNAVAILABLE,
        HostingError::Store(StoreError::Full { .. }) => reply::FULL.about(reply::NO_ROOM),
        _ => reply::UNKNOWN,
    }
}
