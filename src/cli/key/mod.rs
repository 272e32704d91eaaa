//! `trust key`: private keys on this machine.

pub(super) mod file;
pub(super) mod find;
mod generate;
mod list;
mod load;
mod rotate;
mod show;

use super::failure::Failure;
use super::session::Session;
use clap::Subcommand;
use jiff::Timestamp;
use serde::Serialize;
use std::{path::Path, time::SystemTime};
use trust_store::keys::StoredKey;

/// Make, load, look at and replace signing keys
#[derive(clap::Args)]
#[command(subcommand_required = true, arg_required_else_help = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Generate(generate::Args),
    Load(load::Args),
    List(list::Args),
    Show(show::Args),
    Rotate(rotate::Args),
}

pub(super) async fn run(args: &Args, session: &Session) -> Result<(), Failure> {
    let (done, doing) = match &args.command {
        Command::Generate(args) => (generate::run(args, session), "key generate".to_owned()),
        Command::Load(args) => (load::run(args, session), "key load".to_owned()),
        Command::List(args) => (list::run(args, session), "key list".to_owned()),
        Command::Show(args) => (show::run(args, session), format!("key show {}", args.key)),
        Command::Rotate(args) => (
            rotate::run(args, session).await,
            format!("key rotate {} {}", args.role, args.repository),
        ),
    };
    done.map_err(|failure| failure.doing(doing))
}

/// A key as programs see it.
#[derive(Serialize)]
struct Described<'a> {
    id: &'a str,
    role: Option<&'a str>,
    repository: Option<&'a str>,
    #[serde(rename = "type")]
    key_type: Option<String>,
    created: String,
    encrypted: bool,
    location: &'a Path,
}

impl<'a> Described<'a> {
    fn new(key: &'a StoredKey, key_type: Option<String>) -> Self {
        Self {
            id: &key.id,
            role: key.role.as_deref(),
            repository: key.gun.as_deref(),
            key_type,
            created: moment(key.created),
            encrypted: key.encrypted,
            location: &key.path,
        }
    }
}

/// A file's time to the second, in UTC.
fn moment(time: SystemTime) -> String {
    let moment = Timestamp::try_from(time).unwrap_or_default();
    Timestamp::from_second(moment.as_second())
        .unwrap_or(moment)
        .to_string()
}
