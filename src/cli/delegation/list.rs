//! `trust delegation list`

use super::shown;
use crate::cli::{failure::Failure, notice, session::Session, table::table};
use serde::Serialize;
use trust::{reference::ImageReference, remote::Actions, repository::show::RoleReport};

/// List the roles below targets: paths, keys, thresholds
#[derive(clap::Args)]
pub(super) struct Args {
    /// The repository
    pub(super) repository: String,
}

/// A delegation as programs see it.
#[derive(Serialize)]
struct Row<'a> {
    role: &'a str,
    paths: &'a [String],
    key_ids: &'a [String],
    threshold: u64,
}

pub(super) async fn run(args: &Args, session: &Session) -> Result<(), Failure> {
    let (image, out) = (ImageReference::parse(&args.repository)?, &session.out);
    let repository = session.repository(&image, Actions::Pull).await?;
    let mut watch = |event| notice::tell(out, event);
    let mut roles = repository.roles(session.now(), &mut watch).await?;
    roles.retain(|role| role.role.starts_with("targets/"));
    roles.sort_by(|a, b| a.role.cmp(&b.role));
    if out.is_json() {
        let rows = roles.iter().map(|role| Row {
            role: &role.role,
            paths: &role.paths,
            key_ids: &role.key_ids,
            threshold: role.threshold,
        });
        out.json(&rows.collect::<Vec<_>>());
        return Ok(());
    }
    if roles.is_empty() {
        out.note("No delegations present in this repository.");
        return Ok(());
    }
    let rows: Vec<_> = roles.iter().flat_map(lines).collect();
    out.text(&table(HEADER, &rows));
    Ok(())
}

/// One line a key or path, whichever there are more of.
fn lines(role: &RoleReport) -> Vec<[String; 4]> {
    let count = role.paths.len().max(role.key_ids.len()).max(1);
    let line = |number: usize| {
        let first = |text: String| if number == 0 { text } else { String::new() };
        [
            first(role.role.clone()),
            role.paths
                .get(number)
                .map_or_else(String::new, |path| shown(path).to_owned()),
            role.key_ids.get(number).cloned().unwrap_or_default(),
            first(role.threshold.to_string()),
        ]
    };
    (0..count).map(line).collect()
}

const HEADER: [&str; 4] = ["ROLE", "PATHS", "KEY IDS", "THRESHOLD"];
