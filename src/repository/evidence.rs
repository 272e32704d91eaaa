//! What verified state says of an image, prepared for many questions.

use super::error::reason;
use crate::policy::{Asked, RootKey, Statement, Unusable};
use crate::tuf::canonical::Node;
use crate::tuf::digest::FileMeta;
use crate::tuf::envelope::Verified;
use crate::tuf::key::KeyId;
use crate::tuf::role::RoleName;
use crate::tuf::root::Root;
use crate::tuf::trusted::Current;
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::OnceLock;

/// Verified state with what every question needs of it.
#[derive(Debug)]
pub(super) struct Known {
    current: Current,
    /// Tags by the digest that some role says they mean; made when a digest is first asked for
    tags: OnceLock<HashMap<String, BTreeSet<String>>>,
    unusable: Vec<Unusable>,
    root_keys: Vec<RootKey>,
}

impl Known {
    pub(super) fn new(current: Current) -> Self {
        Self {
            unusable: unusable(&current),
            root_keys: root_keys(current.root()),
            tags: OnceLock::new(),
            current,
        }
    }

    pub(super) fn current(&self) -> &Current {
        &self.current
    }

    pub(super) fn unusable(&self) -> &[Unusable] {
        &self.unusable
    }

    pub(super) fn root_keys(&self) -> &[RootKey] {
        &self.root_keys
    }

    /// Every statement about the tag or the digest asked for, in search order.
    pub(super) fn statements(&self, asked: Asked<'_>) -> Vec<Statement> {
        match (asked.tag, asked.digest) {
            (Some(tag), _) => self.about(&BTreeSet::from([tag.to_owned()])),
            (None, Some(digest)) => match self.tags().get(digest) {
                // What others say of these tags counts, too.
                Some(tags) => self.about(tags),
                None => Vec::new(),
            },
            (None, None) => Vec::new(),
        }
    }

    /// Every statement about any tag.
    pub(super) fn all_statements(&self) -> Vec<Statement> {
        self.about(&self.tags().values().flatten().cloned().collect())
    }

    fn tags(&self) -> &HashMap<String, BTreeSet<String>> {
        self.tags.get_or_init(|| {
            let mut tags: HashMap<String, BTreeSet<String>> = HashMap::new();
            for signed in self.current.walk() {
                for (tag, meta) in signed.names() {
                    if let Some(digest) = meta.sha256_hex() {
                        tags.entry(digest).or_default().insert(tag.to_owned());
                    }
                }
            }
            tags
        })
    }

    fn about(&self, tags: &BTreeSet<String>) -> Vec<Statement> {
        let mut statements = Vec::new();
        for signed in self.current.walk() {
            let said = tags.iter().filter_map(|tag| {
                let meta = signed.meta(tag)?;
                Some(self.statement(&signed.role, tag, meta))
            });
            statements.extend(said);
        }
        statements
    }

    fn statement(&self, role: &RoleName, tag: &str, meta: &FileMeta) -> Statement {
        let file = self.current.role(role);
        let key_ids = file.map(|file| file.signers().map(KeyId::to_string).collect());
        Statement {
            role: role.to_string(),
            tag: tag.to_owned(),
            digest: meta.sha256_hex().unwrap_or_default(),
            size: meta.length,
            key_ids: key_ids.unwrap_or_default(),
            custom: meta.custom.as_ref().map(Node::to_value),
        }
    }
}

/// The verified state a judgement rests on.
#[derive(Clone, Debug)]
pub struct State {
    /// Ids of the root keys as root.json lists them
    pub root_key_ids: Vec<String>,
    /// The first moment at which some file of it is not valid any more
    pub valid_until: Timestamp,
    /// The version of each role
    pub versions: BTreeMap<String, u64>,
}

impl State {
    pub(super) fn of(known: &Known) -> Self {
        let current = &known.current;
        let mut versions = BTreeMap::from([
            ("root".to_owned(), current.root().facts().version),
            ("timestamp".to_owned(), current.timestamp().facts().version),
            ("snapshot".to_owned(), current.snapshot().facts().version),
            ("targets".to_owned(), current.targets().facts().version),
        ]);
        for (role, file) in current.delegations() {
            if let Ok(file) = file {
                versions.insert(role.to_string(), file.facts().version);
            }
        }
        Self {
            root_key_ids: known.root_keys.iter().map(|key| key.id.clone()).collect(),
            valid_until: current.valid_until(),
            versions,
        }
    }
}

/// The keys of a root, as rules pin them.
pub(super) fn root_keys(root: &Verified<Root>) -> Vec<RootKey> {
    let keys = root.facts().keys_of(&RoleName::root()).keys;
    let keys = keys.iter().map(|key| {
        let canonical = key.canonical_id();
        RootKey {
            id: key.id().to_string(),
            signed: root.signers().any(|signer| *signer == canonical),
            canonical_id: canonical.to_string(),
            certificates: key.is_certificate().then(|| key.public().to_vec()),
        }
    });
    keys.collect()
}

fn unusable(current: &Current) -> Vec<Unusable> {
    let pruned = current
        .delegations()
        .filter_map(|(role, file)| Some((role, file.err()?)));
    pruned
        .map(|(role, pruned)| Unusable {
            role: role.to_string(),
            reason: reason(&pruned.fault),
            message: pruned.fault.to_string(),
        })
        .collect()
}
