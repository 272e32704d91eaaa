//! `trust delegation remove`

use super::shown;
use crate::cli::{
    change::{Way, carry_out, delegation, report},
    failure::Failure,
    notice,
    session::Session,
};
use trust::{
    reference::ImageReference,
    remote::Actions,
    tuf::{change::Change, edit::Terms, key::KeyId, role::RoleName},
};

/// Take keys or paths from a role, or remove it and everything below it
///
/// Without keys and paths the role goes. What its other keys signed stays signed.
#[derive(clap::Args)]
pub(super) struct Args {
    /// Tags that begin with this; may be given several times
    #[arg(long = "path", value_name = "PREFIX")]
    paths: Vec<String>,
    /// All paths, so that it may sign nothing
    #[arg(long)]
    all_paths: bool,
    /// Do not ask before the role is removed
    #[arg(short, long)]
    yes: bool,
    #[command(flatten)]
    way: Way,
    /// The repository
    pub(super) repository: String,
    /// The role, with or without targets/ in front
    role: String,
    /// Ids of keys, as `trust delegation list` shows them; their beginnings will do
    #[arg(value_name = "KEYID")]
    keys: Vec<String>,
}

pub(super) async fn run(args: &Args, session: &Session) -> Result<(), Failure> {
    let role = delegation(&args.role)?;
    let image = ImageReference::parse(&args.repository)?;
    let everything = args.keys.is_empty() && args.paths.is_empty() && !args.all_paths;
    let gun = image.gun();
    let (changes, what) = if everything {
        let question = "Are you sure you want to remove all data for this delegation?";
        if !args.yes && !session.confirm(question, "-y")? {
            session.out.note("Aborting action.");
            return Ok(());
        }
        let what = format!(
            "Forced removal (including all keys and paths) of delegation role {role} to repository \
             \"{gun}\""
        );
        let role = role.clone();
        (vec![Change::End { role }], what)
    } else {
        let keys = key_ids(args, &role, &image, session).await?;
        let (changes, parts) = parts(args, &role, &keys);
        let parts = parts.join(", ");
        let what = format!("Removal of delegation role {role} {parts}, to repository \"{gun}\"");
        (changes, what)
    };
    let done = carry_out(&image, &changes, &args.way, session).await?;
    session.out.say(&format!("{what} {}", done.words()));
    report(&image, &[role.to_string()], done, session);
    Ok(())
}

async fn key_ids(
    args: &Args,
    role: &RoleName,
    image: &ImageReference,
    session: &Session,
) -> Result<Vec<KeyId>, Failure> {
    let repository = session.repository(image, Actions::Pull).await?;
    let mut watch = |event| notice::tell(&session.out, event);
    let ids = repository.key_ids(role, &args.keys, session.now(), &mut watch);
    Ok(ids.await?)
}

/// The changes, and how notary words them.
fn parts(args: &Args, role: &RoleName, keys: &[KeyId]) -> (Vec<Change>, Vec<String>) {
    let (mut changes, mut parts) = (Vec::new(), Vec::new());
    let mut amend = |terms| {
        let role = role.clone();
        changes.push(Change::Amend { role, terms });
    };
    if !keys.is_empty() {
        let ids: Vec<_> = keys.iter().map(KeyId::as_str).collect();
        parts.push(format!("with keys [{}]", ids.join(", ")));
        amend(Terms::without(keys));
    }
    if args.all_paths {
        parts.push("with all paths".to_owned());
        amend(Terms {
            clear_paths: true,
            ..Terms::default()
        });
    } else if !args.paths.is_empty() {
        let shown: Vec<_> = args.paths.iter().map(|path| shown(path)).collect();
        parts.push(format!("with paths [{}]", shown.join(", ")));
        amend(Terms {
            remove_paths: args.paths.clone(),
            ..Terms::default()
        });
    }
    (changes, parts)
}
