//! `trust revoke`

use super::{
    change::{Outcome, Way, carry_out, targets_role},
    failure::Failure,
    notice,
    prompt::Prompt,
    session::Session,
};
use trust::{
    reference::ImageReference, remote::Actions, repository::keyring::Keyring, tuf::change::Change,
};

/// Take back the signatures on an image, or on all tags of a repository
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Do not ask before all tags are revoked
    #[arg(short, long)]
    yes: bool,
    /// Take the tag out of this role only, released or not; with or without targets/ in front
    #[arg(long, value_name = "ROLE")]
    role: Option<String>,
    #[command(flatten)]
    way: Way,
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
    if let Some(role) = &args.role {
        return revoke_from(role, &image, args, session).await;
    }
    let question = format!("Confirm you would like to delete all signature data for {typed}?");
    if image.tag().is_none() && !args.yes && !session.confirm(&question, "-y")? {
        report(false, typed, session);
        return Ok(());
    }
    let mut prompt = Prompt::new(session);
    let mut keyring = Keyring::new(session.keys()?, &mut prompt);
    let repository = session.repository(&image, Actions::PullPush).await?;
    let repository = args.way.delivery.of(repository)?;
    let mut watch = |event| notice::tell(out, event);
    let failed = |error| Failure::from(error).after(&failure(typed));
    if args.way.stage {
        let staged = repository
            .stage_revoke(&mut keyring, image.tag(), session.now(), &mut watch)
            .await;
        for change in staged.map_err(failed)? {
            say_staged(&change, &image, session);
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
    if args.way.delivery.is_request() {
        return args.way.delivery.finish(&repository, session);
    }
    out.say(&format!("Successfully deleted signature for {typed}"));
    report(true, typed, session);
    Ok(())
}

/// Takes a tag out of one role, whatever the others say.
async fn revoke_from(
    role: &str,
    image: &ImageReference,
    args: &Args,
    session: &Session,
) -> Result<(), Failure> {
    let (typed, out) = (&args.image, &session.out);
    let role = targets_role(role)?;
    let Some(tag) = image.tag() else {
        return Err(Failure::wrong("--role needs a tag: IMAGE:TAG"));
    };
    let name = tag.to_owned();
    let change = Change::Revoke {
        role: role.clone(),
        name,
    };
    let done = carry_out(image, std::slice::from_ref(&change), &args.way, session)
        .await
        .map_err(|error| error.after(&failure(typed)))?;
    match done {
        Outcome::Requested => return Ok(()),
        Outcome::Staged => {
            say_staged(&change, image, session);
            if out.is_json() {
                out.json(&serde_json::json!({ "image": typed, "revoked": false, "staged": true }));
            }
        }
        Outcome::Published | Outcome::Unchanged => {
            out.say(&format!(
                "Successfully deleted signature for {typed} from {role}"
            ));
            report(true, typed, session);
        }
    }
    Ok(())
}

fn say_staged(change: &Change, image: &ImageReference, session: &Session) {
    session.out.say(&format!(
        "Removal of {} from {} in {} staged for next publish.",
        change.path(),
        change.scope(),
        image.gun()
    ));
}

fn failure(image: &str) -> String {
    format!("could not remove signature for {image}")
}

fn report(revoked: bool, image: &str, session: &Session) {
    if session.out.is_json() {
        let done = serde_json::json!({ "image": image, "revoked": revoked });
        session.out.json(&done);
    }
}
