//! All keys in one encrypted file, and back.
//!
//! The file is `MAGIC | memory | passes | lanes | salt | nonce | ciphertext | tag`: 19 bytes, three
//! times 4 (big-endian, the cost of argon2id, version 0x13), 16, 12, any, 16. The key that
//! argon2id makes of the passphrase seals the rest by AES-256-GCM, with all that stands before
//! the nonce as associated data. Inside are a count of keys and for each id, role, repository (empty: none)
//! and the bytes of its file, each with its length in front; counts and lengths have 4 bytes.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::error::KeyError;
use super::file::{KeyFile, MAX_FILE_SIZE, encode_under, private_block};
use super::folder::{is_key_id, read_regular};
use super::passphrase::Passphrase;
use super::private::fill_randomly;
use super::public_file::encode_pem;
use super::store::{KeyStore, StoredKey};
use crate::atomic::{create_atomic, create_private_directories};
use crate::seal_key::{Cost, CostError};

/// Why keys could not be backed up or brought back. Nothing was written then.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BackupError {
    /// The backup would be open to everybody.
    #[error("a backup is not made without a passphrase")]
    EmptyPassphrase,
    /// What the passphrase opened is not what a backup holds.
    #[error("the backup is damaged: {0}")]
    Damaged(&'static str),
    /// A key of the store.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The system gave no memory to make the key.
    #[error("could not make a key of the passphrase: {0}")]
    NoRoom(String),
    /// Another kind of file, or a part of a backup.
    #[error("this is no backup of keys, or not all of one")]
    NotABackup,
    /// Opening the file would cost more than any honest backup does.
    #[error("nobody makes a backup at the cost this file asks for")]
    Unreasonable,
    /// The passphrase is another one, or a byte of the file is.
    #[error("the passphrase does not open this backup, or the file was changed")]
    WrongPassphrase,
}

/// A key in a backup.
pub struct BackedUpKey {
    id: String,
    role: Option<String>,
    gun: Option<String>,
    file: Zeroizing<Vec<u8>>,
    encrypted: bool,
}

impl BackedUpKey {
    /// Canonical key id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What the key is for.
    pub fn role(&self) -> Option<&str> {
        self.role.as_deref()
    }

    /// Whether the key has a passphrase of its own.
    pub fn encrypted(&self) -> bool {
        self.encrypted
    }

    /// The text that becomes the key's file: what was backed up, unless it lay in an old folder,
    /// whose names become headers, or has no passphrase.
    fn text(&self, passphrase: Option<&Passphrase>) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let mut headers = Vec::new();
        headers.extend(self.gun.as_deref().map(|gun| ("gun", gun)));
        headers.extend(self.role.as_deref().map(|role| ("role", role)));
        if let KeyFile::Plain { key, .. } = KeyFile::parse(&self.file)? {
            let id = self.id.clone();
            let passphrase = passphrase.ok_or(KeyError::PassphraseNeeded { id })?;
            let text = encode_under(&key, &headers, passphrase)?;
            return Ok(Zeroizing::new(text.into_bytes()));
        }
        let block = private_block(&self.file)?;
        let said = |name: &str| block.headers().get(name);
        if said("role") == self.role() && said("gun") == self.gun.as_deref() {
            return Ok(self.file.clone());
        }
        let mut all: Vec<_> = block.headers().iter().collect();
        all.retain(|(name, _)| !matches!(*name, "gun" | "role"));
        all.extend(headers);
        let text = encode_pem(block.tag(), &all, block.contents().to_vec())?;
        Ok(Zeroizing::new(text.into_bytes()))
    }
}

impl KeyStore {
    /// These keys in one file, which opens with this passphrase only.
    pub fn back_up(
        &self,
        keys: &[StoredKey],
        passphrase: &Passphrase,
    ) -> Result<Vec<u8>, BackupError> {
        let mut entries = Vec::new();
        for key in keys {
            entries.push(BackedUpKey {
                id: key.id.clone(),
                role: key.role.clone(),
                gun: key.gun.clone(),
                file: Zeroizing::new(read_regular(key.place.file(&key.id)?)?),
                encrypted: key.place.is_closed(),
            });
        }
        seal(&entries, passphrase, Cost::TODAY)
    }

    /// The key is in the store; returns its file. A key that is there already is left alone.
    ///
    /// A key without a passphrase of its own gets `passphrase`.
    ///
    /// # Errors
    /// [`KeyError::AlreadyThere`], also if a file of that name cannot be read.
    pub fn restore(
        &self,
        key: &BackedUpKey,
        passphrase: Option<&Passphrase>,
    ) -> Result<PathBuf, KeyError> {
        if let Some(there) = self.find_file(&key.id)? {
            let path = there.place.file(&there.id)?.to_owned();
            let id = there.id;
            return Err(KeyError::AlreadyThere { id, path });
        }
        let text = key.text(passphrase)?;
        let path = self.path_of(&key.id);
        create_private_directories(&self.private)
            .and_then(|()| create_atomic(&path, &text, 0o600))
            .map_err(|source| KeyError::CannotWrite {
                path: path.clone(),
                source,
            })?;
        Ok(path)
    }
}

