//! Online keys: made when a client asks for one, opened only to sign.

use super::{Hosting, HostingError};
use crate::tuf::envelope::{RoleKeys, Signature, Unverified};
use crate::tuf::key::{KeyId, PublicKey};
use crate::tuf::role::RoleName;
use crate::tuf::root::Root;
use jiff::Timestamp;
use quick_cache::sync::Cache;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
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
            let listed = listed(&root.bytes);
            let held = held.iter().filter_map(public);
            if let Some(key) = held.into_iter().find(|key| {
                let place = (role.clone(), key.id().clone());
                listed.contains(&place)
            }) {
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

    /// The online keys that the repository's root lists, or after a new root may list, open.
    pub(super) async fn open_keys(
        &self,
        gun: &str,
        wanted: Wanted<'_>,
    ) -> Result<OpenKeys, HostingError> {
        if let Wanted::Listed(root) = wanted
            && let Some(keys) = self.inner.opened.of(root)
        {
            return Ok(OpenKeys::new(keys));
        }
        let mut keys = BTreeMap::new();
        for role in online_roles() {
            for sealed in self.store().keys_of(gun, role.as_str()).await? {
                let open = OpenKey {
                    private: Arc::new(self.inner.sealer.unseal(&sealed)?),
                    is_new: sealed.used.is_none(),
                };
                keys.insert((role.clone(), sealed.id), open);
            }
        }
        if let Wanted::Listed(root) = wanted {
            self.inner.opened.keep(root, &keys);
        }
        Ok(OpenKeys::new(keys))
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

/// Which online keys are needed.
#[derive(Clone, Copy)]
pub(super) enum Wanted<'r> {
    /// Those that this root lists
    Listed(&'r [u8]),
    /// All: a new root may list any of them
    All,
}

/// Open keys by role and canonical id.
type Keys = BTreeMap<(RoleName, String), OpenKey>;

#[derive(Clone)]
struct OpenKey {
    private: Arc<PrivateKey>,
    /// It has never signed
    is_new: bool,
}

/// Keys that were opened before, by canonical id; `None` for those that are not the server's.
pub(super) struct Opened {
    keys: Cache<String, Option<Arc<PrivateKey>>>,
}

impl Opened {
    /// None yet.
    pub(super) fn new() -> Self {
        Self {
            keys: Cache::new(OPENED),
        }
    }

    /// The online keys a root lists, if each of them was looked for before.
    fn of(&self, root: &[u8]) -> Option<Keys> {
        let mut keys = Keys::new();
        for (role, id) in listed(root) {
            if let Some(private) = self.keys.get(id.as_str())? {
                let is_new = false;
                keys.insert((role, id.to_string()), OpenKey { private, is_new });
            }
        }
        Some(keys)
    }

    fn keep(&self, root: &[u8], found: &Keys) {
        for (role, id) in listed(root) {
            let key = found.get(&(role, id.to_string()));
            // One that has not signed yet is looked up again, until the store knows it has.
            if key.is_none_or(|key| !key.is_new) {
                let private = key.map(|key| Arc::clone(&key.private));
                self.keys.insert(id.to_string(), private);
            }
        }
    }
}

fn online_roles() -> [RoleName; 2] {
    [RoleName::snapshot(), RoleName::timestamp()]
}

/// The online keys of one repository while it is being signed.
pub(super) struct OpenKeys {
    keys: Keys,
    /// Keys that signed and had not before
    pub(super) first_used: BTreeSet<String>,
}

impl OpenKeys {
    fn new(keys: Keys) -> Self {
        Self {
            keys,
            first_used: BTreeSet::new(),
        }
    }

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
            let Some(key_here) = self.keys.get(&place) else {
                continue;
            };
            let Ok(signature) = key_here.private.sign(message) else {
                continue;
            };
            if key_here.is_new {
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

/// The keys that a root, verified when it was stored, lists for online roles, by canonical id.
fn listed(root: &[u8]) -> Vec<(RoleName, KeyId)> {
    let root = Unverified::parse(root).and_then(|file| file.claims::<Root>(&RoleName::root()));
    let Ok(root) = root else { return Vec::new() };
    let of = |role: RoleName| {
        let ids = root.keys_of(&role).canonical_ids();
        ids.into_iter().map(move |id| (role.clone(), id))
    };
    online_roles().into_iter().flat_map(of).collect()
}

/// Keys kept open at most.
const OPENED: usize = 4096;
