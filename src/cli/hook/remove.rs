//! `trust hook remove`

use super::ask::ConsentArgs;
use super::place::{Engine, PlaceArgs};
use crate::cli::{failure::Failure, session::Session};
use serde_json::json;
use trust::gate::install::undo;

/// Put back what was there before a hook
///
/// Files that somebody else changed since lose only what the hook put there.
#[derive(clap::Args)]
pub(super) struct Args {
    /// Whose hook
    engine: Engine,
    #[command(flatten)]
    place: PlaceArgs,
    #[command(flatten)]
    consent: ConsentArgs,
}

pub(super) fn run(args: &Args, session: &Session) -> Result<(), Failure> {
    let (engine, name) = (args.engine, args.engine.name());
    let place = args.place.find(engine, session)?;
    let Some(record) = place.record(engine)? else {
        session.out.say(&format!("There is no hook of {name}."));
        if session.out.is_json() {
            session.out.json(&json!({"engine": name, "changed": []}));
        }
        return Ok(());
    };
    let files = place.files(Vec::new(), Some(&record));
    let plan = undo(&record, &files)?;
    let agreed = args.consent.given(&plan, session)?;
    if agreed || (plan.changes.is_empty() && !args.consent.is_rehearsal()) {
        place
            .root
            .remove(&place.state_dir, &plan.changes, &record)?;
        session.out.say(&format!("The hook of {name} is removed."));
        for command in afterwards(engine) {
            session.out.note(&format!("Then: {command}"));
        }
    }
    if session.out.is_json() {
        let changed: Vec<_> = plan.changes.iter().map(|it| &it.path).collect();
        session
            .out
            .json(&json!({"engine": name, "changed": changed, "diff": plan.diff()}));
    }
    Ok(())
}

/// What makes an engine forget the gate; it has to forget it before the gate ends.
fn afterwards(engine: Engine) -> &'static [&'static str] {
    match engine {
        Engine::Docker => &[
            "systemctl reload docker",
            "systemctl stop trust-gate-authz.service trust-gate-proxy.service",
            "systemctl daemon-reload",
        ],
        Engine::Containerd => &["systemctl restart containerd"],
        Engine::Podman => &[],
        Engine::Shell => &["start a new shell"],
    }
}
