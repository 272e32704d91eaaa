//! The registry proxy: what any client may use as *the* server of a registry.
//!
//! A tag is answered with the signed digest, fetched by digest and checked. A digest is answered if
//! it is signed, or a part of a manifest that was let through in the same repository. All the rest
//! is refused with a reason; nothing is ever written. What a client says it accepts changes nothing.

mod blobs;
mod clients;
mod manifests;
mod name;
mod parts;
mod reach;
mod remarks;
mod reply;
mod route;
mod shelf;
mod tags;
mod upstream;

pub use clients::{Clients, SECRET_HEADER, Secret};
pub use reply::Reply;
pub use upstream::ReadDocker;

use crate::gate::{Answer, Door, Gate};
use crate::listen::Peer;
use crate::policy::{Demand, Mode, Policy};
use crate::reference::{Digest, ImageReference};
use http_body_util::Either;
use hyper::header::{HeaderMap, HeaderValue, RANGE};
use hyper::{Method, Request, Uri};
use reach::{Kind, Reach};
use reply::Refusal;
use route::Route;
use shelf::Shelf;
use std::path::PathBuf;
use upstream::Upstreams;

/// A registry that gives only what policy allows.
pub struct Proxy {
    gate: Gate,
    clients: Clients,
    default: String,
    redirect: bool,
    upstreams: Upstreams,
    shelf: Shelf,
    reach: Reach,
}

/// How a proxy serves.
pub struct Settings {
    /// Whom it answers
    pub clients: Clients,
    /// The registry of images that name none
    pub default: String,
    /// Whether clients fetch blobs themselves where the registry says so
    pub redirect: bool,
    /// Docker's configuration: credentials and authorities for registries
    pub docker: ReadDocker,
    /// An authority of registries
    pub tls_ca: Option<PathBuf>,
    /// Bytes of manifests that are kept in memory
    pub memory: u64,
}

/// A default registry that is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{given:?} is no host of a registry")]
pub struct NoRegistry {
    /// What was given
    pub given: String,
}

/// One request, as far as its answer depends on it.
struct Asking<'a> {
    /// Who asks
    who: String,
    /// Whether only the headers are wanted
    head: bool,
    /// Which part of a blob
    range: Option<HeaderValue>,
    uri: &'a Uri,
}

impl Proxy {
    /// A proxy before what this gate lets through.
    ///
    /// # Errors
    /// [`NoRegistry`]
    pub fn new(gate: Gate, settings: Settings) -> Result<Self, NoRegistry> {
        let default = name::registry(&settings.default).map_err(|_| NoRegistry {
            given: settings.default.clone(),
        })?;
        Ok(Self {
            gate,
            clients: settings.clients,
            default,
            redirect: settings.redirect,
            upstreams: Upstreams::new(settings.docker, settings.tls_ca),
            shelf: Shelf::of_bytes(settings.memory),
            reach: Reach::default(),
        })
    }

    /// Answers one request; its body, if it has one, is not read.
    pub async fn answer<B>(&self, request: &Request<B>, peer: &Peer) -> Reply {
        let is_reading = [Method::GET, Method::HEAD].contains(request.method());
        if is_reading && let Some(page) = self.gate.own_page(request.uri().path()) {
            return page.map(Either::Left);
        }
        match self.handle(request, peer).await {
            Ok(reply) => reply,
            Err(refusal) => refusal.into_reply(),
        }
    }

    async fn handle<B>(&self, request: &Request<B>, peer: &Peer) -> Result<Reply, Refusal> {
        let asking = Asking {
            who: self.clients.admit(peer, request.headers())?,
            head: request.method() == Method::HEAD,
            range: range(request.headers()),
            uri: request.uri(),
        };
        match Route::of(request.method(), request.uri(), &self.default)? {
            Route::Blob(repository, digest) => self.blob(&repository, &digest, &asking).await,
            Route::Manifest(image) => self.manifest(&image, &asking).await,
            Route::Ping => Ok(reply::pong()),
            Route::Referrers(repository, digest) => {
                self.referrers(&repository, &digest, &asking).await
            }
            Route::Tags(repository, page) => self.tags(&repository, &page, &asking).await,
        }
    }

    async fn decide(&self, image: &ImageReference, asking: &Asking<'_>) -> Answer {
        self.gate.decide(Door::Proxy, &asking.who, image).await
    }

    /// The manifest because of which this digest may be fetched as that kind of thing, if any.
    ///
    /// # Errors
    /// There was one, and it is not allowed any more.
    async fn reachable(
        &self,
        repository: &ImageReference,
        digest: &Digest,
        kind: Kind,
        asking: &Asking<'_>,
    ) -> Result<Option<Digest>, Refusal> {
        let gun = repository.gun();
        let mut refused = None;
        for _ in 0..MAX_SECOND_THOUGHTS {
            let policy = self.gate.policy();
            let Some(part) = self.reach.find(gun, digest, kind, &policy) else {
                break;
            };
            if !part.stale {
                return Ok(Some(part.root));
            }
            let root = repository.with_digest(&part.root);
            match self.decide(&root, asking).await {
                Answer::Denied(denial) if denial.undecided => return Err(denial.into()),
                Answer::Denied(denial) => {
                    self.reach.forget(gun, &part.root);
                    refused = Some(denial);
                }
                Answer::Signed(_) | Answer::Passed { .. } => {
                    self.reach.allow(gun, &part.root, &policy);
                    return Ok(Some(part.root));
                }
            }
        }
        refused.map_or(Ok(None), |denial| Err(denial.into()))
    }
}

/// Whether policy lets through whatever this repository holds.
fn passes_everything(policy: &Policy, image: &ImageReference) -> bool {
    let rule = policy.rule(image);
    rule.mode == Mode::Audit || matches!(rule.demand, Demand::Accept)
}

/// The part that is asked for; several parts at a time are answered with the whole.
fn range(headers: &HeaderMap) -> Option<HeaderValue> {
    let mut ranges = headers.get_all(RANGE).iter();
    let range = ranges.next().filter(|_| ranges.next().is_none())?;
    let numbers = range.to_str().ok()?.strip_prefix("bytes=")?;
    let (from, to) = numbers.split_once('-')?;
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let is_one = numbers.len() <= MAX_RANGE
        && is_number(from)
        && is_number(to)
        && !(from.is_empty() && to.is_empty());
    is_one.then(|| range.clone())
}

/// Manifests that are asked for again before a digest is refused.
const MAX_SECOND_THOUGHTS: usize = 8;
/// Two numbers of 64 bits and what is between them.
const MAX_RANGE: usize = 41;
