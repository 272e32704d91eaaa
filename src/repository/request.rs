//! Changes that several people sign in turn: requested by one, approved by others, published by the last.

use super::errand::Errand;
use super::keyring::{Keyring, KeyringError};
use super::publish::not_sealed;
use super::{Error, Repository, Watch};
use crate::remote::RemoteError;
use crate::tuf::edit::{Draft, FileReview, Proposal, Quorum};
use crate::tuf::envelope::RoleKeys;
use crate::tuf::error::TufError;
use crate::tuf::limits;
use crate::tuf::role::RoleName;
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

/// A change with the signatures it has so far.
#[derive(Clone, Debug)]
pub struct Request {
    /// The file that is handed on
    pub file: Vec<u8>,
    /// What it changes, by role
    pub reviews: Vec<FileReview>,
    /// Who has signed, and who has to
    pub quorums: Vec<Quorum>,
    /// Names of signers by the canonical ids of their keys
    pub names: BTreeMap<String, String>,
}

impl Request {
    /// Whether every file has the signatures it needs.
    pub fn is_complete(&self) -> bool {
        self.quorums.iter().all(Quorum::is_met)
    }

    fn of(proposal: &Proposal, names: &BTreeMap<String, String>) -> Self {
        Self {
            file: proposal.to_bytes(),
            reviews: proposal.reviews().to_vec(),
            quorums: proposal.quorums(),
            names: names.clone(),
        }
    }
}

/// How an approval ended.
#[derive(Clone, Debug)]
pub enum Approval {
    /// The person looked at it and said no
    Declined,
    /// Signed by the last who had to, and published
    Published(Request),
    /// Signed; others have to sign too, or somebody who reaches the server has to publish it
    Signed(Request),
}

/// What an approval needs from the person who gives it.
pub trait Approver: Send {
    /// Whether they want to sign this.
    fn wants(&mut self, request: &Request) -> bool;

    /// Keeps the request with the new signatures, before anything is published.
    ///
    /// # Errors
    /// It could not be kept; then nothing is published.
    fn keep(&mut self, request: &Request) -> Result<(), String>;
}

impl Repository {
    /// The same, but a change is not published: it becomes a request for others to sign.
    #[must_use]
    pub fn requesting(self) -> Self {
        Self {
            requests: Some(Mutex::new(None)),
            ..self
        }
    }

    /// The change that was made since this repository is [`Self::requesting`].
    pub fn requested(&self) -> Option<Request> {
        self.requests.as_ref()?.lock().ok()?.clone()
    }

    pub(super) fn is_requesting(&self) -> bool {
        self.requests.is_some()
    }

