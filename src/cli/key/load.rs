//! `trust key load`

use super::file;
use crate::cli::{failure::Failure, name, prompt::Prompt, session::Session};
use std::path::PathBuf;
use trust::repository::keyring::Keyring;
use trust_store::keys::KeyError;

/// Load a private key file for signing
///
/// Reads PEM: PKCS#8, SEC1 and PKCS#1, plain or encrypted. The key is kept encrypted with a new
/// passphrase in the trust directory.
#[derive(clap::Args)]
pub(super) struct Args {
    /// Name of the key's owner, if the file does not say
    #[arg(long, default_value = "signer")]
    name: String,
    /// The key
    #[arg(value_name = "KEYFILE")]
    file: PathBuf,
}

pub(super) fn run(args: &Args, session: &Session) -> Result<(), Failure> {
    name::check("key", &args.name)?;
    let (name, out) = (args.file.display(), &session.out);
    out.say(&format!("Loading key from \"{name}\"..."));
    file::private(&args.file)?;
    let store = session.keys()?;
    let mut prompt = Prompt::new(session);
    let importing = format!("error importing key from {name}");
    let loaded = file::read(&args.file, &mut prompt, session).map_err(|it| it.after(&importing))?;
    let role = loaded.role.as_deref().unwrap_or(&args.name);
    // Only keys of one repository keep its name (Notary v1 client).
    let gun = loaded.gun.as_deref().filter(|_| is_of_one_repository(role));
    if gun.is_none() && is_of_one_repository(role) {
        let words = format!("a {role} key belongs to one repository, and the file names none");
        return Err(Failure::wrong(words).after(&importing));
    }
    if let Some(there) = store.find(loaded.key.id())? {
        let (id, path) = (there.id, there.path);
        return Err(Failure::from(KeyError::AlreadyThere { id, path }).after(&importing));
    }
    let mut keyring = Keyring::new(store, &mut prompt);
    let key = keyring
        .keep(loaded.key, role, gun)
        .map_err(|error| Failure::from(error).after(&importing))?;
    out.say(&format!("Successfully imported key from {name}"));
    if out.is_json() {
        out.json(&serde_json::json!({
            "id": key.id(),
            "role": role,
            "repository": gun,
            "type": key.public().key_type,
        }));
    }
    Ok(())
}

fn is_of_one_repository(role: &str) -> bool {
    matches!(role, "targets" | "snapshot" | "timestamp")
}
