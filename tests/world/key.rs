//! Key pairs of publishers.

use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _,
};
use std::sync::Arc;
use trust::tuf::envelope::Signature;
use trust::tuf::key::PublicKey;

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
        let at = |moment: &str| moment.parse().unwrap();
        Self::certified(
            &pair,
            name,
            at("2026-01-01T00:00:00Z"),
            at("2056-01-01T00:00:00Z"),
        )
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
        let certificate = params.self_signed(pair).unwrap();
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
