//! New keys for a base role, in one publish. Old private keys stay where they are.

use super::errand::Errand;
use super::init::{SnapshotKey, read_key};
use super::keyring::Keyring;
use super::root_keys::{RootKeys, can_sign, threshold};
use super::{Error, Repository, Watch};
use crate::tuf::envelope::RoleKeys;
use crate::tuf::key::{KeyId, PublicKey};
use crate::tuf::role::RoleName;
use crate::tuf::trusted::Current;
use jiff::Timestamp;
use std::collections::BTreeSet;
use trust_store::keys::StoredKey;

/// Which role gets which new keys.
#[derive(Clone, Debug)]
pub enum Rotation {
    /// Root: these keys, else a new one
    Root(RootKeys),
    /// Targets: these keys, else a new one; so many of them have to sign
    Targets(Vec<StoredKey>, Option<u64>),
    /// Snapshot: a new key of this machine or of the server
    Snapshot(SnapshotKey),
    /// Timestamp: a new key of the server
    Timestamp,
}

/// What a rotation did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rotated {
    /// False if the role had just these keys before
    pub changed: bool,
    /// Canonical ids of the role's keys
    pub key_ids: Vec<String>,
    /// How many of them have to sign
    pub threshold: u64,
    /// Canonical ids of the keys that were the role's and are not any more
    pub former: Vec<String>,
}

impl Rotation {
    /// The role.
    pub fn role(&self) -> RoleName {
        match self {
            Self::Root(_) => RoleName::root(),
            Self::Targets(..) => RoleName::targets(),
            Self::Snapshot(_) => RoleName::snapshot(),
            Self::Timestamp => RoleName::timestamp(),
        }
    }
}

impl Repository {
    /// The role has new keys. A root is signed by its own keys and those before it.
    ///
    /// A new private key is on the disk before anything names it; interrupted anywhere, the
    /// repository has the old keys or the new ones, and the rotation can be made again.
    ///
    /// # Errors
    /// A key that has to sign is not here, the threshold fits no keys, or the server refuses.
    pub async fn rotate(
        &self,
        keyring: &mut Keyring<'_>,
        how: &Rotation,
        now: Timestamp,
        watch: Watch<'_>,
    ) -> Result<Rotated, Error> {
        keyring.restrict(None);
        self.remote()?; // before anything is made
        let role = how.role();
        let current = self.refresh(&Errand::write(now), watch).await?;
        self.can_be_rotated(&current, keyring, how).await?;
        let before = present(&current, &role);
        let wanted = self.wanted(&current, keyring, how, now).await?;
        drop(current);
        if role == RoleName::root() {
            can_sign(keyring, &wanted)?;
        }
        let changed = self
            .publish(keyring, now, watch, |current, draft, _, _| {
                if !are_same(&present(current, &role), &wanted) {
                    draft.give_keys(&role, &wanted.keys, wanted.threshold);
                }
                Ok(())
            })
            .await?;
        let key_ids = ids(&wanted);
        let mut former = ids(&before);
        former.retain(|id| !key_ids.contains(id));
        Ok(Rotated {
            changed,
            key_ids,
            threshold: wanted.threshold,
            former,
        })
    }

    /// Before any key is made: whoever has to sign can.
    async fn can_be_rotated(
        &self,
        current: &Current,
        keyring: &Keyring<'_>,
        how: &Rotation,
    ) -> Result<(), Error> {
        can_sign(keyring, &current.root_keys())?;
        if !matches!(how, Rotation::Snapshot(_)) {
            let keys = present(current, &RoleName::snapshot());
            self.snapshot_is_signed(&keys, keyring).await?;
        }
        Ok(())
    }

    async fn wanted(
        &self,
        current: &Current,
        keyring: &mut Keyring<'_>,
        how: &Rotation,
        now: Timestamp,
    ) -> Result<RoleKeys, Error> {
        let role = how.role();
        let before = present(current, &role);
        let (asked, keys) = match how {
            Rotation::Root(chosen) if chosen.is_empty() => {
                one_key_meets(chosen.threshold, before.threshold)?;
                (chosen.threshold, vec![self.new_root_key(keyring, now)?])
            }
            Rotation::Root(chosen) => {
                let keys = self.certified(keyring, chosen, &before.keys, now)?;
                (chosen.threshold, keys)
            }
            Rotation::Targets(chosen, asked) if chosen.is_empty() => {
                one_key_meets(*asked, before.threshold)?;
                (*asked, vec![self.new_key(keyring, role.as_str())?])
            }
            Rotation::Targets(chosen, asked) => {
                let opened = chosen.iter().map(|stored| {
                    let key = keyring.open(stored, role.as_str())?.public();
                    PublicKey::new(&key.key_type, key.bytes.clone())
                        .map_err(|fault| Error::RootCertificate(fault.to_string()))
                });
                (*asked, opened.collect::<Result<Vec<_>, Error>>()?)
            }
            Rotation::Snapshot(SnapshotKey::Local) => {
                (Some(1), vec![self.new_key(keyring, role.as_str())?])
            }
            Rotation::Snapshot(SnapshotKey::Server) | Rotation::Timestamp => {
                let json = self.remote()?.new_key(role.as_str()).await?;
                (Some(1), vec![read_key(&role, &json)?])
            }
        };
        let threshold = threshold(asked, before.threshold, &keys)?;
        Ok(RoleKeys { keys, threshold })
    }
}

/// The keys that a role has now.
fn present(current: &Current, role: &RoleName) -> RoleKeys {
    current.root().facts().keys_of(role)
}

fn are_same(one: &RoleKeys, other: &RoleKeys) -> bool {
    let sorted = |keys: &RoleKeys| {
        let ids = keys.keys.iter().map(|key| key.id().clone());
        ids.collect::<BTreeSet<_>>()
    };
    one.threshold == other.threshold && sorted(one) == sorted(other)
}

fn ids(keys: &RoleKeys) -> Vec<String> {
    keys.canonical_ids().iter().map(KeyId::to_string).collect()
}

/// One new key meets no threshold but 1; said before it is made.
fn one_key_meets(asked: Option<u64>, present: u64) -> Result<(), Error> {
    match asked.unwrap_or(present) {
        1 => Ok(()),
        threshold => Err(Error::WrongThreshold { threshold, keys: 1 }),
    }
}
