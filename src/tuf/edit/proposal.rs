//! A change that several people sign in turn: files in their final form, and the signatures so far.
//!
//! Nothing a request says is believed. Its files have to follow, each by one version, what is in
//! force; every signature in it has to be one of the role's keys over exactly these bytes; and
//! what it would change is computed anew by whoever is asked to sign.

use super::difference::Change;
use super::request::{keys_of, proposed, read};
use super::seal::{NextSnapshot, Prepared};
use super::{Draft, SealError, SealedFile};
use crate::tuf::canonical::Node;
use crate::tuf::envelope::{RoleKeys, Signature, sealed, signers};
use crate::tuf::error::TufError;
use crate::tuf::key::KeyId;
use crate::tuf::role::RoleName;
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// A change and the signatures it has so far.
#[derive(Debug)]
pub struct Proposal {
    gun: String,
    files: Vec<(Prepared, Vec<Signature>)>,
    reviews: Vec<FileReview>,
    snapshot: NextSnapshot,
}

/// Why a request is not signed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProposalError {
    /// A file of it is not what its role needs
    #[error("the request cannot be signed: {0}")]
    Fault(#[from] TufError),
    /// It is about another repository
    #[error("the request is for {found}, not for {asked}")]
    Foreign {
        /// The repository it names
        found: String,
        /// The one it was read for
        asked: String,
    },
    /// The file is no request
    #[error("this is no request: {0}")]
    NoRequest(String),
    /// A date that no honest request has
    #[error("{role} would expire at {expires}, which is not within the lifetime of that role")]
    Dates {
        /// The role
        role: RoleName,
        /// The date
        expires: Timestamp,
    },
    /// It was made before somebody else published
    #[error(
        "the request is stale: it makes version {claimed} of {role}, and version {present} is in force"
    )]
    Stale {
        /// The role
        role: RoleName,
        /// The version it makes
        claimed: u64,
        /// The version in force
        present: u64,
    },
    /// A signature in it is not over what it says
    #[error("the request was tampered with: the signature of key {key} on {role} is not valid")]
    Tampered {
        /// The role
        role: RoleName,
        /// Id of the key that is said to have signed
        key: KeyId,
    },
    /// A role that is neither in force nor made by the request
    #[error("tuf: invalid role {0}. this role is not known")]
    UnknownRole(RoleName),
}

/// One file of a request as people look at it.
#[derive(Clone, Debug)]
pub struct FileReview {
    /// The role
    pub role: RoleName,
    /// The version it makes
    pub version: u64,
    /// What it changes
    pub changes: Vec<Change>,
}

/// How far a file is from what one set of keys demands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quorum {
    /// The role
    pub role: RoleName,
    /// Distinct keys needed
    pub threshold: u64,
    /// Canonical ids of those that signed
    pub signed: Vec<String>,
    /// Canonical ids of those that may and did not
    pub unsigned: Vec<String>,
}

impl Quorum {
    /// Whether enough have signed.
    pub fn is_met(&self) -> bool {
        self.signed.len() as u64 >= self.threshold.max(1)
    }
}

impl Proposal {
    /// The changes of a draft, signed by nobody yet.
    ///
    /// `present` is the draft of what is in force, with nothing changed; none for a new repository.
    pub fn of(draft: Draft, present: Option<&Draft>, gun: &str) -> Self {
        let reviewed = |role: &RoleName| (role.clone(), draft.changes(role, present));
        let mut changes: BTreeMap<_, _> = draft.changed.iter().map(reviewed).collect();
        let snapshot = draft.next_snapshot();
        let files = draft.prepare();
        let review = |file: &Prepared| FileReview {
            role: file.role().clone(),
            version: file.version(),
            changes: changes.remove(file.role()).unwrap_or_default(),
        };
        Self {
            gun: gun.to_owned(),
            reviews: files.iter().map(review).collect(),
            files: files.into_iter().map(|file| (file, Vec::new())).collect(),
            snapshot,
        }
    }

