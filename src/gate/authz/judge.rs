//! From an effect to a verdict: what is asked of the gate, the registry and the engine.

use super::{
    Effect, Unclear, Way,
    local::{Question, by_content, by_name, signed_as},
    registries::Registries,
    verdict::Verdict,
};
use crate::{
    config::EngineEndpoint,
    engine::{Engine, EngineError, LocalImage},
    gate::{Answer, Door, Gate, Tags},
    policy::{Allowance, Demand, Mode, Policy, Reason},
    reference::{ImageReference, ReferenceError},
};
use std::fmt::Display;
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

    async fn engine(&self) -> Result<&Engine, EngineError> {
        let connect = || Engine::connect(&self.endpoint);
        self.engine.get_or_try_init(connect).await
    }
}

/// One request.
struct Asking<'r> {
    judge: &'r Judge,
    who: &'r str,
}

type Judged = Result<Verdict, EngineError>;

impl Asking<'_> {
    async fn ask(&self, image: &ImageReference) -> Answer {
        self.judge.gate.decide(Door::Authz, self.who, image).await
    }

    /// A digest is what it is; for a tag the registry has to serve what is signed, now.
    async fn pull(&self, image: &ImageReference) -> Verdict {
        let answer = self.ask(image).await;
        if image.digest().is_some() {
            return Verdict::of(answer);
        }
        let signed = match &answer {
            Answer::Signed(pinned) => Some(&pinned.digest),
            // The tag is not signed, but what it means may be exempt.
            Answer::Denied(_) if self.has_exemptions(image) => None,
            _ => return Verdict::of(answer),
        };
        match self.judge.registries.served(image).await {
            Ok(served) if Some(&served) == signed => Verdict::Allowed,
            Ok(served) => Verdict::of(self.ask(&image.pinned(&served)).await),
            Err(error) => undecided(&image.to_string(), &error),
        }
    }

    fn has_exemptions(&self, image: &ImageReference) -> bool {
        !self.policy().rule(image).exempt.is_empty()
    }

    async fn pull_all(&self, image: &ImageReference) -> Verdict {
        match self.judge.gate.signed_tags(image).await {
            Ok(Tags::All) => Verdict::Allowed,
            Ok(Tags::Only(_)) => Verdict::refused(
                &format!("pulling every tag of {}", image.gun()),
                "not every tag need be signed",
                Reason::Unsigned,
                Some(format!(
                    "trust pull --all-tags {} pulls those that are",
                    image.familiar()
                )),
            ),
            Err(denial) => Verdict::Denied(denial),
        }
    }

    /// What is fetched later, or by others, has to be named by its digest.
    async fn fetch_later(&self, image: &ImageReference) -> Verdict {
        match self.ask(image).await {
            Answer::Signed(pinned) if image.digest().is_none() => Verdict::refused(
                &image.to_string(),
                "its tag may mean something else when it is fetched",
                Reason::DigestNotSigned,
                Some(format!(
                    "name it by its digest: {}@{}",
                    image.familiar(),
                    pinned.digest
                )),
            ),
            answer => Verdict::of(answer),
        }
    }

    async fn deploy(&self, images: &[ImageReference]) -> Verdict {
        for image in images {
            let verdict = self.fetch_later(image).await;
            if !verdict.is_allowed() {
                return verdict;
            }
        }
        Verdict::Allowed
    }

    async fn create(&self, image: Option<&str>, mounts: &[String]) -> Judged {
        let Some(image) = image else {
            return Ok(self.local("a container of no image"));
        };
        for name in std::iter::once(image).chain(mounts.iter().map(String::as_str)) {
            let verdict = self.use_image(name).await?;
            if !verdict.is_allowed() {
                return Ok(verdict);
            }
        }
        Ok(Verdict::Allowed)
    }

    /// An image that is not there is left to the engine: it says so, and docker pulls.
    async fn use_image(&self, name: &str) -> Judged {
        if !is_plain(name) {
            let why = Unclear::name(name, ReferenceError::InvalidFormat);
            return Ok(Verdict::unclear("an image", &why));
        }
        match self.judge.engine().await?.image(name).await? {
            None => Ok(Verdict::Allowed),
            Some(image) => Ok(self.run(name, &image).await),
        }
    }

    /// Whether an image the engine has may run by the name it is asked for.
    async fn run(&self, name: &str, image: &LocalImage) -> Verdict {
        let question = by_name(name, image, &self.policy());
        self.answer(name, question).await
    }

    async fn answer(&self, name: &str, question: Question) -> Verdict {
        match question {
            Question::Any(images) => self.any(&images).await,
            Question::Local => self.local(name),
            Question::NeverPulled(image) if self.is_audited(&image) => {
                Verdict::of(self.ask(&image).await)
            }
            Question::NeverPulled(image) => Verdict::refused(
                &image.to_string(),
                "the engine's image of that name was not pulled from a registry",
                Reason::DigestNotSigned,
                Some(format!(
                    "docker pull {} brings what is signed",
                    image.familiar_reference()
                )),
            ),
        }
    }

    /// Allowed if one of them is; the first refusal otherwise.
    async fn any(&self, images: &[ImageReference]) -> Verdict {
        let mut refusal = None;
        for image in images {
            match Verdict::of(self.ask(image).await) {
                Verdict::Allowed => return Verdict::Allowed,
                refused => refusal.get_or_insert(refused),
            };
        }
        refusal.unwrap_or_else(|| self.local("an image of no registry"))
    }

    /// What runs was decided when the container was made: perhaps before there was a gate, or
    /// while a name changed its meaning. The image's id cannot change any more.
    async fn start(&self, container: &str, restored: bool) -> Judged {
        let engine = self.judge.engine().await?;
        let Some(made) = engine.container(container).await? else {
            return Ok(Verdict::Allowed);
        };
        if restored && !self.local(container).is_allowed() {
            return Ok(self.local("the memory of a checkpoint"));
        }
        for mount in &made.mounts {
            let verdict = self.use_image(mount).await?;
            if !verdict.is_allowed() {
                return Ok(verdict);
            }
        }
        if made.image.is_empty() {
            return Ok(self.local("a container of no image"));
        }
        let Some(image) = engine.image(&made.image).await? else {
            return Ok(self.local(&format!(
                "{}, which the engine does not have any more,",
                made.name
            )));
        };
        let verdict = self.run(&made.name, &image).await;
        if verdict.is_allowed() {
            return Ok(verdict);
        }
        let known = match self.answer(&made.name, by_content(&image)).await {
            Verdict::Allowed => Verdict::Allowed,
            _ => verdict,
        };
        Ok(known)
    }

    /// A name whose signatures count is given only to what is signed under it.
    async fn tag(&self, source: &str, target: &ImageReference) -> Judged {
        let policy = self.policy();
        let rule = policy.rule(target);
        match rule.demand {
            Demand::Accept => return Ok(Verdict::Allowed),
            Demand::Reject => return Ok(Verdict::of(self.ask(target).await)),
            Demand::Signed(_) => {}
        }
        let Some(image) = self.judge.engine().await?.image(source).await? else {
            return Ok(Verdict::Allowed);
        };
        let verdict = match signed_as(target.clone(), &image) {
            Question::Any(images) => self.any(&images).await,
            _ if self.is_audited(target) => Verdict::of(self.ask(target).await),
            _ => shadowing(target),
        };
        match self.guard(target, &policy) {
            Verdict::Allowed if self.local(source).is_allowed() => Ok(Verdict::Allowed),
            _ => Ok(verdict),
        }
    }

    fn bring(&self, way: Way, names: &[ImageReference]) -> Verdict {
        let policy = self.policy();
        let allowance = match way {
            Way::Build => policy.engine.build,
            _ => policy.engine.local,
        };
        if allowance == Allowance::Reject {
            return Verdict::forbidden(way);
        }
        let guarded = names.iter().map(|name| self.guard(name, &policy));
        let refusal = guarded.into_iter().find(|verdict| !verdict.is_allowed());
        refusal.unwrap_or(Verdict::Allowed)
    }

    /// Keeps local images off names that a rule of their own protects.
    ///
    /// Under the default every name is one that has to be signed; there it is left to the moment
    /// when a container is made, which tells such an image from the signed one all the same.
    fn guard(&self, name: &ImageReference, policy: &Policy) -> Verdict {
        let rule = policy.rule(name);
        let protects = rule.pattern.is_some() && rule.demand != Demand::Accept;
        if protects && rule.mode == Mode::Enforce {
            return shadowing(name);
        }
        Verdict::Allowed
    }

    fn local(&self, what: &str) -> Verdict {
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

    fn is_audited(&self, image: &ImageReference) -> bool {
        self.policy().rule(image).mode == Mode::Audit
    }

    fn policy(&self) -> std::sync::Arc<Policy> {
        self.judge.gate.policy()
    }
}

fn shadowing(name: &ImageReference) -> Verdict {
    Verdict::refused(
        &name.to_string(),
        "the name is given only to what is signed under it",
        Reason::DigestNotSigned,
        None,
    )
}

fn undecided(what: &str, error: &dyn Display) -> Verdict {
    Verdict::refused(what, &error.to_string(), Reason::Unreachable, None)
}

/// Whether a name stays what it is when it is put into an address.
fn is_plain(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:/@[]".contains(&byte);
    name.bytes().all(is_plain) && name.split('/').all(|part| !matches!(part, "" | "." | ".."))
}
