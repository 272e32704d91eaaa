//! The trust decision: a rule, evidence from the verified state, one judgement for every door.

use super::evidence::State;
use super::memory::{Held, Look, Memory, Wanted};
use super::open::{OpenError, Reach};
use super::{Error, Repository, Watch};
use crate::policy::{
    Asked, Demand, Evidence, Judgement, Reason, Requirement, Rule, Statement, Verdict, judge,
    passing_tags,
};
use crate::reference::ImageReference;
use crate::remote::Actions;
use futures_util::future::{BoxFuture, FutureExt};
use jiff::Timestamp;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// A judgement with the state it rests on.
#[derive(Clone, Debug)]
pub struct Decision {
    /// The judgement
    pub judgement: Judgement,
    /// What to do about a refusal
    pub hint: Option<String>,
    /// The verified state, where there was one
    pub state: Option<State>,
    /// How long ago the server confirmed that state, if it did since this process began
    pub age: Option<Duration>,
}

/// Opens the repository of an image, at this trust server unless that follows from the image.
type Open = Box<
    dyn Fn(ImageReference, Option<String>) -> BoxFuture<'static, Result<Repository, OpenError>>
        + Send
        + Sync,
>;

/// Decides on images, remembering the verified state of their repositories.
pub struct Decider {
    open: Open,
    memory: Memory,
    /// The latest moment at which something was decided
    latest: Mutex<Timestamp>,
}

impl Decider {
    /// Decides by what can be reached so; nothing is remembered yet.
    pub fn new(reach: Reach) -> Self {
        Self::opening(move |image, server| {
            let reach = reach.at(server.as_deref());
            async move { reach.repository(&image, Actions::Pull).await }.boxed()
        })
    }

    /// Decides by the repositories that are opened so; nothing is remembered yet.
    pub fn opening(
        open: impl Fn(
            ImageReference,
            Option<String>,
        ) -> BoxFuture<'static, Result<Repository, OpenError>>
        + Send
        + Sync
        + 'static,
    ) -> Self {
        Self {
            open: Box::new(open),
            memory: Memory::of(REPOSITORIES),
            latest: Mutex::new(Timestamp::MIN),
        }
    }

    /// Decides whether an image is trusted; what fails on the way becomes evidence against it.
    ///
    /// # Errors
    /// The repository cannot even be asked for: configuration or certificates are wrong.
    pub async fn decide(
        &self,
        image: &ImageReference,
        rule: &Rule,
        now: Timestamp,
        watch: Watch<'_>,
    ) -> Result<Decision, OpenError> {
        let now = self.never_back(now);
        let asked = asked(image);
        let at_once = judge(asked, rule, &unasked(), now);
        match &rule.demand {
            Demand::Signed(requirement) if at_once.verdict != Verdict::Trusted => {
                let look = self.look(image, requirement, now, watch).await?;
                Ok(Decision::on(look, asked, rule, now))
            }
            _ => Ok(Decision::without_state(at_once)),
        }
    }

    /// The same by what this process knows already, for when a look takes too long.
    ///
    /// Nothing, where the rule needs a look and the last one did not go well.
    pub fn decide_at_once(
        &self,
        image: &ImageReference,
        rule: &Rule,
        now: Timestamp,
    ) -> Option<Decision> {
        let now = self.never_back(now);
        let Demand::Signed(requirement) = &rule.demand else {
            return None;
        };
        let name = place(&requirement.judged_as(image)?, requirement);
        let held = self.memory.at_hand(&name, now)?;
        Some(Decision::on(Ok(held), asked(image), rule, now))
    }

    /// Every tag of the image's repository that passes the rule, in the order of their bytes.
    ///
    /// # Errors
    /// As [`Self::decide`]; the inner one says why nothing of the repository is trusted.
    pub async fn tags(
        &self,
        image: &ImageReference,
        rule: &Rule,
        now: Timestamp,
        watch: Watch<'_>,
    ) -> Result<Result<Vec<String>, Box<Decision>>, OpenError> {
        let now = self.never_back(now);
        let Demand::Signed(requirement) = &rule.demand else {
            return Ok(Ok(Vec::new()));
        };
        let look = self.look(image, requirement, now, watch).await?;
        let Ok(held) = &look else {
            return Ok(Err(Box::new(Decision::on(look, asked(image), rule, now))));
        };
        let evidence = known(held, held.known.all_statements(), now);
        Ok(passing_tags(rule, &evidence, now)
            .map_err(|judgement| Box::new(Decision::by(*judgement, held, now))))
    }

    async fn look(
        &self,
        image: &ImageReference,
        requirement: &Requirement,
        now: Timestamp,
        watch: Watch<'_>,
    ) -> Result<Look, OpenError> {
        let Some(image) = &requirement.judged_as(image) else {
            return Ok(Err(Arc::new(Error::NoIdentity(image.gun().to_owned()))));
        };
        let name = place(image, requirement);
        let wanted = Wanted {
            refresh: requirement.refresh,
            root: requirement.root.clone(),
            now,
        };
        let open = || (self.open)(image.clone(), requirement.server.clone());
        self.memory.state(&name, &wanted, open, watch).await
    }

    /// The time to go by: within one process it never goes back.
    fn never_back(&self, now: Timestamp) -> Timestamp {
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        *latest = now.max(*latest);
        *latest
    }
}

impl Decision {
    fn on(look: Look, asked: Asked<'_>, rule: &Rule, now: Timestamp) -> Self {
        match look {
            Ok(held) => {
                let evidence = known(&held, held.known.statements(asked), now);
                Self::by(judge(asked, rule, &evidence, now), &held, now)
            }
            Err(error) => {
                let evidence = Evidence::Unknown {
                    reason: error.reason().unwrap_or(Reason::Unreachable),
                    message: error.to_string(),
                };
                Self {
                    hint: error.hint(),
                    ..Self::without_state(judge(asked, rule, &evidence, now))
                }
            }
        }
    }

    fn by(judgement: Judgement, held: &Held, now: Timestamp) -> Self {
        Self {
            judgement,
            hint: None,
            state: Some(State::of(&held.known)),
            age: held.age(now),
        }
    }

    /// Refused before anything could be looked at.
    pub fn refused(reason: Reason, message: String) -> Self {
        Self::without_state(Judgement::refused(reason, message))
    }

    fn without_state(judgement: Judgement) -> Self {
        Self {
            judgement,
            hint: None,
            state: None,
            age: None,
        }
    }
}

/// The name under which the state of a repository at its server is remembered.
fn place(image: &ImageReference, requirement: &Requirement) -> String {
    let server = requirement.server.as_deref();
    format!("{} {}", image.gun(), server.unwrap_or_default())
}

/// The tag and the digest of a name; a digest that is no SHA-256 matches nothing.
fn asked(image: &ImageReference) -> Asked<'_> {
    let digest = image.digest();
    Asked {
        tag: image.tag(),
        digest: digest.map(|digest| digest.sha256_hex().unwrap_or(digest.as_str())),
    }
}

fn known(held: &Held, statements: Vec<Statement>, now: Timestamp) -> Evidence {
    Evidence::Known {
        gun: held.known.current().gun().to_owned(),
        statements,
        unusable: held.known.unusable().to_vec(),
        root_keys: held.known.root_keys().to_vec(),
        age: held.age(now),
    }
}

/// Enough to judge by where the rule alone decides.
fn unasked() -> Evidence {
    Evidence::Unknown {
        reason: Reason::Unreachable,
        message: "nobody was asked".to_owned(),
    }
}

/// Repositories remembered at once.
const REPOSITORIES: usize = 4096;
