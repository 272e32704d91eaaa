//! Who else may sign, and which names: delegations at any depth (Notary v1 `tuf.go`).

use super::{Draft, EditError};
use crate::tuf::delegation::{Delegation, Delegations};
use crate::tuf::envelope::RoleKeys;
use crate::tuf::key::{KeyId, PublicKey};
use crate::tuf::role::RoleName;
use crate::tuf::root::KeyList;
use crate::tuf::targets::Targets;
use std::sync::Arc;

/// What changes in one delegation; what goes, goes before the rest comes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    /// Distinct keys needed
    pub threshold: Option<u64>,
    /// Keys that may sign
    pub add_keys: Vec<PublicKey>,
    /// Canonical ids of keys that may not any more
    pub remove_keys: Vec<KeyId>,
    /// Prefixes of names it may sign
    pub add_paths: Vec<String>,
    /// Prefixes it may not any more
    pub remove_paths: Vec<String>,
    /// Whether all prefixes go
    pub clear_paths: bool,
}

impl Terms {
    /// Only that these keys, by canonical id, go.
    pub fn without(keys: &[KeyId]) -> Self {
        Self {
            remove_keys: keys.to_vec(),
            ..Self::default()
        }
    }
}

/// What a purge did, by the role whose file lists the keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Purged {
    /// Files that do not list them any more
    pub purged: Vec<RoleName>,
    /// Files that still do, because nobody here can sign them
    pub skipped: Vec<RoleName>,
}

impl Draft {
    /// Lets `keys` sign `name`, for names under `paths`; adds to what is there.
    ///
    /// # Errors
    /// As [`Self::begin_delegation`].
    pub fn delegate(
        &mut self,
        name: &RoleName,
        keys: &[PublicKey],
        paths: &[String],
    ) -> Result<(), EditError> {
        let terms = Terms {
            threshold: Some(1),
            add_keys: keys.to_vec(),
            add_paths: paths.to_vec(),
            ..Terms::default()
        };
        self.begin_delegation(name, &terms)
    }

    /// Begins a delegation with these terms; one that is there gets them too, but keeps its threshold.
    ///
    /// # Errors
    /// Nobody delegates to its parent, a new one without threshold or with too few keys, paths
    /// that its parent does not have.
    pub fn begin_delegation(&mut self, name: &RoleName, terms: &Terms) -> Result<(), EditError> {
        let there = self.keys_of(name).filter(|_| name.is_delegation());
        let terms = Terms {
            threshold: terms.threshold.filter(|_| there.is_none()),
            ..terms.clone()
        };
        self.set_terms(name, &terms)
    }

    /// Changes a delegation that is there.
    ///
    /// # Errors
    /// It is not there, has too few keys for a new threshold, or its parent does not have the paths.
    pub fn amend_delegation(&mut self, name: &RoleName, terms: &Terms) -> Result<(), EditError> {
        match self.keys_of(name).filter(|_| name.is_delegation()) {
            Some(_) => self.set_terms(name, terms),
            None => Err(EditError::UnknownRole(name.clone())),
        }
    }

    /// Ends a delegation and everything below it; false if it was not there.
    ///
    /// # Errors
    /// The file that names it is not believed.
    pub fn end_delegation(&mut self, name: &RoleName) -> Result<bool, EditError> {
        let parent = self.naming(name)?;
        let Some(file) = self.targets.get_mut(&parent) else {
            return Ok(false);
        };
        if file.delegations.role(name).is_none() {
            return Ok(false);
        }
        let delegations = &mut Arc::make_mut(file).delegations;
        delegations.roles.retain(|role| role.name != *name);
        delegations.drop_unused_keys();
        self.changed.insert(parent);
        let gone = |role: &str| is_at_or_below(role, name);
        let ended = self.targets.iter().filter(|(role, _)| gone(role.as_str()));
        let ended = ended.map(|(role, file)| (role.clone(), file.version));
        self.numbered.extend(ended);
        self.targets.retain(|role, _| !gone(role.as_str()));
        self.unbelieved.retain(|role, _| !gone(role.as_str()));
        self.changed.retain(|role| !gone(role.as_str()));
        if let Some(snapshot) = &mut self.snapshot {
            snapshot.meta.retain(|role, _| !gone(role));
        }
        Ok(true)
    }

    /// Takes keys, by canonical id, out of every file at or below `from` that `may_sign` admits.
    pub fn purge(
        &mut self,
        from: &RoleName,
        ids: &[KeyId],
        may_sign: &mut dyn FnMut(&RoleName, &RoleKeys) -> bool,
    ) -> Purged {
        let listing = |file: &Targets| -> Vec<KeyId> {
            let keys = file.delegations.keys.iter();
            let listed = keys.filter(|(_, key)| ids.contains(&key.canonical_id()));
            listed.map(|(id, _)| id.clone()).collect()
        };
        let inside = |role: &&RoleName| is_at_or_below(role.as_str(), from);
        let mut done = Purged::default();
        let roles: Vec<RoleName> = self.targets.keys().filter(inside).cloned().collect();
        for role in roles {
            let keys = self.keys_of(&role);
            let Some(file) = self.targets.get_mut(&role) else {
                continue;
            };
            let gone = listing(file);
            if gone.is_empty() {
                continue;
            }
            if !keys.is_some_and(|keys| may_sign(&role, &keys)) {
                done.skipped.push(role);
                continue;
            }
            let delegations = &mut Arc::make_mut(file).delegations;
            for delegation in &mut delegations.roles {
                delegation.signers.key_ids.retain(|id| !gone.contains(id));
            }
            delegations.keys.retain(|id, _| !gone.contains(id));
            self.changed.insert(role.clone());
            done.purged.push(role);
        }
        let unbelieved = self.unbelieved.iter().filter(|(role, _)| inside(role));
        let listed = unbelieved.filter(|(_, file)| {
            let file = file.as_ref();
            file.is_some_and(|file| !listing(file).is_empty())
        });
        done.skipped.extend(listed.map(|(role, _)| role.clone()));
        done
    }

