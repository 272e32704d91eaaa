//! Signing a tag: the statement that it means a digest, by every role that may say so.

use super::init::Initialization;
use super::keyring::Keyring;
use super::{Error, Event, Repository, Watch};
use crate::tuf::canonical::Node;
use crate::tuf::digest::FileMeta;
use crate::tuf::edit::Draft;
use crate::tuf::key::PublicKey;
use crate::tuf::role::RoleName;
use crate::tuf::trusted::Current;
use jiff::Timestamp;

/// What to sign, and as whom.
#[derive(Clone, Debug)]
pub struct SignRequest {
    /// The tag
    pub tag: String,
    /// SHA-256 of the manifest, 32 bytes
    pub sha256: [u8; 32],
    /// Size of the manifest in bytes
    pub size: u64,
    /// The publisher's own data; kept canonical so that every verifier agrees
    pub custom: Option<Node<'static>>,
    /// Only this role
    pub role: Option<RoleName>,
    /// Only with the keys of this signer, into their role and the released set
    pub signer: Option<String>,
    /// If the repository does not exist yet: begin it with this signer
    pub first_signer: Option<NewSigner>,
}

/// A signer to add: a name and public keys.
#[derive(Clone, Debug)]
pub struct NewSigner {
    /// The name, which becomes `targets/<name>`
    pub name: String,
    /// The public keys
    pub keys: Vec<PublicKey>,
}

impl Repository {
    /// Signs a tag into every role that may and that a local key can sign; one publish.
    ///
    /// # Errors
    /// No key may sign, the repository cannot be believed, or the server refuses.
    pub async fn sign(
        &self,
        keyring: &mut Keyring<'_>,
        request: &SignRequest,
        now: Timestamp,
        watch: Watch<'_>,
    ) -> Result<(), Error> {
        let requests = std::slice::from_ref(request);
        self.sign_together(keyring, requests, now, watch).await
    }

    /// Signs several tags in one publish; a first signer is that of the first.
    ///
    /// # Errors
    /// As [`Self::sign`].
    pub async fn sign_together(
        &self,
        keyring: &mut Keyring<'_>,
        requests: &[SignRequest],
        now: Timestamp,
        watch: Watch<'_>,
    ) -> Result<(), Error> {
        keyring.restrict(None);
        let mut told = false;
        let published = self
            .publish(keyring, now, watch, |current, draft, keyring, watch| {
                let first = !std::mem::replace(&mut told, true);
                for request in requests {
                    if first {
                        tell_existing(current, &request.tag, watch);
                    }
                    edit(current, draft, keyring, request, watch)?;
                }
                Ok(())
            })
            .await;
        let first_signer = requests.first().and_then(|it| it.first_signer.as_ref());
        match (published, first_signer) {
            (Err(Error::NotInitialized { .. }), Some(signer)) => {
                self.begin_signed(keyring, requests, signer, now, watch)
                    .await
            }
            (published, _) => published.map(|_| ()),
        }
    }

    async fn begin_signed(
        &self,
        keyring: &mut Keyring<'_>,
        requests: &[SignRequest],
        signer: &NewSigner,
        now: Timestamp,
        watch: Watch<'_>,
    ) -> Result<(), Error> {
        let role = RoleName::of_signer(&signer.name);
        let role = role.ok_or_else(|| Error::WrongSignerName(signer.name.clone()))?;
        let everything = [String::new()];
        self.begin(keyring, &Initialization::default(), now, watch, |draft| {
            for name in [&role, &RoleName::releases()] {
                draft.delegate(name, &signer.keys, &everything)?;
                for request in requests {
                    draft.sign(name, &request.tag, &meta(request))?;
                }
            }
            Ok(())
        })
        .await
    }
}

fn edit(
    current: &Current,
    draft: &mut Draft,
    keyring: &mut Keyring<'_>,
    request: &SignRequest,
    watch: Watch<'_>,
) -> Result<(), Error> {
    let roles = roles(current, keyring, request)?;
    for role in &roles {
        if current
            .pruned(role)
            .is_some_and(|pruned| pruned.expired.is_none())
        {
            watch(Event::RoleRestarted {
                role: role.to_string(),
            });
        }
        draft.sign(role, &request.tag, &meta(request))?;
    }
    Ok(())
}

/// The roles that are to sign, and the keyring restricted to the signer chosen.
pub(super) fn roles(
    current: &Current,
    keyring: &mut Keyring<'_>,
    request: &SignRequest,
) -> Result<Vec<RoleName>, Error> {
    if let Some(signer) = &request.signer {
        let role =
            RoleName::of_signer(signer).ok_or_else(|| Error::WrongSignerName(signer.clone()))?;
        let keys = current.keys_of(&role).ok_or_else(|| Error::NoSuchSigner {
            name: signer.clone(),
            gun: current.gun().to_owned(),
        })?;
        keyring.restrict(Some(keys.canonical_ids()));
    }
    let roles = match &request.role {
        Some(role) => vec![role.clone()],
        None => signable(current, &request.tag, keyring),
    };
    if roles.is_empty() {
        keyring.misses_no_token()?;
        return Err(Error::NoSigningRole);
    }
    Ok(roles)
}

/// Docker's rule: the direct children of `targets` that admit the tag and that a local key may
/// sign; `targets` itself only where nothing is delegated.
pub(super) fn signable(current: &Current, tag: &str, keyring: &Keyring<'_>) -> Vec<RoleName> {
    let delegations = &current.targets().facts().delegations;
    let role = RoleName::targets();
    let mine = |role: &RoleName| {
        current
            .keys_of(role)
            .is_some_and(|keys| keyring.holds_any(role, &keys))
    };
    if delegations.roles.is_empty() {
        return Some(role).filter(mine).into_iter().collect();
    }
    current
        .children_admitting(tag)
        .filter(|role| mine(role))
        .cloned()
        .collect()
}

pub(super) fn meta(request: &SignRequest) -> FileMeta {
    let mut meta = FileMeta::of_image(request.sha256, request.size);
    meta.custom.clone_from(&request.custom);
    meta
}

/// Says who signed the tag before, in Docker's words.
fn tell_existing(current: &Current, tag: &str, watch: Watch<'_>) {
    let walked = current.walk();
    let mut released = walked
        .iter()
        .filter(|signed| super::inspect::is_released(&signed.role));
    let Some(digest) = released.find_map(|s| s.meta(tag)?.sha256_hex()) else {
        return;
    };
    let same = |signed: &&crate::tuf::lookup::Signed<'_>| {
        signed.meta(tag).and_then(FileMeta::sha256_hex).as_ref() == Some(&digest)
    };
    let others = walked
        .iter()
        .filter(|signed| !super::inspect::is_released(&signed.role));
    let signers = others
        .filter(same)
        .map(|signed| signed.role.signer().to_owned())
        .collect();
    watch(Event::ExistingSignatures { digest, signers });
}
