//! The publisher: every key, every role, free to publish nonsense.

use super::{Answer, GUN, Server, TAG, days};
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _,
};
use std::collections::BTreeMap;
use std::sync::Arc;
use trust::tuf::delegation::{Delegation, Delegations};
use trust::tuf::digest::FileMeta;
use trust::tuf::envelope::{Document, Expires, Signature, file_bytes};
use trust::tuf::key::PublicKey;
use trust::tuf::role::RoleName;
use trust::tuf::root::{KeyList, Root};
use trust::tuf::snapshot::Snapshot;
use trust::tuf::targets::Targets;
use trust::tuf::timestamp::Timestamp;

/// A key pair of the test world.
pub struct Key {
    pub public: PublicKey,
    pair: Pair,
}

enum Pair {
    Ed25519(Ed25519KeyPair),
    /// A root key, which travels in a certificate
    Certified(EcdsaKeyPair),
}

impl Key {
    /// The Ed25519 key of this seed.
    pub fn seed(seed: u8) -> Arc<Self> {
        let pair = Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap();
        let public = PublicKey::new("ed25519", pair.public_key().as_ref().to_vec()).unwrap();
        Arc::new(Self {
            public,
            pair: Pair::Ed25519(pair),
        })
    }

    /// A new root key in a certificate for `name`.
    pub fn root(name: &str) -> Arc<Self> {
        let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
        Self::certified(&pair, name, days(-100), days(3000))
    }

    /// A certificate of `pair` for `name`, valid between two moments.
    pub fn certified(
        pair: &rcgen::KeyPair,
        name: &str,
        from: jiff::Timestamp,
        until: jiff::Timestamp,
    ) -> Arc<Self> {
        let mut params = rcgen::CertificateParams::default();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params
            .distinguished_name
            .push(rcgen::DnType::CommonName, name);
        params.not_before = std::time::SystemTime::from(from).into();
        params.not_after = std::time::SystemTime::from(until).into();
        Self::in_certificate(pair, &params.self_signed(pair).unwrap())
    }

    /// A new root key in a certificate for `name` that an authority issued.
    pub fn issued(name: &str, by: &rcgen::CertifiedIssuer<'static, rcgen::KeyPair>) -> Arc<Self> {
        let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
        let mut params = rcgen::CertificateParams::default();
        params
            .distinguished_name
            .push(rcgen::DnType::CommonName, name);
        Self::in_certificate(&pair, &params.signed_by(&pair, by).unwrap())
    }

    fn in_certificate(pair: &rcgen::KeyPair, certificate: &rcgen::Certificate) -> Arc<Self> {
        let public = PublicKey::new("ecdsa-x509", certificate.pem().into_bytes()).unwrap();
        let random = ring::rand::SystemRandom::new();
        let der = pair.serialize_der();
        let pair =
            EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &der, &random).unwrap();
        Arc::new(Self {
            public,
            pair: Pair::Certified(pair),
        })
    }

    pub fn sign(&self, message: &[u8]) -> Signature {
        let (method, bytes) = match &self.pair {
            Pair::Ed25519(pair) => ("eddsa", pair.sign(message).as_ref().to_vec()),
            Pair::Certified(pair) => {
                let random = ring::rand::SystemRandom::new();
                (
                    "ecdsa",
                    pair.sign(&random, message).unwrap().as_ref().to_vec(),
                )
            }
        };
        Signature {
            key_id: self.public.id().clone(),
            method: method.to_owned(),
            bytes,
        }
    }
}

/// A repository in the making. Change anything, then [`Publisher::publish`].
pub struct Publisher {
    pub root: Root,
    pub targets: BTreeMap<String, Targets>,
    pub snapshot: Snapshot,
    pub timestamp: Timestamp,
    /// Which keys sign a role, whatever the root says
    pub signers: BTreeMap<String, Vec<Arc<Key>>>,
    /// The last root that was sealed
    sealed_root: Option<(Root, Vec<u8>)>,
}

