//! The private keys at hand, opened when they are needed.

use super::{Event, Watch};
use crate::tuf::envelope::{RoleKeys, Signature};
use crate::tuf::key::KeyId;
use crate::tuf::role::RoleName;
use std::collections::{BTreeSet, HashMap};
use trust_store::keys::{Algorithm, KeyError, KeyStore, Label, Passphrase, PrivateKey, StoredKey};

/// Where passphrases come from: a terminal, the environment, a file.
pub trait Passphrases: Send {
    /// The passphrase of a key that exists.
    ///
    /// # Errors
    /// There is none to be had.
    fn existing(&mut self, key: &KeyName<'_>) -> Result<Passphrase, PassphraseError>;

    /// A passphrase for a new key.
    ///
    /// # Errors
    /// There is none to be had.
    fn fresh(&mut self, key: &KeyName<'_>) -> Result<Passphrase, PassphraseError>;

    /// Hears that a passphrase was wrong; whether asking again can help.
    fn wrong(&mut self, key: &KeyName<'_>) -> bool;
}

/// How people call a key.
#[derive(Clone, Copy, Debug)]
pub struct KeyName<'a> {
    /// `root`, `targets`, `snapshot`, or a signer's name
    pub role: &'a str,
    /// Canonical id; empty if it is not known yet
    pub id: &'a str,
}

/// Why there is no passphrase.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PassphraseError {
    /// Nobody can be asked and nothing was given
    #[error("no passphrase for the {key} key, and no terminal to ask on")]
    Nowhere {
        /// What kind of key
        key: String,
        /// Where one could be given
        hint: String,
    },
    /// A passphrase that was given cannot be used
    #[error("{0}")]
    Unusable(String),
    /// The person gave up, or tried too often
    #[error("maximum number of passphrase attempts exceeded")]
    TooManyTries,
}

/// Why a key cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyringError {
    /// The key itself
    #[error(transparent)]
    Key(#[from] KeyError),
    /// Some of the keys that have to sign together are not here
    #[error(transparent)]
    Lacking(#[from] Lacking),
    /// None of the keys that may sign is here
    #[error(
        "could not find necessary signing keys, at least one of these keys must be available: {}",
        .0.join(", ")
    )]
    NoKey(Vec<String>),
    /// Its passphrase
    #[error(transparent)]
    Passphrase(#[from] PassphraseError),
}

/// Which keys a role lacks here to be signed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{role} needs {needed} signatures and {here} can be made here; keys that are not here: {}",
    .absent.join(", ")
)]
pub struct Lacking {
    /// The role
    pub role: String,
    /// How many of its keys are here
    pub here: u64,
    /// How many of its keys have to sign
    pub needed: u64,
    /// Canonical ids of its other keys
    pub absent: Vec<String>,
}

impl KeyringError {
    /// Whether the caller gave something wrong, rather than the keys being wrong.
    pub fn is_mistake(&self) -> bool {
        matches!(
            self,
            Self::Passphrase(_) | Self::Key(KeyError::WrongPassphrase)
        )
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Lacking(lacking) if lacking.needed > 1 => Some(format!(
                "{} more of them have to be here: `trust key load KEYFILE`",
                lacking.needed.saturating_sub(lacking.here)
            )),
            Self::NoKey(_) | Self::Lacking(_) => {
                Some("load one of them with `trust key load KEYFILE`".to_owned())
            }
            Self::Passphrase(PassphraseError::Nowhere { hint, .. }) => Some(hint.clone()),
            _ => None,
        }
    }
}

/// The keys in the store, those opened so far, and whom to ask for passphrases.
pub struct Keyring<'p> {
    store: KeyStore,
    passphrases: &'p mut dyn Passphrases,
    opened: HashMap<String, PrivateKey>,
    only: Option<BTreeSet<String>>,
}

impl<'p> Keyring<'p> {
    /// A keyring over `store`.
    pub fn new(store: KeyStore, passphrases: &'p mut dyn Passphrases) -> Self {
        Self {
            store,
            passphrases,
            opened: HashMap::new(),
            only: None,
        }
    }

    /// The store behind it.
    pub fn store(&self) -> &KeyStore {
        &self.store
    }

    /// From now on only these keys sign targets roles, by canonical id; `None` lifts that.
    ///
    /// Root and snapshot keys are nobody's own: they sign all the same.
    pub fn restrict(&mut self, ids: Option<Vec<KeyId>>) {
        self.only = ids.map(|ids| ids.iter().map(KeyId::to_string).collect());
    }

    /// Whether some key of the role is here and may sign it.
    pub fn holds_any(&self, role: &RoleName, keys: &RoleKeys) -> bool {
        let here = |id: &KeyId| self.stored(role, id).is_ok_and(|key| key.is_some());
        keys.canonical_ids().iter().any(here)
    }

    /// Whether enough keys of the role are here to sign it.
    ///
    /// # Errors
    /// [`KeyringError::NoKey`] or [`KeyringError::Lacking`], with the keys that are not here.
    pub fn suffices(&self, role: &RoleName, keys: &RoleKeys) -> Result<(), KeyringError> {
        match self.lacking(role, keys) {
            None => Ok(()),
            Some(lacking) if lacking.here == 0 && lacking.needed == 1 => {
                Err(KeyringError::NoKey(lacking.absent))
            }
            Some(lacking) => Err(lacking.into()),
        }
    }

