//! The folder of private keys in a trust directory.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::error::KeyError;
use super::file::{KeyFile, encode, outside};
use super::folder::{Candidate, candidates, is_key_id, read_regular};
use super::passphrase::Passphrase;
use super::private::PrivateKey;
use super::token::{TokenAlgorithm, TokenKey, Tokens};
use crate::atomic::{create_atomic, create_private_directories};

/// The private keys of a trust directory, shared with `docker trust` and `notary`, and those on tokens.
///
/// Keys are added and read. The file of one is replaced only to change its passphrase; those in the
/// folders of Docker's first versions (`private/root_keys`, `private/tuf_keys`) stay as they are.
#[derive(Clone, Debug)]
pub struct KeyStore {
    pub(super) private: PathBuf,
    tokens: Tokens,
}

/// A key and what its outside says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StoredKey {
    /// Canonical key id: of a file, its name; on a token, that of the public half.
    pub id: String,
    /// What the key is for: `root`, `targets`, `snapshot`, the name of a signer.
    pub role: Option<String>,
    /// The repository it belongs to, for `targets` and `snapshot` keys.
    pub gun: Option<String>,
    /// Where it is kept.
    pub place: Place,
}

/// Where a private key is kept.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Place {
    /// In a file of the trust directory.
    File {
        /// The file.
        path: PathBuf,
        /// Whether a passphrase is needed to open it.
        encrypted: bool,
        /// When the file was last written.
        created: SystemTime,
    },
    /// On a token, which does not say since when.
    Token(TokenKey),
}

impl Place {
    /// The key's file; an error that names `id` if the key is on a token.
    pub fn file(&self, id: &str) -> Result<&Path, KeyError> {
        match self {
            Self::File { path, .. } => Ok(path),
            Self::Token(_) => Err(KeyError::OnToken { id: id.to_owned() }),
        }
    }

    /// Whether the key needs a passphrase or a PIN to be opened.
    pub fn is_closed(&self) -> bool {
        match self {
            Self::File { encrypted, .. } => *encrypted,
            Self::Token(_) => true,
        }
    }
}

/// What a new key is for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Label {
    /// `root`, `targets`, `snapshot`, or the name of a signer.
    pub role: String,
    /// The repository, where the key serves only one.
    pub gun: Option<String>,
}

impl KeyStore {
    /// The keys of this trust directory, which need not exist yet.
    pub fn at(trust_dir: &Path) -> Self {
        Self {
            private: trust_dir.join("private"),
            tokens: Tokens::default(),
        }
    }

    /// The same with the keys on these tokens.
    #[must_use]
    pub fn with_tokens(self, tokens: Tokens) -> Self {
        Self { tokens, ..self }
    }

    /// The tokens.
    pub fn tokens(&self) -> &Tokens {
        &self.tokens
    }

    /// Every readable key, sorted by id; files that are no keys are passed over. A key on a token
    /// stands before its file.
    pub fn list(&self) -> Result<Vec<StoredKey>, KeyError> {
        let mut files: Vec<_> = candidates(&self.private)?
            .into_iter()
            .filter_map(|it| look_at(it).ok())
            .collect();
        files.dedup_by(|later, first| later.id == first.id);
        let mut keys = self.tokens.keys()?;
        keys.extend(files);
        keys.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(keys)
    }

    /// The key with this full id, on a token (as for `notary`) or in a file; an error if its file is
    /// there and cannot be read.
    pub fn find(&self, id: &str) -> Result<Option<StoredKey>, KeyError> {
        if !is_key_id(id) {
            return Ok(None);
        }
        match self.tokens.keys()?.into_iter().find(|key| key.id == id) {
            Some(key) => Ok(Some(key)),
            None => self.find_file(id),
        }
    }

    pub(super) fn find_file(&self, id: &str) -> Result<Option<StoredKey>, KeyError> {
        let path = self.path_of(id);
        if path.symlink_metadata().is_ok() {
            return look_at(Candidate {
                id: id.to_owned(),
                path,
                role: None,
                gun: None,
            })
            .map(Some);
        }
        let legacy = candidates(&self.private)?
            .into_iter()
            .find(|candidate| candidate.id == id);
        legacy.map(look_at).transpose()
    }

    /// What is wrong with each file that is named like a key and is none.
    pub fn damaged(&self) -> Result<Vec<KeyError>, KeyError> {
        let found = candidates(&self.private)?.into_iter();
        Ok(found.filter_map(|it| look_at(it).err()).collect())
    }

