//! `trust verify`

use super::{
    failure::{Failure, verdict, worst},
    notice,
    session::Session,
};
use serde::Serialize;
use std::collections::BTreeMap;
use trust::{
    policy::{Asked, Requirement, Verdict},
    reference::ImageReference,
    remote::Actions,
    repository::decide::Decision,
};

/// Check that images are signed
///
/// Prints NAME:TAG@DIGEST for each trusted image and says why the others are not. Exits with 1 if
/// an image is refused, else with 2 if a name is wrong, else with 3 if something could not be
/// found out: only 0 means that every image is trusted.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    requirement: RequirementArgs,
    /// Images to check; tag latest if neither tag nor digest is named
    #[arg(required = true, value_name = "IMAGE")]
    images: Vec<String>,
}

/// What is demanded beyond a signature.
#[derive(clap::Args)]
pub(crate) struct RequirementArgs {
    /// Only if this signer signed it, too; may be given several times
    #[arg(long = "signer", value_name = "NAME")]
    signers: Vec<String>,
    /// Only if so many signers with keys of their own signed it; of those named, if any are
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
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

pub(super) async fn run(args: &Args, session: &Session) -> Result<(), Failure> {
    let requirement = args.requirement.requirement();
    let (mut records, mut kinds) = (Vec::new(), Vec::new());
    for typed in &args.images {
        let (record, failure) = check(typed, &requirement, session).await;
        if let Some(failure) = failure {
            kinds.push(failure.kind());
            failure.doing(format!("verify {typed}")).tell(&session.out);
        }
        if let Some(line) = record.line() {
            session.out.say(&line);
        }
        records.push(record);
    }
    if session.out.is_json() {
        session.out.json(&records);
    }
    worst(kinds).map_or(Ok(()), |kind| Err(Failure::told(kind)))
}

async fn check(
    typed: &str,
    requirement: &Requirement,
    session: &Session,
) -> (Record, Option<Failure>) {
    let mut record = Record::about(typed);
    let image = match ImageReference::parse(typed) {
        Ok(image) => image.or_latest(),
        Err(error) => {
            let failure = Failure::from(error);
            record.fails(&failure);
            return (record, Some(failure));
        }
    };
    record.name = Some(image.familiar().to_owned());
    record.tag = image.tag().map(str::to_owned);
    record.digest = image.digest().map(ToString::to_string);
    match decide(&image, requirement, session).await {
        Ok(decision) => {
            let failure = verdict(&decision.judgement, decision.hint.as_ref());
            record.learns(decision);
            (record, failure)
        }
        Err(failure) => {
            record.fails(&failure);
            (record, Some(failure))
        }
    }
}

/// The decision on an image, as every command that asks for one gets it.
pub(super) async fn decide(
    image: &ImageReference,
    requirement: &Requirement,
    session: &Session,
) -> Result<Decision, Failure> {
    let digest = image
        .digest()
        .map(|digest| digest.sha256_hex().unwrap_or(digest.as_str()));
    let asked = Asked {
        tag: image.tag(),
        digest,
    };
    let repository = session.repository(image, Actions::Pull).await?;
    let mut watch = |event| notice::tell(&session.out, event);
    Ok(repository
        .decide(asked, requirement, session.now(), &mut watch)
        .await)
}

/// What programs are told about one image.
#[derive(Default, Serialize)]
struct Record {
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
    fn about(image: &str) -> Self {
        Self {
            image: image.to_owned(),
            verdict: "undecided",
            ..Self::default()
        }
    }

    fn fails(&mut self, failure: &Failure) {
        self.reason = failure.reason().map(trust::policy::Reason::code);
        self.message = failure.words().to_owned();
    }

    fn learns(&mut self, decision: Decision) {
        let judgement = decision.judgement;
        self.verdict = match judgement.verdict {
            Verdict::Trusted => "trusted",
            Verdict::Refused => "refused",
            Verdict::Undecided => "undecided",
        };
        self.reason = judgement.reason.map(trust::policy::Reason::code);
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
    fn line(&self) -> Option<String> {
        let (name, tag, digest) = (
            self.name.as_ref()?,
            self.tag.as_ref()?,
            self.digest.as_ref()?,
        );
        (self.verdict == "trusted").then(|| format!("{name}:{tag}@{digest}"))
    }
}
