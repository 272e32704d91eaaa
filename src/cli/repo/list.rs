//! `trust repo list`

use crate::cli::{failure::Failure, notice, session::Session, table::table};
use serde::Serialize;
use trust::{reference::ImageReference, remote::Actions, repository::inspect::SignedTag};

/// List the signed tags of a repository
#[derive(clap::Args)]
pub(super) struct Args {
    /// The repository
    pub(super) repository: String,
}

/// A signed tag as programs see it.
#[derive(Serialize)]
struct Row<'a> {
    tag: &'a str,
    digest: String,
    size: u64,
    signers: &'a [String],
}

pub(super) async fn run(args: &Args, session: &Session) -> Result<(), Failure> {
    let image = ImageReference::parse(&args.repository)?;
    let repository = session.repository(&image, Actions::Pull).await?;
    let mut watch = |event| notice::tell(&session.out, event);
    let inspected = repository.inspect(image.tag(), session.now(), &mut watch);
    let tags = inspected.await?.signed_tags;
    if session.out.is_json() {
        let rows = tags.iter().map(|row| Row {
            tag: &row.tag,
            digest: digest(row),
            size: row.size,
            signers: &row.signers,
        });
        session.out.json(&rows.collect::<Vec<_>>());
        return Ok(());
    }
    let rows: Vec<_> = tags
        .iter()
        .map(|row| {
            let signers = match row.signers.as_slice() {
                [] => "(Repo Admin)".to_owned(),
                some => some.join(", "),
            };
            [row.tag.clone(), digest(row), row.size.to_string(), signers]
        })
        .collect();
    session
        .out
        .text(&table(["TAG", "DIGEST", "SIZE", "SIGNERS"], &rows));
    Ok(())
}

fn digest(row: &SignedTag) -> String {
    format!("sha256:{}", row.digest)
}
