//! `trust repo list`

use crate::cli::{change::targets_role, failure::Failure, notice, session::Session, table::table};
use serde::Serialize;
use trust::{
    reference::ImageReference,
    remote::Actions,
    repository::{Repository, inspect::RoleTag},
};

/// List the signed tags of a repository
///
/// Released tags, and who signed the same digest; or with --role what some roles say, released or not.
#[derive(clap::Args)]
pub(super) struct Args {
    /// Only what this role itself signs, with or without targets/ in front; may be given several times
    #[arg(short, long = "role", value_name = "ROLE", value_delimiter = ',')]
    roles: Vec<String>,
    /// The repository
    pub(super) repository: String,
}

/// A released tag as programs see it.
#[derive(Serialize)]
struct Row<'a> {
    tag: &'a str,
    digest: String,
    size: u64,
    signers: &'a [String],
}

/// What a role says of a tag, as programs see it.
#[derive(Serialize)]
struct RoleRow<'a> {
    tag: &'a str,
    digest: String,
    size: u64,
    role: String,
}

pub(super) async fn run(args: &Args, session: &Session) -> Result<(), Failure> {
    let image = ImageReference::parse(&args.repository)?;
    let repository = session.repository(&image, Actions::Pull).await?;
    if !args.roles.is_empty() {
        return list_roles(&args.roles, image.tag(), &repository, session).await;
    }
    let mut watch = |event| notice::tell(&session.out, event);
    let inspected = repository.inspect(image.tag(), session.now(), &mut watch);
    let tags = inspected.await?.signed_tags;
    if session.out.is_json() {
        let rows = tags.iter().map(|row| Row {
            tag: &row.tag,
            digest: digest(&row.digest),
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
            [
                row.tag.clone(),
                digest(&row.digest),
                row.size.to_string(),
                signers,
            ]
        })
        .collect();
    session
        .out
        .text(&table(["TAG", "DIGEST", "SIZE", "SIGNERS"], &rows));
    Ok(())
}

async fn list_roles(
    typed: &[String],
    only: Option<&str>,
    repository: &Repository,
    session: &Session,
) -> Result<(), Failure> {
    let roles = typed.iter().map(|role| targets_role(role));
    let roles = roles.collect::<Result<Vec<_>, _>>()?;
    let mut watch = |event| notice::tell(&session.out, event);
    let tags = repository.tags_of(&roles, session.now(), &mut watch);
    let mut tags: Vec<RoleTag> = tags.await?;
    tags.retain(|row| only.is_none_or(|only| only == row.tag));
    if session.out.is_json() {
        let rows = tags.iter().map(|row| RoleRow {
            tag: &row.tag,
            digest: digest(&row.digest),
            size: row.size,
            role: row.role.to_string(),
        });
        session.out.json(&rows.collect::<Vec<_>>());
        return Ok(());
    }
    let rows = tags.iter().map(|row| {
        let (size, role) = (row.size.to_string(), row.role.to_string());
        [row.tag.clone(), digest(&row.digest), size, role]
    });
    let rows: Vec<_> = rows.collect();
    session
        .out
        .text(&table(["TAG", "DIGEST", "SIZE", "ROLE"], &rows));
    Ok(())
}

fn digest(hex: &str) -> String {
    format!("sha256:{hex}")
}
