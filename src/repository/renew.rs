//! Signing again what expires soon, or has expired.

use super::init::SnapshotKey;
use super::keyring::{Keyring, KeyringError, Lacking};
use super::publish::ATTEMPTS;
use super::{Error, Repository, Watch};
use crate::tuf::edit::{Draft, SealedFile};
use crate::tuf::role::RoleName;
use crate::tuf::trusted::{Current, Dated, Lapsed};
use jiff::Timestamp;

/// A role whose file was due, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Renewal {
    /// The role
    pub role: RoleName,
    /// When its file stops being valid, or did
    pub expires: Timestamp,
    /// What became of it
    pub outcome: Outcome,
}

/// What became of a file that was due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is signed again, until then
    Renewed(Timestamp),
    /// The server signs it, when it has expired
    LeftToServer,
    /// Keys are not here: its own, or others without which nothing can be published
    Lacking(Lacking),
}

/// What is due, and whether it can be signed here.
struct Plan {
    draft: Draft,
    due: Vec<Renewal>,
    /// The root is past its date: nothing can be published under it
    root_has_expired: bool,
}

impl Repository {
    /// Root, targets, delegations and a snapshot of our own that expire by `by`, or have, are
    /// signed again with the keys that are here; one publish, or none if nothing can be.
    ///
    /// Nobody else's dates are judged: this is how what has expired comes back. All else is.
    ///
    /// # Errors
    /// The repository cannot be believed, dates aside; or the server refuses.
    pub async fn renew(
        &self,
        keyring: &mut Keyring<'_>,
        by: Timestamp,
        now: Timestamp,
        watch: Watch<'_>,
    ) -> Result<Vec<Renewal>, Error> {
        keyring.restrict(None);
        for attempt in 0..ATTEMPTS {
            let lapsed = self.lapsed(now, watch).await?;
            let mut plan = self.plan(&lapsed, keyring, by, now)?;
            if plan.due.is_empty() {
                return Ok(plan.due);
            }
            let snapshot = self.snapshot_outcome(&plan.draft, keyring).await?;
            plan.settle_snapshot(&snapshot);
            plan.settle_root();
            if !plan.due.iter().any(Renewal::is_done) {
                return Ok(plan.due);
            }
            let Plan { draft, due, .. } = plan;
            if let Some(files) = self.release(draft, attempt, keyring, now, watch).await? {
                return Ok(with_new_dates(due, &files));
            }
        }
        Err(Error::Contended(ATTEMPTS))
    }

    /// Marks in a draft what is due and can be signed here.
    fn plan(
        &self,
        lapsed: &Lapsed<Current>,
        keyring: &mut Keyring<'_>,
        by: Timestamp,
        now: Timestamp,
    ) -> Result<Plan, Error> {
        let mut draft = lapsed.draft(now);
        let (mut due, mut root_has_expired) = (Vec::new(), false);
        for Dated { role, expires } in lapsed.dates() {
            if expires > by {
                continue;
            }
            let is_root = role == RoleName::root();
            root_has_expired |= is_root && expires <= now;
            let Some(keys) = draft.keys_of(&role) else {
                continue;
            };
            let outcome = match keyring.lacking(&role, &keys) {
                Some(lacking) => Outcome::Lacking(lacking),
                None => Outcome::Renewed(expires),
            };
            if matches!(outcome, Outcome::Renewed(_)) {
                if is_root {
                    let certified = self.certified_anew(keyring, &keys, by, now)?;
                    draft.give_keys(&role, &certified, keys.threshold);
                }
                draft.sign_again(&role);
            }
            due.push(Renewal {
                role,
                expires,
                outcome,
            });
        }
        Ok(Plan {
            draft,
            due,
            root_has_expired,
        })
    }

    /// Who signs the next snapshot, or what it lacks.
    async fn snapshot_outcome(
        &self,
        draft: &Draft,
        keyring: &Keyring<'_>,
    ) -> Result<Result<SnapshotKey, Lacking>, Error> {
        let Some(keys) = draft.keys_of(&RoleName::snapshot()) else {
            return Ok(Ok(SnapshotKey::Server));
        };
        match self.snapshot_is_signed(&keys, keyring).await {
            Err(Error::Keyring(KeyringError::Lacking(lacking))) => Ok(Err(lacking)),
            other => other.map(Ok),
        }
    }
}

impl Plan {
    /// The server's snapshot is its own affair; without anybody's, nothing can be published.
    fn settle_snapshot(&mut self, signer: &Result<SnapshotKey, Lacking>) {
        let role = RoleName::snapshot();
        match signer {
            Ok(SnapshotKey::Local) => {}
            Ok(SnapshotKey::Server) => {
                let own = self.due.iter_mut().filter(|renewal| renewal.role == role);
                own.for_each(|renewal| renewal.outcome = Outcome::LeftToServer);
            }
            Err(lacking) => self.hold_back(lacking),
        }
    }

    /// Under a root that has expired and stays so, nothing can be published.
    fn settle_root(&mut self) {
        let root = self.due.iter().find(|it| it.role == RoleName::root());
        if let (true, Some(Outcome::Lacking(lacking))) =
            (self.root_has_expired, root.map(|root| &root.outcome))
        {
            self.hold_back(&lacking.clone());
        }
    }

    fn hold_back(&mut self, lacking: &Lacking) {
        let done = self.due.iter_mut().filter(|renewal| renewal.is_done());
        done.for_each(|renewal| renewal.outcome = Outcome::Lacking(lacking.clone()));
    }
}

impl Renewal {
    fn is_done(&self) -> bool {
        matches!(self.outcome, Outcome::Renewed(_))
    }
}

fn with_new_dates(due: Vec<Renewal>, files: &[SealedFile]) -> Vec<Renewal> {
    let dated = |mut renewal: Renewal| {
        let file = files.iter().find(|file| *file.role() == renewal.role);
        if let (Outcome::Renewed(until), Some(file)) = (&mut renewal.outcome, file) {
            *until = file.expires();
        }
        renewal
    };
    due.into_iter().map(dated).collect()
}
