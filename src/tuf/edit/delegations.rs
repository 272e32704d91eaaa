//! Who else may sign, and which names.

use super::Draft;
use crate::tuf::delegation::Delegation;
use crate::tuf::key::{KeyId, PublicKey};
use crate::tuf::role::RoleName;
use crate::tuf::root::KeyList;
use std::sync::Arc;

impl Draft {
    /// Lets `keys` sign `name` below `targets`, for names under `paths`; adds to what is there.
    pub fn delegate(&mut self, name: &RoleName, keys: &[PublicKey], paths: &[String]) {
        let role = RoleName::targets();
        let Some(parent) = self.targets.get_mut(&role).map(Arc::make_mut) else {
            return;
        };
        let before = parent.delegations.clone();
        let delegations = &mut parent.delegations;
        for key in keys {
            delegations.keys.insert(key.id().clone(), key.clone());
        }
        if delegations.role(name).is_none() {
            let signers = KeyList {
                key_ids: Vec::new(),
                threshold: 1,
            };
            delegations.roles.push(Delegation {
                name: name.clone(),
                signers,
                paths: Vec::new(),
            });
        }
        for delegation in delegations.roles.iter_mut().filter(|d| d.name == *name) {
            add_new(
                &mut delegation.signers.key_ids,
                keys.iter().map(|key| key.id().clone()),
            );
            add_new(&mut delegation.paths, paths.iter().cloned());
        }
        if parent.delegations != before {
            self.changed.insert(role);
        }
    }

    /// Takes keys away from a delegation below `targets`; the ids are those in the metadata.
    pub fn withdraw_keys(&mut self, name: &RoleName, ids: &[KeyId]) {
        let Some(parent) = self.targets.get_mut(&RoleName::targets()) else {
            return;
        };
        let parent = Arc::make_mut(parent);
        let delegations = &mut parent.delegations;
        for delegation in delegations.roles.iter_mut().filter(|d| d.name == *name) {
            delegation.signers.key_ids.retain(|id| !ids.contains(id));
        }
        delegations.drop_unused_keys();
        self.changed.insert(RoleName::targets());
    }

    /// Ends a delegation below `targets`, and everything below it.
    pub fn end_delegation(&mut self, name: &RoleName) {
        let Some(parent) = self.targets.get_mut(&RoleName::targets()) else {
            return;
        };
        let parent = Arc::make_mut(parent);
        parent.delegations.roles.retain(|d| d.name != *name);
        parent.delegations.drop_unused_keys();
        self.changed.insert(RoleName::targets());
        let below = format!("{name}/");
        let gone = |role: &str| role == name.as_str() || role.starts_with(&below);
        self.targets.retain(|role, _| !gone(role.as_str()));
        self.changed.retain(|role| !gone(role.as_str()));
        if let Some(snapshot) = &mut self.snapshot {
            snapshot.meta.retain(|role, _| !gone(role));
        }
    }
}

fn add_new<T: PartialEq>(list: &mut Vec<T>, more: impl Iterator<Item = T>) {
    for item in more {
        if !list.contains(&item) {
            list.push(item);
        }
    }
}
