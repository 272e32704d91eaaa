//! `trust key load`

use super::file::{self, Loaded};
use crate::cli::{failure::Failure, name, prompt::Prompt, session::Session};
use std::path::PathBuf;
use trust::repository::keyring::Keyring;
use trust_store::keys::{KeyError, PrivateKey};

/// Load a private key file for signing
///
/// Reads PEM: PKCS#8, SEC1 and PKCS#1, plain or encrypted. The key is kept encrypted with a new
/// passphrase in the trust directory. Of a file with several keys, as `notary key export` writes
/// it, all are loaded that are not there already.
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
    let loaded = file::read_all(&args.file, &mut prompt, session);
    let loaded = loaded.map_err(|it| it.after(&importing))?;
    let several = loaded.len() > 1;
    let keys = loaded.into_iter().map(|key| Wanted::new(key, &args.name));
    let keys: Vec<_> = keys
        .collect::<Result<_, _>>()
        .map_err(|it: Failure| it.after(&importing))?;
    let mut keyring = Keyring::new(store.clone(), &mut prompt);
    let mut done = Vec::new();
    for Wanted { key, role, gun } in keys {
        if let Some(there) = store.find(key.id())? {
            let (id, path) = (there.id, there.path);
            let there = KeyError::AlreadyThere { id, path };
            if several {
                out.note(&there.to_string());
                continue;
            }
            return Err(Failure::from(there).after(&importing));
        }
        let kept = keyring
            .keep(key, &role, gun.as_deref())
            .map_err(|error| Failure::from(error).after(&importing))?;
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
