//! `trust key`: private keys on this machine.

mod backup;
mod export;
pub(super) mod file;
pub(super) mod find;
mod generate;
mod list;
mod load;
mod migrate;
mod passwd;
mod remove;
mod restore;
mod rotate;
mod show;

use super::failure::Failure;
use super::prompt::Prompt;
use super::session::Session;
use clap::Subcommand;
use jiff::Timestamp;
use serde::Serialize;
use std::{collections::BTreeMap, io::ErrorKind, path::Path, time::SystemTime};
use trust::repository::{
    keyring::Keyring,
    known::{KnownKey, known_keys},
};
use trust_store::create_atomic;
use trust_store::keys::{Backups, KeyStore, Place, PublicKey, StoredKey};

/// Make, load, keep, look at and replace signing keys
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
    Export(export::Args),
    Passwd(passwd::Args),
    Remove(remove::Args),
    Backup(backup::Args),
    Restore(restore::Args),
    Migrate(migrate::Args),
    Rotate(rotate::Args),
}

pub(super) async fn run(args: &Args, session: &Session) -> Result<(), Failure> {
    let (done, doing) = match &args.command {
        Command::Generate(args) => (generate::run(args, session), "key generate".to_owned()),
        Command::Load(args) => (load::run(args, session), "key load".to_owned()),
        Command::List(args) => (list::run(args, session), "key list".to_owned()),
        Command::Show(args) => (show::run(args, session), format!("key show {}", args.key)),
        Command::Export(args) => (
            export::run(args, session),
            format!("key export {}", args.key),
        ),
        Command::Passwd(args) => (
            passwd::run(args, session),
            format!("key passwd {}", args.key),
        ),
        Command::Remove(args) => (
            remove::run(args, session),
            format!("key remove {}", args.key),
        ),
        Command::Backup(args) => (backup::run(args, session), "key backup".to_owned()),
        Command::Restore(args) => (restore::run(args, session), "key restore".to_owned()),
        Command::Migrate(args) => (migrate::run(args, session), "key migrate".to_owned()),
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
    /// `null` on a token, which does not say
    created: Option<String>,
    /// `null` on a token, which needs a PIN
    encrypted: Option<bool>,
    location: String,
    uses: Vec<Use>,
    backup: Option<Backup>,
}

/// A role of a repository that a key may sign.
#[derive(Serialize)]
struct Use {
    repository: String,
    role: String,
}

/// The last backup a key is in.
#[derive(Serialize)]
struct Backup {
    at: String,
    file: String,
    current: bool,
}

/// What is known here of keys, beside their files.
struct Facts {
    store: KeyStore,
    keys: Vec<StoredKey>,
    known: BTreeMap<String, KnownKey>,
    backups: Backups,
}

impl Facts {
    fn find(session: &Session) -> Result<Self, Failure> {
        let store = session.keys()?;
        let keys = store.list()?;
        let backups = store.backups().unwrap_or_else(|error| {
            session.out.warn_always(&error.to_string());
            Backups::default()
        });
        let known = known_keys(&session.cache()?)?;
        Ok(Self {
            store,
            keys,
            known,
            backups,
        })
    }

    /// Its type, if that is to be known without its passphrase.
    fn key_type(&self, key: &StoredKey) -> Option<String> {
        if let Some(known) = self.known.get(&key.id) {
            return Some(known.key.key_type.clone());
        }
        match &key.place {
            Place::Token(on) => Some(on.public.key_type.clone()),
            Place::File {
                encrypted: true, ..
            } => None,
            Place::File { .. } => {
                let opened = self.store.unlock(key, None).ok()?;
                Some(opened.public().key_type.clone())
            }
        }
    }

    fn uses(&self, key: &StoredKey) -> &[(String, String)] {
        let known = self.known.get(&key.id);
        known.map_or(&[], |known| known.uses.as_slice())
    }

    /// Its public half; the passphrase is needed only where no trust data name the key.
    fn public_half(&self, stored: &StoredKey, session: &Session) -> Result<PublicKey, Failure> {
        if let Some(known) = self.known.get(&stored.id) {
            return Ok(known.key.clone());
        }
        if let Place::Token(on) = &stored.place {
            return Ok(on.public.clone());
        }
        let mut prompt = Prompt::new(session);
        let mut keyring = Keyring::new(self.store.clone(), &mut prompt);
        Ok(keyring.open(stored, role_of(stored))?.public().clone())
    }
}

/// What prompts call a key whose file does not say what it is for.
fn role_of(stored: &StoredKey) -> &str {
    stored.role.as_deref().unwrap_or("signer")
}

/// A file that was not there before holds the bytes, readable by its owner only.
fn create(file: &Path, bytes: &[u8]) -> Result<(), Failure> {
    create_atomic(file, bytes, 0o600).map_err(|error| {
        if error.kind() == ErrorKind::AlreadyExists {
            return occupied(file);
        }
        Failure::unfinished(format!("could not write {}: {error}", file.display()))
    })
}

fn occupied(file: &Path) -> Failure {
    let name = file.display();
    Failure::wrong(format!("{name} is there already, and is not overwritten"))
}

impl<'a> Described<'a> {
    fn new(key: &'a StoredKey, key_type: Option<String>, facts: &Facts) -> Self {
        let uses = facts.uses(key).iter().map(|(repository, role)| Use {
            repository: repository.clone(),
            role: role.clone(),
        });
        let backup = facts.backups.of(key).map(|kept| Backup {
            at: second(kept.at).to_string(),
            file: kept.file,
            current: kept.current,
        });
        Self {
            id: &key.id,
            role: key.role.as_deref(),
            repository: key.gun.as_deref(),
            key_type,
            created: created(key),
            encrypted: match key.place {
                Place::File { encrypted, .. } => Some(encrypted),
                Place::Token(_) => None,
            },
            location: location(key),
            uses: uses.collect(),
            backup,
        }
    }
}

/// The file, or `token NAME`.
fn location(key: &StoredKey) -> String {
    match &key.place {
        Place::File { path, .. } => path.display().to_string(),
        Place::Token(on) => format!("token {}", on.token),
    }
}

fn created(key: &StoredKey) -> Option<String> {
    match key.place {
        Place::File { created, .. } => Some(moment(created)),
        Place::Token(_) => None,
    }
}

/// A file's time to the second, in UTC.
fn moment(time: SystemTime) -> String {
    second(Timestamp::try_from(time).unwrap_or_default()).to_string()
}

/// A moment without its fraction of a second.
fn second(moment: Timestamp) -> Timestamp {
    Timestamp::from_second(moment.as_second()).unwrap_or(moment)
}
