//! `trust repo status`

use crate::cli::{failure::Failure, session::Session, table::table};
use serde::Serialize;
use trust::{
    reference::ImageReference, remote::Actions, repository::staged::Staged, tuf::change::Change,
};

/// List the changes that are staged and not yet published
///
/// `notary` stages changes in the same list.
#[derive(clap::Args)]
pub(super) struct Args {
    /// The repository
    pub(super) repository: String,
}

/// A staged change as programs see it.
#[derive(Serialize)]
struct Row<'a> {
    number: usize,
    action: Option<&'a str>,
    scope: Option<String>,
    r#type: Option<&'a str>,
    path: Option<&'a str>,
    file: &'a str,
    problem: Option<String>,
}

pub(super) async fn run(args: &Args, session: &Session) -> Result<(), Failure> {
    let (image, out) = (ImageReference::parse(&args.repository)?, &session.out);
    let repository = session.repository(&image, Actions::Pull).await?;
    let staged = repository.staged()?;
    let rows: Vec<Row<'_>> = staged.iter().enumerate().map(row).collect();
    if out.is_json() {
        out.json(&rows);
        return Ok(());
    }
    if rows.is_empty() {
        out.say(&format!("No unpublished changes for {}", image.gun()));
        return Ok(());
    }
    let header = ["#", "ACTION", "SCOPE", "TYPE", "PATH"];
    let mut cells = vec![header.map(|word| "-".repeat(word.len()))];
    cells.extend(rows.iter().map(|row| {
        [
            row.number.to_string(),
            row.action.unwrap_or("?").to_owned(),
            row.scope.clone().unwrap_or_else(|| "?".to_owned()),
            row.r#type.unwrap_or("?").to_owned(),
            row.path.unwrap_or("?").to_owned(),
        ]
    }));
    out.say(&format!("Unpublished changes for {}:\n", image.gun()));
    out.text(&table(header, &cells));
    for row in &rows {
        if let Some(problem) = &row.problem {
            let (number, file) = (row.number, row.file);
            out.warn_always(&format!(
                "change {number} ({file}) cannot be read: {problem}"
            ));
        }
    }
    Ok(())
}

fn row((number, staged): (usize, &Staged)) -> Row<'_> {
    let change = staged.change.as_ref().ok();
    Row {
        number,
        action: change.map(Change::action),
        scope: change.map(Change::scope),
        r#type: change.map(Change::kind),
        path: change.map(Change::path),
        file: &staged.file,
        problem: staged.change.as_ref().err().map(ToString::to_string),
    }
}
