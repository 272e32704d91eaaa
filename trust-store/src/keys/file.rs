//! Key files: PEM in, a key or an encrypted key out.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use pem::Pem;

use super::encoding::{from_notary_ed25519, from_pkcs1, from_pkcs8, from_sec1};
use super::error::KeyError;
use super::folder::{OldPlace, is_key_id};
use super::legacy_pem::LegacyCiphertext;
use super::passphrase::Passphrase;
use super::pkcs8_envelope::{Envelope, seal};
use super::private::PrivateKey;
use super::public_file::encode_pem;
use super::store::Label;

/// Largest key file that is read, in bytes.
pub const MAX_FILE_SIZE: usize = 1 << 20;

/// The bytes of a key file, public or private, which a caller names; a pipe will do.
///
/// Errors name the file: it cannot be read, or is larger than [`MAX_FILE_SIZE`].
pub fn read_file(path: &Path) -> Result<Vec<u8>, KeyError> {
    let failed = |source| KeyError::CannotRead {
        path: path.to_owned(),
        source,
    };
    let file = File::open(path).map_err(failed)?;
    let mut bytes = Vec::new();
    file.take(MAX_FILE_SIZE as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    if bytes.len() > MAX_FILE_SIZE {
        let source = Box::new(KeyError::TooLarge {
            limit: MAX_FILE_SIZE as u64,
        });
        return Err(KeyError::InFile {
            path: path.to_owned(),
            source,
        });
    }
    Ok(bytes)
}

/// What a private key file holds.
#[derive(Debug)]
pub enum KeyFile {
    /// A key anybody who has the file can use.
    Plain {
        /// The key.
        key: PrivateKey,
        /// The `role` header.
        role: Option<String>,
        /// The `gun` header: the repository the key belongs to.
        gun: Option<String>,
    },
    /// A key behind a passphrase.
    Encrypted(EncryptedKey),
}

/// A private key that a passphrase opens.
pub struct EncryptedKey {
    id: Option<String>,
    role: Option<String>,
    gun: Option<String>,
    ciphertext: Ciphertext,
}

enum Ciphertext {
    Pkcs8(Envelope),
    Legacy(PlainForm, LegacyCiphertext),
}

#[derive(Clone, Copy)]
enum PlainForm {
    Pkcs8,
    Pkcs1,
    Sec1,
    NotaryEd25519,
}

impl KeyFile {
    /// Reads the first private key of a PEM file, in any form Docker, Notary or OpenSSL writes.
    pub fn parse(bytes: &[u8]) -> Result<Self, KeyError> {
        Self::of(&private_block(bytes)?)
    }

    /// Reads every private key of a PEM file, such as `notary key export` writes: at least one.
    ///
    /// What else is in the file, as certificates, is passed over.
    pub fn parse_all(bytes: &[u8]) -> Result<Vec<Self>, KeyError> {
        let first = Self::of(&private_block(bytes)?)?;
        let blocks = pem::parse_many(bytes).unwrap_or_default();
        let private = blocks.iter().filter(|block| is_private(block.tag()));
        let others = private.skip(1).map(Self::of);
        [Ok(first)].into_iter().chain(others).collect()
    }

    fn of(block: &Pem) -> Result<Self, KeyError> {
        let Said { id, role, gun } = Said::by(block);
        let encrypted = |ciphertext| {
            Self::Encrypted(EncryptedKey {
                id: id.clone(),
                role: role.clone(),
                gun: gun.clone(),
                ciphertext,
            })
        };
        let Some(form) = PlainForm::of(block.tag()) else {
            return Ok(encrypted(Ciphertext::Pkcs8(Envelope::parse(
                block.contents(),
            )?)));
        };
        match LegacyCiphertext::parse(block.headers(), block.contents())? {
            Some(legacy) => Ok(encrypted(Ciphertext::Legacy(form, legacy))),
            None => Ok(Self::Plain {
                key: form.read(block.contents())?,
                role,
                gun,
            }),
        }
    }
}

impl EncryptedKey {
    /// The id by its `path` header, as notary exports it; nobody has checked it.
    pub fn named(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// The `role` header.
    pub fn role(&self) -> Option<&str> {
        self.role.as_deref()
    }

    /// The `gun` header: the repository the key belongs to.
    pub fn gun(&self) -> Option<&str> {
        self.gun.as_deref()
    }

    /// Opens the key, or says that the passphrase is wrong.
    ///
    /// These formats carry no checksum, so a damaged ciphertext looks like a wrong passphrase.
    pub fn decrypt(&self, passphrase: &Passphrase) -> Result<PrivateKey, KeyError> {
        match &self.ciphertext {
            Ciphertext::Pkcs8(envelope) => envelope.open(passphrase),
            Ciphertext::Legacy(form, legacy) => form
                .read(&legacy.decrypt(passphrase)?)
                .map_err(KeyError::garbage_means_wrong_passphrase),
        }
    }
}

impl std::fmt::Debug for EncryptedKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = formatter.debug_struct("EncryptedKey");
        shown
            .field("role", &self.role)
            .field("gun", &self.gun)
            .finish_non_exhaustive()
    }
}

