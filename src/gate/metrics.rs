//! Numbers of a gate for Prometheus.

use super::{Answer, Door};
use prometheus_client::encoding::{EncodeLabelSet, text::encode};
use prometheus_client::metrics::{
    counter::Counter,
    family::Family,
    histogram::{Histogram, exponential_buckets},
};
use prometheus_client::registry::Registry;
use std::time::Duration;

/// What is counted.
pub(super) struct Metrics {
    registry: Registry,
    decisions: Family<Outcome, Counter>,
    durations: Family<Through, Histogram>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    door: &'static str,
    verdict: &'static str,
    reason: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Through {
    door: &'static str,
}

impl Metrics {
    /// Nothing counted yet.
    pub(super) fn new() -> Self {
        let mut registry = Registry::default();
        let decisions = Family::default();
        let durations: Family<Through, Histogram> =
            Family::new_with_constructor(|| Histogram::new(exponential_buckets(1e-5, 4.0, 11)));
        registry.register(
            "trust_gate_decisions",
            "Decisions by door, verdict and reason code",
            decisions.clone(),
        );
        registry.register(
            "trust_gate_decision_duration_seconds",
            "Time from the question to the answer",
            durations.clone(),
        );
        Self {
            registry,
            decisions,
            durations,
        }
    }

    /// A decision was made.
    pub(super) fn decided(&self, door: Door, answer: &Answer, took: Duration) {
        let door = door.as_str();
        let (verdict, reason) = answer.words();
        let outcome = Outcome {
            door,
            verdict,
            reason,
        };
        self.decisions.get_or_create(&outcome).inc();
        let through = Through { door };
        self.durations
            .get_or_create(&through)
            .observe(took.as_secs_f64());
    }

    /// All numbers, in the text form of `OpenMetrics`.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        // Writing into a string cannot fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}

impl Answer {
    /// The verdict and the reason code as labels.
    pub(super) fn words(&self) -> (&'static str, &'static str) {
        match self {
            Self::Signed(_) => ("trusted", ""),
            Self::Passed { notice: None } => ("passed", ""),
            Self::Passed { notice: Some(_) } => ("audited", ""),
            Self::Denied(denial) if denial.undecided => ("undecided", denial.reason.code()),
            Self::Denied(denial) => ("refused", denial.reason.code()),
        }
    }
}
