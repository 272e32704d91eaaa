//! `trust repo publish`

use crate::cli::{failure::Failure, notice, prompt::Prompt, request::Delivery, session::Session};
use trust::{reference::ImageReference, remote::Actions, repository::keyring::Keyring};

/// Publish the staged changes, all in one publish
///
/// If one of them cannot be made, nothing is published and all stay on the list.
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    delivery: Delivery,
    /// The repository
    pub(super) repository: String,
}

pub(super) async fn run(args: &Args, session: &Session) -> Result<(), Failure> {
    let (image, out) = (ImageReference::parse(&args.repository)?, &session.out);
    let gun = image.gun();
    let repository = session.repository(&image, Actions::PullPush).await?;
    let repository = args.delivery.of(repository)?;
    let mut prompt = Prompt::new(session);
    let mut keyring = Keyring::new(session.keys()?, &mut prompt);
    let mut watch = |event| notice::tell(out, event);
    if !args.delivery.is_request() {
        out.note(&format!("Pushing changes to {gun}"));
    }
    let published = repository
        .publish_staged(&mut keyring, session.now(), &mut watch)
        .await?;
    if published > 0 && args.delivery.is_request() {
        return args.delivery.finish(&repository, session);
    }
    if out.is_json() {
        let done = serde_json::json!({ "repository": gun, "published": published });
        out.json(&done);
    } else if published == 0 {
        out.say(&format!("No unpublished changes for {gun}"));
    } else {
        out.say(&format!(
            "Successfully published changes for repository {gun}"
        ));
    }
    Ok(())
}
