//! `trust repo init`

use crate::cli::{
    failure::Failure,
    key::{file, find},
    notice,
    prompt::Prompt,
    request::Delivery,
    session::Session,
};
use std::path::{Path, PathBuf};
use trust::{
    reference::ImageReference,
    remote::Actions,
    repository::{
        Event,
        init::{Initialization, SnapshotKey},
        keyring::Keyring,
    },
};
use trust_store::keys::{KeyStore, StoredKey, read_file};

/// Begin a repository in which nothing is signed yet
#[derive(clap::Args)]
pub(super) struct Args {
    /// Root key: an id, the first digits of one, or a key file to load [default: a local root
    /// key, else a new one]
    #[arg(long, value_name = "ID|FILE")]
    root_key: Option<String>,
    /// Certificate for the root key, for this repository or a prefix of it [default: a new one]
    #[arg(long, value_name = "FILE")]
    root_cert: Option<PathBuf>,
    /// Let the server sign snapshots, as `docker trust` does; else this machine does, as `notary`
    #[arg(long)]
    server_managed_snapshot: bool,
    #[command(flatten)]
    delivery: Delivery,
    /// The repository
    pub(super) repository: String,
}

pub(super) async fn run(args: &Args, session: &Session) -> Result<(), Failure> {
    let (name, out) = (&args.repository, &session.out);
    let image = ImageReference::parse(name)?;
    let store = session.keys()?;
    let mut prompt = Prompt::new(session);
    let root_key = match &args.root_key {
        Some(word) => Some(root_key(word, &store, &mut prompt, session)?),
        None => None,
    };
    let root_certificate = match &args.root_cert {
        Some(file) => Some(read_file(file).map_err(|error| Failure::wrong(error.to_string()))?),
        None => None,
    };
    let how = Initialization {
        root_key,
        root_certificate,
        snapshot_key: if args.server_managed_snapshot {
            SnapshotKey::Server
        } else {
            SnapshotKey::Local
        },
    };
    let mut keyring = Keyring::new(store, &mut prompt);
    let repository = session.repository(&image, Actions::PullPush).await?;
    let repository = args.delivery.of(repository)?;
    let mut watch = |event| match event {
        Event::Initializing => out.say(&format!("Initializing signed repository for {name}...")),
        other => notice::tell(out, other),
    };
    repository
        .init(&mut keyring, &how, session.now(), &mut watch)
        .await?;
    if args.delivery.is_request() {
        return args.delivery.finish(&repository, session);
    }
    out.say(&format!("Successfully initialized \"{name}\""));
    if out.is_json() {
        out.json(&serde_json::json!({ "repository": image.gun(), "initialized": true }));
    }
    Ok(())
}

/// The key that the word names: one that is here, or one in a file, which is here then.
fn root_key(
    word: &str,
    store: &KeyStore,
    prompt: &mut Prompt<'_>,
    session: &Session,
) -> Result<StoredKey, Failure> {
    let path = Path::new(word);
    let here = find::only(store, word);
    if here.is_ok() || !path.exists() {
        return here;
    }
    file::private(path)?;
    let key = file::read(path, prompt, session)?.key;
    let id = key.id().to_owned();
    if store.find(&id)?.is_none() {
        Keyring::new(store.clone(), prompt).keep(key, "root", None)?;
    }
    find::only(store, &id)
}
