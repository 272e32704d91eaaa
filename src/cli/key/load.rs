//! `trust key load`

use super::file;
use crate::cli::{failure::Failure, name, prompt::Prompt, session::Session};
use std::path::PathBuf;
use trust::repository::keyring::Keyring;
use trust_store::keys::{KeyError, Place, TokenKey};

/// Load a private key file for signing
///
/// Reads PEM: PKCS#8, SEC1 and PKCS#1, plain or encrypted. The key is kept encrypted with a new
/// passphrase in the trust directory, or put on a token that never gives it away.
#[derive(clap::Args)]
pub(super) struct Args {
    /// Name of the key's owner, if the file does not say
    #[arg(long, default_value = "signer")]
    name: String,
    /// Put the key on the token of this label or serial number, not in a file
    #[arg(long, value_name = "LABEL")]
    token: Option<String>,
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
    if gun.is_some() && args.token.is_some() {
        let words = format!("a {role} key belongs to one repository, which a token cannot say");
        return Err(Failure::wrong(words).after(&importing));
    }
    let there = store.find(loaded.key.id())?;
    if let (None, Some(there)) = (&args.token, there) {
        let failure = match there.place {
            Place::File { path, .. } => KeyError::AlreadyThere { id: there.id, path },
            Place::Token(TokenKey { token, .. }) => KeyError::OnTokenAlready {
                id: there.id,
                token,
            },
        };
        return Err(Failure::from(failure).after(&importing));
    }
    let mut keyring = Keyring::new(store, &mut prompt);
    let kept = match &args.token {
        Some(token) => keyring.keep_on(token, &loaded.key, role),
        None => keyring.keep(loaded.key, role, gun),
    };
    let key = kept.map_err(|error| Failure::from(error).after(&importing))?;
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
