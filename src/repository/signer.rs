//! People who sign: each has a role of their own and a part in the released set.

use super::change::loses_signatures;
use super::init::Initialization;
use super::keyring::Keyring;
use super::replace::loss;
use super::sign::NewSigner;
use super::{Error, Repository, Watch};
use crate::tuf::edit::{Draft, Terms};
use crate::tuf::key::KeyId;
use crate::tuf::role::RoleName;
use crate::tuf::trusted::Current;
use jiff::Timestamp;
use std::collections::BTreeSet;

/// How the removal of a signer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removal {
    /// The signer is gone
    Done,
    /// The released tags would have lost their last signature, and that was not wanted
    Declined,
}

impl Repository {
    /// Lets a signer sign names under `paths`; begins the repository if there is none.
    ///
    /// # Errors
    /// A name that makes no role, no key for `targets`, or the server refuses.
    pub async fn add_signer(
        &self,
        keyring: &mut Keyring<'_>,
        signer: &NewSigner,
        paths: &[String],
        now: Timestamp,
        watch: Watch<'_>,
    ) -> Result<(), Error> {
        let role = signer_role(&signer.name)?;
        let edit = |draft: &mut Draft| {
            draft.delegate(&role, &signer.keys, paths)?;
            draft.delegate(&RoleName::releases(), &signer.keys, &[String::new()])?;
            Ok(())
        };
        let published = self
            .publish(keyring, now, watch, |_, draft, _, _| edit(draft))
            .await;
        if let Err(Error::NotInitialized { .. }) = published {
            let how = Initialization::default();
            return self.begin(keyring, &how, now, watch, edit).await;
        }
        published.map(|_| ())
    }

    /// Removes a signer; `confirm` is asked if the released tags, which it is told, would not stay valid.
    ///
    /// # Errors
    /// There is no such signer, or a key is missing.
    pub async fn remove_signer(
        &self,
        keyring: &mut Keyring<'_>,
        name: &str,
        mut confirm: impl FnMut(&[String]) -> bool + Send,
        now: Timestamp,
        watch: Watch<'_>,
    ) -> Result<Removal, Error> {
        let role = signer_role(name)?;
        let mut answer = None;
        let published = self.publish(keyring, now, watch, |current, draft, keyring, _| {
            remove(current, draft, &role, name)?;
            let releases = RoleName::releases();
            if loses_signatures(current, draft, &releases) {
                let renewable = draft
                    .keys_of(&releases)
                    .is_some_and(|keys| keyring.holds_any(&releases, &keys));
                if renewable {
                    draft.sign_again(&releases);
                } else if !*answer.get_or_insert_with(|| confirm(&loss(current, &releases).tags)) {
                    *draft = Draft::of(current, now);
                }
            }
            Ok(())
        });
        published.await?;
        Ok(if answer == Some(false) {
            Removal::Declined
        } else {
            Removal::Done
        })
    }
}

pub(super) fn signer_role(name: &str) -> Result<RoleName, Error> {
    RoleName::of_signer(name).ok_or_else(|| Error::WrongSignerName(name.to_owned()))
}

fn remove(current: &Current, draft: &mut Draft, role: &RoleName, name: &str) -> Result<(), Error> {
    let signer = current.keys_of(role).ok_or_else(|| Error::NoSuchSigner {
        name: name.to_owned(),
        gun: current.gun().to_owned(),
    })?;
    draft.end_delegation(role)?;
    let releases = RoleName::releases();
    if current.keys_of(&releases).is_some() {
        let others = keys_of_others(current, role);
        let mut gone = signer.canonical_ids();
        gone.retain(|id| !others.contains(id));
        draft.amend_delegation(&releases, &Terms::without(&gone))?;
    }
    Ok(())
}

/// Canonical ids of the keys that other signers have: those stay in the released set.
pub(super) fn keys_of_others(current: &Current, role: &RoleName) -> BTreeSet<KeyId> {
    let delegations = &current.targets().facts().delegations;
    let others = delegations
        .roles
        .iter()
        .filter(|other| other.name != *role && other.name != RoleName::releases());
    let keys = others.map(|other| other.signers.keys_from(&delegations.keys));
    keys.flat_map(|keys| keys.canonical_ids()).collect()
}
