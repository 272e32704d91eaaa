//! The Docker Engine's authorization plugin: asked before the engine does anything.
//!
//! It can only allow or refuse. So what a request does is worked out first ([`route`]), without
//! asking anybody; what only reads is allowed at once, which includes this plugin's own questions
//! to the engine. Whatever cannot be seen or is not known is refused.

mod call;
mod content;
mod effect;
mod json;
mod judge;
mod local;
mod named;
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

use super::Gate;
use crate::{
    config::EngineEndpoint,
    listen::{BodyError, read_body},
    policy::Reason,
};
use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    Method, Request, Response, StatusCode,
    body::Incoming,
    header::{CONTENT_TYPE, HeaderValue},
};
use judge::Judge;
use serde_json::{Value, json};
use std::time::Duration;
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
                let verdict = timeout(DEADLINE, self.judge(request.into_body())).await;
                reply(&worded(&verdict.unwrap_or_else(|_| late())))
            }
            // It is done already.
            "/AuthZPlugin.AuthZRes" => reply(&worded(&Verdict::Allowed)),
            _ => missing(),
        }
    }

    async fn judge(&self, body: Incoming) -> Verdict {
        let message = match read_body(body, MESSAGE, DEADLINE).await {
            Ok(message) => message,
            Err(error) => return unread(&error),
        };
        let call = match Call::read(&message) {
            Ok(call) => call,
            Err(why) => return Verdict::unclear("the request", &why),
        };
        let what = call.words();
        let who = call.user.as_deref().unwrap_or_default();
        let verdict = self.judge.judge(who, &what, &route(&call)).await;
        if let Verdict::Denied(why) = &verdict {
            tracing::info!(who, what, why, "refused");
        }
        verdict
    }
}

fn late() -> Verdict {
    let why = format!("no answer within {} ms", DEADLINE.as_millis());
    Verdict::denied("the request", &why, Reason::Unreachable, "try again")
}

fn unread(error: &BodyError) -> Verdict {
    Verdict::denied("the request", &error.to_string(), Reason::Malformed, "")
}

fn worded(verdict: &Verdict) -> Value {
    match verdict {
        Verdict::Allowed => json!({"Allow": true}),
        Verdict::Denied(why) => json!({"Allow": false, "Msg": why}),
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
