//! Whether all is well: for Notary's checks, for orchestrators, for Prometheus.

use super::Server;
use super::reply::{Reply, empty, text};
use hyper::StatusCode;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use serde_json::json;
use std::sync::atomic::Ordering;

impl Server {
    /// `/_notary_server/health`: what does not work, by name.
    pub(super) async fn health(&self) -> Reply {
        match self.hosting.store().ready().await {
            Ok(()) => json(StatusCode::OK, &json!({})),
            Err(error) => {
                let wrong = json!({"DB operational": error.to_string()});
                json(StatusCode::SERVICE_UNAVAILABLE, &wrong)
            }
        }
    }

    /// `/readyz`: the store answers, and nobody has asked the process to stop.
    pub(super) async fn ready(&self) -> Reply {
        if self.stopping.load(Ordering::Relaxed) {
            return empty(StatusCode::SERVICE_UNAVAILABLE);
        }
        match self.hosting.store().ready().await {
            Ok(()) => empty(StatusCode::OK),
            Err(_) => empty(StatusCode::SERVICE_UNAVAILABLE),
        }
    }

    /// `/metrics`, in the text form of `OpenMetrics`.
    pub(super) fn numbers(&self) -> Reply {
        let mut reply = text(self.metrics.text());
        let kind =
            HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");
        reply.headers_mut().insert(CONTENT_TYPE, kind);
        reply
    }
}

fn json(status: StatusCode, body: &serde_json::Value) -> Reply {
    let mut reply = text(body.to_string());
    *reply.status_mut() = status;
    let json = HeaderValue::from_static("application/json; charset=utf-8");
    reply.headers_mut().insert(CONTENT_TYPE, json);
    reply
}
