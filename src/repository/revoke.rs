//! Taking signatures back: afterwards the tag is not released any more, or this fails.

use super::keyring::{Keyring, KeyringError};
use super::sign::signable;
use super::{Error, Repository, Watch};
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
                for tag in tags(current, tag)? {
                    take_back(current, draft, keyring, &tag)?;
                }
                Ok(())
            };
        self.publish(keyring, now, watch, edit).await.map(|_| ())
    }
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

/// Docker leaves a tag that only `targets` holds in place and says it is revoked; we do not.
fn take_back(
    current: &Current,
    draft: &mut Draft,
    keyring: &Keyring<'_>,
    tag: &str,
) -> Result<(), Error> {
    let mut roles = signable(current, tag, keyring);
    roles.push(RoleName::targets());
    let mut revoked = false;
    for role in &roles {
        let keys = current.keys_of(role);
        if keys.is_some_and(|keys| keyring.holds_any(role, &keys)) {
            revoked |= draft.revoke(role, tag);
        }
    }
    for role in [RoleName::releases(), RoleName::targets()] {
        if draft
            .targets_of(&role)
            .is_some_and(|file| file.targets.contains_key(tag))
        {
            let keys = current
                .keys_of(&role)
                .map(|keys| keys.canonical_ids())
                .unwrap_or_default();
            return Err(KeyringError::NoKey(keys.iter().map(KeyId::to_string).collect()).into());
        }
    }
    if revoked {
        Ok(())
    } else {
        Err(Error::NoSigningRole)
    }
}
