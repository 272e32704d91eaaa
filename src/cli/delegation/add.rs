//! `trust delegation add`

use super::shown;
use crate::cli::{
    change::{Way, carry_out, delegation, report},
    failure::Failure,
    session::Session,
    signer::public_key,
};
use std::path::PathBuf;
use trust::{
    reference::ImageReference,
    tuf::{change::Change, edit::Terms, key::PublicKey, role::RoleName},
};

/// Let keys sign tags in a role, which begins if it is new
///
/// The keys of the role above it sign this: those of targets for targets/NAME.
#[derive(clap::Args)]
pub(super) struct Args {
    /// Tags that begin with this; may be given several times
    #[arg(long = "path", value_name = "PREFIX")]
    paths: Vec<String>,
    /// All tags that the role above it may sign
    #[arg(long)]
    all_paths: bool,
    /// How many keys have to sign [default for a new role: 1]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=4096))]
    threshold: Option<u64>,
    #[command(flatten)]
    way: Way,
    /// The repository
    pub(super) repository: String,
    /// The role, with or without targets/ in front
    role: String,
    /// Files with public keys
    #[arg(value_name = "KEYFILE")]
    keys: Vec<PathBuf>,
}

pub(super) async fn run(args: &Args, session: &Session) -> Result<(), Failure> {
    let role = delegation(&args.role)?;
    let image = ImageReference::parse(&args.repository)?;
    let keys = args.keys.iter().map(|file| public_key(file));
    let keys = keys.collect::<Result<Vec<_>, _>>()?;
    let mut paths = args.paths.clone();
    if args.all_paths {
        paths.push(String::new());
    }
    if keys.is_empty() && paths.is_empty() && args.threshold.is_none() {
        let words = "nothing to add: no keys, no paths and no threshold";
        return Err(Failure::wrong(words).hint("name KEYFILE, --path, --all-paths or --threshold"));
    }
    let mut changes = Vec::new();
    let mut parts = Vec::new();
    if !keys.is_empty() {
        let ids: Vec<_> = keys
            .iter()
            .map(|key| key.canonical_id().to_string())
            .collect();
        parts.push(format!("with keys [{}]", ids.join(", ")));
        changes.push(begin(&role, keys, args.threshold));
    }
    if !paths.is_empty() {
        let shown: Vec<_> = paths.iter().map(|path| shown(path)).collect();
        parts.push(format!("with paths [{}]", shown.join(", ")));
        let terms = Terms {
            add_paths: paths,
            ..Terms::default()
        };
        let role = role.clone();
        changes.push(Change::Begin { role, terms });
    }
    if let Some(threshold) = args.threshold {
        parts.push(format!("with threshold {threshold}"));
        // A role that was there keeps its own until it is told.
        let terms = Terms {
            threshold: Some(threshold),
            ..Terms::default()
        };
        let role = role.clone();
        changes.push(Change::Amend { role, terms });
    }
    let done = carry_out(&image, &changes, &args.way, session).await?;
    let (parts, gun) = (parts.join(", "), image.gun());
    session.out.say(&format!(
        "Addition of delegation role {role} {parts}, to repository \"{gun}\" {}",
        done.words()
    ));
    report(&image, &[role.to_string()], done, session);
    Ok(())
}

fn begin(role: &RoleName, keys: Vec<PublicKey>, threshold: Option<u64>) -> Change {
    Change::Begin {
        role: role.clone(),
        terms: Terms {
            threshold: threshold.or(Some(1)),
            add_keys: keys,
            ..Terms::default()
        },
    }
}
