//! Containers: made of images the engine has, and started.

use super::{
    Unclear,
    judge::{Asking, Judged},
    local::{Question, by_content, by_name},
    verdict::Verdict,
};
use crate::{
    engine::{LocalContainer, LocalImage},
    policy::Reason,
    reference::ReferenceError,
};

impl Asking<'_> {
    pub(super) async fn create(&self, image: Option<&str>, mounts: &[String]) -> Judged {
        for name in image.into_iter().chain(mounts.iter().map(String::as_str)) {
            let verdict = self.use_image(name).await?;
            if !verdict.is_allowed() {
                return Ok(verdict);
            }
        }
        match image {
            Some(_) => Ok(Verdict::Allowed),
            None => Ok(self.local("a container of no image")),
        }
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

    pub(super) async fn answer(&self, name: &str, question: Question) -> Verdict {
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

    /// What runs was decided when the container was made: perhaps before there was a gate, or
    /// while a name changed its meaning. The image's id cannot change any more.
    ///
    /// The container's name can: while a trust server takes its time, somebody may give it to
    /// another container.
    pub(super) async fn start(&self, container: &str, restored: bool) -> Judged {
        let engine = self.judge.engine().await?;
        let Some(made) = engine.container(container).await? else {
            return Ok(Verdict::Allowed);
        };
        let verdict = self.start_made(container, &made, restored).await?;
        if verdict.is_allowed() && engine.container(container).await? != Some(made) {
            return Ok(Verdict::refused(
                &format!("starting {container}"),
                "it is another container by now",
                Reason::Unreachable,
                Some("try again".to_owned()),
            ));
        }
        Ok(verdict)
    }

    async fn start_made(&self, container: &str, made: &LocalContainer, restored: bool) -> Judged {
        let engine = self.judge.engine().await?;
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
}

/// Whether a name stays what it is when it is put into an address.
fn is_plain(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:/@[]".contains(&byte);
    name.bytes().all(is_plain) && name.split('/').all(|part| !matches!(part, "" | "." | ".."))
}
