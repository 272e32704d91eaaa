//! Online keys: made when a client asks for one, opened only to sign.

use super::{Hosting, HostingError};
use crate::tuf::envelope::{RoleKeys, Signature, Unverified};
use crate::tuf::key::{KeyId, PublicKey};
use crate::tuf::role::RoleName;
use crate::tuf::root::Root;
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use trust_store::keys::{Algorithm, PrivateKey};
use trust_store::server::SealedKey;

/// What Notary's servers are usually configured to make.
const ALGORITHM: Algorithm = Algorithm::EcdsaP256;

impl Hosting {
    /// The public key that the server signs this role with: the one the root lists, else the one
    /// that waits for its first use (Notary server, `timestamp.GetOrCreateTimestampKey`).
    ///
    /// # Errors
    /// [`HostingError`]
    pub async fn key(
        &self,
        gun: &str,
        role: &RoleName,
        now: Timestamp,
    ) -> Result<PublicKey, HostingError> {
        let kept = self.kept(gun).await?;
        if let Some(root) = kept.files.get(&RoleName::root()) {
            let held = self.store().keys_of(gun, role.as_str()).await?;
            let listed = listed(&root.bytes, role);
            let held = held.iter().filter_map(public);
            if let Some(key) = held.into_iter().find(|key| listed.contains(key.id())) {
                return Ok(key);
            }
        }
        self.new_key(gun, role, now).await
    }

    /// The public key that waits for its first use in this role; made if there is none.
    ///
    /// # Errors
    /// [`HostingError`]
    pub async fn new_key(
        &self,
        gun: &str,
        role: &RoleName,
        now: Timestamp,
    ) -> Result<PublicKey, HostingError> {
        let inner = &self.inner;
        let sealed = inner
            .sealer
            .create(&inner.store, gun, role.as_str(), ALGORITHM, now)
            .await?;
        public(&sealed).ok_or(HostingError::GivenUp)
    }

    /// The online keys of a repository, open.
    pub(super) async fn open_keys(&self, gun: &str) -> Result<OpenKeys, HostingError> {
        let mut keys = BTreeMap::new();
        for role in [RoleName::snapshot(), RoleName::timestamp()] {
            for sealed in self.store().keys_of(gun, role.as_str()).await? {
                let private = self.inner.sealer.unseal(&sealed)?;
                let fresh = sealed.used.is_none();
                keys.insert((role.clone(), sealed.id), (private, fresh));
            }
        }
        Ok(OpenKeys {
            keys,
            first_used: BTreeSet::new(),
        })
    }

    /// Keys that signed for the first time are never given out as pending again.
    pub(super) async fn mark_used(
        &self,
        keys: BTreeSet<String>,
        now: Timestamp,
    ) -> Result<(), HostingError> {
        for id in keys {
            self.store().mark_used(&id, now).await?;
        }
        Ok(())
    }
}

/// The online keys of one repository while it is being signed.
pub(super) struct OpenKeys {
    keys: BTreeMap<(RoleName, String), (PrivateKey, bool)>,
    /// Keys that signed and had not before
    pub(super) first_used: BTreeSet<String>,
}

impl OpenKeys {
    /// Signs with those of the role's keys that are here.
    pub(super) fn sign(
        &mut self,
        role: &RoleName,
        keys: &RoleKeys,
        message: &[u8],
    ) -> Vec<Signature> {
        let mut signatures = Vec::new();
        for key in &keys.keys {
            let place = (role.clone(), key.canonical_id().to_string());
            let Some((private, fresh)) = self.keys.get(&place) else {
                continue;
            };
            let Ok(signature) = private.sign(message) else {
                continue;
            };
            if *fresh {
                self.first_used.insert(place.1);
            }
            signatures.push(Signature {
                key_id: key.id().clone(),
                method: signature.method.to_owned(),
                bytes: signature.bytes,
            });
        }
        signatures
    }
}

fn public(sealed: &SealedKey) -> Option<PublicKey> {
    PublicKey::new(&sealed.algorithm, sealed.public.clone()).ok()
}

/// The keys that a root, verified when it was stored, lists for a role.
fn listed(root: &[u8], role: &RoleName) -> BTreeSet<KeyId> {
    let root = Unverified::parse(root).and_then(|file| file.claims::<Root>(&RoleName::root()));
    root.map_or_else(
        |_| BTreeSet::new(),
        |root| {
            root.keys_of(role)
                .keys
                .iter()
                .map(|k| k.id().clone())
                .collect()
        },
    )
}