impl Publisher {
    /// An honest repository at version 5: `targets/releases` and `targets/alice` sign [`TAG`].
    pub fn new() -> Self {
        let signers: BTreeMap<String, Vec<Arc<Key>>> = [
            ("root", Key::root(GUN)),
            ("targets", Key::seed(1)),
            ("snapshot", Key::seed(2)),
            ("timestamp", Key::seed(3)),
            ("targets/releases", Key::seed(4)),
            ("targets/alice", Key::seed(4)),
        ]
        .into_iter()
        .map(|(role, key)| (role.to_owned(), vec![key]))
        .collect();
        let expires = || Expires::at(days(300));
        let nothing = || FileMeta::of(b"");
        let mut publisher = Self {
            root: Root {
                consistent_snapshot: false,
                expires: expires(),
                keys: BTreeMap::new(),
                roles: BTreeMap::new(),
                version: 5,
            },
            targets: BTreeMap::new(),
            snapshot: Snapshot {
                expires: expires(),
                meta: BTreeMap::new(),
                version: 5,
            },
            timestamp: Timestamp {
                expires: Expires::at(days(10)),
                snapshot: nothing(),
                version: 5,
            },
            signers,
            sealed_root: None,
        };
        for role in ["root", "targets", "snapshot", "timestamp"] {
            publisher.entrust(role, &publisher.signers[role].clone(), 1);
        }
        for role in ["targets", "targets/releases", "targets/alice"] {
            let targets = Targets {
                version: 5,
                ..Targets::empty(expires())
            };
            publisher.targets.insert(role.to_owned(), targets);
        }
        for role in ["targets/releases", "targets/alice"] {
            publisher.delegate(role, &publisher.signers[role].clone(), &[""]);
            publisher.sign_image(role, TAG, b"manifest");
        }
        publisher
    }

    /// Has the root name these keys for a base role.
    pub fn entrust(&mut self, role: &str, keys: &[Arc<Key>], threshold: u64) {
        let key_ids = keys.iter().map(|key| key.public.id().clone()).collect();
        self.root.keys.extend(
            keys.iter()
                .map(|key| (key.public.id().clone(), key.public.clone())),
        );
        self.root
            .roles
            .insert(role.to_owned(), KeyList { key_ids, threshold });
    }

    /// Has the parent delegate to these keys.
    pub fn delegate(&mut self, role: &str, keys: &[Arc<Key>], paths: &[&str]) {
        let name = RoleName::parse(role).unwrap();
        let parent = self
            .targets
            .get_mut(name.parent().unwrap().as_str())
            .unwrap();
        let Delegations { keys: known, roles } = &mut parent.delegations;
        known.extend(
            keys.iter()
                .map(|key| (key.public.id().clone(), key.public.clone())),
        );
        roles.retain(|r| r.name != name);
        let key_ids = keys.iter().map(|key| key.public.id().clone()).collect();
        let paths = paths.iter().map(|path| (*path).to_owned()).collect();
        roles.push(Delegation {
            name,
            signers: KeyList {
                key_ids,
                threshold: 1,
            },
            paths,
        });
    }

    /// Signs an image's manifest as `tag` in a role.
    pub fn sign_image(&mut self, role: &str, tag: &str, manifest: &[u8]) {
        let meta = FileMeta::of(manifest);
        self.targets
            .get_mut(role)
            .unwrap()
            .targets
            .insert(tag.to_owned(), meta);
    }

    /// Gives every file the next version.
    pub fn advance(&mut self) {
        self.targets.values_mut().for_each(|file| file.version += 1);
        self.snapshot.version += 1;
        self.timestamp.version += 1;
    }

    /// The bytes of one role, signed by whoever [`Self::signers`] says.
    pub fn file<T: Document>(&self, role: &str, facts: &T) -> Vec<u8> {
        let signed = facts.node();
        let message = signed.canonical();
        let signatures: Vec<_> = self.signers[role]
            .iter()
            .map(|key| key.sign(&message))
            .collect();
        file_bytes(&signed, &signatures)
    }

    /// The root's bytes: the same as long as it says the same, for another signature would make
    /// another file.
    pub fn root_file(&mut self) -> Vec<u8> {
        match &self.sealed_root {
            Some((root, file)) if *root == self.root => file.clone(),
            _ => {
                let file = self.file("root", &self.root);
                self.sealed_root = Some((self.root.clone(), file.clone()));
                file
            }
        }
    }

    /// Seals every role, each naming the next, and serves them under all their names.
    pub fn publish(&mut self, server: &Server) {
        let root = self.root_file();
        serve(server, "root", &root);
        server.put(
            &format!("{}.root.json", self.root.version),
            Answer::File(root.clone()),
        );
        self.snapshot.meta = BTreeMap::from([("root".to_owned(), FileMeta::of(&root))]);
        for (role, facts) in &self.targets {
            let file = self.file(role, facts);
            serve(server, role, &file);
            self.snapshot.meta.insert(role.clone(), FileMeta::of(&file));
        }
        let snapshot = self.file("snapshot", &self.snapshot);
        serve(server, "snapshot", &snapshot);
        self.timestamp.snapshot = FileMeta::of(&snapshot);
        serve(
            server,
            "timestamp",
            &self.file("timestamp", &self.timestamp),
        );
    }
}

/// Serves a file by its name and by its hash.
pub fn serve(server: &Server, role: &str, file: &[u8]) {
    let hash = FileMeta::of(file).sha256_hex().unwrap();
    for name in [format!("{role}.json"), format!("{role}.{hash}.json")] {
        server.put(&name, Answer::File(file.to_vec()));
    }
}
