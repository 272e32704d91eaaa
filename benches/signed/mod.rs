//! A repository with many tags, signed in memory as Docker signs it: P-256 keys, one released set.

use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use std::collections::HashMap;
use std::convert::Infallible;
use trust::tuf::digest::FileMeta;
use trust::tuf::edit::{BaseKeys, Draft};
use trust::tuf::envelope::{self, Document, Expires, file_bytes};
use trust::tuf::key::{KeyId, PublicKey};
use trust::tuf::role::RoleName;
use trust::tuf::timestamp::Timestamp;

/// The repository's name.
pub(crate) const GUN: &str = "registry.test/team/app";

/// The moment at which everything is signed and verified.
pub(crate) fn now() -> jiff::Timestamp {
    "2026-06-01T12:00:00Z".parse().expect("a moment")
}

/// The files of one version, and every signature in them.
pub(crate) struct Signed {
    pub(crate) root: Vec<u8>,
    pub(crate) timestamp: Vec<u8>,
    pub(crate) snapshot: Vec<u8>,
    pub(crate) targets: Vec<u8>,
    pub(crate) releases: Vec<u8>,
    pub(crate) signatures: Vec<Signature>,
}

/// One signature with all it takes to check it.
pub(crate) struct Signature {
    pub(crate) point: Vec<u8>,
    pub(crate) message: Vec<u8>,
    pub(crate) bytes: Vec<u8>,
}

impl Signed {
    /// `v1.0`, `v1.1` and so on, each with a digest of its own.
    pub(crate) fn with_tags(tags: usize) -> Self {
        let mut keys = Keys::default();
        let base = BaseKeys {
            root: vec![keys.make_root()],
            root_threshold: 1,
            snapshot: keys.make(),
            targets: keys.make(),
            timestamp: keys.make(),
        };
        let mut draft = Draft::first(&base, now());
        let role = RoleName::releases();
        draft
            .delegate(&role, &[keys.make()], &[String::new()])
            .expect("a known role");
        for number in 0..tags {
            let tag = format!("v1.{number}");
            let meta = FileMeta::of_image(sha256(tag.as_bytes()), 1500);
            draft.sign(&role, &tag, &meta).expect("a known role");
        }
        let sealed = draft.seal(true, |_, role, message| {
            Ok::<_, Infallible>(vec![keys.sign(role.keys[0].id(), message)])
        });
        let sealed = sealed.expect("readable files");
        let take = |role| {
            let file = sealed.iter().find(|file| *file.role() == role);
            file.expect("a sealed role").bytes().to_vec()
        };
        let snapshot = take(RoleName::snapshot());
        Self {
            timestamp: keys.timestamp(base.timestamp.id(), &snapshot),
            snapshot,
            root: take(RoleName::root()),
            targets: take(RoleName::targets()),
            releases: take(role),
            signatures: keys.made,
        }
    }

    /// Every file.
    pub(crate) fn files(&self) -> [&Vec<u8>; 5] {
        let [root, snapshot, targets, releases] = self.named();
        [root, &self.timestamp, snapshot, targets, releases]
    }

    /// The files whose hashes another one states: all but the timestamp.
    pub(crate) fn named(&self) -> [&Vec<u8>; 4] {
        [&self.root, &self.snapshot, &self.targets, &self.releases]
    }
}

/// Private keys by the id of their public halves, and what they signed.
#[derive(Default)]
struct Keys {
    pairs: HashMap<KeyId, EcdsaKeyPair>,
    made: Vec<Signature>,
}

impl Keys {
    fn make(&mut self) -> PublicKey {
        let pair = new_pair();
        let public = rcgen::PublicKeyData::subject_public_key_info(&pair);
        self.keep(&pair, PublicKey::new("ecdsa", public).expect("a key"))
    }

    /// A root key travels in a certificate.
    fn make_root(&mut self) -> PublicKey {
        let pair = new_pair();
        let mut params = rcgen::CertificateParams::default();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params
            .distinguished_name
            .push(rcgen::DnType::CommonName, GUN);
        let pem = params.self_signed(&pair).expect("a certificate").pem();
        let public = PublicKey::new("ecdsa-x509", pem.into_bytes()).expect("a key");
        self.keep(&pair, public)
    }

    fn keep(&mut self, pair: &rcgen::KeyPair, public: PublicKey) -> PublicKey {
        let pair = EcdsaKeyPair::from_pkcs8(
            &ECDSA_P256_SHA256_FIXED_SIGNING,
            &pair.serialize_der(),
            &SystemRandom::new(),
        );
        self.pairs
            .insert(public.id().clone(), pair.expect("a key pair"));
        public
    }

    fn sign(&mut self, id: &KeyId, message: &[u8]) -> envelope::Signature {
        let pair = &self.pairs[id];
        let signature = pair.sign(&SystemRandom::new(), message);
        let bytes = signature.expect("a signature").as_ref().to_vec();
        self.made.push(Signature {
            point: pair.public_key().as_ref().to_vec(),
            message: message.to_vec(),
            bytes: bytes.clone(),
        });
        envelope::Signature {
            key_id: id.clone(),
            method: "ecdsa".to_owned(),
            bytes,
        }
    }

    /// The server's part: the file that names the snapshot.
    fn timestamp(&mut self, id: &KeyId, snapshot: &[u8]) -> Vec<u8> {
        let facts = Timestamp {
            expires: Expires::at(now() + jiff::SignedDuration::from_hours(24 * 14)),
            snapshot: FileMeta::of(snapshot),
            version: 1,
        };
        let signed = facts.node();
        let signature = self.sign(id, &signed.canonical());
        file_bytes(&signed, &[signature])
    }
}

fn new_pair() -> rcgen::KeyPair {
    rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).expect("a key pair")
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    let hash = ring::digest::digest(&ring::digest::SHA256, bytes);
    hash.as_ref().try_into().expect("32 bytes")
}
