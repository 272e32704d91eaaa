//! A signer's new keys in the place of the old ones: what was signed stays signed.

use super::change::{consequences, loses_signatures};
use super::keyring::Keyring;
use super::sign::NewSigner;
use super::signer::{keys_of_others, signer_role};
use super::{Error, Repository, Watch};
use crate::tuf::edit::{Draft, Terms};
use crate::tuf::key::{KeyId, PublicKey};
use crate::tuf::role::RoleName;
use crate::tuf::trusted::Current;
use jiff::Timestamp;

/// A role that would not be believed any more, and the tags it speaks of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loss {
    /// The role
    pub role: RoleName,
    /// Its tags
    pub tags: Vec<String>,
}

impl Repository {
    /// Gives a signer these keys instead of those it has, in one publish.
    ///
    /// The signer's role is signed again with the new key, the released set with any key that
    /// may, as far as they need it. A key that another signer has too stays in the released set.
    ///
    /// # Errors
    /// There is no such signer; a key is missing, also [`Error::WouldLose`] unless `force`.
    pub async fn replace_signer(
        &self,
        keyring: &mut Keyring<'_>,
        signer: &NewSigner,
        force: bool,
        now: Timestamp,
        watch: Watch<'_>,
    ) -> Result<bool, Error> {
        keyring.restrict(None);
        let role = signer_role(&signer.name)?;
        let mut told = false;
        // In a request the holder of the new key signs, too.
        let others_sign = self.is_requesting();
        let edit =
            |current: &Current, draft: &mut Draft, keyring: &mut Keyring<'_>, watch: Watch<'_>| {
                replace(current, draft, &role, signer)?;
                let mut losses = Vec::new();
                for role in [&role, &RoleName::releases()] {
                    if !loses_signatures(current, draft, role) {
                        continue;
                    }
                    let keys = draft.keys_of(role);
                    let here = keys.is_some_and(|keys| keyring.holds_any(role, &keys));
                    if here || others_sign {
                        draft.sign_again(role);
                    } else {
                        losses.push(loss(current, role));
                    }
                }
                if !losses.is_empty() && !force {
                    return Err(Error::WouldLose(losses));
                }
                if !std::mem::replace(&mut told, true) {
                    consequences(current, draft).into_iter().for_each(watch);
                }
                Ok(())
            };
        self.publish(keyring, now, watch, edit).await
    }
}

fn replace(
    current: &Current,
    draft: &mut Draft,
    role: &RoleName,
    signer: &NewSigner,
) -> Result<(), Error> {
    let keys = current.keys_of(role).ok_or_else(|| Error::NoSuchSigner {
        name: signer.name.clone(),
        gun: current.gun().to_owned(),
    })?;
    let new: Vec<KeyId> = signer.keys.iter().map(PublicKey::canonical_id).collect();
    let mut gone = keys.canonical_ids();
    gone.retain(|id| !new.contains(id));
    let mut terms = Terms {
        // Said again, so that too few new keys are refused.
        threshold: Some(keys.threshold),
        add_keys: signer.keys.clone(),
        remove_keys: gone,
        ..Terms::default()
    };
    draft.amend_delegation(role, &terms)?;
    let releases = RoleName::releases();
    if current.keys_of(&releases).is_some() {
        let others = keys_of_others(current, role);
        terms.remove_keys.retain(|id| !others.contains(id));
        terms.threshold = None;
        draft.amend_delegation(&releases, &terms)?;
    }
    Ok(())
}

/// What a role says now.
pub(super) fn loss(current: &Current, role: &RoleName) -> Loss {
    let file = current.role(role);
    let tags = file
        .into_iter()
        .flat_map(|file| file.facts().targets.keys());
    Loss {
        role: role.clone(),
        tags: tags.cloned().collect(),
    }
}
