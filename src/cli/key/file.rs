//! Private key files that people name.

use crate::cli::{
    failure::{Failure, in_gos_words},
    prompt::Prompt,
    session::Session,
};
use std::{
    fs,
    path::{Path, PathBuf},
};
use trust::repository::keyring::{KeyName, KeyringError, Passphrases};
use trust_store::keys::{EncryptedKey, KeyError, KeyFile, PrivateKey, read_file};

/// A private key and what its file says it is for.
pub(crate) struct Loaded {
    /// The key
    pub(crate) key: PrivateKey,
    /// Whose it is, or which role's
    pub(crate) role: Option<String>,
    /// The repository it belongs to
    pub(crate) gun: Option<String>,
}

/// Refuses a key that others could have read.
pub(crate) fn private(file: &Path) -> Result<(), Failure> {
    let refusing = format!("refusing to load key from {}", file.display());
    let metadata = fs::metadata(file).map_err(|error| {
        let words = format!("stat {}: {}", file.display(), in_gos_words(&error));
        Failure::wrong(words).after(&refusing)
    })?;
    #[cfg(unix)]
    if std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o077 != 0 {
        let name = file.display();
        let words = format!("private key file {name} must not be readable or writable by others");
        let failure = Failure::wrong(words).after(&refusing);
        // Nobody should change the mode of a device.
        return Err(if metadata.is_file() {
            failure.hint(format!("chmod 600 {name}"))
        } else {
            failure
        });
    }
    #[cfg(not(unix))]
    drop(metadata);
    Ok(())
}

/// The bytes of certificate files that people name.
pub(crate) fn certificates(files: &[PathBuf]) -> Result<Vec<Vec<u8>>, Failure> {
    // The command named the file, so it is the command that is wrong.
    let read = |file: &PathBuf| read_file(file).map_err(|it| Failure::wrong(it.to_string()));
    files.iter().map(read).collect()
}

/// Reads a key, and opens it if it is encrypted.
pub(crate) fn read(
    file: &Path,
    prompt: &mut Prompt<'_>,
    session: &Session,
) -> Result<Loaded, Failure> {
    // The command named the file, so it is the command that is wrong.
    let bytes = read_file(file).map_err(|error| Failure::wrong(error.to_string()))?;
    match KeyFile::parse(&bytes) {
        Ok(KeyFile::Plain { key, role, gun }) => Ok(Loaded { key, role, gun }),
        Ok(KeyFile::Encrypted(encrypted)) => Ok(Loaded {
            key: decrypt(&encrypted, file, prompt)?,
            role: encrypted.role().map(str::to_owned),
            gun: encrypted.gun().map(str::to_owned),
        }),
        Err(
            KeyError::NoPrivateKey | KeyError::NotPrivate { .. } | KeyError::UnsupportedPem { .. },
        ) => Err(Failure::wrong(format!(
            "provided file {} is not a supported private key - to add a signer's public key use \
             {} signer add",
            file.display(),
            session.out.program()
        ))),
        Err(error) => Err(error.into()),
    }
}

fn decrypt(
    encrypted: &EncryptedKey,
    file: &Path,
    prompt: &mut Prompt<'_>,
) -> Result<PrivateKey, Failure> {
    let role = match encrypted.role() {
        Some("root") => "root",
        _ => "encrypted",
    };
    let name = KeyName { role, id: "" };
    loop {
        let passphrase = prompt.existing(&name).map_err(KeyringError::from)?;
        match encrypted.decrypt(&passphrase) {
            Err(KeyError::WrongPassphrase) if prompt.wrong(&name) => {}
            Err(error @ KeyError::WrongPassphrase) => {
                let file = file.display();
                return Err(Failure::from(error).after(&format!(
                    "cannot load key from provided file {file}: could not decrypt key"
                )));
            }
            other => return Ok(other?),
        }
    }
}
