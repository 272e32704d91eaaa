//! The trust decision: evidence from the verified state, judged once for every door.

use super::error::reason;
use super::refresh::Errand;
use super::{Repository, Watch};
use crate::policy::{Asked, Evidence, Judgement, Reason, Requirement, Statement, Unusable, judge};
use crate::reference::ImageReference;
use crate::tuf::key::KeyId;
use crate::tuf::role::RoleName;
use crate::tuf::trusted::Current;
use jiff::Timestamp;
use std::collections::BTreeMap;

/// A judgement with the state it rests on.
#[derive(Clone, Debug)]
pub struct Decision {
    /// The judgement
    pub judgement: Judgement,
    /// What to do about a refusal
    pub hint: Option<String>,
    /// The verified state, where there was one
    pub state: Option<State>,
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

impl Repository {
    /// Decides whether an image is trusted; what fails on the way becomes evidence against it.
    pub async fn decide(
        &self,
        image: &ImageReference,
        requirement: &Requirement,
        now: Timestamp,
        watch: Watch<'_>,
    ) -> Decision {
        let asked = asked(image);
        match self.refresh(&Errand::read(now), watch).await {
            Ok(current) => Decision {
                judgement: judge(asked, requirement, &evidence(&current, asked)),
                hint: None,
                state: Some(state(&current)),
            },
            Err(error) => {
                let reason = error.reason().unwrap_or(Reason::Unreachable);
                let evidence = Evidence::Unknown {
                    reason,
                    message: error.to_string(),
                };
                let judgement = judge(asked, requirement, &evidence);
                Decision {
                    judgement,
                    hint: error.hint(),
                    state: None,
                }
            }
        }
    }
}

/// The tag and the digest of a name; a digest that is no SHA-256 matches nothing.
fn asked(image: &ImageReference) -> Asked<'_> {
    let digest = image.digest();
    Asked {
        tag: image.tag(),
        digest: digest.map(|digest| digest.sha256_hex().unwrap_or(digest.as_str())),
    }
}

fn evidence(current: &Current, asked: Asked<'_>) -> Evidence {
    let mut statements = Vec::new();
    for signed in current.walk() {
        let file = current.role(&signed.role);
        let key_ids: Vec<String> = file
            .map(|file| file.signers().map(KeyId::to_string).collect())
            .unwrap_or_default();
        let mut say = |tag: &str, meta: &crate::tuf::digest::FileMeta| {
            let Some(digest) = meta.sha256_hex() else {
                return;
            };
            let role = signed.role.to_string();
            statements.push(Statement {
                role,
                tag: tag.to_owned(),
                digest,
                size: meta.length,
                key_ids: key_ids.clone(),
            });
        };
        match (asked.tag, asked.digest) {
            (Some(tag), _) => signed.meta(tag).into_iter().for_each(|meta| say(tag, meta)),
            (None, Some(digest)) => signed
                .names()
                .filter(|(_, meta)| meta.sha256_hex().as_deref() == Some(digest))
                .for_each(|(tag, meta)| say(tag, meta)),
            (None, None) => {}
        }
    }
    Evidence::Known {
        statements,
        unusable: unusable(current),
    }
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

fn state(current: &Current) -> State {
    let root = current.root().facts();
    let mut versions = BTreeMap::from([
        ("root".to_owned(), root.version),
        ("timestamp".to_owned(), current.timestamp().facts().version),
        ("snapshot".to_owned(), current.snapshot().facts().version),
        ("targets".to_owned(), current.targets().facts().version),
    ]);
    for (role, file) in current.delegations() {
        if let Ok(file) = file {
            versions.insert(role.to_string(), file.facts().version);
        }
    }
    let root_keys = root.keys_of(&RoleName::root()).keys;
    State {
        root_key_ids: root_keys.iter().map(|key| key.id().to_string()).collect(),
        valid_until: current.valid_until(),
        versions,
    }
}
