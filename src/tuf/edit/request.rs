//! A request as it arrives: parsed strictly, and checked against what is in force.

use super::proposal::ProposalError;
use super::seal::{Facts, Prepared};
use super::{Draft, ROOT_DAYS, TARGETS_DAYS, after};
use crate::tuf::canonical::Node;
use crate::tuf::envelope::{RoleKeys, Signature, Unverified, sealed, signers};
use crate::tuf::error::{Malformed, of_role};
use crate::tuf::role::RoleName;
use crate::tuf::root::Root;
use crate::tuf::targets::Targets;
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A request that was parsed and not checked.
pub(super) struct Read {
    pub(super) gun: String,
    pub(super) files: Vec<ReadFile>,
}

pub(super) struct ReadFile {
    pub(super) role: RoleName,
    facts: Facts,
    message: Vec<u8>,
    signatures: Vec<Signature>,
}

impl ReadFile {
    pub(super) fn version(&self) -> u64 {
        match &self.facts {
            Facts::Root(root) => root.version,
            Facts::Snapshot(snapshot) => snapshot.version,
            Facts::Targets(targets) => targets.version,
        }
    }

    /// It has to be the very next version; in a new repository, a first root.
    pub(super) fn follows(&self, present: Option<&Draft>) -> Result<(), ProposalError> {
        let claimed = self.version();
        let is_root = self.role == RoleName::root();
        let (follows, present) = match present {
            // Whoever knows higher versions of that name goes on above them.
            None => (!is_root || claimed == 1, 0),
            Some(draft) => {
                let present = draft.version_of(&self.role);
                (claimed == present + 1, present)
            }
        };
        if follows {
            return Ok(());
        }
        Err(ProposalError::Stale {
            role: self.role.clone(),
            claimed,
            present,
        })
    }

    /// It has to be in force now and not for longer than such files are.
    pub(super) fn lasts(&self, now: Timestamp) -> Result<(), ProposalError> {
        let (expires, days) = match &self.facts {
            Facts::Root(root) => (root.expires.moment(), ROOT_DAYS),
            Facts::Snapshot(snapshot) => (snapshot.expires.moment(), TARGETS_DAYS),
            Facts::Targets(targets) => (targets.expires.moment(), TARGETS_DAYS),
        };
        // One day, for clocks that differ.
        if expires > now && expires <= after(now, days + 1) {
            return Ok(());
        }
        let role = self.role.clone();
        Err(ProposalError::Dates { role, expires })
    }

    /// Ready to be signed, if every signature is by one of the keys over these bytes.
    pub(super) fn untampered(
        self,
        keys: Vec<RoleKeys>,
    ) -> Result<(Prepared, Vec<Signature>), ProposalError> {
        let file = Prepared::new(self.role, self.facts, keys);
        if file.message() != self.message {
            return Err(of_role(file.role())(Malformed::NotCanonical).into());
        }
        for signature in &self.signatures {
            let one = std::slice::from_ref(signature);
            let valid = |keys: &RoleKeys| !signers(one, file.message(), keys).is_empty();
            if !file.keys().iter().any(valid) {
                return Err(ProposalError::Tampered {
                    role: file.role().clone(),
                    key: signature.key_id.clone(),
                });
            }
        }
        Ok((file, self.signatures))
    }
}

pub(super) fn read(request: &[u8]) -> Result<Read, ProposalError> {
    let wrong = |words: &str| ProposalError::NoRequest(words.to_owned());
    let node = Node::parse(request).map_err(|error| ProposalError::NoRequest(error.to_string()))?;
    let Node::Object(members) = node else {
        return Err(wrong("it is no JSON object"));
    };
    let (mut gun, mut files, mut version) = (None, None, None);
    for (name, value) in members {
        match (name.as_ref(), value) {
            ("repository", Node::Text(name)) => gun = Some(name.into_owned()),
            ("files", Node::Object(members)) => files = Some(members),
            ("trust_request", Node::Int(number)) => version = Some(number),
            _ => return Err(wrong(&format!("{name:?} has no place in it"))),
        }
    }
    if version != Some(1) {
        return Err(wrong("trust_request is not 1"));
    }
    let files = files.filter(|files| !files.is_empty());
    let files = files.ok_or_else(|| wrong("it has no files"))?;
    let files = files.into_iter().map(|(role, file)| read_file(&role, file));
    Ok(Read {
        gun: gun.ok_or_else(|| wrong("it names no repository"))?,
        files: files.collect::<Result<_, _>>()?,
    })
}

