//! The root file: the keys of every base role.

use super::canonical::Node;
use super::certificate::Leaf;
use super::envelope::{
    Document, Expires, RoleKeys, Unverified, Verified, read_version, version_node,
};
use super::error::{Malformed, TufError, of_role};
use super::key::{KeyId, PublicKey};
use super::limits;
use super::role::RoleName;
use jiff::Timestamp;
use std::collections::BTreeMap;

/// The facts of a root file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Root {
    /// Kept as read; Notary v1 writes `false` and fetches by hash all the same.
    pub consistent_snapshot: bool,
    /// When the file stops being valid
    pub expires: Expires,
    /// Every key by its id
    pub keys: BTreeMap<KeyId, PublicKey>,
    /// The keys of each role by name
    pub roles: BTreeMap<String, KeyList>,
    /// The version
    pub version: u64,
}

/// Which keys may sign for a role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyList {
    /// Ids of keys in the same file
    pub key_ids: Vec<KeyId>,
    /// Distinct keys needed
    pub threshold: u64,
}

impl KeyList {
    pub(super) fn read(
        role: &str,
        node: &Node<'_>,
        keys: &BTreeMap<KeyId, PublicKey>,
    ) -> Result<Self, Malformed> {
        let Some(Node::Int(threshold)) = node.member("threshold") else {
            return Err(Malformed::Missing("threshold"));
        };
        let threshold = u64::try_from(*threshold)
            .ok()
            .filter(|t| *t >= 1)
            .ok_or_else(|| Malformed::Threshold {
                role: role.to_owned(),
                threshold: *threshold,
            })?;
        let mut key_ids = Vec::new();
        for id in list(node.member("keyids"), "keyids")? {
            let Node::Text(id) = id else {
                return Err(Malformed::Wrong("keyids"));
            };
            let known = KeyId::parse(id).filter(|id| keys.contains_key(id));
            let id = known.ok_or_else(|| Malformed::KeyMissing {
                key: id.chars().take(64).collect(),
                role: role.to_owned(),
            })?;
            if !key_ids.contains(&id) {
                key_ids.push(id);
            }
        }
        Ok(Self { key_ids, threshold })
    }

    /// Go writes an empty list as `null`.
    pub(super) fn ids_node(&self) -> Node<'_> {
        if self.key_ids.is_empty() {
            return Node::Null;
        }
        Node::List(
            self.key_ids
                .iter()
                .map(|id| Node::text(id.as_str()))
                .collect(),
        )
    }

    pub(super) fn threshold_node(&self) -> Node<'static> {
        version_node(self.threshold)
    }

    /// The keys themselves.
    pub fn keys_from(&self, keys: &BTreeMap<KeyId, PublicKey>) -> RoleKeys {
        RoleKeys {
            keys: self
                .key_ids
                .iter()
                .filter_map(|id| keys.get(id))
                .cloned()
                .collect(),
            threshold: self.threshold,
        }
    }
}

impl Root {
    /// The keys of a base role; none for a role the file does not know.
    pub fn keys_of(&self, role: &RoleName) -> RoleKeys {
        match self.roles.get(role.as_str()) {
            Some(list) => list.keys_from(&self.keys),
            None => RoleKeys {
                keys: Vec::new(),
                threshold: 1,
            },
        }
    }

    /// The root keys whose certificate names the repository, and is in force if `now` is given.
    ///
    /// # Errors
    /// [`TufError::Expired`] if only time stands against every one of them,
    /// [`TufError::RootMismatch`] if none is for this repository.
    pub fn certified_keys(&self, gun: &str, now: Option<Timestamp>) -> Result<RoleKeys, TufError> {
        let mut keys = self.keys_of(&RoleName::root());
        keys.keys
            .retain(|key| key.leaf().is_some_and(|leaf| leaf.names(gun)));
        let Some(last) = keys
            .keys
            .iter()
            .filter_map(PublicKey::leaf)
            .map(|l| l.not_after)
            .max()
        else {
            let words = "unable to retrieve valid leaf certificates";
            return Err(TufError::RootMismatch(format!("{words} for {gun}")));
        };
        let Some(now) = now else { return Ok(keys) };
        keys.keys
            .retain(|key| key.leaf().is_some_and(|leaf| leaf.in_force(now)));
        if keys.keys.is_empty() {
            return Err(TufError::Expired {
                role: RoleName::root(),
                expired: last,
                now,
            });
        }
        Ok(keys)
    }
}