    /// What the role lacks here to be signed; nothing, if enough of its keys are here.
    pub fn lacking(&self, role: &RoleName, keys: &RoleKeys) -> Option<Lacking> {
        let ids: BTreeSet<_> = keys.canonical_ids().into_iter().collect();
        let (here, absent): (Vec<_>, Vec<_>) = ids
            .iter()
            .partition(|id| self.stored(role, id).is_ok_and(|key| key.is_some()));
        let needed = keys.threshold.max(1);
        let here = here.len() as u64;
        (here < needed).then(|| Lacking {
            role: role.to_string(),
            here,
            needed,
            absent: absent.into_iter().map(KeyId::to_string).collect(),
        })
    }

    fn stored(&self, role: &RoleName, id: &KeyId) -> Result<Option<StoredKey>, KeyError> {
        let personal = role.is_delegation() || *role == RoleName::targets();
        let allowed = |only: &BTreeSet<String>| !personal || only.contains(id.as_str());
        if self.only.as_ref().is_none_or(allowed) {
            self.store.find(id.as_str())
        } else {
            Ok(None)
        }
    }

    /// Signs with every key of the role that is here, as Docker does.
    ///
    /// A key that does not open is left out as long as the others meet the threshold.
    ///
    /// # Errors
    /// No key is here, or too few open.
    pub fn sign(
        &mut self,
        role: &RoleName,
        by: &RoleKeys,
        message: &[u8],
        watch: Watch<'_>,
    ) -> Result<Vec<Signature>, KeyringError> {
        let mut signatures = Vec::new();
        let mut closed = Vec::new();
        for key in &by.keys {
            let id = key.canonical_id();
            let Some(stored) = self.stored(role, &id)? else {
                continue;
            };
            match self.open(&stored, role.signer()) {
                Ok(private) => signatures.push(signature(key.id(), private, message)?),
                Err(error) => closed.push((id, error)),
            }
        }
        if (signatures.len() as u64) < by.threshold.max(1) {
            if let Some((_, error)) = closed.into_iter().next() {
                return Err(error);
            }
            self.suffices(role, by)?;
            let ids = by.canonical_ids().iter().map(KeyId::to_string).collect();
            return Err(KeyringError::NoKey(ids));
        }
        for (id, error) in closed {
            watch(Event::KeySkipped {
                id: id.to_string(),
                cause: error.to_string(),
            });
        }
        Ok(signatures)
    }

    /// Opens a stored key, asking as often as it helps.
    ///
    /// # Errors
    /// No passphrase, a wrong one, or a damaged key.
    pub fn open(
        &mut self,
        stored: &StoredKey,
        fallback: &str,
    ) -> Result<&PrivateKey, KeyringError> {
        if !self.opened.contains_key(&stored.id) {
            let key = self.unlock(stored, fallback)?;
            self.opened.insert(stored.id.clone(), key);
        }
        let missing = || KeyringError::NoKey(vec![stored.id.clone()]);
        self.opened.get(&stored.id).ok_or_else(missing)
    }

    fn unlock(&mut self, stored: &StoredKey, fallback: &str) -> Result<PrivateKey, KeyringError> {
        if !stored.encrypted {
            return Ok(self.store.unlock(stored, None)?);
        }
        let role = stored.role.as_deref().unwrap_or(fallback);
        let name = KeyName {
            role,
            id: &stored.id,
        };
        loop {
            let passphrase = self.passphrases.existing(&name)?;
            match self.store.unlock(stored, Some(&passphrase)) {
                Err(error) if is_wrong_passphrase(&error) && self.passphrases.wrong(&name) => {}
                Err(error) if is_wrong_passphrase(&error) => {
                    return Err(KeyError::WrongPassphrase.into());
                }
                other => return Ok(other?),
            }
        }
    }

    /// Makes a key and keeps it before anybody hears of it.
    ///
    /// # Errors
    /// No passphrase, or the disk.
    pub fn create(
        &mut self,
        algorithm: Algorithm,
        role: &str,
        gun: Option<&str>,
    ) -> Result<&PrivateKey, KeyringError> {
        let key = PrivateKey::generate(algorithm)?;
        self.keep(key, role, gun)
    }

    /// Keeps a key that came from elsewhere.
    ///
    /// # Errors
    /// No passphrase, the key is there already, or the disk.
    pub fn keep(
        &mut self,
        key: PrivateKey,
        role: &str,
        gun: Option<&str>,
    ) -> Result<&PrivateKey, KeyringError> {
        let passphrase = self.passphrases.fresh(&KeyName { role, id: key.id() })?;
        let label = Label {
            role: role.to_owned(),
            gun: gun.map(str::to_owned),
        };
        self.store.add(&key, &label, &passphrase)?;
        let id = key.id().to_owned();
        Ok(self.opened.entry(id).or_insert(key))
    }
}

fn is_wrong_passphrase(error: &KeyError) -> bool {
    match error {
        KeyError::WrongPassphrase => true,
        KeyError::InFile { source, .. } => is_wrong_passphrase(source),
        _ => false,
    }
}

fn signature(id: &KeyId, key: &PrivateKey, message: &[u8]) -> Result<Signature, KeyError> {
    let made = key.sign(message)?;
    Ok(Signature {
        key_id: id.clone(),
        method: made.method.to_owned(),
        bytes: made.bytes,
    })
}
