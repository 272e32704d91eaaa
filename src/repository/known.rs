//! Public keys that kept metadata name: found without opening a private key.

use crate::tuf::canonical::Node;
use crate::tuf::envelope::Document;
use crate::tuf::key::{KeyId, PublicKey};
use crate::tuf::limits;
use crate::tuf::role::RoleName;
use crate::tuf::root::Root;
use crate::tuf::targets::Targets;
use std::collections::{BTreeMap, BTreeSet};
use trust_store::keys;
use trust_store::metadata::{Cache, CacheError, RepositoryCache};

/// A public key and where kept metadata use it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownKey {
    /// The key; for a certificate the plain key inside
    pub key: keys::PublicKey,
    /// Repository and role, in the order of their names
    pub uses: Vec<(String, String)>,
}

/// Every public key in the metadata this machine keeps, by canonical id.
///
/// Nothing is verified. An id is the hash of its key, so the key is the right one in any case;
/// where it is used is only what the files say. A file that cannot be read says nothing.
///
/// # Errors
/// The cache cannot be listed.
pub fn known_keys(cache: &Cache) -> Result<BTreeMap<String, KnownKey>, CacheError> {
    let mut known = BTreeMap::new();
    for gun in cache.repositories()? {
        let kept = cache.repository(&gun)?;
        if let Some(root) = claims::<Root>(&kept, &RoleName::root()) {
            for (role, list) in &root.roles {
                remember(&mut known, &gun, role, &list.keys_from(&root.keys).keys);
            }
        }
        let mut open = vec![RoleName::targets()];
        while let Some(role) = open.pop() {
            let Some(targets) = claims::<Targets>(&kept, &role) else {
                continue;
            };
            for child in targets.delegations.roles {
                let keys = child.signers.keys_from(&targets.delegations.keys);
                remember(&mut known, &gun, child.name.as_str(), &keys.keys);
                let below = child.name.parent().as_ref() == Some(&role);
                if below && child.name.depth() <= limits::DELEGATION_DEPTH {
                    open.push(child.name);
                }
            }
        }
    }
    for key in known.values_mut() {
        key.uses.sort_unstable();
        key.uses.dedup();
    }
    Ok(known)
}

/// A role that a key may sign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Need {
    /// The repository
    pub gun: String,
    /// The role in it
    pub role: String,
    /// Whether no other key of the role is here
    pub last: bool,
}

/// What this key is needed for, as far as kept metadata say; `here` are the keys of this machine.
pub fn needs(known: &BTreeMap<String, KnownKey>, id: &str, here: &BTreeSet<&str>) -> Vec<Need> {
    let uses = known.get(id).map(|key| key.uses.as_slice());
    let other = |used: &(String, String)| {
        let mut others = known.iter().filter(|(other, _)| *other != id);
        others.any(|(other, key)| here.contains(other.as_str()) && key.uses.contains(used))
    };
    let need = |used: &(String, String)| Need {
        gun: used.0.clone(),
        role: used.1.clone(),
        last: !other(used),
    };
    uses.unwrap_or_default().iter().map(need).collect()
}

fn claims<T: Document>(kept: &RepositoryCache, role: &RoleName) -> Option<T> {
    let file = kept.read(role.as_str(), limits::NAMED_BYTES).ok()??;
    let node = Node::parse(&file).ok()?;
    T::read(node.member("signed")?, role).ok()
}

fn remember(known: &mut BTreeMap<String, KnownKey>, gun: &str, role: &str, keys: &[PublicKey]) {
    for key in keys {
        let id = key.canonical_id();
        let entry = known
            .entry(KeyId::to_string(&id))
            .or_insert_with(|| KnownKey {
                key: plain(key),
                uses: Vec::new(),
            });
        entry.uses.push((gun.to_owned(), role.to_owned()));
    }
}

fn plain(key: &PublicKey) -> keys::PublicKey {
    let bare = || (key.key_type(), key.public().to_vec());
    let (key_type, bytes) = key.certified().unwrap_or_else(bare);
    keys::PublicKey {
        key_type: key_type.to_owned(),
        bytes,
    }
}
