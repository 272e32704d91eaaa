//! `trust hook prove`: what really comes through an engine.

use super::place::Engine;
use crate::cli::{failure::Failure, session::Session};
use serde_json::json;
use std::process::Command;

/// Pull a signed and an unsigned image through an engine, and say what came of each
///
/// Exits with 1 if the unsigned one came through, with 3 if nothing is proven.
#[derive(clap::Args)]
pub(super) struct Args {
    /// Through which engine
    engine: Engine,
    /// An image that is signed
    signed: String,
    /// An image that is not
    unsigned: String,
}

pub(super) fn run(args: &Args, session: &Session) -> Result<(), Failure> {
    through(args.engine, &args.signed, &args.unsigned, session)
}

/// What an engine said to a pull.
struct Pulled {
    came: bool,
    /// The last line of what it said
    said: String,
}

/// Pulls both, says what came of each.
pub(super) fn through(
    engine: Engine,
    signed: &str,
    unsigned: &str,
    session: &Session,
) -> Result<(), Failure> {
    let good = pull(engine, signed)?;
    let bad = pull(engine, unsigned)?;
    let out = &session.out;
    for (image, pulled) in [(signed, &good), (unsigned, &bad)] {
        let line = if pulled.came {
            format!("{image}: pulled")
        } else {
            format!("{image}: refused: {}", pulled.said)
        };
        out.say(&line);
    }
    if out.is_json() {
        let about = |image: &str, it: &Pulled| json!({"image": image, "pulled": it.came, "message": it.said});
        out.json(&json!({
            "engine": engine.name(),
            "signed": about(signed, &good),
            "unsigned": about(unsigned, &bad),
        }));
    }
    if bad.came {
        return Err(
            Failure::refused(format!("{unsigned} came through: nothing stops it"))
                .hint("trust doctor says what is open"),
        );
    }
    if !good.came {
        return Err(Failure::unfinished(format!(
            "{signed} did not come through"
        )));
    }
    if !MARKS.iter().any(|mark| bad.said.contains(mark)) {
        let words = format!("{unsigned} was not pulled, but not for a reason of the gate's");
        return Err(Failure::unfinished(words));
    }
    Ok(())
}

fn pull(engine: Engine, image: &str) -> Result<Pulled, Failure> {
    let mut command = match engine {
        Engine::Docker => words("docker pull", image),
        Engine::Podman => words("podman pull", image),
        Engine::Containerd => words("crictl pull", image),
        Engine::Shell => own(image)?,
    };
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command
        .output()
        .map_err(|error| Failure::unfinished(format!("{name}: {error}")))?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let said = said.lines().rfind(|line| !line.trim().is_empty());
    Ok(Pulled {
        came: output.status.success(),
        said: said.unwrap_or_default().trim().to_owned(),
    })
}

fn words(command: &str, image: &str) -> Command {
    let (program, word) = command.split_once(' ').unwrap_or((command, "pull"));
    let mut command = Command::new(program);
    command.args([word, image]);
    command
}

/// The call that the shells' function makes.
fn own(image: &str) -> Result<Command, Failure> {
    let program = std::env::current_exe();
    let program =
        program.map_err(|error| Failure::unfinished(format!("this program's path: {error}")))?;
    let mut command = Command::new(program);
    command
        .args(["hook", "call", "--", "pull", image])
        .env("DOCKER_CONTENT_TRUST", "1");
    Ok(command)
}

/// What stands in every refusal of ours.
const MARKS: [&str; 3] = [
    "is refused",
    "denied by plugin trust",
    "No valid trust data",
];
