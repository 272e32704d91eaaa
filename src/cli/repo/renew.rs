//! `trust repo renew`

use crate::cli::{
    failure::{Failure, worst},
    notice,
    prompt::Prompt,
    session::Session,
};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use std::time::Duration;
use trust::{
    quantity::Period,
    reference::ImageReference,
    remote::Actions,
    repository::{
        Kind, NEAR_EXPIRY_DAYS,
        keyring::Keyring,
        renew::{Outcome, Renewal},
    },
};

/// Sign again what expires soon, or has expired
///
/// Root, targets, delegations and a snapshot of your own, with the keys that are on this machine:
/// one publish a repository. Says which keys are missing for the rest, and exits with 1 then.
#[derive(clap::Args)]
pub(super) struct Args {
    /// Every repository that this machine keeps
    #[arg(long)]
    all: bool,
    /// What expires within this time, such as 90d [default: 182d, when warnings begin]
    #[arg(long, value_name = "TIME", value_parser = period)]
    expiring_within: Option<Period>,
    /// The repositories
    #[arg(
        value_name = "REPOSITORY",
        required_unless_present = "all",
        conflicts_with = "all"
    )]
    pub(super) repositories: Vec<String>,
}

/// A repository as programs see it.
#[derive(Serialize)]
struct Report<'a> {
    repository: &'a str,
    roles: Vec<Row<'a>>,
    message: Option<&'a str>,
}

/// A role that was due.
#[derive(Serialize)]
struct Row<'a> {
    role: &'a str,
    expires: Timestamp,
    renewed: bool,
    until: Option<Timestamp>,
    signed_by_server: bool,
    /// The role whose keys are missing
    lacking: Option<&'a str>,
    missing_key_ids: &'a [String],
}

pub(super) async fn run(args: &Args, session: &Session) -> Result<(), Failure> {
    let names = if args.all {
        session.cache()?.repositories()?
    } else {
        args.repositories.clone()
    };
    let by = by(args, session.now());
    let mut prompt = Prompt::new(session);
    let mut keyring = Keyring::new(session.keys()?, &mut prompt);
    let mut done = Vec::new();
    for name in &names {
        let renewed = renew(name, &mut keyring, by, session).await;
        tell(name, &renewed, by, session);
        done.push((name.as_str(), renewed));
    }
    if session.out.is_json() {
        let reports: Vec<_> = done.iter().map(|(name, it)| report(name, it)).collect();
        session.out.json(&reports);
    }
    let bad = |done: &(&str, Result<Vec<Renewal>, Failure>)| match &done.1 {
        Err(failure) => Some((done.0.to_owned(), failure.kind())),
        Ok(due) if due.iter().any(is_lacking) => Some((done.0.to_owned(), Kind::Refused)),
        Ok(_) => None,
    };
    let (failed, kinds): (Vec<_>, Vec<_>) = done.iter().filter_map(bad).unzip();
    match worst(kinds) {
        None => Ok(()),
        Some(kind) => Err(Failure::of(
            kind,
            format!("not all is renewed in: {}", failed.join(", ")),
        )),
    }
}

async fn renew(
    name: &str,
    keyring: &mut Keyring<'_>,
    by: Timestamp,
    session: &Session,
) -> Result<Vec<Renewal>, Failure> {
    let image = ImageReference::parse(name)?;
    let repository = session.repository(&image, Actions::PullPush).await?;
    let mut watch = |event| notice::tell(&session.out, event);
    Ok(repository
        .renew(keyring, by, session.now(), &mut watch)
        .await?)
}

/// The moment until which nothing may expire.
fn by(args: &Args, now: Timestamp) -> Timestamp {
    let within = args.expiring_within.map_or(
        SignedDuration::from_hours(24 * NEAR_EXPIRY_DAYS),
        |period| SignedDuration::try_from(Duration::from(period)).unwrap_or(SignedDuration::MAX),
    );
    now.saturating_add(within).unwrap_or(Timestamp::MAX)
}

fn tell(name: &str, renewed: &Result<Vec<Renewal>, Failure>, by: Timestamp, session: &Session) {
    let out = &session.out;
    let due = match renewed {
        Ok(due) => due,
        Err(failure) => {
            failure
                .clone()
                .doing(format!("repo renew {name}"))
                .tell(out);
            return;
        }
    };
    if due.is_empty() {
        out.say(&format!("{name}: nothing expires before {by}"));
    }
    for Renewal {
        role,
        expires,
        outcome,
    } in due
    {
        out.say(&match outcome {
            Outcome::Renewed(until) => format!("{name}: {role} is signed again, until {until}"),
            Outcome::LeftToServer => {
                format!("{name}: {role} is the server's, who signs it again by {expires}")
            }
            Outcome::Lacking(lacking) => {
                format!("{name}: {role} is not signed again, and expires {expires}: {lacking}")
            }
        });
    }
}

fn report<'a>(name: &'a str, renewed: &'a Result<Vec<Renewal>, Failure>) -> Report<'a> {
    Report {
        repository: name,
        roles: renewed.iter().flatten().map(row).collect(),
        message: renewed.as_ref().err().map(Failure::words),
    }
}

fn row(renewal: &Renewal) -> Row<'_> {
    let until = match renewal.outcome {
        Outcome::Renewed(until) => Some(until),
        _ => None,
    };
    let lacking = match &renewal.outcome {
        Outcome::Lacking(lacking) => Some(lacking),
        _ => None,
    };
    Row {
        role: renewal.role.as_str(),
        expires: renewal.expires,
        renewed: until.is_some(),
        until,
        signed_by_server: renewal.outcome == Outcome::LeftToServer,
        lacking: lacking.map(|lacking| lacking.role.as_str()),
        missing_key_ids: lacking.map_or(&[], |lacking| &lacking.absent),
    }
}

fn is_lacking(renewal: &Renewal) -> bool {
    matches!(renewal.outcome, Outcome::Lacking(_))
}

fn period(text: &str) -> Result<Period, String> {
    Period::parse(text).ok_or_else(|| format!("{text:?} is no time such as 24h or 90d"))
}
