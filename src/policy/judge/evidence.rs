//! What is asked, and what is known of the repository it is asked about.

use super::meaning::Refusal;
use crate::policy::{Reason, RootKey};
use std::collections::BTreeMap;
use std::time::Duration;

/// Which image is asked for: a tag, a digest, or both.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The tag
    pub tag: Option<&'a str>,
    /// SHA-256 of the manifest in lower-case hex
    pub digest: Option<&'a str>,
}

impl Asked<'_> {
    pub(super) fn shown(self) -> String {
        shown(self.digest.unwrap_or_default())
    }
}

/// One role's statement that a tag means a digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// The role: `targets`, `targets/releases`, `targets/alice`
    pub role: String,
    /// The tag
    pub tag: String,
    /// SHA-256 of the manifest in lower-case hex; empty, if the role states none
    pub digest: String,
    /// Size of the manifest in bytes
    pub size: u64,
    /// Canonical ids of the keys whose signatures on the role count
    pub key_ids: Vec<String>,
    /// What the signer wrote beside it
    pub custom: Option<serde_json::Value>,
}

impl Statement {
    /// The name of whoever the role belongs to.
    pub(super) fn signer(&self) -> &str {
        self.role.strip_prefix("targets/").unwrap_or(&self.role)
    }
}

/// A role that is delegated and has a file, but cannot be believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unusable {
    /// The role
    pub role: String,
    /// Why, as a code
    pub reason: Reason,
    /// Why, in words
    pub message: String,
}

/// What is known of the repository.
#[derive(Clone, Debug)]
pub enum Evidence {
    /// Verified metadata
    Known {
        /// The repository
        gun: String,
        /// Every statement about the tag asked for; else about every tag that some role says
        /// means the digest, whatever the others say it means; in search order
        statements: Vec<Statement>,
        /// Roles that cannot be believed
        unusable: Vec<Unusable>,
        /// The keys of the root
        root_keys: Vec<RootKey>,
        /// How long ago the server confirmed all this; nothing if it did not since we began
        age: Option<Duration>,
    },
    /// Nothing can be believed
    Unknown {
        /// Why, as a code
        reason: Reason,
        /// Why, in words
        message: String,
    },
}

/// Verified metadata, tag by tag.
pub(super) struct Known<'e> {
    pub(super) gun: &'e str,
    pub(super) root_keys: &'e [RootKey],
    pub(super) age: Option<Duration>,
    pub(super) unusable: &'e [Unusable],
    /// In the order of their bytes
    pub(super) tags: Vec<Told<'e>>,
}

impl<'e> Known<'e> {
    /// What is known of the tag asked for, or of every tag that some role says means the digest.
    pub(super) fn of(asked: Asked<'e>, evidence: &'e Evidence) -> Result<Self, Refusal> {
        let mut known = Self::of_all(evidence)?;
        let Some(tag) = asked.tag else {
            let means = |told: &Told<'_>| {
                let mut digests = told.statements.iter().map(|said| said.digest.as_str());
                digests.any(|digest| Some(digest) == asked.digest)
            };
            known.tags.retain(means);
            return Ok(known);
        };
        known.tags.retain(|told| told.tag == tag);
        if known.tags.is_empty() {
            known.tags.push(Told {
                tag,
                statements: Vec::new(),
                unusable: known.unusable,
            });
        }
        Ok(known)
    }

    /// What is known of every tag.
    pub(super) fn of_all(evidence: &'e Evidence) -> Result<Self, Refusal> {
        let (gun, statements, unusable, root_keys, age) = match evidence {
            Evidence::Known {
                gun,
                statements,
                unusable,
                root_keys,
                age,
            } => (gun, statements, unusable, root_keys, age),
            Evidence::Unknown { reason, message } => return Err((*reason, message.clone())),
        };
        let mut tags: BTreeMap<&str, Vec<&Statement>> = BTreeMap::new();
        for said in statements {
            tags.entry(&said.tag).or_default().push(said);
        }
        let tags = tags.into_iter().map(|(tag, statements)| Told {
            tag,
            statements,
            unusable,
        });
        Ok(Self {
            gun,
            root_keys,
            age: *age,
            unusable,
            tags: tags.collect(),
        })
    }
}

/// What is known of one tag.
pub(super) struct Told<'e> {
    pub(super) tag: &'e str,
    /// In search order
    pub(super) statements: Vec<&'e Statement>,
    pub(super) unusable: &'e [Unusable],
}

impl<'e> Told<'e> {
    /// What a role says.
    pub(super) fn by(&self, role: &str) -> Option<&'e Statement> {
        self.statements
            .iter()
            .find(|said| said.role == role)
            .copied()
    }

    /// Every signed statement that says the same.
    pub(super) fn same(&self, other: &Statement) -> impl Iterator<Item = &'e Statement> {
        let digest = other.digest.clone();
        let statements = self.statements.iter().copied();
        statements.filter(move |said| said.digest == digest && !said.key_ids.is_empty())
    }

    /// Why a role cannot be believed.
    pub(super) fn fault(&self, role: &str) -> Option<&'e Unusable> {
        self.unusable.iter().find(|unusable| unusable.role == role)
    }
}

/// A digest with its algorithm; only of SHA-256 is it left out before.
pub(super) fn shown(digest: &str) -> String {
    if digest.contains(':') {
        return digest.to_owned();
    }
    format!("sha256:{digest}")
}
