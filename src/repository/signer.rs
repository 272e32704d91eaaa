//! People who sign: each has a role of their own and a part in the released set.

use super::init::Initialization;
use super::keyring::Keyring;
use super::sign::NewSigner;
use super::{Error, Repository, Watch};
use crate::tuf::edit::Draft;
use crate::tuf::key::KeyId;
use crate::tuf::role::RoleName;
use crate::tuf::trusted::Current;
use jiff::Timestamp;

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
            draft.delegate(&role, &signer.keys, paths);
            draft.delegate(&RoleName::releases(), &signer.keys, &[String::new()]);
        };
        let published = self
            .publish(keyring, now, watch, |_, draft, _, _| {
                edit(draft);
                Ok(())
            })
            .await;
        if let Err(Error::NotInitialized { .. }) = published {
            let how = Initialization::default();
            let begin = |draft: &mut Draft| {
                edit(draft);
                Ok(())
            };
            return self.begin(keyring, &how, now, watch, begin).await;
        }
        published.map(|_| ())
    }

    /// Removes a signer; `confirm` is asked if no released tag would stay valid.
    ///
    /// # Errors
    /// There is no such signer, or a key is missing.
    pub async fn remove_signer(
        &self,
        keyring: &mut Keyring<'_>,
        name: &str,
        mut confirm: impl FnMut() -> bool + Send,
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
                } else if !*answer.get_or_insert_with(&mut confirm) {
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

fn signer_role(name: &str) -> Result<RoleName, Error> {
    RoleName::of_signer(name).ok_or_else(|| Error::WrongSignerName(name.to_owned()))
}

fn remove(current: &Current, draft: &mut Draft, role: &RoleName, name: &str) -> Result<(), Error> {
    let delegations = &current.targets().facts().delegations;
    let signer = delegations.role(role).ok_or_else(|| Error::NoSuchSigner {
        name: name.to_owned(),
        gun: current.gun().to_owned(),
    })?;
    // A key that another signer shares stays in the released set.
    let others: Vec<&KeyId> = delegations
        .roles
        .iter()
        .filter(|other| other.name != *role && other.name != RoleName::releases())
        .flat_map(|other| &other.signers.key_ids)
        .collect();
    let ids: Vec<KeyId> = signer
        .signers
        .key_ids
        .iter()
        .filter(|id| !others.contains(id))
        .cloned()
        .collect();
    draft.end_delegation(role);
    draft.withdraw_keys(&RoleName::releases(), &ids);
    Ok(())
}

/// Whether a believed file would not be believed under the keys that the draft leaves it.
fn loses_signatures(current: &Current, draft: &Draft, role: &RoleName) -> bool {
    let (Some(file), Some(keys)) = (current.role(role), draft.keys_of(role)) else {
        return false;
    };
    !file.also_signed_by(role, &keys)
}
