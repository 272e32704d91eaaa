//! `trust key generate`

use crate::cli::{failure::Failure, name, prompt::Prompt, session::Session};
use clap::ValueEnum;
use std::{
    io,
    path::{Path, PathBuf},
};
use trust::repository::keyring::Keyring;
use trust_store::{
    keys::{Algorithm, KeyError, PrivateKey, PublicKey, TokenAlgorithm, encode_public},
    write_atomic,
};

/// Generate and load a signing key pair
///
/// The private key is kept encrypted in the trust directory, or made on a token that never gives it
/// away; the public key is written to NAME.pub, for whoever adds NAME as a signer.
#[derive(clap::Args)]
pub(super) struct Args {
    /// Name of the key, usually its owner
    name: String,
    /// Folder for the public key [default: this one]
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Kind of key: ecdsa or ed25519 in a file, of which docker reads only ecdsa; ecdsa or rsa on a
    /// token
    #[arg(long = "type", value_enum, value_name = "TYPE", default_value_t)]
    kind: KeyType,
    /// Make the key on the token of this label or serial number
    #[arg(long, value_name = "LABEL")]
    token: Option<String>,
}

#[derive(Clone, Copy, Default, ValueEnum)]
enum KeyType {
    #[default]
    Ecdsa,
    Ed25519,
    Rsa,
}

pub(super) fn run(args: &Args, session: &Session) -> Result<(), Failure> {
    name::check("key", &args.name)?;
    let file = public_file(args)?;
    session
        .out
        .say(&format!("Generating key for {}...", args.name));
    let mut prompt = Prompt::new(session);
    let mut keyring = Keyring::new(session.keys()?, &mut prompt);
    let key = make(args, &mut keyring)
        .map_err(|failure| failure.after(&format!("failed to generate key for {}", args.name)))?;
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

/// A key of this kind, in a file or on a token.
fn make<'k>(args: &Args, keyring: &'k mut Keyring<'_>) -> Result<&'k PrivateKey, Failure> {
    let made = match (args.kind, &args.token) {
        (KeyType::Ecdsa, None) => keyring.create(Algorithm::EcdsaP256, &args.name, None),
        (KeyType::Ed25519, None) => keyring.create(Algorithm::Ed25519, &args.name, None),
        (KeyType::Ecdsa, Some(token)) => {
            keyring.create_on(token, TokenAlgorithm::EcdsaP256, &args.name)
        }
        (KeyType::Rsa, Some(token)) => keyring.create_on(token, TokenAlgorithm::Rsa, &args.name),
        (KeyType::Ed25519, Some(_)) => {
            let words = "ed25519 keys are not made on tokens";
            return Err(Failure::wrong(words).hint("choose --type ecdsa or --type rsa"));
        }
        (KeyType::Rsa, None) => {
            let words = "RSA keys are made on tokens only";
            return Err(Failure::wrong(words)
                .hint("name a token with --token, or load a key that `openssl genrsa` made"));
        }
    };
    Ok(made?)
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
