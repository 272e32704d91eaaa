//! From a draft to files that readers believe.

use super::{Draft, SealError, SealedFile};
use super::{ROOT_DAYS, SNAPSHOT_DAYS, TARGETS_DAYS, after};
use crate::tuf::digest::FileMeta;
use crate::tuf::envelope::{Document, Expires, RoleKeys, Signature, Unverified, Verified, sealed};
use crate::tuf::error::{Malformed, TufError, of_role};
use crate::tuf::role::RoleName;
use crate::tuf::root::Root;
use crate::tuf::snapshot::Snapshot;
use crate::tuf::targets::Targets;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A file in its final form, to be signed.
#[derive(Debug)]
pub struct Prepared {
    role: RoleName,
    facts: Facts,
    message: Vec<u8>,
    keys: Vec<RoleKeys>,
}

#[derive(Debug)]
enum Facts {
    Root(Root),
    Snapshot(Snapshot),
    Targets(Arc<Targets>),
}

impl Draft {
    /// Signs every changed role, the snapshot last where it is ours; all of it verified again.
    ///
    /// A root that follows another is signed by the keys of both.
    ///
    /// # Errors
    /// The signer's, or what a reader would refuse.
    pub fn seal<E>(
        self,
        own_snapshot: bool,
        mut sign: impl FnMut(&RoleName, &RoleKeys, &[u8]) -> Result<Vec<Signature>, E>,
    ) -> Result<Vec<SealedFile>, SealError<E>> {
        let present = self.snapshot.clone();
        let snapshot_keys = self.root.keys_of(&RoleName::snapshot());
        let now = self.now;
        let mut files: Vec<SealedFile> = Vec::new();
        for file in self.prepare() {
            files.push(file.signed(&mut sign)?);
        }
        if own_snapshot {
            let expires = Expires::at(after(now, SNAPSHOT_DAYS));
            let facts = next_snapshot(present.as_ref(), expires, &files);
            let role = RoleName::snapshot();
            let file = Prepared::new(role, Facts::Snapshot(facts), vec![snapshot_keys]);
            files.push(file.signed(&mut sign)?);
        }
        Ok(files)
    }

    /// Every changed root and targets file in the form in which it is to be signed.
    pub fn prepare(mut self) -> Vec<Prepared> {
        let changed = std::mem::take(&mut self.changed).into_iter();
        let changed: Vec<_> = changed
            .map(|role| (self.signatories(&role), role))
            .collect();
        let mut files = Vec::new();
        for (keys, role) in changed {
            let facts = if role == RoleName::root() {
                Some(Facts::Root(self.next_root()))
            } else {
                self.next_targets(&role).map(Facts::Targets)
            };
            files.extend(facts.map(|facts| Prepared::new(role, facts, keys)));
        }
        files
    }

    /// Every set of keys that has to sign `role`; of a root, those before it and its own.
    fn signatories(&self, role: &RoleName) -> Vec<RoleKeys> {
        let own = self.keys_of(role).unwrap_or(RoleKeys {
            keys: Vec::new(),
            threshold: 1,
        });
        let before = self.before.clone().filter(|_| *role == RoleName::root());
        match before {
            Some(before) if before != own => vec![own, before],
            _ => vec![own],
        }
    }

    fn next_root(&mut self) -> Root {
        if self.before.is_some() {
            self.root.version += 1;
            self.root.expires = Expires::at(after(self.now, ROOT_DAYS));
        }
        self.root.clone()
    }

    fn next_targets(&mut self, role: &RoleName) -> Option<Arc<Targets>> {
        let mut shared = self.targets.remove(role)?;
        let targets = Arc::make_mut(&mut shared);
        targets.version += 1;
        targets.expires = Expires::at(after(self.now, TARGETS_DAYS));
        Some(shared)
    }
}

impl Prepared {
    fn new(role: RoleName, facts: Facts, keys: Vec<RoleKeys>) -> Self {
        let message = match &facts {
            Facts::Root(root) => root.node().canonical(),
            Facts::Snapshot(snapshot) => snapshot.node().canonical(),
            Facts::Targets(targets) => targets.node().canonical(),
        };
        Self {
            role,
            facts,
            message,
            keys,
        }
    }

    /// Its role.
    pub fn role(&self) -> &RoleName {
        &self.role
    }

    /// The bytes to sign.
    pub fn message(&self) -> &[u8] {
        &self.message
    }

    /// The sets of keys that have to sign it, each up to its own threshold.
    pub fn keys(&self) -> &[RoleKeys] {
        &self.keys
    }

    /// The file with these signatures, if every set of keys accepts it.
    ///
    /// # Errors
    /// What a reader would refuse.
    pub fn seal(self, signatures: &[Signature]) -> Result<SealedFile, TufError> {
        let bytes = sealed(&self.message, signatures);
        let mut believed = None;
        for keys in &self.keys {
            match &self.facts {
                Facts::Root(facts) => drop(readable(&self.role, &bytes, facts, keys)?),
                Facts::Snapshot(facts) => drop(readable(&self.role, &bytes, facts, keys)?),
                Facts::Targets(facts) => {
                    let file = readable(&self.role, &bytes, facts.as_ref(), keys)?;
                    believed = Some((file, keys.clone()));
                }
            }
        }
        let expires = match &self.facts {
            Facts::Root(facts) => facts.expires(),
            Facts::Snapshot(facts) => facts.expires(),
            Facts::Targets(facts) => facts.expires(),
        };
        Ok(SealedFile {
            role: self.role,
            bytes: bytes.into(),
            expires: expires.moment(),
            believed,
        })
    }

    fn signed<E>(
        self,
        sign: &mut impl FnMut(&RoleName, &RoleKeys, &[u8]) -> Result<Vec<Signature>, E>,
    ) -> Result<SealedFile, SealError<E>> {
        let mut signatures: Vec<Signature> = Vec::new();
        for keys in &self.keys {
            let made = sign(&self.role, keys, &self.message).map_err(SealError::Signer)?;
            for signature in made {
                if signatures.iter().all(|it| it.key_id != signature.key_id) {
                    signatures.push(signature);
                }
            }
        }
        Ok(self.seal(&signatures)?)
    }
}

fn next_snapshot(present: Option<&Snapshot>, expires: Expires, files: &[SealedFile]) -> Snapshot {
    let (mut meta, version) = match present {
        Some(present) => (present.meta.clone(), present.version + 1),
        None => (BTreeMap::new(), 1),
    };
    for file in files {
        meta.insert(file.role.to_string(), FileMeta::of(&file.bytes));
    }
    Snapshot {
        expires,
        meta,
        version,
    }
}

/// The same door a reader uses: we cannot publish what we would refuse.
fn readable<T: Document>(
    role: &RoleName,
    file: &[u8],
    facts: &T,
    keys: &RoleKeys,
) -> Result<Verified<T>, TufError> {
    let verified = Unverified::parse(file)
        .map_err(of_role(role))?
        .verify::<T>(role, keys)?;
    if verified.facts().version() == facts.version() {
        return Ok(verified);
    }
    Err(of_role(role)(Malformed::Wrong("version")))
}
