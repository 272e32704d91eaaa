//! What a draft would change, for people to look at before they sign it.

use super::Draft;
use crate::tuf::canonical::Node;
use crate::tuf::delegation::Delegation;
use crate::tuf::digest::FileMeta;
use crate::tuf::key::{KeyId, PublicKey};
use crate::tuf::role::RoleName;
use crate::tuf::root::{KeyList, Root};
use crate::tuf::targets::Targets;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// One difference between what is in force and what is proposed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "change", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Change {
    /// A key may sign a role from now on
    KeyAdded {
        /// The role
        role: String,
        /// Canonical id
        key: String,
    },
    /// A key may not sign a role any more
    KeyRemoved {
        /// The role
        role: String,
        /// Canonical id
        key: String,
    },
    /// A role may sign names with this prefix
    PathAdded {
        /// The role
        role: String,
        /// The prefix
        path: String,
    },
    /// A role may not sign names by this prefix any more
    PathRemoved {
        /// The role
        role: String,
        /// The prefix
        path: String,
    },
    /// A role begins
    RoleAdded {
        /// The role
        role: String,
    },
    /// A role ends, with all it signed
    RoleRemoved {
        /// The role
        role: String,
    },
    /// A tag is signed that was not
    TagAdded {
        /// The tag
        tag: String,
        /// What it means
        to: Meaning,
    },
    /// A tag gets another meaning
    TagChanged {
        /// The tag
        tag: String,
        /// What it means in force
        from: Meaning,
        /// What it would mean
        to: Meaning,
    },
    /// A tag is not signed any more
    TagRemoved {
        /// The tag
        tag: String,
        /// What it means in force
        from: Meaning,
    },
    /// Another number of keys has to sign a role
    Threshold {
        /// The role
        role: String,
        /// Keys needed in force
        from: u64,
        /// Keys that would be needed
        to: u64,
    },
}

/// What a tag means.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Meaning {
    /// `sha256:` and 64 hex digits
    pub digest: String,
    /// Of the manifest, in bytes
    pub size: u64,
    /// The publisher's own data
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom: Option<serde_json::Value>,
}

impl Draft {
    /// What `role` would say differently from `present`; everything, if there is none.
    pub(super) fn changes(&self, role: &RoleName, present: Option<&Draft>) -> Vec<Change> {
        if *role == RoleName::root() {
            return root_changes(present.map(|it| &it.root), &self.root);
        }
        let Some(after) = self.targets_of(role) else {
            return Vec::new();
        };
        let before = present.and_then(|it| it.targets_of(role));
        let mut changes = tag_changes(before, after);
        changes.extend(delegation_changes(before, after));
        changes
    }
}

fn root_changes(before: Option<&Root>, after: &Root) -> Vec<Change> {
    let nothing = BTreeMap::new();
    let old = before.map_or(&nothing, |root| &root.roles);
    let mut changes = Vec::new();
    for (role, list) in &after.roles {
        let was = old
            .get(role)
            .zip(before)
            .map(|(list, root)| (list, &root.keys));
        changes.extend(key_changes(role, was, (list, &after.keys)));
    }
    changes
}

fn tag_changes(before: Option<&Targets>, after: &Targets) -> Vec<Change> {
    let nothing = BTreeMap::new();
    let old = before.map_or(&nothing, |file| &file.targets);
    let names: BTreeSet<_> = old.keys().chain(after.targets.keys()).collect();
    let change = |tag: &String| match (old.get(tag), after.targets.get(tag)) {
        (None, Some(to)) => Some(Change::TagAdded {
            tag: tag.clone(),
            to: meaning(to),
        }),
        (Some(from), None) => Some(Change::TagRemoved {
            tag: tag.clone(),
            from: meaning(from),
        }),
        (Some(from), Some(to)) if from != to => Some(Change::TagChanged {
            tag: tag.clone(),
            from: meaning(from),
            to: meaning(to),
        }),
        _ => None,
    };
    names.into_iter().filter_map(change).collect()
}

fn meaning(meta: &FileMeta) -> Meaning {
    Meaning {
        digest: format!("sha256:{}", meta.sha256_hex().unwrap_or_default()),
        size: meta.length,
        custom: meta.custom.as_ref().map(Node::to_value),
    }
}

fn delegation_changes(before: Option<&Targets>, after: &Targets) -> Vec<Change> {
    let old = before.map(|file| &file.delegations);
    let new = &after.delegations;
    let mut changes = Vec::new();
    for role in old.iter().flat_map(|it| &it.roles) {
        if new.role(&role.name).is_none() {
            let role = role.name.to_string();
            changes.push(Change::RoleRemoved { role });
        }
    }
    for role in &new.roles {
        let was = old.and_then(|it| Some((it.role(&role.name)?, &it.keys)));
        let name = role.name.to_string();
        if was.is_none() {
            let role = name.clone();
            changes.push(Change::RoleAdded { role });
        }
        let signers = was.map(|(role, keys)| (&role.signers, keys));
        changes.extend(key_changes(&name, signers, (&role.signers, &new.keys)));
        changes.extend(path_changes(was.map(|(role, _)| role), role));
    }
    changes
}

type Keys<'k> = (&'k KeyList, &'k BTreeMap<KeyId, PublicKey>);

fn key_changes(role: &str, before: Option<Keys<'_>>, after: Keys<'_>) -> Vec<Change> {
    // The id in the file, for another certificate of the same key is a change too.
    let ids = |(list, keys): Keys<'_>| -> BTreeMap<KeyId, String> {
        let canonical = |id: &KeyId| keys.get(id).map(|key| key.canonical_id().to_string());
        let pair = |id: &KeyId| Some((id.clone(), canonical(id)?));
        list.key_ids.iter().filter_map(pair).collect()
    };
    let (old, new) = (before.map(ids).unwrap_or_default(), ids(after));
    let role = || role.to_owned();
    let gone = old.iter().filter(|(id, _)| !new.contains_key(*id));
    let gone = gone.map(|(_, key)| Change::KeyRemoved {
        role: role(),
        key: key.clone(),
    });
    let added = new.iter().filter(|(id, _)| !old.contains_key(*id));
    let added = added.map(|(_, key)| Change::KeyAdded {
        role: role(),
        key: key.clone(),
    });
    let (from, to) = (
        before.map_or(1, |(list, _)| list.threshold),
        after.0.threshold,
    );
    let threshold = (from != to).then(|| Change::Threshold {
        role: role(),
        from,
        to,
    });
    gone.chain(added).chain(threshold).collect()
}

fn path_changes(before: Option<&Delegation>, after: &Delegation) -> Vec<Change> {
    let old: &[String] = before.map_or(&[], |role| &role.paths);
    let role = || after.name.to_string();
    let gone = old.iter().filter(|path| !after.paths.contains(path));
    let gone = gone.map(|path| Change::PathRemoved {
        role: role(),
        path: path.clone(),
    });
    let added = after.paths.iter().filter(|path| !old.contains(path));
    let added = added.map(|path| Change::PathAdded {
        role: role(),
        path: path.clone(),
    });
    gone.chain(added).collect()
}
