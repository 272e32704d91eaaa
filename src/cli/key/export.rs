//! `trust key export`

use super::{Facts, create, find::only, role_of};
use crate::cli::{failure::Failure, prompt::Prompt, session::Session};
use std::path::PathBuf;
use trust::{
    reference::ImageReference,
    repository::{
        keyring::{KeyName, Keyring, KeyringError, Passphrases},
        root_certificate,
    },
};
use trust_store::keys::{StoredKey, encode_public};

/// Write a key to a file for another machine
///
/// The private key stays encrypted with the passphrase it has here; one that has none gets one.
/// `trust key load` and `notary key import` read the file.
#[derive(clap::Args)]
pub(super) struct Args {
    /// Id, the first digits of it, or name of the key
    #[arg(value_name = "ID|NAME")]
    pub(super) key: String,
    /// The new file
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// Only the public key, as `trust signer add` reads it
    #[arg(long, conflicts_with = "certificate")]
    public: bool,
    /// Only a certificate of a root key for this repository, as others name it with --cert or
    /// --root-cert
    #[arg(long, value_name = "REPOSITORY")]
    certificate: Option<String>,
}

pub(super) fn run(args: &Args, session: &Session) -> Result<(), Failure> {
    let facts = Facts::find(session)?;
    let stored = only(&facts.store, &args.key)?;
    let text = if let Some(repository) = &args.certificate {
        certificate(repository, &stored, session)?
    } else if args.public {
        let public = facts.public_half(&stored, session)?;
        encode_public(&public, stored.role.as_deref())?
    } else if stored.place.is_closed() {
        facts.store.export(&stored, None)?
    } else {
        let (role, id) = (role_of(&stored), stored.id.as_str());
        let fresh = Prompt::new(session).fresh(&KeyName { role, id });
        facts
            .store
            .export(&stored, Some(&fresh.map_err(KeyringError::from)?))?
    };
    create(&args.output, text.as_bytes())?;
    let (id, file) = (&stored.id, args.output.display());
    let kind = match (args.public, &args.certificate) {
        (_, Some(_)) => "certificate of key",
        (true, None) => "public key",
        (false, None) => "key",
    };
    session
        .out
        .say(&format!("Successfully exported {kind} {id} to {file}"));
    if session.out.is_json() {
        session.out.json(&serde_json::json!({
            "id": stored.id,
            "role": stored.role,
            "repository": stored.gun,
            "public": args.public,
            "file": args.output,
        }));
    }
    Ok(())
}

/// A new certificate of the key, made by the key itself.
fn certificate(repository: &str, stored: &StoredKey, session: &Session) -> Result<String, Failure> {
    let image = ImageReference::parse(repository)?;
    let mut prompt = Prompt::new(session);
    let mut keyring = Keyring::new(session.keys()?, &mut prompt);
    let pem = root_certificate(&mut keyring, stored, image.gun(), session.now())?;
    Ok(String::from_utf8_lossy(&pem).into_owned())
}
