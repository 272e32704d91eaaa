//! Delegations: who else may sign, and which names.

use super::canonical::Node;
use super::envelope::RoleKeys;
use super::error::Malformed;
use super::key::{KeyId, PublicKey};
use super::limits;
use super::role::RoleName;
use super::root::{KeyList, keys_node, list, read_keys};
use std::collections::BTreeMap;

/// The `delegations` part of a targets file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Delegations {
    /// Every key by its id
    pub keys: BTreeMap<KeyId, PublicKey>,
    /// The delegated roles, in the order that search follows
    pub roles: Vec<Delegation>,
}

/// One delegated role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delegation {
    /// Its name, directly below the role that delegates
    pub name: RoleName,
    /// The keys that may sign it
    pub signers: KeyList,
    /// Prefixes of the names it may sign; none means it may sign nothing
    pub paths: Vec<String>,
}

impl Delegations {
    /// The delegated role called `name`.
    pub fn role(&self, name: &RoleName) -> Option<&Delegation> {
        self.roles.iter().find(|role| role.name == *name)
    }

    /// The keys of the delegated role called `name`.
    pub fn keys_of(&self, name: &RoleName) -> Option<RoleKeys> {
        self.role(name)
            .map(|role| role.signers.keys_from(&self.keys))
    }

    /// Forgets keys that no role lists any more.
    pub fn drop_unused_keys(&mut self) {
        let roles = &self.roles;
        self.keys
            .retain(|id, _| roles.iter().any(|role| role.signers.key_ids.contains(id)));
    }

    pub(super) fn read(node: Option<&Node<'_>>, parent: &RoleName) -> Result<Self, Malformed> {
        let Some(node) = node.filter(|n| **n != Node::Null) else {
            return Ok(Self::default());
        };
        let keys = read_keys(node.member("keys"))?;
        let entries = list(node.member("roles"), "delegations")?;
        if entries.len() > limits::DELEGATIONS {
            return Err(Malformed::TooMany("delegations"));
        }
        let mut roles: Vec<Delegation> = Vec::with_capacity(entries.len());
        for entry in entries {
            let role = Delegation::read(entry, parent, &keys)?;
            if roles.iter().any(|r| r.name == role.name) {
                return Err(Malformed::Delegation(role.name.to_string()));
            }
            roles.push(role);
        }
        Ok(Self { keys, roles })
    }

    pub(super) fn node(&self) -> Node<'_> {
        let roles = self.roles.iter().map(Delegation::node).collect();
        Node::object([
            ("keys", keys_node(&self.keys)),
            ("roles", Node::List(roles)),
        ])
    }
}

impl Delegation {
    /// Whether one of the role's own paths admits `target`: plain byte prefixes.
    pub fn admits(&self, target: &str) -> bool {
        self.paths
            .iter()
            .any(|prefix| target.starts_with(prefix.as_str()))
    }

    /// The paths that also lie under the delegating role's paths (Notary v1 `RestrictedPaths`).
    pub fn paths_under<'a>(&'a self, parent: &[&str]) -> Vec<&'a str> {
        let under = |path: &&str| parent.iter().any(|prefix| path.starts_with(prefix));
        self.paths
            .iter()
            .map(String::as_str)
            .filter(under)
            .collect()
    }

    fn read(
        node: &Node<'_>,
        parent: &RoleName,
        keys: &BTreeMap<KeyId, PublicKey>,
    ) -> Result<Self, Malformed> {
        let Some(Node::Text(text)) = node.member("name") else {
            return Err(Malformed::Missing("name"));
        };
        let name = RoleName::parse(text)
            .filter(|name| name.is_delegation() && name.parent().as_ref() == Some(parent))
            .ok_or_else(|| Malformed::Delegation(text.chars().take(64).collect()))?;
        if name.depth() > limits::DELEGATION_DEPTH {
            return Err(Malformed::TooMany("levels of delegation"));
        }
        let mut paths = Vec::new();
        for path in list(node.member("paths"), "paths")? {
            let Node::Text(path) = path else {
                return Err(Malformed::Wrong("paths"));
            };
            paths.push(path.to_string());
        }
        Ok(Self {
            signers: KeyList::read(text, node, keys)?,
            name,
            paths,
        })
    }

    fn node(&self) -> Node<'_> {
        let name = Node::text(self.name.as_str());
        let (ids, threshold) = (self.signers.ids_node(), self.signers.threshold_node());
        if self.paths.is_empty() {
            return Node::object([("keyids", ids), ("name", name), ("threshold", threshold)]);
        }
        let paths = Node::List(self.paths.iter().map(|p| Node::text(p.as_str())).collect());
        Node::object([
            ("keyids", ids),
            ("name", name),
            ("paths", paths),
            ("threshold", threshold),
        ])
    }
}
