//! `trust key show`

use super::{Described, Facts, created, find::only, location};
use crate::cli::{failure::Failure, session::Session};
use serde::Serialize;
use trust_store::keys::encode_public;

/// Show a key's public half and where it is used
///
/// The passphrase is needed only for a key file that no trust data seen so far name; a PIN never.
#[derive(clap::Args)]
pub(super) struct Args {
    /// Id, the first digits of it, or name of the key
    #[arg(value_name = "ID|NAME")]
    pub(super) key: String,
}

/// A key as programs see it.
#[derive(Serialize)]
struct Shown<'a> {
    #[serde(flatten)]
    key: Described<'a>,
    public_key: &'a str,
}

pub(super) fn run(args: &Args, session: &Session) -> Result<(), Failure> {
    let facts = Facts::find(session)?;
    let stored = only(&facts.store, &args.key)?;
    let public = facts.public_half(&stored, session)?;
    let pem = encode_public(&public, stored.role.as_deref())?;
    if session.out.is_json() {
        session.out.json(&Shown {
            key: Described::new(&stored, Some(public.key_type), &facts),
            public_key: &pem,
        });
        return Ok(());
    }
    let say = |label: &str, value: &str| session.out.say(&format!("{label:<13}{value}"));
    say("Key ID:", &stored.id);
    say("Role:", stored.role.as_deref().unwrap_or("-"));
    if let Some(gun) = &stored.gun {
        say("Repository:", gun);
    }
    say("Type:", &public.key_type);
    say("Created:", created(&stored).as_deref().unwrap_or("-"));
    say("Location:", &location(&stored));
    for (index, (gun, role)) in facts.uses(&stored).iter().enumerate() {
        let label = if index == 0 { "Used in:" } else { "" };
        say(label, &format!("{gun} as {role}"));
    }
    match facts.backups.of(&stored) {
        Some(kept) => {
            let since = if kept.current { "" } else { SINCE };
            let at = super::second(kept.at);
            say("Backup:", &format!("{} at {at}{since}", kept.file));
        }
        None => say("Backup:", "-"),
    }
    session.out.text(&format!("\n{pem}"));
    Ok(())
}

const SINCE: &str = ", under an earlier passphrase";
