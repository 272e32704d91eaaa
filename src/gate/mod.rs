//! The gate: one trust decision behind many doors.
//!
//! Each door speaks the protocol of an engine and asks [`Gate::decide`]; none knows what trust is.

pub mod admission;
mod answer;
pub mod authz;
pub mod containerd;
pub mod doctor;
pub mod install;
mod json;
mod log;
mod metrics;
mod pages;
pub mod proxy;

pub use answer::{Answer, Denial, Pinned, Tags};
pub use log::{Log, LogError};

use crate::policy::{Demand, Mode, Policy, Reason, Rule};
use crate::reference::ImageReference;
use crate::repository::{Decider, Decision, Event, OpenError};
use jiff::Timestamp;
use log::{Line, Record};
use metrics::Metrics;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};
use tokio::time::timeout;

/// The decision that every door asks for. Clones share everything.
#[derive(Clone)]
pub struct Gate {
    inner: Arc<Inner>,
}

struct Inner {
    policy: RwLock<Arc<Policy>>,
    decider: Decider,
    log: Log,
    metrics: Metrics,
    deadline: Duration,
    clock: fn() -> Timestamp,
}

/// Through which protocol an engine asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Door {
    /// A registry, as any client sees it
    Proxy,
    /// Docker Engine's authorization plugin
    Authz,
    /// containerd's image verifier
    Containerd,
    /// Kubernetes' admission webhook
    Admission,
}

impl Door {
    /// The word for it in logs and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Proxy => "proxy",
            Self::Authz => "authz",
            Self::Containerd => "containerd",
            Self::Admission => "admission",
        }
    }
}

/// Operators see at once what does not pass, or would not.
fn tell(door: Door, who: &str, answer: &Answer) {
    let door = door.as_str();
    match answer {
        Answer::Denied(denial) => tracing::warn!(door, who, "{}", denial.line()),
        Answer::Passed {
            notice: Some(notice),
        } => tracing::warn!(door, who, "{notice}"),
        Answer::Signed(_) | Answer::Passed { notice: None } => {}
    }
}

/// What operators want to hear of on the way to a decision.
fn notice(image: &ImageReference, event: &Event) {
    let image = image.gun();
    match event {
        Event::KeptTimestamp { cause, valid_until } => {
            tracing::warn!(image, cause, %valid_until, "the trust server cannot be asked, kept state serves");
        }
        Event::ClockBehind { seen, .. } => {
            tracing::warn!(image, %seen, "the clock has shown this before, which counts");
        }
        Event::NearExpiry { role, expires, .. } => {
            tracing::info!(image, role, %expires, "metadata expire soon");
        }
        _ => {}
    }
}

