//! `trust signer`: people who may sign a repository's tags.

mod add;
mod remove;

use super::failure::{Failure, worst};
use super::session::Session;
use clap::Subcommand;

/// Add and remove signers of repositories
#[derive(clap::Args)]
#[command(subcommand_required = true, arg_required_else_help = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Add(add::Args),
    Remove(remove::Args),
}

pub(super) async fn run(args: &Args, session: &Session) -> Result<(), Failure> {
    match &args.command {
        Command::Add(args) => add::run(args, session)
            .await
            .map_err(|failure| failure.doing("signer add")),
        Command::Remove(args) => remove::run(args, session)
            .await
            .map_err(|failure| failure.doing("signer remove")),
    }
}

/// Repositories for which it did not work, and why.
type Failed<'a> = Vec<(&'a str, Failure)>;

/// Prints, where JSON is wanted, one object a repository.
fn report(signer: &str, repositories: &[String], failed: &Failed<'_>, session: &Session) {
    if !session.out.is_json() {
        return;
    }
    let rows = repositories.iter().map(|repository| {
        let failure = failed.iter().find(|(name, _)| name == repository);
        let message = failure.map(|(_, failure)| failure.words());
        serde_json::json!({
            "repository": repository,
            "signer": signer,
            "done": failure.is_none(),
            "message": message,
        })
    });
    session.out.json(&rows.collect::<Vec<_>>());
}

/// The end of a command over several repositories, in Docker's words.
fn summary(words: &str, failed: &Failed<'_>) -> Result<(), Failure> {
    match worst(failed.iter().map(|(_, failure)| failure.kind())) {
        None => Ok(()),
        Some(kind) => {
            let names: Vec<&str> = failed.iter().map(|(name, _)| *name).collect();
            Err(Failure::of(kind, format!("{words}: {}", names.join(", "))))
        }
    }
}