    /// Reads a request on top of what is in force, or of nothing for a new repository.
    ///
    /// # Errors
    /// [`ProposalError`]
    pub fn parse(
        request: &[u8],
        gun: &str,
        present: Option<&Draft>,
        now: Timestamp,
    ) -> Result<Self, ProposalError> {
        let read = read(request)?;
        if read.gun != gun {
            return Err(ProposalError::Foreign {
                found: read.gun,
                asked: gun.to_owned(),
            });
        }
        for file in &read.files {
            file.follows(present)?;
            file.lasts(now)?;
        }
        let proposed = proposed(&read.files, present, now)?;
        let (mut files, mut reviews) = (Vec::new(), Vec::new());
        for file in read.files {
            if proposed.keys_of(&file.role).is_none() {
                return Err(ProposalError::UnknownRole(file.role));
            }
            reviews.push(FileReview {
                version: file.version(),
                changes: proposed.changes(&file.role, present),
                role: file.role.clone(),
            });
            let keys = keys_of(&file, &proposed, gun, now)?;
            files.push(file.untampered(keys)?);
        }
        Ok(Self {
            gun: gun.to_owned(),
            files,
            reviews,
            snapshot: proposed.next_snapshot(),
        })
    }

    /// The repository a request names, before anything in it is checked: to find its server.
    ///
    /// # Errors
    /// [`ProposalError::NoRequest`]
    pub fn repository_of(request: &[u8]) -> Result<String, ProposalError> {
        Ok(read(request)?.gun)
    }

    /// Whether a request is to begin a repository, before anything in it is checked.
    ///
    /// # Errors
    /// [`ProposalError::NoRequest`]
    pub fn begins(request: &[u8]) -> Result<bool, ProposalError> {
        let files = read(request)?.files;
        let mut files = files.iter();
        Ok(files.any(|file| file.role == RoleName::root() && file.version() == 1))
    }

    /// What each file changes.
    pub fn reviews(&self) -> &[FileReview] {
        &self.reviews
    }

    /// Who has signed and who has to, for each set of keys that counts.
    pub fn quorums(&self) -> Vec<Quorum> {
        let files = self.files.iter();
        let quorums = files.flat_map(|(file, signatures)| {
            file.keys().iter().map(|keys| {
                let signed = signers(signatures, file.message(), keys);
                let rest = keys.canonical_ids().into_iter();
                let rest: BTreeSet<_> = rest.filter(|id| !signed.contains(id)).collect();
                Quorum {
                    role: file.role().clone(),
                    threshold: keys.threshold,
                    signed: signed.iter().map(KeyId::to_string).collect(),
                    unsigned: rest.iter().map(KeyId::to_string).collect(),
                }
            })
        });
        quorums.collect()
    }

    /// Whether every file has the signatures it needs.
    pub fn is_complete(&self) -> bool {
        self.quorums().iter().all(Quorum::is_met)
    }

    /// The keys that sign the snapshot which will name these files.
    pub fn snapshot_keys(&self) -> &RoleKeys {
        self.snapshot.keys()
    }

    /// Adds what `sign` makes for each file and set of keys; how many signatures are new.
    ///
    /// # Errors
    /// The signer's.
    pub fn sign<E>(
        &mut self,
        mut sign: impl FnMut(&RoleName, &RoleKeys, &[u8]) -> Result<Vec<Signature>, E>,
    ) -> Result<usize, E> {
        let mut new = 0;
        for (file, signatures) in &mut self.files {
            for keys in file.keys() {
                for made in sign(file.role(), keys, file.message())? {
                    if signatures.iter().all(|it| it.key_id != made.key_id) {
                        signatures.push(made);
                        new += 1;
                    }
                }
            }
        }
        Ok(new)
    }

    /// The files to publish, all verified again; the snapshot too, where it is ours.
    ///
    /// # Errors
    /// The signer's, or what a reader would refuse.
    pub fn seal<E>(
        self,
        own_snapshot: bool,
        mut sign: impl FnMut(&RoleName, &RoleKeys, &[u8]) -> Result<Vec<Signature>, E>,
    ) -> Result<Vec<SealedFile>, SealError<E>> {
        let mut files = Vec::new();
        for (file, signatures) in self.files {
            files.push(file.seal(&signatures)?);
        }
        if own_snapshot {
            files.push(self.snapshot.of(&files).signed(&mut sign)?);
        }
        Ok(files)
    }

    /// The request as a file.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = b"{\"files\":{".to_vec();
        let mut files: Vec<_> = self.files.iter().collect();
        files.sort_by(|(a, _), (b, _)| a.role().cmp(b.role()));
        for (index, (file, signatures)) in files.into_iter().enumerate() {
            out.extend_from_slice(if index == 0 { b"\n" } else { b",\n" });
            out.extend_from_slice(&Node::text(file.role().as_str()).canonical());
            out.push(b':');
            out.extend_from_slice(&sealed(file.message(), signatures));
        }
        out.extend_from_slice(b"},\n\"repository\":");
        out.extend_from_slice(&Node::text(self.gun.as_str()).canonical());
        out.extend_from_slice(b",\n\"trust_request\":1}\n");
        out
    }
}