impl Gate {
    /// Decides by `policy`, each time within `deadline`, and writes down every decision.
    pub fn new(
        policy: Policy,
        decider: Decider,
        log: Log,
        deadline: Duration,
        clock: fn() -> Timestamp,
    ) -> Self {
        let inner = Inner {
            policy: RwLock::new(Arc::new(policy)),
            decider,
            log,
            metrics: Metrics::new(),
            deadline,
            clock,
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    /// The policy in force.
    pub fn policy(&self) -> Arc<Policy> {
        let policy = self.inner.policy.read();
        Arc::clone(&policy.unwrap_or_else(PoisonError::into_inner))
    }

    /// Another policy is in force from now on.
    pub fn enforce(&self, policy: Policy) {
        let mut place = self.inner.policy.write();
        let place = place.as_deref_mut();
        *place.unwrap_or_else(|poisoned| poisoned.get_mut()) = Arc::new(policy);
    }

    /// Decides on an image, within the deadline; the decision is written down.
    ///
    /// `who` asks, as far as the door knows: a user, an address, a namespace. An image with
    /// neither tag nor digest means its tag `latest`.
    pub async fn decide(&self, door: Door, who: &str, image: &ImageReference) -> Answer {
        self.decide_within(self.inner.deadline, door, who, image)
            .await
    }

    /// The same within this time, or the deadline if that is shorter.
    pub async fn decide_within(
        &self,
        time: Duration,
        door: Door,
        who: &str,
        image: &ImageReference,
    ) -> Answer {
        let began = Instant::now();
        let time = time.min(self.inner.deadline);
        let image = image.clone().or_latest();
        let policy = self.policy();
        let rule = policy.rule(&image);
        let decision = self.decision(time, &image, rule).await;
        let answer = Answer::of(&image, &decision, rule);
        let took = began.elapsed();
        self.inner.metrics.decided(door, &answer, took);
        tell(door, who, &answer);
        self.inner.log.write(&Line::of(&Record {
            at: (self.inner.clock)(),
            door,
            who,
            image: &image,
            rule,
            policy: &policy,
            decision: &decision,
            answer: &answer,
            took,
        }));
        answer
    }

    /// Writes down that the door itself refused something, for which no image had to be decided on.
    pub fn refused(&self, door: Door, who: &str, denial: Denial, took: Duration) {
        let at = (self.inner.clock)();
        let policy = self.policy();
        self.inner
            .log
            .write(&Line::refusal(at, door, who, &policy, &denial, took));
        let answer = Answer::Denied(denial);
        self.inner.metrics.decided(door, &answer, took);
        tell(door, who, &answer);
    }

    /// Which tags of the image's repository pass.
    ///
    /// # Errors
    /// Nothing of the repository is trusted.
    pub async fn signed_tags(&self, image: &ImageReference) -> Result<Tags, Denial> {
        let policy = self.policy();
        let rule = policy.rule(image);
        match &rule.demand {
            _ if rule.mode == Mode::Audit => return Ok(Tags::All),
            Demand::Accept => return Ok(Tags::All),
            Demand::Reject => {
                let decision = self.decision(self.inner.deadline, image, rule).await;
                return Err(Denial::of(image, &decision, rule));
            }
            Demand::Signed(_) => {}
        }
        let tags = async {
            let now = (self.inner.clock)();
            self.inner.decider.tags(image, rule, now, &mut |_| ()).await
        };
        match in_time(self.inner.deadline, tags).await {
            Ok(Ok(tags)) => Ok(Tags::Only(tags)),
            Ok(Err(decision)) => Err(Denial::of(image, &decision, rule)),
            Err(decision) => Err(Denial::of(image, &decision, rule)),
        }
    }

    async fn decision(&self, time: Duration, image: &ImageReference, rule: &Rule) -> Decision {
        let decision = async {
            let now = (self.inner.clock)();
            let mut watch = |event| notice(image, &event);
            self.inner
                .decider
                .decide(image, rule, now, &mut watch)
                .await
        };
        match timeout(time, decision).await {
            Ok(done) => done.unwrap_or_else(|error| cannot_ask(&error)),
            Err(_) => self.kept(image, rule).unwrap_or_else(|| too_late(time)),
        }
    }

    /// The decision by what was verified before: a server that stalls is one that is away.
    fn kept(&self, image: &ImageReference, rule: &Rule) -> Option<Decision> {
        let now = (self.inner.clock)();
        let kept = self.inner.decider.decide_at_once(image, rule, now)?;
        let image = image.gun();
        tracing::warn!(image, "the trust server takes too long, kept state serves");
        Some(kept)
    }
}

/// What comes of it, or a refusal because it takes too long or cannot be asked.
async fn in_time<T>(
    time: Duration,
    work: impl Future<Output = Result<T, OpenError>>,
) -> Result<T, Decision> {
    let done = timeout(time, work).await.map_err(|_| too_late(time))?;
    done.map_err(|error| cannot_ask(&error))
}

fn cannot_ask(error: &OpenError) -> Decision {
    Decision::refused(Reason::Unreachable, error.to_string())
}

fn too_late(time: Duration) -> Decision {
    let words = format!("no decision within {} ms", time.as_millis());
    Decision::refused(Reason::Unreachable, words)
}