impl PlainForm {
    /// How the content of this PEM type reads; nothing for the type that is always encrypted.
    fn of(tag: &str) -> Option<Self> {
        match tag {
            "PRIVATE KEY" => Some(Self::Pkcs8),
            "RSA PRIVATE KEY" => Some(Self::Pkcs1),
            "EC PRIVATE KEY" => Some(Self::Sec1),
            "ED25519 PRIVATE KEY" => Some(Self::NotaryEd25519),
            _ => None,
        }
    }

    fn read(self, bytes: &[u8]) -> Result<PrivateKey, KeyError> {
        match self {
            Self::Pkcs8 => from_pkcs8(bytes),
            Self::Pkcs1 => from_pkcs1(bytes),
            Self::Sec1 => from_sec1(bytes),
            Self::NotaryEd25519 => from_notary_ed25519(bytes),
        }
    }
}

impl KeyError {
    /// Without a checksum, unreadable plain bytes mean that the passphrase made them.
    pub(super) fn garbage_means_wrong_passphrase(self) -> Self {
        match self {
            Self::Damaged { .. } => Self::WrongPassphrase,
            other => other,
        }
    }
}

/// What the outside of a key file says, without opening it.
pub(super) struct Outside {
    pub(super) role: Option<String>,
    pub(super) gun: Option<String>,
    pub(super) encrypted: bool,
}

/// Reads the headers of a private key file and leaves the key alone.
pub(super) fn outside(bytes: &[u8]) -> Result<Outside, KeyError> {
    let block = private_block(bytes)?;
    let encrypted = block.tag() == "ENCRYPTED PRIVATE KEY"
        || LegacyCiphertext::parse(block.headers(), block.contents())?.is_some();
    let Said { role, gun, .. } = Said::by(&block);
    Ok(Outside {
        role,
        gun,
        encrypted,
    })
}

/// What a key file says its key is for.
struct Said {
    id: Option<String>,
    role: Option<String>,
    gun: Option<String>,
}

impl Said {
    /// By its headers; one that Notary before 0.4 exported says the rest in `path`.
    fn by(block: &Pem) -> Self {
        let header = |name: &str| block.headers().get(name);
        let place = header("path").and_then(OldPlace::parse);
        let role = header("role").or_else(|| place.as_ref()?.role);
        let gun = header("gun").or_else(|| place.as_ref()?.gun);
        let bare = header("path").filter(|path| is_key_id(path));
        let id = bare.or_else(|| Some(place.as_ref()?.id));
        Self {
            id: id.map(str::to_owned),
            role: role.map(str::to_owned),
            gun: gun.map(str::to_owned),
        }
    }
}

/// The text of a key file in Docker's form.
pub(super) fn encode(
    key: &PrivateKey,
    label: &Label,
    passphrase: &Passphrase,
) -> Result<String, KeyError> {
    let gun = label.gun.as_deref().map(|gun| ("gun", gun));
    let headers: Vec<_> = gun
        .into_iter()
        .chain([("role", label.role.as_str())])
        .collect();
    encode_under(key, &headers, passphrase)
}

/// The same under these headers.
pub(super) fn encode_under(
    key: &PrivateKey,
    headers: &[(&str, &str)],
    passphrase: &Passphrase,
) -> Result<String, KeyError> {
    if passphrase.is_empty() {
        return Err(KeyError::EmptyPassphrase);
    }
    encode_pem("ENCRYPTED PRIVATE KEY", headers, seal(key, passphrase)?)
}

/// The first PEM block that is more than a description of the key after it.
pub(super) fn first_block(bytes: &[u8]) -> Option<Pem> {
    // `openssl ecparam -genkey` puts the curve before the key.
    pem::parse_many(bytes)
        .ok()?
        .into_iter()
        .find(|block| block.tag() != "EC PARAMETERS")
}

/// The private key block that a key file begins with.
pub(super) fn private_block(bytes: &[u8]) -> Result<Pem, KeyError> {
    if bytes.len() > MAX_FILE_SIZE {
        return Err(KeyError::TooLarge {
            limit: MAX_FILE_SIZE as u64,
        });
    }
    let block = first_block(bytes).ok_or(KeyError::NoPrivateKey)?;
    match block.tag() {
        tag if is_private(tag) => Ok(block),
        "PUBLIC KEY" | "RSA PUBLIC KEY" | "CERTIFICATE" => Err(KeyError::NotPrivate {
            found: block.tag().to_owned(),
        }),
        other => Err(KeyError::UnsupportedPem {
            found: other.to_owned(),
        }),
    }
}

fn is_private(tag: &str) -> bool {
    tag == "ENCRYPTED PRIVATE KEY" || PlainForm::of(tag).is_some()
}

/// How a key file that is read compares with those that are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// As Docker and Notary write it today
    Todays,
    /// Behind a passphrase in another way
    OldEncryption,
    /// Without a passphrase
    Plain,
}

impl Form {
    pub(super) fn of(block: &Pem) -> Result<Self, KeyError> {
        if block.tag() == "ENCRYPTED PRIVATE KEY" {
            let envelope = Envelope::parse(block.contents())?;
            return Ok(if envelope.is_notarys() {
                Self::Todays
            } else {
                Self::OldEncryption
            });
        }
        let legacy = LegacyCiphertext::parse(block.headers(), block.contents())?;
        Ok(match legacy {
            Some(_) => Self::OldEncryption,
            None => Self::Plain,
        })
    }
}