/// Believes a root that its own certified keys signed.
///
/// # Errors
/// Malformed, not for this repository, or not signed by itself.
pub(super) fn self_signed(
    file: &[u8],
    gun: &str,
    now: Option<Timestamp>,
) -> Result<Verified<Root>, TufError> {
    let role = RoleName::root();
    let unverified = Unverified::parse(file).map_err(of_role(&role))?;
    let claimed: Root = unverified.claims(&role).map_err(of_role(&role))?;
    unverified.verify(&role, &claimed.certified_keys(gun, now)?)
}

impl Document for Root {
    const TYPE: &'static str = "Root";

    fn read(signed: &Node<'_>, _: &RoleName) -> Result<Self, Malformed> {
        let keys = read_keys(signed.member("keys"))?;
        let certified = |key: &&PublicKey| matches!(key.key_type(), "ecdsa-x509" | "rsa-x509");
        for key in keys.values().filter(certified) {
            Leaf::parse(key.public())?;
        }
        let mut roles = BTreeMap::new();
        if let Some(Node::Object(members)) = signed.member("roles") {
            for (name, node) in members {
                roles.insert(name.to_string(), KeyList::read(name, node, &keys)?);
            }
        }
        for (name, missing) in BASE_ROLES {
            if !roles.contains_key(name) {
                return Err(Malformed::Missing(missing));
            }
        }
        Ok(Self {
            consistent_snapshot: signed.member("consistent_snapshot") == Some(&Node::Bool(true)),
            expires: Expires::read(signed)?,
            keys,
            roles,
            version: read_version(signed)?,
        })
    }

    fn node(&self) -> Node<'_> {
        let roles = self.roles.iter().map(|(name, list)| {
            let entry = [
                ("keyids", list.ids_node()),
                ("threshold", list.threshold_node()),
            ];
            (name.as_str(), Node::object(entry))
        });
        Node::object([
            ("_type", Node::text(Self::TYPE)),
            ("consistent_snapshot", Node::Bool(self.consistent_snapshot)),
            ("expires", self.expires.node()),
            ("keys", keys_node(&self.keys)),
            ("roles", Node::object(roles)),
            ("version", version_node(self.version)),
        ])
    }

    fn version(&self) -> u64 {
        self.version
    }

    fn expires(&self) -> &Expires {
        &self.expires
    }
}

/// Reads `{<id>: key, …}`; each id has to be the hash of its key.
pub(super) fn read_keys(node: Option<&Node<'_>>) -> Result<BTreeMap<KeyId, PublicKey>, Malformed> {
    let members: &[_] = match node {
        Some(Node::Object(members)) => members,
        None | Some(Node::Null) => &[],
        Some(_) => return Err(Malformed::Wrong("keys")),
    };
    if members.len() > limits::KEYS {
        return Err(Malformed::TooMany("keys"));
    }
    let mut keys = BTreeMap::new();
    for (id, node) in members {
        let key = PublicKey::read(node)?;
        if key.id().as_str() != id {
            return Err(Malformed::KeyId(id.chars().take(64).collect()));
        }
        keys.insert(key.id().clone(), key);
    }
    Ok(keys)
}

/// Writes what [`read_keys`] reads.
pub(super) fn keys_node(keys: &BTreeMap<KeyId, PublicKey>) -> Node<'_> {
    Node::object(keys.iter().map(|(id, key)| (id.as_str(), key.node())))
}

/// Reads an array; Go writes `null` for an empty one.
pub(super) fn list<'n, 'a>(
    node: Option<&'n Node<'a>>,
    what: &'static str,
) -> Result<&'n [Node<'a>], Malformed> {
    match node {
        Some(Node::List(items)) => Ok(items),
        None | Some(Node::Null) => Ok(&[]),
        Some(_) => Err(Malformed::Wrong(what)),
    }
}

const BASE_ROLES: [(&str, &str); 4] = [
    ("root", "root role specification"),
    ("snapshot", "snapshot role specification"),
    ("targets", "targets role specification"),
    ("timestamp", "timestamp role specification"),
];
