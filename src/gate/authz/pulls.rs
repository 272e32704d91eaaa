//! What the engine fetches from registries, now or later.

use super::{
    judge::{Asking, undecided},
    verdict::Verdict,
};
use crate::{
    gate::{Answer, Tags},
    policy::Reason,
    reference::ImageReference,
};

impl Asking<'_> {
    /// A digest is what it is; for a tag the registry has to serve what is signed, now.
    pub(super) async fn pull(&self, image: &ImageReference) -> Verdict {
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

    pub(super) async fn pull_all(&self, image: &ImageReference) -> Verdict {
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
    pub(super) async fn fetch_later(&self, image: &ImageReference) -> Verdict {
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

    pub(super) async fn deploy(&self, images: &[ImageReference]) -> Verdict {
        for image in images {
            let verdict = self.fetch_later(image).await;
            if !verdict.is_allowed() {
                return verdict;
            }
        }
        Verdict::Allowed
    }
}
