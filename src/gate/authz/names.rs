//! Content that comes in from elsewhere than a registry, and the names it is given.

use super::{
    Way,
    judge::{Asking, Judged},
    local::{Question, signed_as},
    verdict::Verdict,
};
use crate::{
    policy::{Allowance, Demand, Mode, Policy, Reason},
    reference::ImageReference,
};

impl Asking<'_> {
    /// A name whose signatures count is given only to what is signed under it.
    pub(super) async fn tag(&self, source: &str, target: &ImageReference) -> Judged {
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
        match guard(target, &policy) {
            Verdict::Allowed if self.local(source).is_allowed() => Ok(Verdict::Allowed),
            _ => Ok(verdict),
        }
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