/// The bytes of a backup that a caller names.
pub fn read_backup(path: &Path) -> Result<Vec<u8>, KeyError> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| {
        file.take(MAX_BACKUP_SIZE as u64 + 1)
            .read_to_end(&mut bytes)
    });
    match read {
        Ok(_) => Ok(bytes),
        Err(source) => Err(KeyError::CannotRead {
            path: path.to_owned(),
            source,
        }),
    }
}

/// The keys in a backup, all of them or none.
pub fn open_backup(bytes: &[u8], passphrase: &Passphrase) -> Result<Vec<BackedUpKey>, BackupError> {
    let (header, sealed) = bytes
        .split_at_checked(HEADER)
        .filter(|(header, _)| header.starts_with(MAGIC) && bytes.len() <= MAX_BACKUP_SIZE)
        .ok_or(BackupError::NotABackup)?;
    let mut rest = Cursor(header.get(MAGIC.len()..).unwrap_or_default());
    let cost = Cost {
        memory: rest.number()?,
        passes: rest.number()?,
        lanes: rest.number()?,
    };
    let key = cost.derive(passphrase, rest.0).map_err(of_cost)?;
    let opened = key.open(header, sealed);
    read_keys(&opened.ok_or(BackupError::WrongPassphrase)?)
}

fn seal(keys: &[BackedUpKey], passphrase: &Passphrase, cost: Cost) -> Result<Vec<u8>, BackupError> {
    let mut salt = [0; SALT];
    fill_randomly(&mut salt)?;
    let mut header = MAGIC.to_vec();
    for number in [cost.memory, cost.passes, cost.lanes] {
        header.extend_from_slice(&number.to_be_bytes());
    }
    header.extend_from_slice(&salt);
    let key = cost.derive(passphrase, &salt).map_err(of_cost)?;
    let sealed = key.seal(&header, &write_keys(keys)?)?;
    Ok([header, sealed].concat())
}

fn of_cost(error: CostError) -> BackupError {
    match error {
        CostError::EmptyPassphrase => BackupError::EmptyPassphrase,
        CostError::NoRoom(reason) => BackupError::NoRoom(reason),
        CostError::Unreasonable => BackupError::Unreasonable,
    }
}

fn parts(key: &BackedUpKey) -> [&[u8]; 4] {
    let role = key.role.as_deref().unwrap_or_default().as_bytes();
    let gun = key.gun.as_deref().unwrap_or_default().as_bytes();
    [key.id.as_bytes(), role, gun, &key.file]
}

fn write_keys(keys: &[BackedUpKey]) -> Result<Zeroizing<Vec<u8>>, BackupError> {
    let length = |bytes: usize| u32::try_from(bytes).map(u32::to_be_bytes);
    let too_many = |_| BackupError::Damaged("there is more than a backup can hold");
    let all = || keys.iter().flat_map(parts);
    // Room for all of it at once: growing would leave copies behind.
    let room = 4 + all().map(|part| 4 + part.len()).sum::<usize>();
    if room > MAX_BACKUP_SIZE - OVERHEAD {
        return Err(BackupError::Damaged("there is more than a backup can hold"));
    }
    let mut bytes = Zeroizing::new(Vec::with_capacity(room));
    bytes.extend_from_slice(&length(keys.len()).map_err(too_many)?);
    for part in all() {
        bytes.extend_from_slice(&length(part.len()).map_err(too_many)?);
        bytes.extend_from_slice(part);
    }
    Ok(bytes)
}

/// Reads what [`write_keys`] wrote: every byte of it, and every file a private key.
fn read_keys(bytes: &[u8]) -> Result<Vec<BackedUpKey>, BackupError> {
    let mut rest = Cursor(bytes);
    let mut keys = Vec::new();
    for _ in 0..rest.number()? {
        let id = rest.text()?;
        let name = |text: String| (!text.is_empty()).then_some(text);
        let (role, gun) = (name(rest.text()?), name(rest.text()?));
        let file = Zeroizing::new(rest.part()?.to_vec());
        let encrypted = match KeyFile::parse(&file)? {
            KeyFile::Plain { key, .. } if key.id() != id => {
                return Err(BackupError::Damaged("a key has the name of another"));
            }
            KeyFile::Plain { .. } => false,
            KeyFile::Encrypted(_) => true,
        };
        if !is_key_id(&id) || file.len() > MAX_FILE_SIZE {
            return Err(BackupError::Damaged("something in it is no key"));
        }
        keys.push(BackedUpKey {
            id,
            role,
            gun,
            file,
            encrypted,
        });
    }
    if rest.0.is_empty() {
        return Ok(keys);
    }
    Err(BackupError::Damaged("there is something behind the keys"))
}

struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    fn number(&mut self) -> Result<u32, BackupError> {
        let (number, rest) = self.0.split_first_chunk().ok_or(CUT)?;
        self.0 = rest;
        Ok(u32::from_be_bytes(*number))
    }

    fn part(&mut self) -> Result<&'a [u8], BackupError> {
        let length = usize::try_from(self.number()?).map_err(|_| CUT)?;
        let (part, rest) = self.0.split_at_checked(length).ok_or(CUT)?;
        self.0 = rest;
        Ok(part)
    }

    fn text(&mut self) -> Result<String, BackupError> {
        let text = str::from_utf8(self.part()?);
        text.map(str::to_owned)
            .map_err(|_| BackupError::Damaged("a name in it is no text"))
    }
}

const CUT: BackupError = BackupError::Damaged("it ends too early");
const MAGIC: &[u8] = b"trust key backup 1\n";
const SALT: usize = 16;
/// Bytes before the nonce.
const HEADER: usize = MAGIC.len() + 3 * 4 + SALT;
/// Bytes around the keys.
const OVERHEAD: usize = HEADER + 12 + 16;
/// Bytes of the largest backup: a hundred thousand keys.
const MAX_BACKUP_SIZE: usize = 64 << 20;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::{Algorithm, PrivateKey};
    use proptest::prelude::*;

    /// Cheap, so that every byte of a file can be tried.
    const CHEAP: Cost = Cost {
        memory: 8,
        passes: 1,
        lanes: 1,
    };

    fn key(role: Option<&str>) -> BackedUpKey {
        let key = PrivateKey::generate(Algorithm::EcdsaP256).unwrap();
        let headers: Vec<_> = role.into_iter().map(|role| ("role", role)).collect();
        let text = encode_under(&key, &headers, &"passphrase".into()).unwrap();
        BackedUpKey {
            id: key.id().to_owned(),
            role: role.map(str::to_owned),
            gun: None,
            file: Zeroizing::new(text.into_bytes()),
            encrypted: true,
        }
    }

    fn backup() -> Vec<u8> {
        let keys = [key(Some("root")), key(Some("nigel")), key(None)];
        seal(&keys, &"secret words".into(), CHEAP).unwrap()
    }

    #[test]
    fn what_was_sealed_opens_with_its_passphrase_only() {
        let keys = [key(Some("root")), key(None)];
        let bytes = seal(&keys, &"secret words".into(), CHEAP).unwrap();
        let opened = open_backup(&bytes, &"secret words".into()).unwrap();
        let said = |keys: &[BackedUpKey]| -> Vec<_> {
            let said = keys.iter();
            said.map(|key| (key.id.clone(), key.role.clone(), key.file.clone()))
                .collect()
        };
        assert_eq!(said(&opened), said(&keys));
        for wrong in ["secret word", "secret words ", "Secret words"] {
            let refused = open_backup(&bytes, &wrong.into()).err();
            assert!(matches!(refused, Some(BackupError::WrongPassphrase)));
        }
        for call in [
            open_backup(&bytes, &"".into()).err(),
            seal(&keys, &"".into(), CHEAP).err(),
        ] {
            assert!(matches!(call, Some(BackupError::EmptyPassphrase)));
        }
    }

    #[test]
    fn every_flipped_byte_is_refused() {
        let whole = backup();
        for place in 0..whole.len() {
            for flip in [0x01, 0x80, 0xff] {
                let mut flipped = whole.clone();
                flipped[place] ^= flip;
                let refused = open_backup(&flipped, &"secret words".into()).err();
                let fits = match place {
                    0..19 => matches!(refused, Some(BackupError::NotABackup)),
                    19..31 => matches!(
                        refused,
                        Some(BackupError::Unreasonable | BackupError::WrongPassphrase)
                    ),
                    _ => matches!(refused, Some(BackupError::WrongPassphrase)),
                };
                assert!(fits, "byte {place}: {refused:?}");
            }
        }
    }

    #[test]
    fn every_truncation_and_every_addition_is_refused() {
        let whole = backup();
        for length in 0..whole.len() {
            assert!(open_backup(&whole[..length], &"secret words".into()).is_err());
        }
        let longer = [whole.as_slice(), &[0]].concat();
        let refused = open_backup(&longer, &"secret words".into()).err();
        assert!(matches!(refused, Some(BackupError::WrongPassphrase)));
    }

    #[test]
    fn what_is_inside_is_believed_no_more_than_the_outside() {
        let good = write_keys(&[key(Some("root"))]).unwrap();
        assert_eq!(read_keys(&good).unwrap().len(), 1);
        for length in 0..good.len() {
            assert!(read_keys(&good[..length]).is_err(), "cut to {length}");
        }
        assert!(read_keys(&[&good[..], &[0]].concat()).is_err());
        let named = |id: &str| {
            let key = BackedUpKey {
                id: id.to_owned(),
                ..key(None)
            };
            read_keys(&write_keys(&[key]).unwrap())
        };
        assert!(named("../../etc/passwd").is_err());
        assert!(named(&"0".repeat(63)).is_err());
        assert!(named(&"0".repeat(64)).is_ok());
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = read_keys(&bytes).is_ok();
            let refused = open_backup(&[MAGIC, &bytes].concat(), &"secret words".into());
            prop_assert!(refused.is_err());
            prop_assert!(open_backup(&bytes, &"secret words".into()).is_err());
        }
    }
}
