//! `trust repo delete`

use crate::cli::{failure::Failure, session::Session};
use trust::{reference::ImageReference, remote::Actions};

/// Forget what this machine keeps of a repository, and what its server does
///
/// Metadata and staged changes go; keys stay. So does the memory of the versions seen
/// (.floor.json): nothing older is accepted afterwards.
#[derive(clap::Args)]
pub(super) struct Args {
    /// Delete the trust data on the server, too: for everybody
    #[arg(long)]
    remote: bool,
    /// Do not ask before trust data on the server are deleted
    #[arg(short, long)]
    yes: bool,
    /// The repository
    pub(super) repository: String,
}

pub(super) async fn run(args: &Args, session: &Session) -> Result<(), Failure> {
    let (name, out) = (&args.repository, &session.out);
    let image = ImageReference::parse(name)?;
    let question = format!(
        "The trust data of {name} on its server will be gone for everybody. Are you sure you want to \
         continue?"
    );
    if args.remote && !args.yes && !session.confirm(&question, "-y")? {
        out.note("Aborting action.");
        report(args, image.gun(), false, session);
        return Ok(());
    }
    out.say(&format!("Deleting trust data for repository {name}"));
    let repository = session.repository(&image, Actions::All).await?;
    if args.remote {
        repository.delete_remote().await?;
    }
    repository.delete_local()?;
    let what = if args.remote {
        "local and remote"
    } else {
        "local"
    };
    out.say(&format!(
        "Successfully deleted {what} trust data for repository {name}"
    ));
    out.note("keys and the memory of the versions seen (.floor.json) are kept");
    report(args, image.gun(), true, session);
    Ok(())
}

fn report(args: &Args, gun: &str, deleted: bool, session: &Session) {
    if session.out.is_json() {
        let (local, remote) = (deleted, deleted && args.remote);
        let done = serde_json::json!({ "repository": gun, "local": local, "remote": remote });
        session.out.json(&done);
    }
}