fn read_file(role: &str, file: Node<'_>) -> Result<ReadFile, ProposalError> {
    let signed_in_turn = |role: &RoleName| {
        role.is_delegation() || *role == RoleName::targets() || *role == RoleName::root()
    };
    let role = RoleName::parse(role)
        .filter(signed_in_turn)
        .ok_or_else(|| {
            ProposalError::NoRequest(format!("{role:?} is not a role that people sign in turn"))
        })?;
    let arrived = file.clone();
    let file = Unverified::of(file, 0).map_err(of_role(&role))?;
    // Nothing is passed over: whoever takes a signature out has to be seen doing it.
    let written = sealed(&file.message(), file.signatures());
    if !Node::parse(&written).is_ok_and(|written| written == arrived) {
        return Err(of_role(&role)(Malformed::NotCanonical).into());
    }
    let facts = if role == RoleName::root() {
        file.claims(&role).map(Facts::Root)
    } else {
        let targets = file.claims(&role);
        targets.map(|it: Targets| Facts::Targets(Arc::new(it)))
    };
    Ok(ReadFile {
        facts: facts.map_err(of_role(&role))?,
        message: file.message(),
        signatures: file.signatures().to_vec(),
        role,
    })
}

/// What will be in force once these files are published.
pub(super) fn proposed(
    files: &[ReadFile],
    present: Option<&Draft>,
    now: Timestamp,
) -> Result<Draft, ProposalError> {
    let mut root: Option<Root> = None;
    let mut targets = BTreeMap::new();
    for file in files {
        match &file.facts {
            Facts::Root(facts) => root = Some(facts.clone()),
            Facts::Targets(facts) => drop(targets.insert(file.role.clone(), Arc::clone(facts))),
            Facts::Snapshot(_) => {}
        }
    }
    let Some(present) = present else {
        let missing = |role| ProposalError::NoRequest(format!("a new repository needs its {role}"));
        if !targets.contains_key(&RoleName::targets()) {
            return Err(missing("targets"));
        }
        return Ok(Draft::begun(
            root.ok_or_else(|| missing("root"))?,
            targets,
            now,
        ));
    };
    let mut draft = present.clone();
    if let Some(root) = root {
        draft.root = root;
    }
    draft.targets.extend(targets);
    draft.forget_undelegated();
    Ok(draft)
}

/// The sets of keys that have to sign the file; root keys count by certificates for `gun`.
pub(super) fn keys_of(
    file: &ReadFile,
    proposed: &Draft,
    gun: &str,
    now: Timestamp,
) -> Result<Vec<RoleKeys>, ProposalError> {
    let mut keys = proposed.signatories(&file.role);
    if let (Facts::Root(root), Some(own)) = (&file.facts, keys.first_mut()) {
        *own = root.certified_keys(gun, Some(now))?;
    }
    Ok(keys)
}

impl Draft {
    /// A new repository as its first files describe it.
    fn begun(root: Root, targets: BTreeMap<RoleName, Arc<Targets>>, now: Timestamp) -> Self {
        Self {
            root,
            before: None,
            targets,
            numbered: BTreeMap::new(),
            unbelieved: BTreeMap::new(),
            snapshot: None,
            changed: BTreeSet::new(),
            now,
        }
    }

    /// The version of `role` in force; 0 if it has none.
    fn version_of(&self, role: &RoleName) -> u64 {
        if *role == RoleName::root() {
            return self.root.version;
        }
        let numbered = || self.numbered.get(role).copied();
        let believed = self.targets.get(role).map(|file| file.version);
        believed.or_else(numbered).unwrap_or(0)
    }

    /// Drops what nobody delegates to any more, from the snapshot as well.
    fn forget_undelegated(&mut self) {
        let roles: Vec<_> = self.targets.keys().cloned().collect();
        for role in roles {
            if role.is_delegation() && self.keys_of(&role).is_none() {
                self.targets.remove(&role);
            }
        }
        if let Some(mut snapshot) = self.snapshot.take() {
            let known = |role: &str| RoleName::parse(role).is_some_and(|role| self.knows(&role));
            snapshot.meta.retain(|role, _| known(role));
            self.snapshot = Some(snapshot);
        }
    }

    fn knows(&self, role: &RoleName) -> bool {
        !role.is_delegation() || self.keys_of(role).is_some()
    }
}
