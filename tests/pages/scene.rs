//! A store with repositories in it, each published step by step.

use crate::world::{GUN, Key, Publisher, days};
use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper::Response;
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::sync::Arc;
use trust::tuf::digest::FileMeta;
use trust::tuf::envelope::Expires;
use trust::tuf::targets::Targets;
use trust_store::server::{NewFile, Store};

/// A store of its own; gone when dropped.
pub struct Scene {
    pub store: Store,
    _folder: tempfile::TempDir,
}

impl Scene {
    pub async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("store.db").display());
        Self {
            store: Store::open(&url).await.unwrap(),
            _folder: folder,
        }
    }

    /// Puts these files there, in one publish.
    pub async fn put(&self, gun: &str, files: Vec<NewFile>, at: Timestamp) {
        let revision = self.store.newest(gun).await.unwrap().revision;
        self.store.publish(gun, revision, files, at).await.unwrap();
    }

    /// What the page at this address answers to somebody who may see everything.
    pub async fn page(&self, address: &str, now: Timestamp) -> Page {
        self.page_for(address, &|_| true, now).await
    }

    /// The same for somebody who may not.
    pub async fn page_for(
        &self,
        address: &str,
        may_read: &(dyn Fn(&str) -> bool + Sync),
        now: Timestamp,
    ) -> Page {
        let (path, query) = match address.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (address, None),
        };
        Page::of(trust::server::pages::answer(path, query, &self.store, may_read, now).await).await
    }
}

/// An answer with its whole body.
pub struct Page {
    pub status: u16,
    pub headers: hyper::HeaderMap,
    pub html: String,
}

