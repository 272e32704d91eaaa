//! `trust server certs`

use super::prepare::{self, AUTHORITY, CERTIFICATE};
use super::site::{Place, Site};
use crate::cli::{failure::Failure, session::Session, table::table};
use clap::Subcommand;
use std::path::PathBuf;
use trust::listen::Facts;

/// Look at the server's certificate and make a new one
#[derive(clap::Args)]
#[command(subcommand_required = true, arg_required_else_help = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Renew(Renew),
    Show(Show),
}

/// Make a new certificate with the key that is there
///
/// It is for the same hosts as the old one, or for those named, and valid for a year. A running
/// server takes it within seconds; open connections stay open.
#[derive(clap::Args)]
struct Renew {
    #[command(flatten)]
    place: Place,
    /// Name or address by which clients call the server [default: those of the old certificate]
    #[arg(long = "host", value_name = "NAME")]
    hosts: Vec<String>,
}

/// Show for whom the certificates are, and until when
#[derive(clap::Args)]
struct Show {
    #[command(flatten)]
    place: Place,
}

pub(crate) fn run(args: &Args, session: &Session) -> Result<(), Failure> {
    match &args.command {
        Command::Renew(args) => renew(args, session),
        Command::Show(args) => show(args, session),
    }
}

fn renew(args: &Renew, session: &Session) -> Result<(), Failure> {
    let site = Site::find(&args.place, session)?;
    let ours = site.dir.join(CERTIFICATE);
    if let Some(other) = site
        .settings
        .tls
        .certificate
        .as_ref()
        .filter(|it| **it != ours)
    {
        let words = format!("{} was not made here", other.display());
        return Err(Failure::wrong(words).hint("renew it where it was made"));
    }
    let facts = prepare::renew(&site.dir, &args.hosts, session.now())?;
    tell(&[(ours, facts)], session);
    Ok(())
}

fn show(args: &Show, session: &Session) -> Result<(), Failure> {
    let site = Site::find(&args.place, session)?;
    let told = site.settings.tls.certificate.clone();
    let file = told.unwrap_or_else(|| site.dir.join(CERTIFICATE));
    let server = prepare::facts(&file)?;
    if let Some(warning) = server.warning(session.now()) {
        session.out.warn(&warning);
    }
    let mut certificates = vec![(file, server)];
    let authority = site.dir.join(AUTHORITY);
    if authority.exists() {
        let facts = prepare::facts(&authority)?;
        certificates.push((authority, facts));
    }
    tell(&certificates, session);
    Ok(())
}

fn tell(certificates: &[(PathBuf, Facts)], session: &Session) {
    let now = session.now();
    if session.out.is_json() {
        let rows = certificates.iter().map(|(file, facts)| {
            serde_json::json!({
                "file": file,
                "subject": facts.subject,
                "hosts": facts.hosts,
                "from": facts.from,
                "until": facts.until,
                "days_left": facts.days_left(now),
            })
        });
        session.out.json(&rows.collect::<Vec<_>>());
        return;
    }
    let rows: Vec<_> = certificates
        .iter()
        .map(|(file, facts)| {
            let whose = match facts.hosts.as_slice() {
                [] => facts.subject.clone(),
                hosts => hosts.join(", "),
            };
            let until = format!("{} ({} days)", facts.until, facts.days_left(now));
            [file.display().to_string(), whose, until]
        })
        .collect();
    session.out.text(&table(["FILE", "FOR", "UNTIL"], &rows));
}