    /// Has a role signed again as it is; true if until now nobody vouched for what it says.
    ///
    /// # Errors
    /// A role without a file, or with fewer keys than have to sign.
    pub fn witness(&mut self, role: &RoleName) -> Result<bool, EditError> {
        let unknown = || EditError::UnknownRole(role.clone());
        let keys = self.keys_of(role).ok_or_else(unknown)?;
        check_threshold(role, &keys)?;
        let vouched = !self.targets.contains_key(role);
        if vouched {
            let claimed = self.unbelieved.remove(role).flatten();
            let file = claimed.ok_or_else(unknown)?;
            self.targets.insert(role.clone(), file);
        }
        self.changed.insert(role.clone());
        Ok(vouched)
    }

    /// Whether `role` may sign `name`: by its own paths and those of every role above it.
    pub fn admits(&self, role: &RoleName, name: &str) -> bool {
        self.reach(role)
            .iter()
            .any(|prefix| name.starts_with(prefix.as_str()))
    }

    fn set_terms(&mut self, name: &RoleName, terms: &Terms) -> Result<(), EditError> {
        let parent = self.naming(name)?;
        let above = self.reach(&parent);
        let inside = |path: &String| above.iter().any(|prefix| path.starts_with(prefix.as_str()));
        if !terms.add_paths.iter().all(inside) {
            return Err(EditError::PathsOutside(name.clone()));
        }
        let file = self.file(&parent)?;
        let next = with_terms(&file.delegations, name, terms)?;
        if file.delegations != next {
            Arc::make_mut(file).delegations = next;
            self.changed.insert(parent);
        }
        Ok(())
    }

    /// The role whose file names the delegation `name`, if that file can be built upon.
    fn naming(&self, name: &RoleName) -> Result<RoleName, EditError> {
        let unknown = || EditError::UnknownRole(name.clone());
        let parent = name.parent().ok_or_else(unknown)?;
        if self.keys_of(&parent).is_none() {
            return Err(EditError::UnknownRole(parent));
        }
        if self.unbelieved.contains_key(&parent) && !self.targets.contains_key(&parent) {
            return Err(EditError::Unbelieved(parent));
        }
        Ok(parent)
    }

    /// The prefixes of what `role` may sign.
    fn reach(&self, role: &RoleName) -> Vec<String> {
        let Some(parent) = role.parent() else {
            return vec![String::new()];
        };
        let above = self.reach(&parent);
        let above: Vec<&str> = above.iter().map(String::as_str).collect();
        let file = self.targets.get(&parent);
        let delegation = file.and_then(|file| file.delegations.role(role));
        let paths = delegation.map(|role| role.paths_under(&above));
        let paths = paths.unwrap_or_default().into_iter();
        paths.map(str::to_owned).collect()
    }
}

fn with_terms(
    present: &Delegations,
    name: &RoleName,
    terms: &Terms,
) -> Result<Delegations, EditError> {
    let mut next = present.clone();
    let there = next.roles.iter().position(|role| role.name == *name);
    let mut role = match (there, terms.threshold) {
        (Some(at), _) => next.roles.remove(at),
        (None, Some(threshold)) => Delegation {
            name: name.clone(),
            signers: KeyList {
                key_ids: Vec::new(),
                threshold,
            },
            paths: Vec::new(),
        },
        (None, None) => return Err(EditError::UnknownRole(name.clone())),
    };
    role.paths
        .retain(|path| !terms.clear_paths && !terms.remove_paths.contains(path));
    add_new(&mut role.paths, terms.add_paths.iter().cloned());
    let stays = |id: &KeyId| {
        let key = present.keys.get(id);
        key.is_none_or(|key| !terms.remove_keys.contains(&key.canonical_id()))
    };
    role.signers.key_ids.retain(stays);
    for key in &terms.add_keys {
        next.keys.insert(key.id().clone(), key.clone());
    }
    let ids = terms.add_keys.iter().map(|key| key.id().clone());
    add_new(&mut role.signers.key_ids, ids);
    if let Some(threshold) = terms.threshold {
        role.signers.threshold = threshold;
        check_threshold(name, &role.signers.keys_from(&next.keys))?;
    }
    next.roles.insert(there.unwrap_or(next.roles.len()), role);
    next.drop_unused_keys();
    Ok(next)
}

/// Refuses a role that has fewer distinct keys than have to sign it.
fn check_threshold(role: &RoleName, keys: &RoleKeys) -> Result<(), EditError> {
    let (distinct, threshold) = (keys.distinct(), keys.threshold);
    if distinct >= threshold {
        return Ok(());
    }
    Err(EditError::TooFewKeys {
        role: role.clone(),
        keys: distinct,
        threshold,
    })
}

fn is_at_or_below(role: &str, top: &RoleName) -> bool {
    let below = role.strip_prefix(top.as_str());
    below.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn add_new<T: PartialEq>(list: &mut Vec<T>, more: impl Iterator<Item = T>) {
    for item in more {
        if !list.contains(&item) {
            list.push(item);
        }
    }
}