impl Page {
    pub async fn of(response: Response<http_body_util::Full<Bytes>>) -> Self {
        let (head, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Self {
            status: head.status.as_u16(),
            headers: head.headers,
            html: String::from_utf8(body.to_vec()).unwrap(),
        }
    }

    /// The words on it, without tags, each run of white space one space.
    pub fn words(&self) -> String {
        let mut words = String::new();
        for piece in self.html.replace("<wbr>", "").split('<') {
            let text = piece.split_once('>').map_or(piece, |(_, text)| text);
            words.push_str(text);
            words.push(' ');
        }
        let words = words.replace("&quot;", "\"").replace("&lt;", "<");
        let words = words.replace("&gt;", ">").replace("&amp;", "&");
        words.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    #[track_caller]
    pub fn says(&self, words: &str) {
        let said = self.words();
        assert!(
            said.contains(words),
            "`{words}` is not on the page:\n{said}"
        );
    }

    #[track_caller]
    pub fn does_not_say(&self, words: &str) {
        let said = self.words();
        assert!(!said.contains(words), "`{words}` is on the page:\n{said}");
        assert!(!self.html.contains(words), "`{words}` is in the page");
    }
}

/// A repository whose owner publishes it step by step.
pub struct Repository {
    pub gun: String,
    pub publisher: Publisher,
    releasers: Vec<Arc<Key>>,
    stored: BTreeMap<String, (u64, Vec<u8>)>,
}

impl Repository {
    /// Nothing published, nobody but the owner may sign.
    pub fn of(gun: &str) -> Self {
        let mut publisher = Publisher::new();
        let root = vec![Key::root(gun)];
        publisher.root.keys.clear();
        publisher.signers.insert("root".to_owned(), root);
        for role in ["root", "targets", "snapshot", "timestamp"] {
            publisher.entrust(role, &publisher.signers[role].clone(), 1);
        }
        publisher.root.version = 1;
        publisher.root.expires = Expires::at(days(3000));
        publisher.targets = BTreeMap::from([("targets".to_owned(), empty())]);
        publisher.snapshot.version = 0;
        publisher.timestamp.version = 0;
        Self {
            gun: gun.to_owned(),
            publisher,
            releasers: Vec::new(),
            stored: BTreeMap::new(),
        }
    }

    /// The repository of every test, with `targets/releases` and these signers.
    pub fn signed_by(signers: &[&str]) -> Self {
        let mut repository = Self::of(GUN);
        for (seed, signer) in (10..).zip(signers) {
            repository.signer(signer, seed, &[""]);
        }
        repository
    }

    /// From now on this person may sign, with the key of this seed.
    pub fn signer(&mut self, name: &str, seed: u8, paths: &[&str]) {
        let key = Key::seed(seed);
        let role = format!("targets/{name}");
        self.publisher
            .delegate(&role, std::slice::from_ref(&key), paths);
        self.publisher.signers.insert(role, vec![key.clone()]);
        self.publisher
            .signers
            .insert("targets/releases".to_owned(), vec![key.clone()]);
        self.releasers.push(key);
        let releasers = self.releasers.clone();
        self.publisher
            .delegate("targets/releases", &releasers, &[""]);
        self.advance("targets");
    }

    /// This person and the releases sign the tag.
    pub fn sign(&mut self, signer: &str, tag: &str, manifest: &[u8]) {
        let own = format!("targets/{signer}");
        let keys = self.publisher.signers[&own].clone();
        let releases = "targets/releases".to_owned();
        self.publisher.signers.insert(releases.clone(), keys);
        for role in [releases, own] {
            self.advance(&role);
            self.publisher.sign_image(&role, tag, manifest);
        }
    }

    /// These roles say nothing of the tag any more.
    pub fn remove(&mut self, roles: &[&str], tag: &str) {
        for role in roles {
            self.advance(role);
            self.publisher
                .targets
                .get_mut(*role)
                .unwrap()
                .targets
                .remove(tag);
        }
    }

    /// A role's file gets its next version, or a first one.
    pub fn advance(&mut self, role: &str) {
        let stored = self.stored.get(role).map_or(0, |(version, _)| *version);
        let file = self
            .publisher
            .targets
            .entry(role.to_owned())
            .or_insert_with(empty);
        file.version = stored + 1;
    }

    /// A role's file expires then.
    pub fn expires(&mut self, role: &str, at: Timestamp) {
        let at = Expires::at(at);
        match role {
            "root" => self.publisher.root.expires = at,
            "snapshot" => self.publisher.snapshot.expires = at,
            "timestamp" => self.publisher.timestamp.expires = at,
            role => {
                self.advance(role);
                self.publisher.targets.get_mut(role).unwrap().expires = at;
            }
        }
    }

    /// The files of the next publish: what changed, and a new snapshot and timestamp.
    pub fn files(&mut self) -> Vec<NewFile> {
        let mut changed = Vec::new();
        let publisher = &self.publisher;
        if self.version("root") < publisher.root.version {
            let bytes = publisher.file("root", &publisher.root);
            changed.push(("root".to_owned(), publisher.root.version, bytes));
        }
        for (role, facts) in &publisher.targets {
            if self.version(role) < facts.version {
                changed.push((role.clone(), facts.version, publisher.file(role, facts)));
            }
        }
        self.keep(&changed);
        let meta =
            |(role, (_, bytes)): (&String, &(u64, Vec<u8>))| (role.clone(), FileMeta::of(bytes));
        let named = self
            .stored
            .iter()
            .filter(|(role, _)| !["snapshot", "timestamp"].contains(&role.as_str()));
        self.publisher.snapshot.meta = named.map(meta).collect();
        self.publisher.snapshot.version += 1;
        self.publisher.timestamp.version += 1;
        let snapshot = self.publisher.file("snapshot", &self.publisher.snapshot);
        self.publisher.timestamp.snapshot = FileMeta::of(&snapshot);
        let timestamp = self.publisher.file("timestamp", &self.publisher.timestamp);
        let online = [
            (
                "snapshot".to_owned(),
                self.publisher.snapshot.version,
                snapshot,
            ),
            (
                "timestamp".to_owned(),
                self.publisher.timestamp.version,
                timestamp,
            ),
        ];
        self.keep(&online);
        changed
            .into_iter()
            .chain(online)
            .map(|(role, version, bytes)| NewFile {
                role,
                version,
                bytes: bytes.into(),
            })
            .collect()
    }

    /// Publishes what changed, at this moment.
    pub async fn publish(&mut self, scene: &Scene, at: Timestamp) {
        self.publisher.timestamp.expires =
            Expires::at(at + jiff::SignedDuration::from_hours(14 * 24));
        self.publish_as_it_is(scene, at).await;
    }

    /// The same with the timestamp's own date.
    pub async fn publish_as_it_is(&mut self, scene: &Scene, at: Timestamp) {
        let files = self.files();
        scene.put(&self.gun.clone(), files, at).await;
    }

    fn version(&self, role: &str) -> u64 {
        self.stored.get(role).map_or(0, |(version, _)| *version)
    }

    fn keep(&mut self, files: &[(String, u64, Vec<u8>)]) {
        for (role, version, bytes) in files {
            self.stored.insert(role.clone(), (*version, bytes.clone()));
        }
    }
}

fn empty() -> Targets {
    Targets::empty(Expires::at(days(900)))
}

/// Three signers, half a year of work, and about everything that can be wrong.
pub async fn team(scene: &Scene) {
    let mut team = Repository::signed_by(&["alice"]);
    team.publish(scene, days(-180)).await;
    team.sign("alice", "1.0", &manifest("1.0"));
    team.publish(scene, days(-179)).await;
    team.signer("bob", 11, &["1.", "2."]);
    team.publish(scene, days(-120)).await;
    team.sign("bob", "1.1", &manifest("1.1"));
    team.sign("alice", "1.1", &manifest("1.1"));
    team.publish(scene, days(-119)).await;
    team.sign("alice", "latest", &manifest("1.1"));
    team.publish(scene, days(-118)).await;
    team.signer("carol", 12, &["nightly-"]);
    team.publish(scene, days(-70)).await;
    team.sign("carol", "nightly-2026-03-24", &manifest("nightly"));
    team.expires("targets/carol", days(-2));
    team.expires("targets/bob", days(21));
    team.publish(scene, days(-69)).await;
    for (day, tag) in [(-40, "1.2"), (-30, "1.3"), (-20, "2.0"), (-9, "2.1")] {
        team.sign("alice", tag, &manifest(tag));
        team.sign("alice", "latest", &manifest(tag));
        team.publish(scene, days(day)).await;
    }
    team.sign("bob", "2.1", &manifest("2.1"));
    team.publish(scene, days(-8)).await;
    team.signer("dave", 13, &[]);
    team.sign("alice", "latest", &manifest("2.1"));
    team.remove(&["targets/releases", "targets/alice"], "1.0");
    team.publish(scene, days(-6)).await;
    team.expires("snapshot", days(80));
    team.publish(scene, days(-1)).await;
}

/// Something of the size of a manifest.
fn manifest(name: &str) -> Vec<u8> {
    format!("{name:>1337}").into_bytes()
}

/// So many tags in one repository, added in two publishes.
pub async fn large(scene: &Scene, gun: &str, tags: usize) -> Repository {
    let mut large = Repository::of(gun);
    large.signer("builder", 20, &[""]);
    large.publish(scene, days(-50)).await;
    for (day, share) in [(-49, 0..tags - 1), (-3, tags - 1..tags)] {
        for role in ["targets/releases", "targets/builder"] {
            large.advance(role);
            for number in share.clone() {
                let tag = format!("v{}.{}.{}", number / 1000, number / 50 % 20, number % 50);
                large.publisher.sign_image(role, &tag, &manifest(&tag));
            }
        }
        large.publish(scene, days(day)).await;
    }
    large
}

/// Repositories in every state.
pub async fn several(scene: &Scene) {
    for name in [
        "docker.io/library/alpine",
        "docker.io/team/web",
        "registry.test:5000/tools/a-rather-long-name-that-has-to-be-broken-somewhere/on-narrow-screens",
    ] {
        let mut fine = Repository::of(name);
        fine.signer("alice", 10, &[""]);
        fine.sign("alice", "1.0", &manifest("one"));
        fine.publish(scene, days(-2)).await;
    }
    let mut soon = Repository::of("docker.io/team/soon");
    soon.signer("alice", 10, &[""]);
    soon.sign("alice", "1.0", &manifest("one"));
    soon.expires("targets", days(12));
    soon.publish(scene, days(-90)).await;
    soon.publish(scene, days(-3)).await;
    let mut old = Repository::of("docker.io/team/forgotten");
    old.signer("alice", 10, &[""]);
    old.sign("alice", "1.0", &manifest("one"));
    old.publish(scene, days(-80)).await;
    let nonsense = ["root", "targets", "snapshot", "timestamp"].map(|role| NewFile {
        role: role.to_owned(),
        version: 1,
        bytes: Bytes::from_static(b"{}"),
    });
    scene
        .put("docker.io/team/nonsense", nonsense.into(), days(-1))
        .await;
}