    /// To publish, only the server's word will do; to request, what was kept if it is away.
    pub(super) fn errand(&self, now: Timestamp) -> Errand<'static> {
        if self.is_requesting() && self.is_offline() {
            Errand::read(now)
        } else {
            Errand::write(now)
        }
    }

    /// Signs with the keys at hand, and has the request ready to be fetched.
    pub(super) fn request(
        &self,
        mut proposal: Proposal,
        keyring: &mut Keyring<'_>,
        names: &BTreeMap<String, String>,
    ) -> Result<(), Error> {
        proposal.sign(|role, keys, message| keyring.sign_in_turn(role, keys, message))?;
        if let Some(Ok(mut place)) = self.requests.as_ref().map(Mutex::lock) {
            *place = Some(Request::of(&proposal, names));
        }
        Ok(())
    }

    /// Checks a request against what is in force, signs it, and publishes it if it is complete.
    ///
    /// # Errors
    /// It is stale, tampered with or for another repository; no key here may sign it; the server
    /// refuses.
    pub async fn approve(
        &self,
        keyring: &mut Keyring<'_>,
        request: &[u8],
        person: &mut dyn Approver,
        now: Timestamp,
        watch: Watch<'_>,
    ) -> Result<Approval, Error> {
        let present = self.in_force(request, now, watch).await?;
        let names = present.as_ref().map(names).unwrap_or_default();
        let mut proposal = Proposal::parse(request, &self.gun, present.as_ref(), now)?;
        let is_first = present.is_none();
        let kept_snapshot = present.and_then(|present| present.keys_of(&RoleName::snapshot()));
        let kept_snapshot = kept_snapshot
            .filter(|keys| keys.canonical_ids() == proposal.snapshot_keys().canonical_ids());
        if !person.wants(&Request::of(&proposal, &names)) {
            return Ok(Approval::Declined);
        }
        let new = proposal.sign(|role, keys, message| keyring.sign_in_turn(role, keys, message))?;
        if new == 0 && !proposal.is_complete() {
            return Err(KeyringError::NoKey(unsigned(&proposal)).into());
        }
        let signed = Request::of(&proposal, &names);
        person.keep(&signed).map_err(Error::RequestNotKept)?;
        if self.is_offline() || !signed.is_complete() {
            return Ok(Approval::Signed(signed));
        }
        if let Some(keys) = kept_snapshot {
            self.can_be_sealed(&keys, keyring).await?;
        }
        self.publish_request(proposal, is_first, keyring, now, watch)
            .await?;
        Ok(Approval::Published(signed))
    }

    /// What is in force, or was until it expired; nothing, where the server knows no such repository,
    /// or nobody can be asked and the request is to begin one that is not known here.
    async fn in_force(
        &self,
        request: &[u8],
        now: Timestamp,
        watch: Watch<'_>,
    ) -> Result<Option<Draft>, Error> {
        let errand = if self.is_offline() {
            Errand::read(now)
        } else {
            Errand::write(now)
        };
        match self.refresh(&errand, watch).await {
            Ok(current) => Ok(Some(Draft::of(&current, now))),
            // What has expired is mended by requests, too.
            Err(Error::Tuf(TufError::Expired { .. })) if !self.is_offline() => {
                Ok(Some(self.lapsed(now, watch).await?.draft(now)))
            }
            Err(Error::NotInitialized { .. }) => Ok(None),
            Err(Error::Offline) if Proposal::begins(request)? && !self.keeps_a_root()? => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn keeps_a_root(&self) -> Result<bool, Error> {
        let root = RoleName::root();
        let kept = self.cache.read(root.as_str(), limits::NAMED_BYTES)?;
        Ok(kept.is_some())
    }

    /// Says beforehand, where a person holds the snapshot key, that only that person can publish.
    ///
    /// Of a key that is not in force yet, a server does not say whether it is its own.
    async fn can_be_sealed(&self, keys: &RoleKeys, keyring: &Keyring<'_>) -> Result<(), Error> {
        match self.snapshot_is_signed(keys, keyring).await {
            Err(Error::Keyring(KeyringError::Lacking(it))) => {
                Err(Error::RequestWithoutSnapshot(it.absent))
            }
            known => known.map(|_| ()),
        }
    }

    async fn publish_request(
        &self,
        proposal: Proposal,
        is_first: bool,
        keyring: &mut Keyring<'_>,
        now: Timestamp,
        watch: Watch<'_>,
    ) -> Result<(), Error> {
        let snapshot = RoleName::snapshot();
        let own_snapshot = keyring.holds_any(&snapshot, proposal.snapshot_keys());
        let files = proposal
            .seal(own_snapshot, |role, keys, message| {
                keyring.sign(role, keys, message, watch)
            })
            .map_err(not_sealed)?;
        match self.send(&files).await {
            Err(Error::Remote(RemoteError::Conflict { .. })) => {
                return Err(Error::RequestOvertaken);
            }
            sent => sent?,
        }
        if is_first {
            self.trust_own_root(&files)?;
        }
        self.look_back(&files, now, watch).await;
        Ok(())
    }
}

/// What people call the keys of a repository: each signer's by their name.
pub(super) fn names(present: &Draft) -> BTreeMap<String, String> {
    let Some(targets) = present.targets_of(&RoleName::targets()) else {
        return BTreeMap::new();
    };
    let delegations = &targets.delegations;
    let signers = delegations
        .roles
        .iter()
        .filter(|role| role.name != RoleName::releases());
    let named = signers.flat_map(|role| {
        let keys = role.signers.keys_from(&delegations.keys).canonical_ids();
        keys.into_iter()
            .map(|id| (id.to_string(), role.name.signer().to_owned()))
    });
    named.collect()
}

/// The keys whose signatures are missing.
fn unsigned(proposal: &Proposal) -> Vec<String> {
    let open = proposal.quorums().into_iter().filter(|it| !it.is_met());
    let ids: BTreeSet<_> = open.flat_map(|quorum| quorum.unsigned).collect();
    ids.into_iter().collect()
}
