//! Past versions of files, each judged by the keys of its own time.

use super::{Moved, SignerChange, between, delegated};
use crate::tuf::envelope::{Document, RoleKeys, Unverified, Verified};
use crate::tuf::key::KeyId;
use crate::tuf::role::{RELEASES, RoleName};
use crate::tuf::snapshot::Snapshot;
use crate::tuf::targets::Targets;
use crate::tuf::timestamp::Timestamp as TimestampFile;
use crate::tuf::trusted::Rooted;
use jiff::Timestamp;
use std::collections::BTreeMap;
use trust_store::server::StoredFile;

/// Files of the past, and which of them were in force when.
#[derive(Debug, Default)]
pub(crate) struct Archive {
    gun: String,
    files: BTreeMap<(RoleName, u64), StoredFile>,
    in_force: BTreeMap<RoleName, Vec<Reign>>,
    judged: BTreeMap<(RoleName, u64), Judged>,
}

type Judged = Result<Verified<Targets>, String>;

/// A version that was the newest from one moment to another, and perhaps longer.
#[derive(Clone, Copy, Debug)]
struct Reign {
    version: u64,
    from: Timestamp,
    until: Timestamp,
}

/// Who signed a file: what people call the signer, and the key's canonical id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SignedBy {
    /// The name
    pub(crate) name: String,
    /// The key
    pub(crate) key: String,
}

/// What a file of the past says, and who signed it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Told {
    /// Who signed it
    pub(crate) by: Vec<SignedBy>,
    /// How tags differ from the version before
    pub(crate) tags: Vec<Moved>,
    /// How those differ to whom it delegates
    pub(crate) signers: Vec<(RoleName, SignerChange)>,
    /// Whether it is known which version came before
    pub(crate) compared: bool,
}

impl Archive {
    /// An archive without files.
    pub(crate) fn of(gun: &str) -> Self {
        Self {
            gun: gun.to_owned(),
            ..Self::default()
        }
    }

    /// Whether it has this file.
    pub(crate) fn has(&self, role: &RoleName, version: u64) -> bool {
        self.files.contains_key(&(role.clone(), version))
    }

    /// Keeps a file.
    pub(crate) fn keep(&mut self, role: RoleName, file: StoredFile) {
        self.files.insert((role, file.version), file);
    }

    /// Which version of a role was in force at a moment, if that was found out.
    pub(crate) fn version_at(&self, role: &RoleName, at: Timestamp) -> Option<u64> {
        let reigns = self.in_force.get(role)?;
        let reign = reigns
            .iter()
            .find(|reign| reign.from <= at && at <= reign.until)?;
        Some(reign.version)
    }

    /// This version of a role, published at `from`, was still the newest at `until`.
    pub(crate) fn in_force(
        &mut self,
        role: RoleName,
        version: u64,
        from: Timestamp,
        until: Timestamp,
    ) {
        let reign = Reign {
            version,
            from,
            until,
        };
        self.in_force.entry(role).or_default().push(reign);
    }

    /// What a file says, if enough keys of its time signed it.
    pub(crate) fn tell(
        &mut self,
        role: &RoleName,
        version: u64,
        before: Before,
    ) -> Result<Told, String> {
        match role.as_str() {
            "root" => {
                let rooted = self.root(version)?;
                let by = rooted.root().signers();
                Ok(Self::signed("root key", by))
            }
            "snapshot" => self.tell_alone::<Snapshot>(role, version),
            "timestamp" => self.tell_alone::<TimestampFile>(role, version),
            _ => self.tell_targets(role, version, before),
        }
    }

    fn tell_alone<T: Document>(&mut self, role: &RoleName, version: u64) -> Result<Told, String> {
        let keys = self.keys(role, version)?;
        let file = self.verified::<T>(role, version, &keys)?;
        Ok(Self::signed(&format!("{role} key"), file.signers()))
    }

