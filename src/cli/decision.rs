//! The decision on an image, and what is printed of it.

use super::{failure::Failure, notice, session::Session};
use serde::Serialize;
use std::collections::BTreeMap;
use trust::{
    policy::{Reason, Requirement, Verdict},
    reference::ImageReference,
    remote::Actions,
    repository::{Kind, Repository, decide::Decision},
};

/// What is demanded beyond a signature.
#[derive(clap::Args)]
pub(crate) struct RequirementArgs {
    /// Only if this signer signed it, too; may be given several times
    #[arg(long = "signer", value_name = "NAME")]
    signers: Vec<String>,
    /// Only if so many signers with keys of their own signed it; of those named, if any are
    #[arg(long, value_name = "N", value_parser = threshold)]
    threshold: Option<u64>,
}

impl RequirementArgs {
    pub(crate) fn requirement(&self) -> Requirement {
        Requirement {
            signers: self.signers.clone(),
            threshold: self.threshold,
        }
    }
}

fn threshold(text: &str) -> Result<u64, String> {
    let number = text.parse().ok().filter(|number| *number > 0);
    number.ok_or_else(|| "it is a number of signers, at least 1".to_owned())
}

/// The decision on an image, as every command that asks for one gets it.
pub(super) async fn decide(
    image: &ImageReference,
    requirement: &Requirement,
    session: &Session,
) -> Result<Decision, Failure> {
    let repository = session.repository(image, Actions::Pull).await?;
    Ok(decide_in(&repository, image, requirement, session).await)
}

/// The decision on an image of a repository that is open already.
pub(super) async fn decide_in(
    repository: &Repository,
    image: &ImageReference,
    requirement: &Requirement,
    session: &Session,
) -> Decision {
    let mut watch = |event| notice::tell(&session.out, event);
    repository
        .decide(image, requirement, session.now(), &mut watch)
        .await
}

/// What programs are told about one image.
#[derive(Default, Serialize)]
pub(super) struct Record {
    image: String,
    name: Option<String>,
    tag: Option<String>,
    digest: Option<String>,
    size: Option<u64>,
    verdict: &'static str,
    reason: Option<&'static str>,
    message: String,
    role: Option<String>,
    signers: Vec<String>,
    key_ids: Vec<String>,
    root_key_ids: Vec<String>,
    expires: Option<String>,
    versions: BTreeMap<String, u64>,
    policy_rule: Option<String>,
}

impl Record {
    /// Nothing is known yet of an image but its name.
    pub(super) fn about(image: &str) -> Self {
        Self {
            image: image.to_owned(),
            verdict: "undecided",
            ..Self::default()
        }
    }

    /// The name was understood as this image.
    pub(super) fn names(&mut self, image: &ImageReference) {
        self.name = Some(image.familiar().to_owned());
        self.tag = image.tag().map(str::to_owned);
        self.digest = image.digest().map(ToString::to_string);
    }

    /// The question could not even be asked.
    pub(super) fn fails(&mut self, failure: &Failure) {
        if failure.kind() == Kind::Refused {
            self.verdict = "refused";
        }
        self.reason = failure.reason().map(Reason::code);
        failure.words().clone_into(&mut self.message);
    }

    /// Takes over what was decided.
    pub(super) fn learns(&mut self, decision: Decision) {
        let judgement = decision.judgement;
        self.verdict = match judgement.verdict {
            Verdict::Trusted => "trusted",
            Verdict::Refused => "refused",
            Verdict::Undecided => "undecided",
        };
        self.reason = judgement.reason.map(Reason::code);
        self.message = judgement.message;
        self.signers = judgement.signers;
        if let Some(statement) = judgement.decided_by {
            self.tag = Some(statement.tag);
            self.digest = Some(format!("sha256:{}", statement.digest));
            self.size = Some(statement.size);
            self.role = Some(statement.role);
            self.key_ids = statement.key_ids;
        }
        if let Some(state) = decision.state {
            self.root_key_ids = state.root_key_ids;
            self.expires = Some(state.valid_until.to_string());
            self.versions = state.versions;
        }
    }

    /// What `docker pull` can be given; only for a trusted image.
    pub(super) fn line(&self) -> Option<String> {
        let (name, tag, digest) = (
            self.name.as_ref()?,
            self.tag.as_ref()?,
            self.digest.as_ref()?,
        );
        (self.verdict == "trusted").then(|| format!("{name}:{tag}@{digest}"))
    }
}

/// For people.
impl Record {
    /// The image as typed.
    pub(super) fn image(&self) -> &str {
        &self.image
    }

    /// The answer in one line.
    pub(super) fn verdict(&self) -> String {
        let code = self.reason.iter().map(|code| format!(" [{code}]"));
        format!("{}: {}", self.verdict, self.message) + &code.collect::<String>()
    }

    /// The verified state the answer rests on, a label and a value each.
    pub(super) fn state(&self) -> Vec<(&'static str, String)> {
        let versions = self.versions.iter();
        let versions = versions.map(|(role, version)| format!("{role} {version}"));
        vec![
            ("root keys", self.root_key_ids.join(", ")),
            ("versions", versions.collect::<Vec<_>>().join(", ")),
            ("valid until", self.expires.clone().unwrap_or_default()),
        ]
    }
}
