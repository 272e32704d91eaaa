//! Changes of who may sign what, made and published at once, and what follows from them.

use super::errand::Errand;
use super::keyring::{Keyring, KeyringError};
use super::{Error, Event, Repository, Watch};
use crate::tuf::change::{Change, Remark};
use crate::tuf::edit::{Draft, EditError};
use crate::tuf::key::KeyId;
use crate::tuf::role::RoleName;
use crate::tuf::trusted::Current;
use jiff::Timestamp;

impl Repository {
    /// Makes these changes in one publish; false if there was nothing to change.
    ///
    /// # Errors
    /// One of them cannot be made, takes away what is not there, or a key is missing.
    pub async fn change(
        &self,
        keyring: &mut Keyring<'_>,
        changes: &[Change],
        now: Timestamp,
        watch: Watch<'_>,
    ) -> Result<bool, Error> {
        keyring.restrict(None);
        let mut told = false;
        let edit =
            |current: &Current, draft: &mut Draft, keyring: &mut Keyring<'_>, watch: Watch<'_>| {
                let mut events = Vec::new();
                for change in changes {
                    check_there(draft, change)?;
                    make(change, draft, keyring, &mut events)?;
                    check_purged(draft, change, &events)?;
                }
                events.extend(consequences(current, draft));
                if !std::mem::replace(&mut told, true) {
                    events.into_iter().for_each(watch);
                }
                Ok(())
            };
        self.publish(keyring, now, watch, edit).await
    }

    /// The canonical ids of these keys of a delegation; any beginning that only one has will do.
    ///
    /// # Errors
    /// A beginning that no key or several have; the repository cannot be believed.
    pub async fn key_ids(
        &self,
        role: &RoleName,
        words: &[String],
        now: Timestamp,
        watch: Watch<'_>,
    ) -> Result<Vec<KeyId>, Error> {
        let whole = words.iter().map(|word| KeyId::parse(word));
        if let Some(whole) = whole.collect() {
            return Ok(whole);
        }
        let current = self.refresh(&Errand::read(now), watch).await?;
        let keys = current.keys_of(role);
        let listed = keys.map(|keys| keys.canonical_ids()).unwrap_or_default();
        let only = |word: &String| {
            let mut fitting = listed.iter().filter(|id| id.as_str().starts_with(word));
            match (fitting.next(), fitting.next()) {
                (Some(id), None) if !word.is_empty() => Ok(id.clone()),
                _ => Err(not_listed(role, format!("key {word}"))),
            }
        };
        words.iter().map(only).collect()
    }
}

/// Makes one change; what somebody should know of it is added to `events`.
pub(super) fn make(
    change: &Change,
    draft: &mut Draft,
    keyring: &Keyring<'_>,
    events: &mut Vec<Event>,
) -> Result<(), EditError> {
    let remarks = change.apply(draft, &mut |role, keys| keyring.holds_any(role, keys))?;
    for remark in remarks {
        events.push(match remark {
            Remark::NotPurged(role) => Event::KeysNotPurged {
                role: role.to_string(),
            },
            Remark::Vouched(role) => Event::Vouched {
                tags: tags_of(draft, &role),
                role: role.to_string(),
            },
        });
    }
    Ok(())
}

/// Roles that will not be believed any more, although they are now and nothing in them changes.
pub(super) fn consequences(current: &Current, draft: &Draft) -> Vec<Event> {
    let mut events = Vec::new();
    for file in draft.changed().filter_map(|role| draft.targets_of(role)) {
        for delegation in &file.delegations.roles {
            let role = &delegation.name;
            let keys = delegation.signers.keys_from(&file.delegations.keys);
            if current.keys_of(role).as_ref() == Some(&keys) {
                continue;
            }
            if keys.distinct() < keys.threshold {
                events.push(Event::FewerKeys {
                    role: role.to_string(),
                    threshold: keys.threshold,
                });
            } else if loses_signatures(current, draft, role) {
                events.push(Event::SignaturesLost {
                    role: role.to_string(),
                });
            }
        }
    }
    events
}

/// Whether a believed file would not be believed under the keys that the draft leaves it.
pub(super) fn loses_signatures(current: &Current, draft: &Draft, role: &RoleName) -> bool {
    let (Some(file), Some(keys)) = (current.role(role), draft.keys_of(role)) else {
        return false;
    };
    !draft.changed().any(|changed| changed == role) && !file.also_signed_by(role, &keys)
}

/// What a role says, a line a tag.
fn tags_of(draft: &Draft, role: &RoleName) -> Vec<String> {
    let file = draft.targets_of(role);
    let tags = file.into_iter().flat_map(|file| &file.targets);
    let lines = tags.map(|(tag, meta)| {
        let digest = meta.sha256_hex().unwrap_or_default();
        format!("{tag} sha256:{digest}")
    });
    lines.collect()
}

/// Refuses to take away what is not there: it was mistyped, or done already.
fn check_there(draft: &Draft, change: &Change) -> Result<(), Error> {
    match change {
        Change::End { role } if draft.keys_of(role).is_none() => {
            Err(EditError::UnknownRole(role.clone()).into())
        }
        Change::Amend { role, terms } => {
            let keys = draft.keys_of(role).map(|keys| keys.canonical_ids());
            let keys = keys.ok_or_else(|| EditError::UnknownRole(role.clone()))?;
            if let Some(id) = terms.remove_keys.iter().find(|id| !keys.contains(id)) {
                return Err(not_listed(role, format!("key {id}")));
            }
            let file = role.parent().and_then(|parent| draft.targets_of(&parent));
            let delegation = file.and_then(|file| file.delegations.role(role));
            let paths = delegation.map(|it| it.paths.as_slice()).unwrap_or_default();
            match terms.remove_paths.iter().find(|path| !paths.contains(path)) {
                Some(path) => Err(not_listed(role, format!("path {path:?}"))),
                None => Ok(()),
            }
        }
        Change::Revoke { role, name } => {
            if draft.keys_of(role).is_none() {
                return Err(EditError::UnknownRole(role.clone()).into());
            }
            let file = draft.targets_of(role);
            if file.is_some_and(|file| file.targets.contains_key(name)) {
                return Ok(());
            }
            Err(not_listed(role, format!("tag {name}")))
        }
        _ => Ok(()),
    }
}

/// Refuses a purge after which everything is as before.
fn check_purged(draft: &Draft, change: &Change, events: &[Event]) -> Result<(), Error> {
    let Change::Purge { keys, .. } = change else {
        return Ok(());
    };
    if draft.is_changed() {
        return Ok(());
    }
    let skipped = events.iter().find_map(|event| match event {
        Event::KeysNotPurged { role } => RoleName::parse(role),
        _ => None,
    });
    match skipped.and_then(|role| draft.keys_of(&role)) {
        Some(needed) => {
            let ids = needed
                .canonical_ids()
                .iter()
                .map(KeyId::to_string)
                .collect();
            Err(KeyringError::NoKey(ids).into())
        }
        None => Err(Error::NoSuchKeys(
            keys.iter().map(KeyId::to_string).collect(),
        )),
    }
}

fn not_listed(role: &RoleName, what: String) -> Error {
    Error::NotListed {
        role: role.clone(),
        what,
    }
}
