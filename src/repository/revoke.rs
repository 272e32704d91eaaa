//! Taking signatures back: afterwards the tag is not released any more, or this fails.

use super::change::make;
use super::keyring::{Keyring, KeyringError};
use super::sign::signable;
use super::{Error, Repository, Watch};
use crate::tuf::change::Change;
use crate::tuf::edit::Draft;
use crate::tuf::key::KeyId;
use crate::tuf::role::RoleName;
use crate::tuf::trusted::Current;
use jiff::Timestamp;
use std::collections::BTreeSet;

impl Repository {
    /// Revokes `tag`, or every released tag, wherever a local key may; one publish.
    ///
    /// # Errors
    /// Nothing is signed, or a tag would stay released because a key is missing.
    pub async fn revoke(
        &self,
        keyring: &mut Keyring<'_>,
        tag: Option<&str>,
        now: Timestamp,
        watch: Watch<'_>,
    ) -> Result<(), Error> {
        let edit =
            |current: &Current, draft: &mut Draft, keyring: &mut Keyring<'_>, _: Watch<'_>| {
                for change in changes(current, draft, keyring, tag)? {
                    make(&change, draft, keyring, &mut Vec::new())?;
                }
                Ok(())
            };
        self.publish(keyring, now, watch, edit).await.map(|_| ())
    }
}

/// What takes back the tag asked for, or every released tag, as far as local keys may.
pub(super) fn changes(
    current: &Current,
    draft: &Draft,
    keyring: &Keyring<'_>,
    tag: Option<&str>,
) -> Result<Vec<Change>, Error> {
    let mut changes = Vec::new();
    for tag in tags(current, tag)? {
        for role in holders(current, draft, keyring, &tag)? {
            let name = tag.clone();
            changes.push(Change::Revoke { role, name });
        }
    }
    Ok(changes)
}

/// The tag asked for if anybody signed it, or every released tag.
fn tags(current: &Current, tag: Option<&str>) -> Result<BTreeSet<String>, Error> {
    let walked = current.walk();
    if let Some(tag) = tag {
        let signed = walked.iter().any(|role| role.meta(tag).is_some());
        let tags = signed.then(|| BTreeSet::from([tag.to_owned()]));
        return tags.ok_or_else(|| Error::NotSigned(tag.to_owned()));
    }
    let released = walked
        .iter()
        .filter(|signed| super::inspect::is_released(&signed.role));
    let tags: BTreeSet<String> = released
        .flat_map(|s| s.names().map(|(n, _)| n.to_owned()))
        .collect();
    if tags.is_empty() {
        Err(Error::NoSignedTags)
    } else {
        Ok(tags)
    }
}

/// The roles out of which the tag is taken, so that it is not released any more.
///
/// Docker leaves a tag that only `targets` holds in place and says it is revoked; we do not.
fn holders(
    current: &Current,
    draft: &Draft,
    keyring: &Keyring<'_>,
    tag: &str,
) -> Result<Vec<RoleName>, Error> {
    let holds = |role: &RoleName| {
        let file = draft.targets_of(role);
        file.is_some_and(|file| file.targets.contains_key(tag))
    };
    let mut roles = signable(current, tag, keyring);
    if !roles.contains(&RoleName::targets()) {
        roles.push(RoleName::targets());
    }
    roles.retain(|role| {
        let keys = current.keys_of(role);
        holds(role) && keys.is_some_and(|keys| keyring.holds_any(role, &keys))
    });
    for role in [RoleName::releases(), RoleName::targets()] {
        if holds(&role) && !roles.contains(&role) {
            let keys = current.keys_of(&role);
            let ids = keys.map(|keys| keys.canonical_ids()).unwrap_or_default();
            return Err(KeyringError::NoKey(ids.iter().map(KeyId::to_string).collect()).into());
        }
    }
    if roles.is_empty() {
        return Err(Error::NoSigningRole);
    }
    Ok(roles)
}