    fn tell_targets(
        &mut self,
        role: &RoleName,
        version: u64,
        before: Before,
    ) -> Result<Told, String> {
        let file = self.targets(role, version)?;
        let older = match before {
            Before::Version(older) => Some(self.targets(role, older)?),
            Before::Nothing | Before::Unknown => None,
        };
        let mut by: Vec<_> = file
            .signers()
            .map(|key| self.signer(role, version, key))
            .collect();
        by.sort();
        if before == Before::Unknown {
            return Ok(Told {
                by,
                ..Told::default()
            });
        }
        let older = older.as_ref().map(Verified::facts);
        Ok(Told {
            by,
            tags: between(older, file.facts()),
            signers: delegated(older, file.facts()),
            compared: true,
        })
    }

    /// What people call the owner of a key that signed this file.
    fn signer(&mut self, role: &RoleName, version: u64, key: &KeyId) -> SignedBy {
        let name = match role.parent() {
            None => "Repo Admin".to_owned(),
            Some(parent) if role.as_str() == RELEASES => self
                .created(role, version)
                .and_then(|at| self.version_at(&parent, at))
                .and_then(|version| self.targets(&parent, version).ok())
                .and_then(|parent| holder(parent.facts(), key))
                .unwrap_or_else(|| role.signer().to_owned()),
            Some(_) => role.signer().to_owned(),
        };
        SignedBy {
            name,
            key: key.to_string(),
        }
    }

    fn signed<'k>(name: &str, keys: impl Iterator<Item = &'k KeyId>) -> Told {
        let by = keys.map(|key| SignedBy {
            name: name.to_owned(),
            key: key.to_string(),
        });
        Told {
            by: by.collect(),
            compared: true,
            ..Told::default()
        }
    }

    fn targets(&mut self, role: &RoleName, version: u64) -> Judged {
        let place = (role.clone(), version);
        if let Some(judged) = self.judged.get(&place) {
            return judged.clone();
        }
        let judged = self
            .keys(role, version)
            .and_then(|keys| self.verified::<Targets>(role, version, &keys));
        self.judged.insert(place, judged.clone());
        judged
    }

    /// The keys of a role when this version was published.
    fn keys(&mut self, role: &RoleName, version: u64) -> Result<RoleKeys, String> {
        let at = self.created(role, version).ok_or(NOT_HERE)?;
        let above = role.parent().unwrap_or_else(RoleName::root);
        let version = self.version_at(&above, at).ok_or(NOT_HERE)?;
        match role.parent() {
            None => Ok(self.root(version)?.root().facts().keys_of(role)),
            Some(parent) => self
                .targets(&parent, version)?
                .facts()
                .delegations
                .keys_of(role)
                .ok_or_else(|| format!("nobody delegated to {role} then")),
        }
    }

    fn root(&self, version: u64) -> Result<Rooted, String> {
        let file = self
            .files
            .get(&(RoleName::root(), version))
            .ok_or(NOT_HERE)?;
        Rooted::kept(&self.gun, &file.bytes).map_err(|fault| fault.to_string())
    }

    fn verified<T: Document>(
        &self,
        role: &RoleName,
        version: u64,
        keys: &RoleKeys,
    ) -> Result<Verified<T>, String> {
        let file = self.files.get(&(role.clone(), version)).ok_or(NOT_HERE)?;
        Unverified::parse(&file.bytes)
            .map_err(|fault| fault.to_string())?
            .verify(role, keys)
            .map_err(|fault| fault.to_string())
    }

    fn created(&self, role: &RoleName, version: u64) -> Option<Timestamp> {
        self.files
            .get(&(role.clone(), version))
            .map(|file| file.created)
    }
}

/// Which version a file replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Before {
    /// It was the first
    Nothing,
    /// It is not in the store any more, or too large to read
    Unknown,
    /// This one
    Version(u64),
}

/// The person whose own role has this key.
fn holder(parent: &Targets, key: &KeyId) -> Option<String> {
    let delegations = &parent.delegations;
    delegations
        .roles
        .iter()
        .filter(|role| role.name.as_str() != RELEASES)
        .find(|role| {
            let keys = role.signers.keys_from(&delegations.keys);
            keys.canonical_ids().contains(key)
        })
        .map(|role| role.name.signer().to_owned())
}

const NOT_HERE: &str = "a file that is needed to check it is not here";
