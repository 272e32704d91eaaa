//! `trust signer`: people who may sign a repository's tags.

mod add;
mod remove;
mod replace;

use super::failure::{Failure, in_gos_words, worst};
use super::session::Session;
use clap::Subcommand;
use std::path::Path;
use trust::{repository::Error, tuf::key::PublicKey};
use trust_store::keys::{KeyError, parse_public, read_file};

/// Add, remove and replace signers of repositories
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
    Replace(replace::Args),
}

pub(super) async fn run(args: &Args, session: &Session) -> Result<(), Failure> {
    match &args.command {
        Command::Add(args) => add::run(args, session)
            .await
            .map_err(|failure| failure.doing("signer add")),
        Command::Remove(args) => remove::run(args, session)
            .await
            .map_err(|failure| failure.doing("signer remove")),
        Command::Replace(args) => replace::run(args, session)
            .await
            .map_err(|failure| failure.doing("signer replace")),
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

fn in_dockers_words(error: Error, name: &str, repository: &str) -> Failure {
    match &error {
        Error::NoSuchSigner { .. } => {
            Failure::from(error).saying(format!("no signer {name} for repository {repository}"))
        }
        Error::NotInitialized { .. } => {
            Failure::from(error).after(&format!("error retrieving signers for {repository}"))
        }
        _ => error.into(),
    }
}

/// The public key in a file, if signatures by it can be verified.
pub(super) fn public_key(file: &Path) -> Result<PublicKey, Failure> {
    let bytes = read_file(file).map_err(|error| {
        let cause = match &error {
            KeyError::CannotRead { path, source } => {
                format!("open {}: {}", path.display(), in_gos_words(source))
            }
            other => other.to_string(),
        };
        Failure::wrong(format!("unable to read public key from file: {cause}"))
    })?;
    let unusable = |error: String| {
        let file = file.display();
        Failure::wrong(format!(
            "could not parse public key from file: {file}: {error}"
        ))
        .hint("name the signer's public key in PEM; `key generate` writes it to NAME.pub")
    };
    let (key, _) = parse_public(&bytes).map_err(|error| unusable(error.to_string()))?;
    let key = PublicKey::new(&key.key_type, key.bytes);
    let key = key.map_err(|error| unusable(error.to_string()))?;
    if !key.can_verify() {
        let file = file.display();
        let words = format!("no signature by the key in {file} could ever be verified");
        return Err(Failure::wrong(words).hint(
            "use a key on curve P-256 or P-384, an RSA key of 2048 to 8192 bits, or Ed25519",
        ));
    }
    Ok(key)
}
