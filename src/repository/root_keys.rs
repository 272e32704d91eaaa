//! Root keys as a root names them: each in a certificate, whoever holds the key.

use super::keyring::Keyring;
use super::root_certificate::{adopt, certify, is_self_made};
use super::{Error, Repository};
use crate::tuf::envelope::RoleKeys;
use crate::tuf::key::{KeyId, PublicKey};
use crate::tuf::role::RoleName;
use jiff::Timestamp;
use std::collections::BTreeSet;
use trust_store::keys::{Algorithm, StoredKey};

/// The root keys somebody chose.
#[derive(Clone, Debug, Default)]
pub struct RootKeys {
    /// Private keys that are here
    pub keys: Vec<StoredKey>,
    /// PEM bundles in which keys are to travel: of those above, or of other people's
    pub certificates: Vec<Vec<u8>>,
    /// How many keys have to sign
    pub threshold: Option<u64>,
}

impl RootKeys {
    /// Whether nothing was chosen.
    pub(super) fn is_empty(&self) -> bool {
        self.keys.is_empty() && self.certificates.is_empty()
    }
}

impl Repository {
    /// The chosen keys, each in its certificate: one that was brought, one of `known` that is in
    /// force, or a new one.
    ///
    /// # Errors
    /// A certificate that does not fit; one of a key that is not here, unless a threshold is set.
    pub(super) fn certified(
        &self,
        keyring: &mut Keyring<'_>,
        chosen: &RootKeys,
        known: &[PublicKey],
        now: Timestamp,
    ) -> Result<Vec<PublicKey>, Error> {
        let brought = chosen.certificates.iter();
        let brought = brought.map(|bundle| adopt(bundle, &self.gun, now));
        let mut brought = brought.collect::<Result<Vec<_>, _>>()?;
        let mut keys = Vec::new();
        for stored in &chosen.keys {
            let is_its = |key: &PublicKey| key.canonical_id().as_str() == stored.id;
            if let Some(at) = brought.iter().position(is_its) {
                keys.push(brought.swap_remove(at));
                continue;
            }
            let in_force = |key: &&PublicKey| key.leaf().is_some_and(|leaf| leaf.in_force(now));
            match known.iter().filter(in_force).find(|key| is_its(key)) {
                Some(key) => keys.push(key.clone()),
                None => keys.push(certify(keyring.open(stored, "root")?, &self.gun, now)?),
            }
        }
        for key in brought {
            let held = keyring.store().find(key.canonical_id().as_str());
            if chosen.threshold.is_none()
                && held.map_err(super::keyring::KeyringError::from)?.is_none()
            {
                let words = "the certificate is of another key than those that are here";
                return Err(Error::RootCertificate(words.to_owned()));
            }
            keys.push(key);
        }
        let mut seen = BTreeSet::new();
        keys.retain(|key| seen.insert(key.canonical_id()));
        Ok(keys)
    }

    /// A new root key in its certificate; the key is kept.
    pub(super) fn new_root_key(
        &self,
        keyring: &mut Keyring<'_>,
        now: Timestamp,
    ) -> Result<PublicKey, Error> {
        let key = keyring.create(Algorithm::EcdsaP256, "root", None)?;
        certify(key, &self.gun, now)
    }

    /// The same keys, with new certificates for those whose own ends by `by`, where that is in our
    /// hands.
    pub(super) fn certified_anew(
        &self,
        keyring: &mut Keyring<'_>,
        keys: &RoleKeys,
        by: Timestamp,
        now: Timestamp,
    ) -> Result<Vec<PublicKey>, Error> {
        let mut renewed = Vec::new();
        for key in &keys.keys {
            let ends = key.leaf().is_some_and(|leaf| leaf.not_after <= by);
            let stored = keyring.store().find(key.canonical_id().as_str());
            let stored = stored.map_err(super::keyring::KeyringError::from)?;
            renewed.push(match stored {
                Some(stored) if ends && is_self_made(key) => {
                    certify(keyring.open(&stored, "root")?, &self.gun, now)?
                }
                _ => key.clone(),
            });
        }
        Ok(renewed)
    }
}

/// The threshold asked for, else the present one, if so many keys can meet it.
///
/// # Errors
/// [`Error::WrongThreshold`]
pub(super) fn threshold(
    asked: Option<u64>,
    present: u64,
    keys: &[PublicKey],
) -> Result<u64, Error> {
    let threshold = asked.unwrap_or(present);
    let different: BTreeSet<KeyId> = keys.iter().map(PublicKey::canonical_id).collect();
    let keys = different.len();
    if (1..=keys as u64).contains(&threshold) {
        return Ok(threshold);
    }
    Err(Error::WrongThreshold { threshold, keys })
}

/// Refuses a set of root keys that cannot sign here.
///
/// # Errors
/// The keys that are not here.
pub(super) fn can_sign(keyring: &Keyring<'_>, keys: &RoleKeys) -> Result<(), Error> {
    Ok(keyring.suffices(&RoleName::root(), keys)?)
}
