//! `trust signer add`

use super::{Failed, public_key, report, summary};
use crate::cli::{
    failure::Failure, name, notice, prompt::Prompt, request::Delivery, session::Session,
};
use std::path::PathBuf;
use trust::{
    reference::ImageReference,
    remote::Actions,
    repository::{Event, keyring::Keyring, sign::NewSigner},
};

/// Let a signer sign the tags of repositories
///
/// A repository without trust data is initialized first.
#[derive(clap::Args)]
pub(super) struct Args {
    /// File with a public key of the signer; may be given several times
    #[arg(long = "key", value_name = "FILE")]
    keys: Vec<PathBuf>,
    /// Only tags that begin with this; may be given several times [default: all tags]
    #[arg(long = "path", value_name = "PREFIX")]
    paths: Vec<String>,
    #[command(flatten)]
    delivery: Delivery,
    /// Name of the signer
    name: String,
    /// Repositories to be signed
    #[arg(required = true, value_name = "REPOSITORY")]
    repositories: Vec<String>,
}

pub(super) async fn run(args: &Args, session: &Session) -> Result<(), Failure> {
    name::check("signer", &args.name)?;
    if args.name == "releases" {
        let words = "releases is a reserved keyword, use a different signer name";
        return Err(Failure::wrong(words));
    }
    args.delivery.for_one(&args.repositories)?;
    if args.keys.is_empty() {
        let words = "path to a public key must be provided using the `--key` flag";
        return Err(Failure::wrong(words));
    }
    let keys = args
        .keys
        .iter()
        .map(|file| public_key(file))
        .collect::<Result<_, _>>()?;
    let signer = NewSigner {
        name: args.name.clone(),
        keys,
    };
    let paths = match args.paths.as_slice() {
        [] => vec![String::new()],
        some => some.to_vec(),
    };
    let mut prompt = Prompt::new(session);
    let mut keyring = Keyring::new(session.keys()?, &mut prompt);
    let mut failed = Failed::new();
    for repository in &args.repositories {
        let added = add(repository, &signer, &paths, args, &mut keyring, session);
        if let Err(failure) = added.await {
            failure
                .clone()
                .doing(format!("signer add {repository}"))
                .tell(&session.out);
            session.out.complain("");
            failed.push((repository.as_str(), failure));
        }
    }
    if !args.delivery.is_request() {
        report(&args.name, &args.repositories, &failed, session);
    }
    summary("failed to add signer to", &failed)
}

async fn add(
    repository: &str,
    signer: &NewSigner,
    paths: &[String],
    args: &Args,
    keyring: &mut Keyring<'_>,
    session: &Session,
) -> Result<(), Failure> {
    let out = &session.out;
    let name = &signer.name;
    out.say(&format!("Adding signer \"{name}\" to {repository}..."));
    let image = ImageReference::parse(repository)?;
    let opened = session.repository(&image, Actions::PullPush).await?;
    let opened = args.delivery.of(opened)?;
    let mut watch = |event| match event {
        Event::Initializing => {
            out.say(&format!(
                "Initializing signed repository for {repository}..."
            ));
        }
        Event::Initialized if !args.delivery.is_request() => {
            out.say(&format!("Successfully initialized \"{repository}\""));
        }
        other => notice::tell(out, other),
    };
    opened
        .add_signer(keyring, signer, paths, session.now(), &mut watch)
        .await?;
    if args.delivery.is_request() {
        return args.delivery.finish(&opened, session);
    }
    out.say(&format!(
        "Successfully added signer: {name} to {repository}\n"
    ));
    Ok(())
}
