//! `trust key load`

use super::{
    file::{self, Loaded},
    location,
};
use crate::cli::{failure::Failure, name, prompt::Prompt, session::Session};
use std::path::PathBuf;
use trust::repository::keyring::Keyring;
use trust_store::keys::{KeyError, KeyStore, Place, PrivateKey, StoredKey, TokenKey};

/// Load a private key file for signing
///
/// Reads PEM: PKCS#8, SEC1 and PKCS#1, plain or encrypted. The key is kept encrypted with a new
/// passphrase in the trust directory, or put on a token that never gives it away. Of a file with
/// several keys, as `notary key export` writes it, all are loaded that are not there already.
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
    let loaded = file::read_all(&args.file, &mut prompt, session);
    let mut loaded = loaded.map_err(|it| it.after(&importing))?;
    let several = loaded.len() > 1;
    if several {
        loaded.retain(|key| is_new(key, &store, session));
    }
    let keys = loaded.into_iter().map(|key| Wanted::new(key, &args.name));
    let keys: Vec<_> = keys
        .collect::<Result<_, _>>()
        .map_err(|it: Failure| it.after(&importing))?;
    let mut keyring = Keyring::new(store.clone(), &mut prompt);
    let mut done = Vec::new();
    for wanted in keys {
        let (role, gun) = (wanted.role.clone(), wanted.gun.clone());
        let kept = keep(wanted, args, &store, &mut keyring).map_err(|it| it.after(&importing))?;
        done.push(serde_json::json!({
            "id": kept.id(),
            "role": role,
            "repository": gun,
            "type": kept.public().key_type,
        }));
    }
    match done.len() {
        count if several => out.say(&format!("Successfully imported {count} keys from {name}")),
        _ => out.say(&format!("Successfully imported key from {name}")),
    }
    if out.is_json() {
        if several {
            out.json(&done);
        } else {
            done.iter().for_each(|only| out.json(only));
        }
    }
    Ok(())
}

/// Keeps one key in a file or on a token.
fn keep<'k>(
    wanted: Wanted,
    args: &Args,
    store: &KeyStore,
    keyring: &'k mut Keyring<'_>,
) -> Result<&'k PrivateKey, Failure> {
    let Wanted { key, role, gun } = wanted;
    let Some(token) = &args.token else {
        if let Some(there) = store.find(key.id())? {
            return Err(already(there).into());
        }
        return Ok(keyring.keep(key, &role, gun.as_deref())?);
    };
    if gun.is_some() {
        let words = format!("a {role} key belongs to one repository, which a token cannot say");
        return Err(Failure::wrong(words));
    }
    Ok(keyring.keep_on(token, &key, &role)?)
}

fn already(there: StoredKey) -> KeyError {
    match there.place {
        Place::File { path, .. } => KeyError::AlreadyThere { id: there.id, path },
        Place::Token(TokenKey { token, .. }) => KeyError::OnTokenAlready {
            id: there.id,
            token,
        },
    }
}

/// Whether the store lacks this key, which is one of several.
fn is_new(key: &Loaded, store: &KeyStore, session: &Session) -> bool {
    let there = store.find(key.key.id()).ok().flatten();
    if let Some(there) = &there {
        let words = format!("key {} is already in {}", there.id, location(there));
        session.out.note(&words);
    }
    there.is_none()
}

/// A key as it is to be kept.
struct Wanted {
    key: PrivateKey,
    role: String,
    gun: Option<String>,
}

impl Wanted {
    fn new(loaded: Loaded, name: &str) -> Result<Self, Failure> {
        let Loaded { key, role, gun } = loaded;
        let role = role.unwrap_or_else(|| name.to_owned());
        // Only keys of one repository keep its name (Notary v1 client).
        let gun = gun.filter(|_| is_of_one_repository(&role));
        if gun.is_none() && is_of_one_repository(&role) {
            let words = format!("a {role} key belongs to one repository, and the file names none");
            return Err(Failure::wrong(words));
        }
        Ok(Self { key, role, gun })
    }
}

fn is_of_one_repository(role: &str) -> bool {
    matches!(role, "targets" | "snapshot" | "timestamp")
}
