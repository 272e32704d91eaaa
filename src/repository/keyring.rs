//! The private keys at hand, opened when they are needed.

mod error;
mod migrate;

pub use error::{KeyringError, Lacking, PassphraseError};

use super::{Event, Watch};
use crate::tuf::envelope::{RoleKeys, Signature};
use crate::tuf::key::KeyId;
use crate::tuf::role::RoleName;
use std::collections::{BTreeSet, HashMap};
use trust_store::keys::{
    Algorithm, KeyError, KeyStore, Label, Passphrase, Place, PrivateKey, StoredKey, TokenAlgorithm,
    TokenError, TokenName, Tries,
};

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

    /// The PIN of a token that says this of the tries left.
    ///
    /// # Errors
    /// There is none to be had, or the one that was given has been wrong already.
    fn pin(&mut self, token: &TokenName, tries: Tries) -> Result<Passphrase, PassphraseError>;

    /// Hears that a PIN was wrong; whether asking again can help.
    fn wrong_pin(&mut self, token: &TokenName) -> bool;
}

/// How people call a key.
#[derive(Clone, Copy, Debug)]
pub struct KeyName<'a> {
    /// `root`, `targets`, `snapshot`, or a signer's name
    pub role: &'a str,
    /// Canonical id; empty if it is not known yet
    pub id: &'a str,
}

/// The keys in the store, those opened so far, and whom to ask for passphrases.
pub struct Keyring<'p> {
    store: KeyStore,
    passphrases: &'p mut dyn Passphrases,
    opened: HashMap<String, PrivateKey>,
    only: Option<BTreeSet<String>>,
}

/// What the keys of a role made of a message.
#[derive(Default)]
struct Tried {
    signatures: Vec<Signature>,
    /// Canonical ids of keys that did not open, and why
    closed: Vec<(KeyId, KeyringError)>,
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

    /// An error if a key that is missed may be on a token that is not there.
    ///
    /// # Errors
    /// A module is named and no token is in its slots.
    pub fn misses_no_token(&self) -> Result<(), KeyringError> {
        Ok(self.store.tokens().all_here()?)
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
        let Tried { signatures, closed } = self.try_to_sign(role, by, message)?;
        if (signatures.len() as u64) < by.threshold.max(1) {
            if let Some((_, error)) = closed.into_iter().next() {
                return Err(error);
            }
            self.misses_no_token()?;
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

    /// Signs with every key of the role that is here, be it none; others will sign too.
    ///
    /// # Errors
    /// A key that is here does not open.
    pub fn sign_in_turn(
        &mut self,
        role: &RoleName,
        by: &RoleKeys,
        message: &[u8],
    ) -> Result<Vec<Signature>, KeyringError> {
        let Tried { signatures, closed } = self.try_to_sign(role, by, message)?;
        match closed.into_iter().next() {
            Some((_, error)) => Err(error),
            None => Ok(signatures),
        }
    }

    /// The signatures that can be made here, and why others cannot.
    fn try_to_sign(
        &mut self,
        role: &RoleName,
        by: &RoleKeys,
        message: &[u8],
    ) -> Result<Tried, KeyringError> {
        let mut tried = Tried::default();
        for key in &by.keys {
            let id = key.canonical_id();
            let Some(stored) = self.stored(role, &id)? else {
                continue;
            };
            match self.open(&stored, role.signer()) {
                Ok(private) => tried
                    .signatures
                    .push(signature(key.id(), private, message)?),
                Err(error) => tried.closed.push((id, error)),
            }
        }
        Ok(tried)
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
            let (key, _) = self.unlock(stored, fallback)?;
            self.opened.insert(stored.id.clone(), key);
        }
        let missing = || KeyringError::NoKey(vec![stored.id.clone()]);
        self.opened.get(&stored.id).ok_or_else(missing)
    }

    fn unlock(
        &mut self,
        stored: &StoredKey,
        fallback: &str,
    ) -> Result<(PrivateKey, Option<Passphrase>), KeyringError> {
        match &stored.place {
            Place::File {
                encrypted: true, ..
            } => self.decrypt(stored, fallback),
            Place::File { .. } => Ok((self.store.unlock(stored, None)?, None)),
            Place::Token(_) => {
                let key = self.with_pin(|store, pin| store.unlock(stored, pin))?;
                Ok((key, None))
            }
        }
    }

    fn decrypt(
        &mut self,
        stored: &StoredKey,
        fallback: &str,
    ) -> Result<(PrivateKey, Option<Passphrase>), KeyringError> {
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
                other => return Ok((other?, Some(passphrase))),
            }
        }
    }

    /// Asks for a PIN when the token wants one, and again as long as that helps.
    fn with_pin(
        &mut self,
        use_token: impl Fn(&KeyStore, Option<&Passphrase>) -> Result<PrivateKey, KeyError>,
    ) -> Result<PrivateKey, KeyringError> {
        let mut pin = None;
        loop {
            match use_token(&self.store, pin.as_ref()) {
                Err(KeyError::Token(TokenError::PinNeeded { token, tries })) if pin.is_none() => {
                    pin = Some(self.passphrases.pin(&token, tries)?);
                }
                Err(KeyError::Token(TokenError::WrongPin { token, tries }))
                    if self.passphrases.wrong_pin(&token) =>
                {
                    pin = Some(self.passphrases.pin(&token, tries)?);
                }
                other => return Ok(other?),
            }
        }
    }

    /// Makes a key on the token of this name, which never lets it go.
    ///
    /// # Errors
    /// No PIN, or the token.
    pub fn create_on(
        &mut self,
        token: &str,
        algorithm: TokenAlgorithm,
        role: &str,
    ) -> Result<&PrivateKey, KeyringError> {
        let made = self.with_pin(|store, pin| store.generate_on(token, algorithm, role, pin))?;
        Ok(self.remember(made))
    }

    /// Puts a key that came from elsewhere on the token of this name.
    ///
    /// # Errors
    /// No PIN, the key is there already, or the token.
    pub fn keep_on(
        &mut self,
        token: &str,
        key: &PrivateKey,
        role: &str,
    ) -> Result<&PrivateKey, KeyringError> {
        let kept = self.with_pin(|store, pin| store.add_on(token, key, role, pin))?;
        Ok(self.remember(kept))
    }

    fn remember(&mut self, key: PrivateKey) -> &PrivateKey {
        let id = key.id().to_owned();
        self.opened.entry(id).or_insert(key)
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
        Ok(self.remember(key))
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
