//! What every door says of itself: `/healthz`, `/readyz`, `/metrics`.

use super::Gate;
use bytes::Bytes;
use http_body_util::Full;
use hyper::{Response, header};

impl Gate {
    /// The answer to a path that is about the gate itself.
    pub fn own_page(&self, path: &str) -> Option<Response<Full<Bytes>>> {
        let (kind, text) = match path {
            "/healthz" | "/readyz" => ("text/plain; charset=utf-8", "ok\n".to_owned()),
            "/metrics" => (OPEN_METRICS, self.inner.metrics.text()),
            _ => return None,
        };
        let mut page = Response::new(Full::from(text));
        let kind = header::HeaderValue::from_static(kind);
        page.headers_mut().insert(header::CONTENT_TYPE, kind);
        Some(page)
    }
}

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
