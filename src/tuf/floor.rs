//! Rollback memory: the lowest versions still acceptable. Kept apart from trust; never goes down.

use super::envelope::RoleKeys;
use super::key::KeyId;
use super::limits;
use super::role::RoleName;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The highest version of each role this machine has believed, and under which keys.
///
/// A memory binds while the role keeps at least one of those keys. When all are replaced, an old
/// file cannot be replayed any more, and a version an attacker drove up with a stolen key no
/// longer locks anybody out (TUF specification 5.3.11, fast-forward recovery).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Floor(BTreeMap<String, Seen>);

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Seen {
    version: u64,
    keys: Vec<String>,
}

impl Floor {
    /// Reads what [`Self::to_bytes`] wrote.
    ///
    /// # Errors
    /// The bytes are not a floor.
    pub fn parse(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(bytes)
    }

    /// The floor as JSON.
    pub fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// The lowest acceptable version of `role` under `keys`; 1 where nothing is known.
    pub fn minimum(&self, role: &RoleName, keys: &RoleKeys) -> u64 {
        let ids = keys.canonical_ids();
        let bound = |seen: &&Seen| {
            ids.iter()
                .any(|id| seen.keys.iter().any(|k| k == id.as_str()))
        };
        self.0
            .get(role.as_str())
            .filter(bound)
            .map_or(1, |seen| seen.version)
    }

    /// Remembers that `version` of `role` was believed under `keys`.
    pub fn raise(&mut self, role: &RoleName, keys: &RoleKeys, version: u64) {
        if self.0.len() > limits::DELEGATIONS && !self.0.contains_key(role.as_str()) {
            return;
        }
        let version = version.max(self.minimum(role, keys));
        let keys = keys.canonical_ids().iter().map(KeyId::to_string).collect();
        self.0
            .insert(role.as_str().to_owned(), Seen { version, keys });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tuf::key::PublicKey;

    fn keys(seeds: &[u8]) -> RoleKeys {
        let key = |seed: &u8| PublicKey::new("ed25519", vec![*seed; 32]).unwrap();
        RoleKeys {
            keys: seeds.iter().map(key).collect(),
            threshold: 1,
        }
    }

    #[test]
    fn never_goes_down_while_a_key_stays() {
        let (mut floor, role) = (Floor::default(), RoleName::targets());
        assert_eq!(floor.minimum(&role, &keys(&[1])), 1);
        floor.raise(&role, &keys(&[1]), 5);
        floor.raise(&role, &keys(&[1, 2]), 3);
        assert_eq!(floor.minimum(&role, &keys(&[2])), 5);
        assert_eq!(Floor::parse(&floor.to_bytes()).unwrap(), floor);
    }

    #[test]
    fn forgets_when_every_key_is_new() {
        let (mut floor, role) = (Floor::default(), RoleName::timestamp());
        floor.raise(&role, &keys(&[1, 2]), 2_147_483_647);
        assert_eq!(floor.minimum(&role, &keys(&[3])), 1);
        floor.raise(&role, &keys(&[3]), 2);
        assert_eq!(floor.minimum(&role, &keys(&[3])), 2);
    }
}
