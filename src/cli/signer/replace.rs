//! `trust signer replace`

use super::{Failed, in_dockers_words, public_key, report, summary};
use crate::cli::{
    failure::Failure, name, notice, prompt::Prompt, request::Delivery, session::Session,
};
use std::path::PathBuf;
use trust::{
    reference::ImageReference,
    remote::Actions,
    repository::{keyring::Keyring, sign::NewSigner},
};

/// Give a signer new keys in the place of the old ones
///
/// What the signer signed is signed again with the new key, so that it stays signed.
#[derive(clap::Args)]
pub(super) struct Args {
    /// File with a new public key of the signer; may be given several times
    #[arg(long = "key", required = true, value_name = "FILE")]
    keys: Vec<PathBuf>,
    /// Go on even if signatures are lost because the new private key is elsewhere
    #[arg(short, long)]
    force: bool,
    #[command(flatten)]
    delivery: Delivery,
    /// Name of the signer
    name: String,
    /// Repositories the signer signs
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
    let keys = args.keys.iter().map(|file| public_key(file));
    let signer = NewSigner {
        name: args.name.clone(),
        keys: keys.collect::<Result<_, _>>()?,
    };
    let mut prompt = Prompt::new(session);
    let mut keyring = Keyring::new(session.keys()?, &mut prompt);
    let mut failed = Failed::new();
    for repository in &args.repositories {
        if let Err(failure) = replace(repository, args, &signer, &mut keyring, session).await {
            let doing = format!("signer replace {repository}");
            failure.clone().doing(doing).tell(&session.out);
            session.out.complain("");
            failed.push((repository.as_str(), failure));
        }
    }
    if !args.delivery.is_request() {
        report(&args.name, &args.repositories, &failed, session);
    }
    summary("error replacing signer in", &failed)
}

async fn replace(
    repository: &str,
    args: &Args,
    signer: &NewSigner,
    keyring: &mut Keyring<'_>,
    session: &Session,
) -> Result<(), Failure> {
    let (name, out) = (&args.name, &session.out);
    out.say(&format!("Replacing signer \"{name}\" in {repository}..."));
    let image = ImageReference::parse(repository)?;
    let opened = session.repository(&image, Actions::PullPush).await?;
    let opened = args.delivery.of(opened)?;
    let mut watch = |event| notice::tell(out, event);
    let replaced = opened
        .replace_signer(keyring, signer, args.force, session.now(), &mut watch)
        .await
        .map_err(|error| in_dockers_words(error, name, repository))?;
    if args.delivery.is_request() {
        return args.delivery.finish(&opened, session);
    }
    if !replaced {
        out.note("The signer has these keys and no others already.");
    }
    out.say(&format!("Successfully replaced {name} in {repository}\n"));
    Ok(())
}
