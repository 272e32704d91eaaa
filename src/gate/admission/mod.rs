//! Kubernetes admission: an `AdmissionReview` in, its answer out.
//!
//! `POST /mutate` pins signed images to their digests, `POST /validate` refuses pods in which they
//! are not pinned. Both refuse what the policy refuses. A review passes here in this order: its
//! JSON (`json`, `review`), the images it can bring in (`places`, `asked`), a decision about each
//! (`decide`), the answer (`reply`).

mod asked;
mod deadline;
mod decide;
mod extra;
pub mod kinds;
mod pin;
mod places;
mod pointer;
mod reply;
mod review;

pub use extra::{ExtraPath, ExtraPathError};

use crate::gate::{Answer, Denial, Door, Gate};
use crate::listen::{BodyError, read_body};
use crate::policy::Reason;
use crate::reference::ImageReference;
use asked::asked;
use bytes::Bytes;
use decide::{Decisions, refusal};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{ALLOW, CONTENT_TYPE, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use reply::Tags;
use review::{Review, Unreadable};
use serde_json::Value;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};

/// The webhook: answers requests, whoever listens for them.
pub struct Admission {
    gate: Gate,
    extra: Vec<ExtraPath>,
    reading: Semaphore,
}

impl Admission {
    /// A webhook that asks this gate, also about the images at `extra` paths.
    pub fn new(gate: Gate, extra: Vec<ExtraPath>) -> Self {
        Self {
            gate,
            extra,
            reading: Semaphore::new(READ_AT_A_TIME),
        }
    }

    /// Answers one request.
    pub async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let tags = match request.uri().path() {
            "/mutate" => Tags::Pinned,
            "/validate" => Tags::Refused,
            path => {
                let page = self.gate.own_page(path);
                return page.unwrap_or_else(|| text(StatusCode::NOT_FOUND, "no such page"));
            }
        };
        if request.method() != Method::POST {
            let mut reply = text(StatusCode::METHOD_NOT_ALLOWED, "only POST is answered here");
            let allowed = HeaderValue::from_static("POST");
            reply.headers_mut().insert(ALLOW, allowed);
            return reply;
        }
        let began = Instant::now();
        let deadline = began + deadline::allowed(request.uri().query());
        let who = |review: &Review| review.who.clone();
        let read = self.read(request.into_body(), deadline).await;
        let who = read.as_ref().map(who).unwrap_or_default();
        let refused = |denial| {
            self.gate
                .refused(Door::Admission, &who, denial, began.elapsed());
        };
        match read {
            Ok(review) => self.review(review, tags, deadline, refused).await,
            Err(Unread::Unanswerable(reply)) => reply,
            Err(Unread::Wrong { uid, why }) => {
                refused(refusal("a review", &why, Reason::Malformed));
                json_of(&reply::wrong(&uid, &why))
            }
        }
    }

    /// The review in a body; of few at a time, for others may have written them than who should.
    async fn read(&self, body: Incoming, deadline: Instant) -> Result<Review, Unread> {
        let busy = || {
            Unread::of(
                StatusCode::SERVICE_UNAVAILABLE,
                "too many reviews at a time",
            )
        };
        let turn = timeout_at(deadline, self.reading.acquire()).await;
        let _turn = turn.ok().and_then(Result::ok).ok_or_else(busy)?;
        let left = deadline.saturating_duration_since(Instant::now());
        let body = read_body(body, MAX_BODY, left.min(BODY_TIME))
            .await
            .map_err(|error| {
                let status = match error {
                    BodyError::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
                    BodyError::TooSlow { .. } => StatusCode::REQUEST_TIMEOUT,
                    _ => StatusCode::BAD_REQUEST,
                };
                Unread::of(status, error.to_string())
            })?;
        Review::read(&body).map_err(|unreadable| match unreadable {
            Unreadable::Foreign(why) => Unread::of(StatusCode::BAD_REQUEST, why),
            Unreadable::Wrong { uid, why } => Unread::Wrong { uid, why },
        })
    }

    async fn review(
        &self,
        review: Review,
        tags: Tags,
        deadline: Instant,
        refused: impl Fn(Denial),
    ) -> Response<Full<Bytes>> {
        let who = review.who.clone();
        let decide = |image: ImageReference, left: Duration| {
            let (gate, who) = (self.gate.clone(), who.clone());
            async move {
                let decision = gate.decide_within(left, Door::Admission, &who, &image);
                decision.await
            }
        };
        let policy = self.gate.policy();
        let (extra, policy) = (&self.extra, &policy.hash);
        let ruled = ruled(review, extra, tags, policy, deadline, decide, refused);
        json_of(&ruled.await)
    }
}

/// Why there is no review.
enum Unread {
    /// There is nobody to answer but whoever sent the request
    Unanswerable(Response<Full<Bytes>>),
    /// The API server is told
    Wrong { uid: String, why: String },
}

impl Unread {
    fn of(status: StatusCode, line: impl Into<String>) -> Self {
        Self::Unanswerable(text(status, line))
    }
}

/// The answer to a review, whoever decides about its images; `refused` hears of what is refused
/// without a decision.
async fn ruled<D, F>(
    review: Review,
    extra: &[ExtraPath],
    tags: Tags,
    policy: &str,
    deadline: Instant,
    decide: D,
    refused: impl Fn(Denial),
) -> Value
where
    D: Fn(ImageReference, Duration) -> F,
    F: Future<Output = Answer>,
{
    let asked = match asked(&review, extra) {
        Ok(asked) if asked.places.is_empty() => return reply::harmless(&review.uid),
        Ok(asked) => asked,
        Err(misshapen) => {
            let why = misshapen.to_string();
            refused(refusal(&review.kind, &why, Reason::Malformed));
            return reply::wrong(&review.uid, &why);
        }
    };
    // Deciding may take seconds, and objects have megabytes.
    let Review { uid, change, .. } = review;
    drop(change);
    let decisions = Decisions::make(&asked.places, deadline, decide).await;
    decisions.unasked().for_each(refused);
    reply::decided(&uid, &asked, &decisions, tags, policy)
}

fn json_of(value: &Value) -> Response<Full<Bytes>> {
    of_type("application/json", value.to_string())
}

fn text(status: StatusCode, line: impl Into<String>) -> Response<Full<Bytes>> {
    let mut reply = of_type("text/plain; charset=utf-8", line.into() + "\n");
    *reply.status_mut() = status;
    reply
}

fn of_type(kind: &'static str, body: String) -> Response<Full<Bytes>> {
    let mut reply = Response::new(Full::new(body.into()));
    let headers = reply.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    reply
}

/// Bytes of a review: the API server takes objects of 3 MiB, and an update brings two of them.
const MAX_BODY: usize = 8 * 1024 * 1024;
/// The API server has the whole of it before it asks.
const BODY_TIME: Duration = Duration::from_secs(3);
/// Reviews that are read at a time; the others wait with nothing in memory.
const READ_AT_A_TIME: usize = 32;

#[cfg(test)]
mod tests;
