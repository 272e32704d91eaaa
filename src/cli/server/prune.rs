//! `trust server prune`

use super::site::Site;
use crate::cli::{failure::Failure, session::Session};
use jiff::SignedDuration;
use trust::hosting::named_hashes;

/// Remove versions of metadata that were replaced long ago
///
/// What is newest, what the newest timestamp and snapshot name, and every version of a root stay.
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    site: super::site::Place,
    /// Keep what was replaced within so many days
    #[arg(long, value_name = "N")]
    keep_days: u32,
}

pub(super) async fn run(args: &Args, session: &Session) -> Result<(), Failure> {
    let site = Site::find(&args.site, session)?;
    let store = site.existing_store().await?;
    let days = SignedDuration::from_hours(24 * i64::from(args.keep_days));
    let limit = session.now().checked_sub(days).map_err(|_| {
        let words = format!("--keep-days {} is before time began", args.keep_days);
        Failure::wrong(words)
    })?;
    let pruned = store.prune(limit, named_hashes).await?;
    store.close().await;
    session.out.say(&format!(
        "Removed {} old versions, {} bytes",
        pruned.files, pruned.bytes
    ));
    if session.out.is_json() {
        session
            .out
            .json(&serde_json::json!({"files": pruned.files, "bytes": pruned.bytes}));
    }
    Ok(())
}
