//! What a publish changed: tags, and who may sign.

use crate::tuf::delegation::Delegations;
use crate::tuf::digest::FileMeta;
use crate::tuf::key::KeyId;
use crate::tuf::role::RoleName;
use crate::tuf::targets::Targets;
use std::collections::{BTreeMap, BTreeSet};

/// What happened to a tag, with the SHA-256 of its digests in hex.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum TagChange {
    /// It is new
    Added { digest: String },
    /// It means another image
    Moved { from: String, to: String },
    /// It is gone
    Removed { digest: String },
}

/// A tag and what happened to it.
pub(crate) type Moved = (String, TagChange);

/// What happened to a delegation.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum SignerChange {
    /// It is new
    Added,
    /// It has other terms
    Changed {
        keys: bool,
        threshold: bool,
        paths: bool,
    },
    /// It is gone
    Removed,
}

/// What differs between the tags of two versions of one file; without an older one, all are new.
pub(crate) fn between(older: Option<&Targets>, newer: &Targets) -> Vec<Moved> {
    let none = BTreeMap::new();
    let before = older.map_or(&none, |older| &older.targets);
    let mut changes: Vec<_> = newer
        .targets
        .iter()
        .filter_map(|(tag, meta)| {
            let change = changed(before.get(tag), meta)?;
            Some((tag.clone(), change))
        })
        .collect();
    let gone = before
        .iter()
        .filter(|(tag, _)| !newer.targets.contains_key(*tag));
    changes.extend(gone.map(|(tag, meta)| {
        let digest = hex(meta);
        (tag.clone(), TagChange::Removed { digest })
    }));
    changes
}

fn changed(before: Option<&FileMeta>, after: &FileMeta) -> Option<TagChange> {
    match before {
        None => Some(TagChange::Added { digest: hex(after) }),
        Some(before) if before.hash("sha256") != after.hash("sha256") => Some(TagChange::Moved {
            from: hex(before),
            to: hex(after),
        }),
        Some(_) => None,
    }
}

fn hex(meta: &FileMeta) -> String {
    meta.sha256_hex().unwrap_or_default()
}

/// What differs between those to whom two versions of one file delegate.
pub(crate) fn delegated(older: Option<&Targets>, newer: &Targets) -> Vec<(RoleName, SignerChange)> {
    let none = Delegations::default();
    let before = older.map_or(&none, |older| &older.delegations);
    let after = &newer.delegations;
    let names: BTreeSet<_> = [before, after]
        .into_iter()
        .flat_map(|delegations| delegations.roles.iter().map(|role| &role.name))
        .collect();
    names
        .into_iter()
        .filter_map(|name| {
            let change = match (terms(before, name), terms(after, name)) {
                (None, Some(_)) => SignerChange::Added,
                (Some(_), None) => SignerChange::Removed,
                (Some(old), Some(new)) if old != new => SignerChange::Changed {
                    keys: old.0 != new.0,
                    threshold: old.1 != new.1,
                    paths: old.2 != new.2,
                },
                _ => return None,
            };
            Some((name.clone(), change))
        })
        .collect()
}

/// On which terms a role may sign.
type Terms<'d> = (BTreeSet<KeyId>, u64, BTreeSet<&'d str>);

fn terms<'d>(delegations: &'d Delegations, name: &RoleName) -> Option<Terms<'d>> {
    let role = delegations.role(name)?;
    let keys = role.signers.keys_from(&delegations.keys);
    let ids = keys.canonical_ids().into_iter().collect();
    let paths = role.paths.iter().map(String::as_str).collect();
    Some((ids, keys.threshold, paths))
}
