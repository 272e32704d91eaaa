//! `trust key show`

use super::{Described, created, find::only, location};
use crate::cli::{failure::Failure, prompt::Prompt, session::Session};
use serde::Serialize;
use trust::repository::{keyring::Keyring, known::known_keys};
use trust_store::keys::{KeyStore, Place, PublicKey, StoredKey, encode_public};

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
    uses: Vec<Use<'a>>,
}

#[derive(Serialize)]
struct Use<'a> {
    repository: &'a str,
    role: &'a str,
}

pub(super) fn run(args: &Args, session: &Session) -> Result<(), Failure> {
    let store = session.keys()?;
    let stored = only(&store, &args.key)?;
    let (public, uses) = match known_keys(&session.cache()?)?.remove(&stored.id) {
        Some(known) => (known.key, known.uses),
        None => (open(store, &stored, session)?, Vec::new()),
    };
    let pem = encode_public(&public, stored.role.as_deref())?;
    if session.out.is_json() {
        let uses: Vec<_> = uses
            .iter()
            .map(|(repository, role)| Use { repository, role })
            .collect();
        session.out.json(&Shown {
            key: Described::new(&stored, Some(public.key_type)),
            public_key: &pem,
            uses,
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
    for (index, (gun, role)) in uses.iter().enumerate() {
        let label = if index == 0 { "Used in:" } else { "" };
        say(label, &format!("{gun} as {role}"));
    }
    session.out.text(&format!("\n{pem}"));
    Ok(())
}

fn open(store: KeyStore, stored: &StoredKey, session: &Session) -> Result<PublicKey, Failure> {
    if let Place::Token(on) = &stored.place {
        return Ok(on.public.clone());
    }
    let mut prompt = Prompt::new(session);
    let mut keyring = Keyring::new(store, &mut prompt);
    let role = stored.role.as_deref().unwrap_or("signer");
    Ok(keyring.open(stored, role)?.public().clone())
}
