//! `trust server restore`

use super::site::Site;
use crate::cli::{failure::Failure, session::Session};
use std::path::PathBuf;

/// Fill an empty store from a backup
///
/// Afterwards the server needs the key file or passphrase that sealed the keys of the backup.
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    site: super::site::Place,
    /// The backup
    file: PathBuf,
}

pub(super) async fn run(args: &Args, session: &Session) -> Result<(), Failure> {
    let site = Site::find(&args.site, session)?;
    if !args.file.is_file() {
        let words = format!("there is no file {}", args.file.display());
        return Err(Failure::wrong(words));
    }
    let store = site.store().await?;
    let done = store.restore(&args.file).await;
    store.close().await;
    done.map_err(|error| {
        Failure::from(error).hint("restore into a new store: --dir or --store names one")
    })?;
    session
        .out
        .say(&format!("Restored the store from {}", args.file.display()));
    if session.out.is_json() {
        session
            .out
            .json(&serde_json::json!({"restored": args.file}));
    }
    Ok(())
}
