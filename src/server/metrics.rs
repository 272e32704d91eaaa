//! Numbers for Prometheus, under the names of Notary's server where it has them.

use super::route::Route;
use hyper::Method;
use prometheus_client::encoding::{EncodeLabelSet, text::encode};
use prometheus_client::metrics::{
    counter::Counter,
    family::Family,
    gauge::Gauge,
    histogram::{Histogram, exponential_buckets},
};
use prometheus_client::registry::Registry;
use std::time::Duration;

/// What is counted.
pub(super) struct Metrics {
    registry: Registry,
    requests: Family<Request, Counter>,
    durations: Family<Operation, Histogram>,
    received: Family<Operation, Histogram>,
    sizes: Family<Operation, Histogram>,
    in_flight: Gauge,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Request {
    operation: &'static str,
    code: u16,
    method: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Operation {
    operation: &'static str,
}

impl Metrics {
    /// Nothing counted yet.
    pub(super) fn new() -> Self {
        let mut registry = Registry::default();
        let requests = Family::default();
        let durations: Family<Operation, Histogram> =
            Family::new_with_constructor(|| Histogram::new(exponential_buckets(16.0, 4.0, 10)));
        let bytes = || Histogram::new(exponential_buckets(64.0, 8.0, 8));
        let received: Family<Operation, Histogram> = Family::new_with_constructor(bytes);
        let sizes: Family<Operation, Histogram> = Family::new_with_constructor(bytes);
        let in_flight = Gauge::default();
        registry.register(
            "notary_server_http_requests",
            "Requests by what was asked and how it was answered",
            requests.clone(),
        );
        registry.register(
            "notary_server_http_request_duration_microseconds",
            "Time from the request's head to the answer",
            durations.clone(),
        );
        registry.register(
            "notary_server_http_request_size_bytes",
            "Size of the requests' bodies, as far as it is said beforehand",
            received.clone(),
        );
        registry.register(
            "notary_server_http_response_size_bytes",
            "Size of the answers' bodies",
            sizes.clone(),
        );
        registry.register(
            "trust_server_requests_in_flight",
            "Requests being answered",
            in_flight.clone(),
        );
        Self {
            registry,
            requests,
            durations,
            received,
            sizes,
            in_flight,
        }
    }

    /// A request is being answered until this is dropped, also if nobody waits for the answer.
    pub(super) fn begin(&self) -> InFlight<'_> {
        self.in_flight.inc();
        InFlight(&self.in_flight)
    }

    /// A request was answered.
    pub(super) fn answered(&self, done: &Answered<'_>) {
        let operation = done.route.operation();
        let request = Request {
            operation,
            code: done.code,
            method: method(done.method),
        };
        self.requests.get_or_create(&request).inc();
        let operation = Operation { operation };
        let micros = done.took.as_secs_f64() * 1e6;
        self.durations.get_or_create(&operation).observe(micros);
        for (sizes, bytes) in [(&self.received, done.received), (&self.sizes, done.size)] {
            #[expect(clippy::cast_precision_loss, reason = "buckets are coarse")]
            sizes.get_or_create(&operation).observe(bytes as f64);
        }
    }

    /// All numbers, in the text form of `OpenMetrics`.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        // Writing into a string cannot fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}

/// A request being answered.
pub(super) struct InFlight<'m>(&'m Gauge);

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// An answered request.
pub(super) struct Answered<'r> {
    /// What was asked
    pub(super) route: &'r Route<'r>,
    /// How
    pub(super) method: &'r Method,
    /// The status
    pub(super) code: u16,
    /// Bytes of the request's body, as far as it is said beforehand
    pub(super) received: u64,
    /// Bytes of the body
    pub(super) size: u64,
    /// From the head to the answer
    pub(super) took: Duration,
}

/// Whatever somebody makes up is one method: labels are not for strangers to invent.
fn method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "get",
        Method::POST => "post",
        Method::DELETE => "delete",
        Method::HEAD => "head",
        Method::PUT => "put",
        _ => "other",
    }
}
