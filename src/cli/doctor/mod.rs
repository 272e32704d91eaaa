//! `trust doctor`

use super::failure::Failure;
use super::output::Paint;
use super::session::Session;
use serde_json::json;
use std::path::PathBuf;
use trust::gate::doctor::{Level, Report, Where, examine, look};
use trust::gate::install::Root;

/// Say what on this host is not enforced, and how to mend it
///
/// [WARN]: images get by, or soon nothing works. [NOTE]: what cannot be seen from here. [INFO]:
/// nothing to check. Nothing is changed.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Folder in which the host's files are, for hosts that are not running
    #[arg(long, value_name = "DIR", default_value = "/")]
    root: PathBuf,
    /// Exit with 1 if there is a warning
    #[arg(long)]
    strict: bool,
}

pub(super) async fn run(args: &Args, session: &Session) -> Result<(), Failure> {
    let report = examine(&look(&place(args, session)?).await);
    if session.out.is_json() {
        session.out.json(&json!({
            "sections": report.sections,
            "summary": {
                "pass": report.count(Level::Pass),
                "warn": report.count(Level::Warn),
                "info": report.count(Level::Info),
                "note": report.count(Level::Note),
            },
        }));
    } else {
        print(&report, session);
    }
    match report.count(Level::Warn) {
        warnings if args.strict && warnings > 0 => {
            let words = if warnings == 1 { "warning" } else { "warnings" };
            Err(Failure::refused(format!("{warnings} {words}")).doing("doctor"))
        }
        _ => Ok(()),
    }
}

fn place(args: &Args, session: &Session) -> Result<Where, Failure> {
    let (environment, trust_dir) = (&session.environment, session.trust_dir()?);
    let absolute = |path: &PathBuf| {
        let words = |error| Failure::wrong(format!("{}: {error}", path.display()));
        std::path::absolute(path).map_err(words)
    };
    let root = Root::at(&absolute(&args.root)?);
    let own = match (&environment.data_home, &environment.home) {
        (Some(data), _) => Some(data.join("trust")),
        (None, home) => home.as_ref().map(|home| home.join(".local/share/trust")),
    };
    let mut state_dirs = vec![PathBuf::from("/var/lib/trust")];
    state_dirs.extend(own);
    Ok(Where {
        // What is set here says nothing about another host.
        content_trust: environment
            .content_trust
            .clone()
            .filter(|_| root.is_this_host()),
        home: environment.home.clone(),
        trust_dir: absolute(&trust_dir)?,
        now: session.now(),
        state_dirs,
        root,
    })
}

fn print(report: &Report, session: &Session) {
    let say = |level: Level, line: &str| {
        let paint = match level {
            Level::Pass => Paint::Green,
            Level::Info => Paint::Blue,
            Level::Note => Paint::Yellow,
            Level::Warn => Paint::Red,
        };
        session.out.say_in(paint, level.word(), line);
    };
    for section in &report.sections {
        say(Level::Info, &format!("{} - {}", section.id, section.title));
        for check in &section.checks {
            let outcome = &check.outcome;
            if session.globals.quiet && outcome.level < Level::Note {
                continue;
            }
            say(outcome.level, &format!("{} - {}", check.id, check.title));
            for found in &outcome.found {
                say(outcome.level, &format!("     * {found}"));
            }
            if let Some(mend) = &outcome.mend {
                say(outcome.level, &format!("     * To mend it: {mend}"));
            }
        }
        session.out.say("");
    }
    let checks: usize = report.sections.iter().map(|it| it.checks.len()).sum();
    let count = |level: Level| format!("{} {}", report.count(level), level.word());
    let counts = [Level::Pass, Level::Warn, Level::Note, Level::Info].map(count);
    say(
        Level::Info,
        &format!("{checks} checks: {}", counts.join(", ")),
    );
}
