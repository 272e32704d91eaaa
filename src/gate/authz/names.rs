//! Content that comes in from elsewhere than a registry, and the names it is given.

use super::{
    Way,
    judge::{Asking, Judged},
    local::{Question, by_content, signed_as},
    verdict::Verdict,
};
use crate::{
    engine::LocalImage,
    policy::{Allowance, Demand, Mode, Policy, Reason},
    reference::ImageReference,
};

impl Asking<'_> {
    /// A name whose signatures count is given only to what is signed under it.
    pub(super) async fn tag(&self, source: &str, target: &ImageReference) -> Judged {
        let policy = self.policy();
        let rule = policy.rule(target);
        if rule.demand == Demand::Reject {
            return Ok(Verdict::of(self.ask(target).await));
        }
        let Some(image) = self.judge.engine().await?.image(source).await? else {
            return Ok(Verdict::Allowed);
        };
        if rule.demand == Demand::Accept {
            return Ok(self.name_freely(source, &image, &policy).await);
        }
        let verdict = match signed_as(target.clone(), &image) {
            Question::Any(images) => self.any(&images).await,
            _ if self.is_audited(target) => Verdict::of(self.ask(target).await),
            _ => shadowing(target),
        };
        match guard(target, &policy) {
            Verdict::Allowed if self.local(source).is_allowed() => Ok(Verdict::Allowed),
            _ => Ok(verdict),
        }
    }

    /// A name that passes is given to what passes as it is, unless images of this machine do.
    ///
    /// Engines that keep images in containerd's store take each of its names for a place where the
    /// image came from (moby, `containerd/image_inspect.go`): a tag would make it pass.
    async fn name_freely(&self, source: &str, image: &LocalImage, policy: &Policy) -> Verdict {
        let engine = &policy.engine;
        if [engine.local, engine.build].contains(&Allowance::Accept) {
            return Verdict::Allowed;
        }
        self.answer(source, by_content(image)).await
    }

    pub(super) fn bring(&self, way: Way, names: &[ImageReference]) -> Verdict {
        let policy = self.policy();
        let allowance = match way {
            Way::Build => policy.engine.build,
            _ => policy.engine.local,
        };
        if allowance == Allowance::Reject {
            return Verdict::forbidden(way);
        }
        let guarded = names.iter().map(|name| guard(name, &policy));
        let refusal = guarded.into_iter().find(|verdict| !verdict.is_allowed());
        refusal.unwrap_or(Verdict::Allowed)
    }
}

/// Keeps local images off names that a rule of their own protects.
///
/// Under the default every name is one that has to be signed; there it is left to the moment
/// when a container is made, which tells such an image from the signed one all the same.
fn guard(name: &ImageReference, policy: &Policy) -> Verdict {
    let rule = policy.rule(name);
    let protects = rule.pattern.is_some() && rule.demand != Demand::Accept;
    if protects && rule.mode == Mode::Enforce {
        return shadowing(name);
    }
    Verdict::Allowed
}

fn shadowing(name: &ImageReference) -> Verdict {
    Verdict::refused(
        &name.to_string(),
        "the name is given only to what is signed under it",
        Reason::DigestNotSigned,
        None,
    )
}
