//! `trust verify`

use super::{
    decision::{Judge, Record, RequirementArgs},
    failure::{Failure, verdict, worst},
    rules::PolicyArgs,
    session::Session,
};
use trust::reference::ImageReference;

/// Check that images are signed
///
/// Prints NAME:TAG@DIGEST for each trusted image and says why the others are not. Exits with 1 if
/// an image is refused, else with 2 if a name is wrong, else with 3 if something could not be
/// found out: only 0 means that every image is trusted.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    policy: PolicyArgs,
    #[command(flatten)]
    requirement: RequirementArgs,
    /// Images to check; tag latest if neither tag nor digest is named
    #[arg(required = true, value_name = "IMAGE")]
    images: Vec<String>,
}

pub(super) async fn run(args: &Args, session: &Session) -> Result<(), Failure> {
    let judge = Judge::new(&args.policy, Some(&args.requirement), session)
        .map_err(|failure| failure.doing("verify"))?;
    let (mut records, mut kinds) = (Vec::new(), Vec::new());
    for typed in &args.images {
        let (record, failure) = check(typed, &judge).await;
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

async fn check(typed: &str, judge: &Judge<'_>) -> (Record, Option<Failure>) {
    let mut record = Record::about(typed);
    let image = match ImageReference::parse(typed) {
        Ok(image) => image.or_latest(),
        Err(error) => {
            let failure = Failure::from(error);
            record.fails(&failure);
            return (record, Some(failure));
        }
    };
    record.names(&image);
    match judge.decide(&image).await {
        Ok(decision) => {
            let failure = verdict(&decision.judgement, decision.hint.as_ref());
            record.learns(decision, judge.rule_name(&image));
            (record, failure)
        }
        Err(failure) => {
            record.fails(&failure);
            (record, Some(failure))
        }
    }
}
