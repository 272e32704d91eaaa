//! A repository of its owner: `targets` and `targets/releases` move in step, a tag at a time.
//!
//! Both files of a version hold the same tags, so that a half publish would show.

use super::api::{Api, State, Upload, signed, version};
use crate::world::Key;
use base64::Engine as _;
use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use reqwest::StatusCode;
use std::collections::BTreeMap;
use std::sync::Arc;
use trust::tuf::delegation::{Delegation, Delegations};
use trust::tuf::digest::FileMeta;
use trust::tuf::envelope::{Document, Expires, file_bytes};
use trust::tuf::key::PublicKey;
use trust::tuf::role::RoleName;
use trust::tuf::root::{KeyList, Root};
use trust::tuf::snapshot::Snapshot;
use trust::tuf::targets::Targets;

/// What an owner knows of a repository.
#[derive(Clone)]
pub struct Repo {
    pub gun: String,
    root: Root,
    crown: Arc<Key>,
    owner: Arc<Key>,
    /// Who signs snapshots, and for how many days; none: the server does
    snapshot: Option<(Arc<Key>, i64)>,
    /// Signed tags
    pub tags: BTreeMap<String, FileMeta>,
    /// The version of both files
    pub version: u64,
}

impl Repo {
    /// A repository of which the server has only the keys; none if the server has not answered.
    pub async fn begin(api: &Api, gun: &str) -> Option<Self> {
        let snapshot = online_key(api, gun, "snapshot").await?;
        Self::with(api, gun, snapshot, None).await
    }

    /// The same, with snapshots that its owner signs for so many days.
    pub async fn begin_with_own_snapshots(api: &Api, gun: &str, days: i64) -> Option<Self> {
        let key = Key::seed(3);
        Self::with(api, gun, key.public.clone(), Some((key, days))).await
    }

    async fn with(
        api: &Api,
        gun: &str,
        snapshot: PublicKey,
        own_snapshots: Option<(Arc<Key>, i64)>,
    ) -> Option<Self> {
        let timestamp = online_key(api, gun, "timestamp").await?;
        let owner = Key::seed(1);
        let crown = Key::root(gun);
        let root = first_root(&crown, [&owner.public, &snapshot, &timestamp]);
        Some(Self {
            gun: gun.to_owned(),
            root,
            crown,
            owner,
            snapshot: own_snapshots,
            tags: BTreeMap::new(),
            version: 0,
        })
    }

    /// The next version, with more tags.
    pub fn next(&self, tags: impl Iterator<Item = String>) -> Self {
        let mut next = self.clone();
        next.version += 1;
        let meta = |tag: String| (tag.clone(), FileMeta::of(tag.as_bytes()));
        next.tags.extend(tags.map(meta));
        next
    }

    /// The same under the next version of its root.
    pub fn with_next_root(&self) -> Self {
        let mut root = self.root.clone();
        root.version += 1;
        Self {
            root,
            ..self.clone()
        }
    }

    /// The repository as somebody else left it.
    pub fn caught_up(&self, state: &State) -> Self {
        let signed = signed(&state.releases);
        let tags = signed["targets"].as_object().unwrap().iter();
        let tags = tags.map(|(tag, meta)| {
            let hash = meta["hashes"]["sha256"].as_str().unwrap();
            let hash = base64::engine::general_purpose::STANDARD.decode(hash);
            let hash: [u8; 32] = hash.unwrap().try_into().unwrap();
            let meta = FileMeta::of_image(hash, meta["length"].as_u64().unwrap());
            (tag.clone(), meta)
        });
        Self {
            tags: tags.collect(),
            version: version(&state.targets),
            ..self.clone()
        }
    }

    /// Its files as they are published, with the root or without.
    pub fn upload(&self, with_root: bool) -> Upload {
        let mut targets = self.targets();
        let releases = self.sealed(&targets);
        targets.delegations = releases_delegation(&self.owner.public);
        let targets = self.sealed(&targets);
        let mut upload = vec![("targets", targets), ("targets/releases", releases)];
        if with_root {
            upload.insert(0, ("root", self.root_file()));
        }
        if let Some((key, valid)) = &self.snapshot {
            let snapshot = self.own_snapshot(&upload, days(*valid), key);
            upload.push(("snapshot", snapshot));
        }
        upload
    }

    /// A snapshot by its owner, valid until then, of what is uploaded with it.
    fn own_snapshot(&self, upload: &Upload, expires: Timestamp, key: &Key) -> Bytes {
        let mut meta = BTreeMap::from([("root".to_owned(), FileMeta::of(&self.root_file()))]);
        let named = upload.iter().map(|(role, file)| (role, FileMeta::of(file)));
        meta.extend(named.map(|(role, meta)| ((*role).to_owned(), meta)));
        let snapshot = Snapshot {
            expires: Expires::at(expires),
            meta,
            version: self.version,
        };
        sealed(&snapshot, key)
    }

    fn targets(&self) -> Targets {
        Targets {
            targets: self.tags.clone(),
            version: self.version,
            ..Targets::empty(Expires::at(days(YEARS)))
        }
    }

    fn root_file(&self) -> Bytes {
        sealed(&self.root, &self.crown)
    }

    fn sealed(&self, targets: &Targets) -> Bytes {
        sealed(targets, &self.owner)
    }
}

async fn online_key(api: &Api, gun: &str, role: &str) -> Option<PublicKey> {
    let reply = api.file(gun, &format!("{role}.key")).await.ok()?;
    let found = reply.status == StatusCode::OK;
    found.then(|| PublicKey::from_json(&reply.body).unwrap())
}

fn first_root(own: &Key, others: [&PublicKey; 3]) -> Root {
    let [targets, snapshot, timestamp] = others;
    let roles = [
        ("root", &own.public),
        ("targets", targets),
        ("snapshot", snapshot),
        ("timestamp", timestamp),
    ];
    let list = |key: &PublicKey| KeyList {
        key_ids: vec![key.id().clone()],
        threshold: 1,
    };
    Root {
        consistent_snapshot: false,
        expires: Expires::at(days(YEARS)),
        keys: roles
            .iter()
            .map(|(_, key)| (key.id().clone(), (*key).clone()))
            .collect(),
        roles: roles
            .iter()
            .map(|(role, key)| ((*role).to_owned(), list(key)))
            .collect(),
        version: 1,
    }
}

fn releases_delegation(key: &PublicKey) -> Delegations {
    let role = Delegation {
        name: RoleName::releases(),
        signers: KeyList {
            key_ids: vec![key.id().clone()],
            threshold: 1,
        },
        paths: vec![String::new()],
    };
    Delegations {
        keys: BTreeMap::from([(key.id().clone(), key.clone())]),
        roles: vec![role],
    }
}

fn sealed<T: Document>(facts: &T, key: &Key) -> Bytes {
    let signed = facts.node();
    let signature = key.sign(&signed.canonical());
    file_bytes(&signed, &[signature]).into()
}

fn days(days: i64) -> Timestamp {
    Timestamp::now() + SignedDuration::from_hours(24 * days)
}

/// Longer than any test looks ahead.
const YEARS: i64 = 3000;
