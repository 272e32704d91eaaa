//! `trust repo init`

use crate::cli::{
    failure::Failure,
    key::{file, find},
    notice,
    prompt::Prompt,
    session::Session,
};
use std::path::PathBuf;
use trust::{
    reference::ImageReference,
    remote::Actions,
    repository::{
        Event, RootKeys,
        init::{Initialization, SnapshotKey},
        keyring::Keyring,
    },
};

/// Begin a repository in which nothing is signed yet
#[derive(clap::Args)]
pub(super) struct Args {
    /// Root key: an id, the first digits of one, or a key file to load; may be given several times
    /// [default: a local root key, else a new one]
    #[arg(long = "root-key", value_name = "ID|FILE")]
    root_keys: Vec<String>,
    /// Certificate for a root key, for this repository or a prefix of it; with --root-threshold
    /// also of a key that somebody else has; may be given several times [default: new ones]
    #[arg(long = "root-cert", value_name = "FILE")]
    root_certs: Vec<PathBuf>,
    /// How many of the root keys have to sign a root [default: 1]
    #[arg(long, value_name = "N")]
    root_threshold: Option<u64>,
    /// Let the server sign snapshots, as `docker trust` does; else this machine does, as `notary`
    #[arg(long)]
    server_managed_snapshot: bool,
    /// The repository
    pub(super) repository: String,
}

pub(super) async fn run(args: &Args, session: &Session) -> Result<(), Failure> {
    let (name, out) = (&args.repository, &session.out);
    let image = ImageReference::parse(name)?;
    let mut prompt = Prompt::new(session);
    let how = Initialization {
        root: RootKeys {
            keys: find::all(&args.root_keys, "root", None, &mut prompt, session)?,
            certificates: file::certificates(&args.root_certs)?,
            threshold: args.root_threshold,
        },
        snapshot_key: if args.server_managed_snapshot {
            SnapshotKey::Server
        } else {
            SnapshotKey::Local
        },
    };
    let mut keyring = Keyring::new(session.keys()?, &mut prompt);
    let repository = session.repository(&image, Actions::PullPush).await?;
    let mut watch = |event| match event {
        Event::Initializing => out.say(&format!("Initializing signed repository for {name}...")),
        other => notice::tell(out, other),
    };
    repository
        .init(&mut keyring, &how, session.now(), &mut watch)
        .await?;
    out.say(&format!("Successfully initialized \"{name}\""));
    if out.is_json() {
        out.json(&serde_json::json!({ "repository": image.gun(), "initialized": true }));
    }
    Ok(())
}
