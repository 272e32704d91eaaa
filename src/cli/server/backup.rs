//! `trust server backup`

use super::site::Site;
use crate::cli::{failure::Failure, session::Session};
use std::path::PathBuf;

/// Copy the store into one file, as it is at one moment, while the server runs
///
/// The file holds metadata with their history, sealed keys, users and the change feed. Keep the
/// seal's key file or passphrase apart from it: without that, nobody can open the online keys.
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    site: super::site::Place,
    /// The file; one that is there is replaced in one step
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
}

pub(super) async fn run(args: &Args, session: &Session) -> Result<(), Failure> {
    let site = Site::find(&args.site, session)?;
    let store = site.existing_store().await?;
    store.backup(&args.output).await?;
    store.close().await;
    let file = args.output.display();
    session.out.say(&format!("Backed up the store to {file}"));
    if session.out.is_json() {
        session
            .out
            .json(&serde_json::json!({"backup": args.output}));
    }
    Ok(())
}
