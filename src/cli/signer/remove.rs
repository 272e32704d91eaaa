//! `trust signer remove`

use super::{Failed, in_dockers_words, report, summary};
use crate::cli::{
    failure::Failure, notice, notice::named, prompt::Prompt, request::Delivery, session::Session,
};
use trust::{
    reference::ImageReference,
    remote::Actions,
    repository::{keyring::Keyring, signer::Removal},
};

/// Remove a signer from repositories
///
/// What others signed stays signed.
#[derive(clap::Args)]
pub(super) struct Args {
    /// Do not ask, even if no signature on the released tags is left
    #[arg(short, long)]
    force: bool,
    #[command(flatten)]
    delivery: Delivery,
    /// Name of the signer
    name: String,
    /// Repositories to remove the signer from
    #[arg(required = true, value_name = "REPOSITORY")]
    repositories: Vec<String>,
}

pub(super) async fn run(args: &Args, session: &Session) -> Result<(), Failure> {
    args.delivery.for_one(&args.repositories)?;
    let mut prompt = Prompt::new(session);
    let mut keyring = Keyring::new(session.keys()?, &mut prompt);
    let mut failed = Failed::new();
    for repository in &args.repositories {
        if let Err(failure) = remove(repository, args, &mut keyring, session).await {
            let doing = format!("signer remove {repository}");
            failure.clone().doing(doing).tell(&session.out);
            session.out.complain("");
            failed.push((repository.as_str(), failure));
        }
    }
    if !args.delivery.is_request() {
        report(&args.name, &args.repositories, &failed, session);
    }
    summary("error removing signer from", &failed)
}

async fn remove(
    repository: &str,
    args: &Args,
    keyring: &mut Keyring<'_>,
    session: &Session,
) -> Result<(), Failure> {
    let (name, out) = (&args.name, &session.out);
    out.say(&format!("Removing signer \"{name}\" from {repository}..."));
    if name == "releases" {
        let words = "releases is a reserved keyword and cannot be removed";
        return Err(Failure::wrong(words));
    }
    let image = ImageReference::parse(repository)?;
    let opened = session.repository(&image, Actions::PullPush).await?;
    let opened = args.delivery.of(opened)?;
    let mut unanswered = None;
    let confirm = |tags: &[String]| {
        if args.force {
            return true;
        }
        out.warn_always(&format!(
            "these tags of {repository} lose their last signature: {}",
            named(tags)
        ));
        let question = format!(
            "The signer \"{name}\" signed the last released version of {repository}. Removing \
             this signer will make {repository} unpullable. Are you sure you want to continue?"
        );
        let answer = session.confirm(&question, "-f");
        answer.unwrap_or_else(|failure| {
            unanswered = Some(failure);
            false
        })
    };
    let mut watch = |event| notice::tell(out, event);
    let removed = opened
        .remove_signer(keyring, name, confirm, session.now(), &mut watch)
        .await
        .map_err(|error| in_dockers_words(error, name, repository))?;
    if let Some(failure) = unanswered {
        return Err(failure);
    }
    match removed {
        Removal::Done if args.delivery.is_request() => args.delivery.finish(&opened, session)?,
        Removal::Done => out.say(&format!("Successfully removed {name} from {repository}\n")),
        Removal::Declined => out.note("Aborting action."),
    }
    Ok(())
}
