//! `trust hook install`

mod containerd;
mod docker;
mod gate;
mod podman;
mod shell;

use super::ask::ConsentArgs;
use super::place::{Engine, Place, PlaceArgs};
use super::prove;
use crate::cli::{failure::Failure, session::Session};
use clap::Subcommand;
use serde_json::json;
use std::path::PathBuf;
use std::process::Command as Process;
use trust::gate::install::{Files, Plan, Refusal, State, Wanted, hosts::HostsFile, transition};

/// Have an engine ask the gate for every image
///
/// Shows every change before it is made and remembers what was there, so that `trust hook remove`
/// puts it back byte for byte. Installing again changes what is different now, nothing else.
#[derive(clap::Args)]
#[command(subcommand_required = true, arg_required_else_help = true)]
pub(super) struct Args {
    #[command(subcommand)]
    engine: Kind,
}

#[derive(Subcommand)]
enum Kind {
    Docker(docker::Args),
    Containerd(containerd::Args),
    Podman(podman::Args),
    Shell(shell::Args),
}

/// What every hook can be told.
#[derive(clap::Args, Clone)]
struct CommonArgs {
    #[command(flatten)]
    place: PlaceArgs,
    #[command(flatten)]
    consent: ConsentArgs,
    /// Run the commands that make it take effect
    #[arg(long)]
    now: bool,
    /// Pull a signed and an unsigned image through the engine, and say what came of each
    #[arg(long, num_args = 2, value_names = ["SIGNED", "UNSIGNED"])]
    prove: Vec<String>,
}

/// The program that engines and shells call.
#[derive(clap::Args, Clone)]
struct ProgramArgs {
    /// Path of this program on that host [default: where it is running from]
    #[arg(long, value_name = "FILE")]
    program: Option<PathBuf>,
}

pub(super) fn run(args: &Args, session: &Session) -> Result<(), Failure> {
    match &args.engine {
        Kind::Docker(args) => docker::run(args, session),
        Kind::Containerd(args) => containerd::run(args, session),
        Kind::Podman(args) => podman::run(args, session),
        Kind::Shell(args) => shell::run(args, session),
    }
}

impl ProgramArgs {
    fn path(&self) -> Result<PathBuf, Failure> {
        match &self.program {
            Some(path) => Ok(path.clone()),
            None => std::env::current_exe().map_err(|error| {
                Failure::unfinished(format!("this program's own path: {error}"))
                    .hint("name it with --program")
            }),
        }
    }
}

/// Plans, shows, asks, writes, reads back and proves.
fn carry_out(
    engine: Engine,
    common: &CommonArgs,
    place: &Place,
    wanted: Vec<Wanted>,
    plan: impl FnOnce(&Files) -> Result<Plan, Refusal>,
    session: &Session,
) -> Result<(), Failure> {
    let installed = place.record(engine)?;
    let files = place.files(wanted, installed.as_ref());
    let to = transition(engine.name(), &files, installed.as_ref(), plan)?;
    let out = &session.out;
    if common.consent.given(&to.plan, session)? {
        let root = &place.root;
        root.install(&place.state_dir, &to.plan.changes, &to.record)?;
        read_back(place, &to.plan)?;
        out.say(&format!("The hook of {} is installed.", engine.name()));
    } else if !common.consent.is_rehearsal() {
        if installed.is_none_or(|it| it.changes != to.record.changes) {
            // What others changed since belongs to what was there before.
            place.root.install(&place.state_dir, &[], &to.record)?;
        }
        out.say(&format!(
            "The hook of {} is installed already.",
            engine.name()
        ));
    }
    let changed: Vec<_> = to.plan.changes.iter().map(|it| it.path.clone()).collect();
    out_json(engine, &changed, &to.plan, session);
    if common.consent.is_rehearsal() {
        return Ok(());
    }
    take_effect(common, place, &to.plan, session)?;
    if let [signed, unsigned] = common.prove.as_slice() {
        return prove::through(engine, signed, unsigned, session);
    }
    out.note(&format!(
        "To see that it holds: {} hook prove {} SIGNED-IMAGE UNSIGNED-IMAGE",
        out.program(),
        engine.name()
    ));
    Ok(())
}

fn out_json(engine: Engine, changed: &[PathBuf], plan: &Plan, session: &Session) {
    if session.out.is_json() {
        session.out.json(&json!({
            "engine": engine.name(),
            "changed": changed,
            "notes": plan.notes,
            "next": plan.next,
            "diff": plan.diff(),
        }));
    }
}

/// A file the engine cannot parse is ignored by it, and then nothing holds.
fn read_back(place: &Place, plan: &Plan) -> Result<(), Failure> {
    for change in &plan.changes {
        let written = place.root.state(&change.path);
        let is_hosts = change.path.file_name().is_some_and(|it| it == "hosts.toml");
        let good = match &written {
            State::File { bytes, .. } if is_hosts => {
                str::from_utf8(bytes).is_ok_and(|text| HostsFile::parse(text).is_ok())
            }
            _ => true,
        };
        if written != change.after || !good {
            let words = format!("{} is not what was written", change.path.display());
            return Err(Failure::unfinished(words));
        }
    }
    Ok(())
}

/// Runs the commands, or says which they are.
fn take_effect(
    common: &CommonArgs,
    place: &Place,
    plan: &Plan,
    session: &Session,
) -> Result<(), Failure> {
    let out = &session.out;
    let commands = plan.next.iter().filter(|it| it.starts_with("systemctl "));
    let commands: Vec<_> = commands.collect();
    if !common.now || !place.root.is_this_host() {
        for command in &plan.next {
            out.note(&format!("Then: {command}"));
        }
        return Ok(());
    }
    for command in commands {
        out.note(command);
        let mut words = command.split(' ');
        let status = Process::new(words.next().unwrap_or_default())
            .args(words)
            .status()
            .map_err(|error| Failure::unfinished(format!("{command}: {error}")))?;
        if !status.success() {
            return Err(Failure::unfinished(format!("{command}: {status}")));
        }
    }
    Ok(())
}
