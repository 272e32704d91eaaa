//! `trust key load`

use super::file::{self, Loaded};
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
    let loaded = loaded.map_err(|it| it.after(&importing))?;
    let several = loaded.len() > 1;
    let keys = loaded.into_iter().map(|key| Wanted::new(key, &args.name));
    let keys: Vec<_> = keys
        .collect::<Result<_, _>>()
        .map_err(|it: Failure| it.after(&importing))?;
    let mut keyring = Keyring::new(store.clone(), &mut prompt);
    let mut done = Vec::new();
    for wanted in keys {
        let (role, gun) = (wanted.role.clone(), wanted.gun.clone());
        let kept = match keep(wanted, args, &store, &mut keyring)? {
            Kept::New(kept) => kept,
            Kept::Already(there) if several => {
                out.note(&there.to_string());
                continue;
            }
            Kept::Already(there) => return Err(Failure::from(there).after(&importing)),
        };
        done.push(serde_json::json!({
            "id": kept.id(),
            "role": role,
            "repository": gun,
            "type": kept.public().key_type,
        }));
    }
    let what = match done.len() {
        count if several && count != 1 => format!("{count} keys"),
        _ => "key".to_owned(),
    };
    out.say(&format!("Successfully imported {what} from {name}"));
    if out.is_json() {
        if several {
            out.json(&done);
        } else {
            for only in &done {
                out.json(only);
            }
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
) -> Result<Kept<'k>, Failure> {
    let importing =
        |it: Failure| it.after(&format!("error importing key from {}", args.file.display()));
    let Wanted { key, role, gun } = wanted;
    let Some(token) = &args.token else {
        if let Some(there) = store.find(key.id())? {
            return Ok(Kept::Already(already(there)));
        }
        let kept = keyring.keep(key, &role, gun.as_deref());
        return kept.map(Kept::New).map_err(|error| importing(error.into()));
    };
    if gun.is_some() {
        let words = format!("a {role} key belongs to one repository, which a token cannot say");
        return Err(importing(Failure::wrong(words)));
    }
    let kept = keyring.keep_on(token, &key, &role);
    kept.map(Kept::New).map_err(|error| importing(error.into()))
}

/// What became of a key.
enum Kept<'k> {
    /// It was there before
    Already(KeyError),
    /// It is there now
    New(&'k PrivateKey),
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
