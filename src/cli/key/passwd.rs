//! `trust key passwd`

use super::{find::only, role_of};
use crate::cli::{failure::Failure, prompt::Prompt, session::Session};
use std::path::PathBuf;
use trust::config::passphrase_from_file;
use trust::repository::keyring::{KeyName, Keyring};
use trust_store::keys::Passphrase;

/// Change the passphrase of a key
///
/// The present passphrase comes from where it always comes from. Copies in backups and exported
/// files keep the one they were made with.
#[derive(clap::Args)]
pub(super) struct Args {
    /// Id, the first digits of it, or name of the key
    #[arg(value_name = "ID|NAME")]
    pub(super) key: String,
    /// File with the new passphrase [default: a prompt]
    #[arg(long, value_name = "FILE")]
    new_passphrase_file: Option<PathBuf>,
}

pub(super) fn run(args: &Args, session: &Session) -> Result<(), Failure> {
    let store = session.keys()?;
    let stored = only(&store, &args.key)?;
    let (role, id) = (role_of(&stored), stored.id.as_str());
    let mut prompt = Prompt::new(session);
    let mut keyring = Keyring::new(store.clone(), &mut prompt);
    // Nobody is asked for a new passphrase before the present one is known to be right.
    let key = keyring.open(&stored, role)?;
    let passphrase = match &args.new_passphrase_file {
        Some(file) => Passphrase::new(passphrase_from_file(file)?),
        None => session.new_passphrase(&KeyName { role, id }, "--new-passphrase-file")?,
    };
    store.change_passphrase(&stored, key, &passphrase)?;
    session
        .out
        .say(&format!("Successfully updated passphrase for key ID: {id}"));
    if session.out.is_json() {
        session.out.json(&serde_json::json!({ "id": id }));
    }
    Ok(())
}
