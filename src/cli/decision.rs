//! The decision on an image, and what is printed of it.

use super::{failure::Failure, notice, rules::PolicyArgs, session::Session};
use serde::Serialize;
use std::{collections::BTreeMap, sync::OnceLock};
use trust::{
    policy::{Allowance, Policy, Quorum, Reason, Rule, Verdict},
    reference::ImageReference,
    repository::{Decider, Decision, Kind},
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

/// Decides on the images of one run by one policy.
pub(crate) struct Judge<'s> {
    policy: Policy,
    /// Whether somebody wrote a policy, or asked for Docker's
    has_policy: bool,
    signers: Vec<String>,
    quorums: Vec<Quorum>,
    decider: OnceLock<Decider>,
    session: &'s Session,
}

impl<'s> Judge<'s> {
    /// Judges by the policy there is; without one, every image has to be signed.
    pub(crate) fn new(
        policy: &PolicyArgs,
        demanded: Option<&RequirementArgs>,
        session: &'s Session,
    ) -> Result<Self, Failure> {
        let found = policy.find(session)?;
        let (signers, quorums) = demanded.map(RequirementArgs::split).unwrap_or_default();
        Ok(Self {
            has_policy: found.is_some(),
            policy: found.unwrap_or_else(Policy::signed),
            signers,
            quorums,
            decider: OnceLock::new(),
            session,
        })
    }

    /// The rule for an image, with what was demanded besides.
    pub(crate) fn rule(&self, image: &ImageReference) -> Rule {
        let rule = self.policy.rule(image).clone();
        rule.and(&self.signers, &self.quorums)
    }

    /// The name of the rule for an image, where there is a policy.
    pub(crate) fn rule_name(&self, image: &ImageReference) -> Option<String> {
        self.has_policy
            .then(|| self.policy.rule(image).name.clone())
    }

    /// Whether images may be used that no registry vouches for.
    pub(crate) fn local(&self) -> Allowance {
        self.policy.engine.local
    }

    /// The decision on an image, as every command that asks for one gets it.
    pub(crate) async fn decide(&self, image: &ImageReference) -> Result<Decision, Failure> {
        let mut watch = |event| notice::tell(&self.session.out, event);
        let (rule, now) = (self.rule(image), self.session.now());
        let decided = self.decider()?.decide(image, &rule, now, &mut watch);
        Ok(decided.await?)
    }

    /// Every tag of the image's repository that passes.
    pub(crate) async fn tags(
        &self,
        image: &ImageReference,
    ) -> Result<Result<Vec<String>, Box<Decision>>, Failure> {
        let mut watch = |event| notice::tell(&self.session.out, event);
        let (rule, now) = (self.rule(image), self.session.now());
        let decider = self.decider()?;
        Ok(decider.tags(image, &rule, now, &mut watch).await?)
    }

    fn decider(&self) -> Result<&Decider, Failure> {
        if let Some(decider) = self.decider.get() {
            return Ok(decider);
        }
        let decider = self.session.decider()?;
        Ok(self.decider.get_or_init(|| decider))
    }
}

impl RequirementArgs {
    /// Signers that are all demanded, or so many of them.
    fn split(&self) -> (Vec<String>, Vec<Quorum>) {
        let of = self.signers.clone();
        match self.threshold {
            Some(at_least) => (Vec::new(), vec![Quorum { at_least, of }]),
            None => (of, Vec::new()),
        }
    }
}

fn threshold(text: &str) -> Result<u64, String> {
    let number = text.parse().ok().filter(|number| *number > 0);
    number.ok_or_else(|| "it is a number of signers, at least 1".to_owned())
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
    pub(super) fn learns(&mut self, decision: Decision, rule: Option<String>) {
        self.policy_rule = rule;
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
    ///
    /// The digest is the signed one; where a rule accepts whatever is there, the one asked for.
    pub(super) fn line(&self) -> Option<String> {
        let name = self.name.as_ref()?;
        let tag = self.tag.iter().map(|tag| format!(":{tag}"));
        let digest = self.digest.iter().map(|digest| format!("@{digest}"));
        let rest: String = tag.chain(digest).collect();
        (self.verdict == "trusted").then(|| format!("{name}{rest}"))
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
