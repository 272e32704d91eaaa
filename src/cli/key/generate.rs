//! `trust key generate`

use crate::cli::{failure::Failure, name, prompt::Prompt, session::Session};
use clap::ValueEnum;
use std::{
    io,
    path::{Path, PathBuf},
};
use trust::repository::keyring::Keyring;
use trust_store::{
    keys::{Algorithm, KeyError, PublicKey, encode_public},
    write_atomic,
};

/// Generate and load a signing key pair
///
/// The private key is kept encrypted in the trust directory; the public key is written to
/// NAME.pub, for whoever adds NAME as a signer.
#[derive(clap::Args)]
pub(super) struct Args {
    /// Name of the key, usually its owner
    name: String,
    /// Folder for the public key [default: this one]
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Kind of key; docker reads only ecdsa
    #[arg(long = "type", value_enum, value_name = "TYPE", default_value_t)]
    kind: KeyType,
}

#[derive(Clone, Copy, Default, ValueEnum)]
enum KeyType {
    #[default]
    Ecdsa,
    Ed25519,
}

pub(super) fn run(args: &Args, session: &Session) -> Result<(), Failure> {
    name::check("key", &args.name)?;
    let file = public_file(args)?;
    session
        .out
        .say(&format!("Generating key for {}...", args.name));
    let algorithm = match args.kind {
        KeyType::Ecdsa => Algorithm::EcdsaP256,
        KeyType::Ed25519 => Algorithm::Ed25519,
    };
    let mut prompt = Prompt::new(session);
    let mut keyring = Keyring::new(session.keys()?, &mut prompt);
    let key = keyring
        .create(algorithm, &args.name, None)
        .map_err(|error| {
            Failure::from(error).after(&format!("failed to generate key for {}", args.name))
        })?;
    write_public(key.public(), &args.name, &file).map_err(|failure| {
        failure.hint(format!(
            "the private key is kept; `{} key show {}` prints its public key",
            session.out.program(),
            key.id()
        ))
    })?;
    session.out.say(&format!(
        "Successfully generated and loaded private key. Corresponding public key available: {}",
        file.display()
    ));
    if session.out.is_json() {
        session.out.json(&serde_json::json!({
            "name": args.name,
            "id": key.id(),
            "type": key.public().key_type,
            "public_key_file": file,
        }));
    }
    Ok(())
}

/// Where the public key goes; an error if something is there.
fn public_file(args: &Args) -> Result<PathBuf, Failure> {
    let dir = match &args.dir {
        Some(dir) => dir.clone(),
        None => std::env::current_dir()
            .map_err(|error| Failure::unfinished(format!("cannot find this folder: {error}")))?,
    };
    if !dir.is_dir() {
        let words = format!("public key path does not exist: \"{}\"", dir.display());
        return Err(Failure::wrong(words));
    }
    let file = dir.join(format!("{}.pub", args.name));
    if file.symlink_metadata().is_ok() {
        let words = format!("public key file already exists: \"{}\"", file.display());
        return Err(Failure::wrong(words));
    }
    Ok(file)
}

fn write_public(key: &PublicKey, name: &str, file: &Path) -> Result<(), Failure> {
    let text = encode_public(key, Some(name))?;
    write_atomic(file, text.as_bytes(), 0o600).map_err(|source: io::Error| {
        let path = file.to_owned();
        Failure::unfinished(KeyError::CannotWrite { path, source }.to_string())
    })
}
