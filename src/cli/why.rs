//! `trust why`

use super::{
    decision::{Judge, Record, RequirementArgs},
    failure::{Failure, verdict},
    rules::PolicyArgs,
    session::Session,
};
use serde::Serialize;
use trust::reference::ImageReference;

/// Explain the decision on an image, step by step
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    policy: PolicyArgs,
    #[command(flatten)]
    requirement: RequirementArgs,
    /// The image; tag latest if neither tag nor digest is named
    pub(super) image: String,
}

/// The decision, and how it came about.
#[derive(Serialize)]
struct Explained {
    #[serde(flatten)]
    record: Record,
    repository: String,
    server: Option<String>,
    steps: Vec<String>,
    hint: Option<String>,
}

pub(super) async fn run(args: &Args, session: &Session) -> Result<(), Failure> {
    let image = ImageReference::parse(&args.image)?.or_latest();
    let server = if session.globals.offline {
        None
    } else {
        Some(session.server(&image)?.to_string())
    };
    let judge = Judge::new(&args.policy, Some(&args.requirement), session)?;
    let mut decision = judge.decide(&image).await?;
    let failure = verdict(&decision.judgement, decision.hint.as_ref());
    let mut explained = Explained {
        record: Record::about(&args.image),
        repository: image.gun().to_owned(),
        server,
        steps: std::mem::take(&mut decision.judgement.steps),
        hint: decision.hint.take(),
    };
    explained.record.names(&image);
    explained.record.learns(decision, judge.rule_name(&image));
    if session.out.is_json() {
        session.out.json(&explained);
    } else {
        session.out.text(&explained.text());
    }
    failure.map_or(Ok(()), |failure| Err(Failure::told(failure.kind())))
}

impl Explained {
    fn text(&self) -> String {
        let steps = self.steps.iter().enumerate();
        let steps = steps.map(|(index, step)| match index {
            0 => ("steps", format!("1. {step}")),
            _ => ("", format!("{}. {step}", index + 1)),
        });
        let server = self.server.clone();
        let lines = [
            ("repository", self.repository.clone()),
            (
                "server",
                server.unwrap_or_else(|| "none, offline".to_owned()),
            ),
        ]
        .into_iter()
        .chain(self.record.state())
        .chain(steps)
        .chain([
            ("verdict", self.record.verdict()),
            ("hint", self.hint.clone().unwrap_or_default()),
        ]);
        let lines = lines.filter(|(_, value)| !value.is_empty());
        let lines = lines.map(|(label, value)| format!("  {label:<13}{value}\n"));
        std::iter::once(format!("{}\n", self.record.image()))
            .chain(lines)
            .collect()
    }
}
