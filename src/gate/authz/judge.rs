//! From an effect to a verdict: what is asked of the gate, the registry and the engine.

use super::{Effect, registries::Registries, verdict::Verdict};
use crate::{
    config::EngineEndpoint,
    engine::{Engine, EngineError},
    gate::{Answer, Door, Gate},
    policy::{Allowance, Mode, Policy, Reason},
    reference::ImageReference,
};
use std::{fmt::Display, sync::Arc};
use tokio::sync::OnceCell;

/// What a verdict is made with.
pub(super) struct Judge {
    pub(super) gate: Gate,
    pub(super) registries: Registries,
    pub(super) endpoint: EngineEndpoint,
    pub(super) engine: OnceCell<Engine>,
}

impl Judge {
    /// Whether `who` may have the engine do this; `what` says it in words.
    pub(super) async fn judge(&self, who: &str, what: &str, effect: &Effect) -> Verdict {
        let asking = Asking { judge: self, who };
        let judged = match effect {
            Effect::Harmless => Ok(Verdict::Allowed),
            Effect::Refused(why) => Ok(Verdict::unclear(what, why)),
            Effect::Pull(image) => Ok(asking.pull(image).await),
            Effect::PullAll(image) => Ok(asking.pull_all(image).await),
            Effect::PullPlugin(image) => Ok(asking.fetch_later(image).await),
            Effect::Create { image, mounts } => asking.create(image.as_deref(), mounts).await,
            Effect::Start {
                container,
                restored,
            } => asking.start(container, *restored).await,
            Effect::Deploy { images } => Ok(asking.deploy(images).await),
            Effect::Tag { source, target } => asking.tag(source, target).await,
            Effect::Bring { way, names } => Ok(asking.bring(*way, names)),
        };
        judged.unwrap_or_else(|error| undecided(what, &error))
    }

    pub(super) async fn engine(&self) -> Result<&Engine, EngineError> {
        let connect = || Engine::connect(&self.endpoint);
        self.engine.get_or_try_init(connect).await
    }
}

/// One request.
pub(super) struct Asking<'r> {
    pub(super) judge: &'r Judge,
    who: &'r str,
}

/// A verdict, unless the engine could not be asked.
pub(super) type Judged = Result<Verdict, EngineError>;

impl Asking<'_> {
    pub(super) async fn ask(&self, image: &ImageReference) -> Answer {
        self.judge.gate.decide(Door::Authz, self.who, image).await
    }

    /// Allowed if one of them is; the first refusal otherwise.
    pub(super) async fn any(&self, images: &[ImageReference]) -> Verdict {
        let mut refusal = None;
        for image in images {
            match Verdict::of(self.ask(image).await) {
                Verdict::Allowed => return Verdict::Allowed,
                refused => refusal.get_or_insert(refused),
            };
        }
        refusal.unwrap_or_else(|| self.local("an image of no registry"))
    }

    pub(super) fn local(&self, what: &str) -> Verdict {
        if self.policy().engine.local == Allowance::Accept {
            return Verdict::Allowed;
        }
        Verdict::refused(
            what,
            "no registry vouches for it",
            Reason::DeniedByRule,
            Some("the policy would have to say local = \"accept\" under [engine]".to_owned()),
        )
    }

    pub(super) fn is_audited(&self, image: &ImageReference) -> bool {
        self.policy().rule(image).mode == Mode::Audit
    }

    pub(super) fn policy(&self) -> Arc<Policy> {
        self.judge.gate.policy()
    }
}

pub(super) fn undecided(what: &str, error: &dyn Display) -> Verdict {
    Verdict::refused(what, &error.to_string(), Reason::Unreachable, None)
}
