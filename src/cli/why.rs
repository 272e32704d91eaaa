//! `trust why`

use super::{
    decision::{Record, RequirementArgs, decide},
    failure::{Failure, verdict},
    session::Session,
};
use serde::Serialize;
use trust::reference::ImageReference;

/// Explain the decision on an image, step by step
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    requirement: RequirementArgs,
    /// The image; tag latest if neither tag nor digest is named
    image: String,
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
    let server = match session.globals.offline {
        true => None,
        false => Some(session.server(&image)?.to_string()),
    };
    let mut decision = decide(&image, &args.requirement.requirement(), session).await?;
    let failure = verdict(&decision.judgement, decision.hint.as_ref());
    let mut explained = Explained {
        record: Record::about(&args.image),
        repository: image.gun().to_owned(),
        server,
        steps: std::mem::take(&mut decision.judgement.steps),
        hint: decision.hint.take(),
    };
    explained.record.names(&image);
    explained.record.learns(decision);
    if session.out.is_json() {
        session.out.json(&explained);
    } else {
        session.out.text(&explained.text());
    }
    failure.map_or(Ok(()), |failure| Err(Failure::told(failure.kind())))
}

impl Explained {
    fn text(&self) -> String {
        let mut text = format!("{}\n", self.record.image());
        let mut say = |label: &str, value: &str| {
            if !value.is_empty() {
                text += &format!("  {label:<13}{value}\n");
            }
        };
        say("repository", &self.repository);
        say("server", self.server.as_deref().unwrap_or("none, offline"));
        for (label, value) in self.record.state() {
            say(label, &value);
        }
        for (index, step) in self.steps.iter().enumerate() {
            let label = if index == 0 { "steps" } else { "" };
            say(label, &format!("{}. {step}", index + 1));
        }
        say("verdict", &self.record.verdict());
        say("hint", self.hint.as_deref().unwrap_or_default());
        text
    }
}
