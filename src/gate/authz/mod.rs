//! The Docker Engine's authorization plugin: asked before the engine does anything.
//!
//! It can only allow or refuse. So what a request does is worked out first ([`route`]), without
//! asking anybody; what only reads is allowed at once, which includes this plugin's own questions
//! to the engine. Whatever cannot be seen or is not known is refused.

mod call;
mod containers;
mod content;
mod effect;
mod json;
mod judge;
mod local;
mod named;
mod names;
mod pulls;
mod registries;
mod route;
mod socket;
mod target;
mod unclear;
mod verdict;

pub use call::Call;
pub use effect::{Effect, Way};
pub use registries::{Registries, ServedError};
pub use route::route;
pub use socket::{SocketFile, bind};
pub use unclear::Unclear;

use super::{Door, Gate};
use crate::{config::EngineEndpoint, listen::read_body, policy::Reason};
use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    Method, Request, Response, StatusCode,
    body::Incoming,
    header::{CONTENT_TYPE, HeaderValue},
};
use judge::Judge;
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tokio::{sync::OnceCell, time::timeout};
use verdict::Verdict;

/// The plugin.
pub struct Authz {
    judge: Judge,
}

impl Authz {
    /// A plugin of the engine at `endpoint`, to which nothing is sent yet.
    pub fn new(gate: Gate, registries: Registries, endpoint: EngineEndpoint) -> Self {
        let engine = OnceCell::new();
        Self {
            judge: Judge {
                gate,
                registries,
                endpoint,
                engine,
            },
        }
    }

    /// The answer to the engine; never later than [`DEADLINE`].
    pub async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        if request.method() == Method::GET {
            let page = self.judge.gate.own_page(request.uri().path());
            return page.unwrap_or_else(missing);
        }
        match request.uri().path() {
            "/Plugin.Activate" => reply(&json!({"Implements": ["authz"]})),
            "/AuthZPlugin.AuthZReq" => {
                let began = Instant::now();
                let (who, what, verdict) = self.verdict(request.into_body()).await;
                if let Verdict::Refused(refusal) = &verdict {
                    let (gate, took) = (&self.judge.gate, began.elapsed());
                    gate.refused(Door::Authz, &who, refusal.denial(&what), took);
                }
                reply(&worded(&verdict))
            }
            "/AuthZPlugin.AuthZRes" => {
                // It is done already. What was sent is read, or the engine would take the early
                // answer for a broken connection, and ask again.
                let _ = read_body(request.into_body(), MESSAGE, DEADLINE).await;
                reply(&worded(&Verdict::Allowed))
            }
            _ => missing(),
        }
    }

    /// Who asks, for what, and whether they may.
    async fn verdict(&self, body: Incoming) -> (String, String, Verdict) {
        let nobody = |why: &Unclear| {
            let what = "the request";
            (String::new(), what.to_owned(), Verdict::unclear(what, why))
        };
        let began = Instant::now();
        let message = match read_body(body, MESSAGE, DEADLINE).await {
            Ok(message) => message,
            Err(error) => return nobody(&Unclear::unread(&error)),
        };
        let call = match Call::read(&message) {
            Ok(call) => call,
            Err(why) => return nobody(&why),
        };
        let (who, what) = (call.user.clone().unwrap_or_default(), call.words());
        let effect = route(&call);
        let judging = self.judge.judge(&who, &what, &effect);
        let left = DEADLINE.saturating_sub(began.elapsed());
        let verdict = timeout(left, judging).await;
        let verdict = verdict.unwrap_or_else(|_| late(&what));
        (who, what, verdict)
    }
}

fn late(what: &str) -> Verdict {
    let why = format!("no answer within {} ms", DEADLINE.as_millis());
    let hint = Some("try again".to_owned());
    Verdict::refused(what, &why, Reason::Unreachable, hint)
}

fn worded(verdict: &Verdict) -> Value {
    match verdict.words() {
        None => json!({"Allow": true}),
        Some(words) => json!({"Allow": false, "Msg": words}),
    }
}

fn reply(value: &Value) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(value.to_string()));
    let kind = HeaderValue::from_static(PLUGIN_JSON);
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

fn missing() -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = StatusCode::NOT_FOUND;
    response
}

/// The engine waits for its plugins without end, so they must not let it wait.
pub const DEADLINE: Duration = Duration::from_millis(950);
/// Bytes of a message: the engine passes on bodies of up to 4 MiB, and a third more in base64.
const MESSAGE: usize = 8 << 20;
const PLUGIN_JSON: &str = "application/vnd.docker.plugins.v1.2+json";
