//! `trust hook status`

use super::place::{Engine, PlaceArgs};
use crate::cli::table::table;
use crate::cli::{failure::Failure, session::Session};
use serde::Serialize;
use std::path::PathBuf;
use trust::gate::install::{Standing, standing};

/// Show which hooks are installed, and whether they are still whole
///
/// Exits with 1 if a hook is not as it was installed.
#[derive(clap::Args)]
pub(super) struct Args {
    /// Whose hook [default: all]
    engine: Option<Engine>,
    #[command(flatten)]
    place: PlaceArgs,
}

#[derive(Serialize)]
struct Row {
    engine: &'static str,
    path: PathBuf,
    status: &'static str,
}

pub(super) fn run(args: &Args, session: &Session) -> Result<(), Failure> {
    let mut rows = Vec::new();
    for engine in Engine::ALL {
        if args.engine.is_some_and(|asked| asked != engine) {
            continue;
        }
        let place = args.place.find(engine, session)?;
        let Some(record) = place.record(engine)? else {
            continue;
        };
        let files = place.files(Vec::new(), Some(&record));
        for (path, standing) in standing(&record, &files) {
            rows.push(Row {
                engine: engine.name(),
                path: path.to_owned(),
                status: word(standing),
            });
        }
    }
    let broken = rows.iter().any(|row| row.status != word(Standing::Intact));
    if session.out.is_json() {
        session.out.json(&rows);
    } else if rows.is_empty() {
        session.out.say("No hook is installed.");
    } else {
        let cells = rows.iter().map(|row| {
            let path = row.path.display().to_string();
            [row.engine.to_owned(), row.status.to_owned(), path]
        });
        let cells: Vec<_> = cells.collect();
        session.out.text(&table(["HOOK", "STATUS", "FILE"], &cells));
    }
    if broken {
        let words = "a hook is not as it was installed";
        return Err(Failure::refused(words).hint("install it again, or remove it"));
    }
    Ok(())
}

fn word(standing: Standing) -> &'static str {
    match standing {
        Standing::Intact => "intact",
        Standing::Undone => "undone",
        Standing::Changed => "changed",
        Standing::Missing => "missing",
    }
}
