//! `trust repo show`

use crate::cli::{failure::Failure, notice, session::Session, table::table};
use jiff::Timestamp;
use serde::Serialize;
use trust::{reference::ImageReference, remote::Actions, repository::show::RoleReport};

/// Show the roles of a repository: keys, thresholds, versions, expiries
#[derive(clap::Args)]
pub(super) struct Args {
    /// The repository
    pub(super) repository: String,
}

/// A role as programs see it.
#[derive(Serialize)]
struct Row<'a> {
    role: &'a str,
    key_ids: &'a [String],
    threshold: u64,
    paths: &'a [String],
    version: Option<u64>,
    expires: Option<Timestamp>,
    problem: Option<&'a str>,
}

pub(super) async fn run(args: &Args, session: &Session) -> Result<(), Failure> {
    let image = ImageReference::parse(&args.repository)?;
    let repository = session.repository(&image, Actions::Pull).await?;
    let mut watch = |event| notice::tell(&session.out, event);
    let roles = repository.roles(session.now(), &mut watch).await?;
    if session.out.is_json() {
        let rows = roles.iter().map(|role| Row {
            role: &role.role,
            key_ids: &role.key_ids,
            threshold: role.threshold,
            paths: &role.paths,
            version: role.version,
            expires: role.expires,
            problem: role.problem.as_deref(),
        });
        session.out.json(&rows.collect::<Vec<_>>());
        return Ok(());
    }
    let rows: Vec<_> = roles.iter().map(row).collect();
    session.out.text(&table(HEADER, &rows));
    for role in roles.iter().filter(|role| role.problem.is_some()) {
        let problem = role.problem.as_deref().unwrap_or_default();
        session
            .out
            .warn_always(&format!("{}: {problem}", role.role));
    }
    Ok(())
}

fn row(role: &RoleReport) -> [String; 6] {
    let short = role
        .key_ids
        .iter()
        .map(|id| id.get(..SHORT_ID).unwrap_or(id));
    let paths = role.paths.iter().map(|path| format!("{path:?}"));
    let paths: Vec<_> = paths.collect();
    let nothing = || "-".to_owned();
    [
        role.role.clone(),
        short.collect::<Vec<_>>().join(", "),
        role.threshold.to_string(),
        role.version
            .map_or_else(nothing, |version| version.to_string()),
        role.expires
            .map_or_else(nothing, |moment| moment.to_string()),
        if paths.is_empty() {
            nothing()
        } else {
            paths.join(", ")
        },
    ]
}

const HEADER: [&str; 6] = ["ROLE", "KEYS", "THRESHOLD", "VERSION", "EXPIRES", "PATHS"];
/// Digits of a key's id, as `trust inspect --pretty` shows them.
const SHORT_ID: usize = 12;
