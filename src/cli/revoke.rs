//! `trust revoke`

use super::{failure::Failure, notice, prompt::Prompt, request::Delivery, session::Session};
use trust::{reference::ImageReference, remote::Actions, repository::keyring::Keyring};

/// Take back the signatures on an image, or on all tags of a repository
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Do not ask before all tags are revoked
    #[arg(short, long)]
    yes: bool,
    #[command(flatten)]
    delivery: Delivery,
    /// Do not revoke yet: put it on the list of changes, for `trust repo publish`
    #[arg(long, conflicts_with = "request")]
    stage: bool,
    /// The image
    #[arg(value_name = "IMAGE[:TAG]")]
    pub(super) image: String,
}

pub(super) async fn run(args: &Args, session: &Session) -> Result<(), Failure> {
    let (typed, out) = (&args.image, &session.out);
    let image = ImageReference::parse(typed)?;
    if image.digest().is_some() {
        return Err(Failure::wrong(
            "cannot use a digest reference for IMAGE:TAG",
        ));
    }
    let question = format!("Confirm you would like to delete all signature data for {typed}?");
    if image.tag().is_none() && !args.yes && !session.confirm(&question, "-y")? {
        report(false, typed, session);
        return Ok(());
    }
    let mut prompt = Prompt::new(session);
    let mut keyring = Keyring::new(session.keys()?, &mut prompt);
    let repository = session.repository(&image, Actions::PullPush).await?;
    let repository = args.delivery.of(repository)?;
    let mut watch = |event| notice::tell(out, event);
    let failed =
        |error| Failure::from(error).after(&format!("could not remove signature for {typed}"));
    if args.stage {
        let staged = repository
            .stage_revoke(&mut keyring, image.tag(), session.now(), &mut watch)
            .await;
        for change in staged.map_err(failed)? {
            out.say(&format!(
                "Removal of {} from {} in {} staged for next publish.",
                change.path(),
                change.scope(),
                image.gun()
            ));
        }
        if out.is_json() {
            out.json(&serde_json::json!({ "image": typed, "revoked": false, "staged": true }));
        }
        return Ok(());
    }
    repository
        .revoke(&mut keyring, image.tag(), session.now(), &mut watch)
        .await
        .map_err(failed)?;
    if args.delivery.is_request() {
        return args.delivery.finish(&repository, session);
    }
    out.say(&format!("Successfully deleted signature for {typed}"));
    report(true, typed, session);
    Ok(())
}

fn report(revoked: bool, image: &str, session: &Session) {
    if session.out.is_json() {
        let done = serde_json::json!({ "image": image, "revoked": revoked });
        session.out.json(&done);
    }
}
