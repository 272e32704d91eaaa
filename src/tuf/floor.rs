//! Rollback memory: the lowest versions still acceptable. Kept apart from trust; never goes down.

use super::envelope::RoleKeys;
use super::key::KeyId;
use super::limits;
use super::role::RoleName;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The highest version of each role this machine has believed, and under which keys.
///
/// A memory binds while the role keeps at least one of those keys. When all are replaced, an old
/// file cannot be replayed any more, and a version an attacker drove up with a stolen key no
/// longer locks anybody out (TUF specification 5.3.11, fast-forward recovery).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Floor {
    /// The latest moment at which this repository was looked at and something changed or expired
    #[serde(default, skip_serializing_if = "Option::is_none")]
    clock: Option<Timestamp>,
    #[serde(flatten)]
    roles: BTreeMap<String, Seen>,
}

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

    /// The time to go by: a clock that was set back does not bring back what has expired.
    pub fn clock(&self, now: Timestamp) -> Timestamp {
        self.clock.map_or(now, |seen| seen.max(now))
    }

    /// Remembers that it is at least `now`.
    pub fn advance(&mut self, now: Timestamp) {
        self.clock = Some(self.clock(now));
    }

    /// The lowest acceptable version of `role` under `keys`; 1 where nothing is known.
    pub fn minimum(&self, role: &RoleName, keys: &RoleKeys) -> u64 {
        let ids = keys.canonical_ids();
        let bound = |seen: &&Seen| {
            ids.iter()
                .any(|id| seen.keys.iter().any(|k| k == id.as_str()))
        };
        self.roles
            .get(role.as_str())
            .filter(bound)
            .map_or(1, |seen| seen.version)
    }

    /// Remembers that `version` of `role` was believed under `keys`.
    pub fn raise(&mut self, role: &RoleName, keys: &RoleKeys, version: u64) {
        if self.roles.len() > limits::DELEGATIONS && !self.roles.contains_key(role.as_str()) {
            return;
        }
        let version = version.max(self.minimum(role, keys));
        let keys = keys.canonical_ids().iter().map(KeyId::to_string).collect();
        self.roles
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
    fn the_clock_never_goes_back() {
        let (early, late) = (Timestamp::UNIX_EPOCH, Timestamp::MAX);
        let mut floor = Floor::default();
        assert_eq!(floor.clock(early), early);
        floor.advance(late);
        floor.advance(early);
        let kept = Floor::parse(&floor.to_bytes()).unwrap();
        assert_eq!(kept.clock(early), late);
        assert_eq!(Floor::parse(b"{}").unwrap().clock(early), early);
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