    /// The keys whose id begins with this word, or whose role is this word; if none is but a file
    /// of that name, what is wrong with it.
    pub fn matching(&self, word: &str) -> Result<Vec<StoredKey>, KeyError> {
        if is_key_id(word) {
            return Ok(self.find(word)?.into_iter().collect());
        }
        let is_meant = |key: &StoredKey| {
            !word.is_empty() && (key.id.starts_with(word) || key.role.as_deref() == Some(word))
        };
        let mut keys: Vec<_> = self.list()?.into_iter().filter(is_meant).collect();
        keys.dedup_by(|later, first| later.id == first.id);
        if keys.is_empty() && !word.is_empty() {
            let mut found = candidates(&self.private)?.into_iter();
            if let Some(damaged) = found.find(|it| it.id.starts_with(word)) {
                look_at(damaged)?;
            }
        }
        Ok(keys)
    }

    /// The private key that is kept there; `passphrase` is the PIN for one on a token.
    ///
    /// Errors: [`KeyError::PassphraseNeeded`], [`KeyError::WrongPassphrase`] and those of tokens as
    /// such, all others with the name of the file.
    pub fn unlock(
        &self,
        stored: &StoredKey,
        passphrase: Option<&Passphrase>,
    ) -> Result<PrivateKey, KeyError> {
        let path = match &stored.place {
            Place::File { path, .. } => path,
            Place::Token(key) => return self.tokens.open(key, passphrase),
        };
        let in_file = |error| in_file(path, error);
        let key = match KeyFile::parse(&read_regular(path)?).map_err(in_file)? {
            KeyFile::Plain { key, .. } => key,
            KeyFile::Encrypted(encrypted) => {
                let needed = || KeyError::PassphraseNeeded {
                    id: stored.id.clone(),
                };
                encrypted
                    .decrypt(passphrase.ok_or_else(needed)?)
                    .map_err(in_file)?
            }
        };
        if key.id() != stored.id {
            let (named, actual) = (stored.id.clone(), key.id().to_owned());
            return Err(in_file(KeyError::WrongId { named, actual }));
        }
        Ok(key)
    }

    /// The key is in the store, encrypted; returns its file.
    ///
    /// Never overwrites: [`KeyError::AlreadyThere`] if the store has the key, and any other error
    /// if a file of that name cannot be read.
    pub fn add(
        &self,
        key: &PrivateKey,
        label: &Label,
        passphrase: &Passphrase,
    ) -> Result<PathBuf, KeyError> {
        let text = encode(key, label, passphrase)?;
        if let Some(there) = self.find_file(key.id())? {
            let path = there.place.file(&there.id)?.to_owned();
            return Err(KeyError::AlreadyThere { id: there.id, path });
        }
        let path = self.path_of(key.id());
        let written = create_private_directories(&self.private)
            .and_then(|()| create_atomic(&path, text.as_bytes(), 0o600));
        match written {
            Ok(()) => Ok(path),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Err(KeyError::AlreadyThere {
                id: key.id().to_owned(),
                path,
            }),
            Err(source) => Err(KeyError::CannotWrite { path, source }),
        }
    }

    /// A new key, made on the token that `token` means, for the role `name`.
    ///
    /// Errors: [`TokenError::PinNeeded`](super::TokenError::PinNeeded) as long as the token is closed.
    pub fn generate_on(
        &self,
        token: &str,
        algorithm: TokenAlgorithm,
        name: &str,
        pin: Option<&Passphrase>,
    ) -> Result<PrivateKey, KeyError> {
        self.tokens.generate(token, algorithm, name, pin)
    }

    /// The key is also on the token that `token` means, for the role `name`.
    ///
    /// Errors: as [`generate_on`](Self::generate_on), and [`KeyError::OnTokenAlready`].
    pub fn add_on(
        &self,
        token: &str,
        key: &PrivateKey,
        name: &str,
        pin: Option<&Passphrase>,
    ) -> Result<PrivateKey, KeyError> {
        self.tokens.add(token, key, name, pin)
    }

    /// Where a key of today is kept.
    pub(super) fn path_of(&self, id: &str) -> PathBuf {
        self.private.join(format!("{id}.key"))
    }
}

pub(super) fn look_at(candidate: Candidate) -> Result<StoredKey, KeyError> {
    let Candidate {
        id,
        path,
        role,
        gun,
    } = candidate;
    let outside = outside(&read_regular(&path)?).map_err(|error| in_file(&path, error))?;
    let written = fs::metadata(&path).and_then(|metadata| metadata.modified());
    let created = written.map_err(|source| KeyError::CannotRead {
        path: path.clone(),
        source,
    })?;
    Ok(StoredKey {
        id,
        role: outside.role.or(role),
        gun: outside.gun.or(gun),
        place: Place::File {
            path,
            encrypted: outside.encrypted,
            created,
        },
    })
}

pub(super) fn in_file(path: &Path, error: KeyError) -> KeyError {
    match error {
        KeyError::PassphraseNeeded { .. } | KeyError::WrongPassphrase => error,
        other => KeyError::InFile {
            path: path.to_owned(),
            source: Box::new(other),
        },
    }
}
