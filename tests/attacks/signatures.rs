//! Signatures that do not count, however many there are.

use super::{Attack, nothing_after, refused};
use crate::world::{Client, GUN, Key, Publisher, Server, TAG, days};
use std::sync::Arc;
use trust::policy::Reason;

#[tokio::test]
async fn signatures_by_other_keys() {
    refused(&other_keys()).await;
}

pub(crate) fn other_keys() -> Vec<Attack> {
    fn stranger(publisher: &mut Publisher, role: &str) {
        publisher
            .signers
            .insert(role.to_owned(), vec![Key::seed(99)]);
    }
    let attack = |name, before| Attack {
        name,
        before,
        after: nothing_after,
        expected: Reason::BadSignature,
    };
    vec![
        attack("timestamp", |p| stranger(p, "timestamp")),
        attack("snapshot", |p| stranger(p, "snapshot")),
        attack("targets", |p| stranger(p, "targets")),
        attack("releases", |p| stranger(p, "targets/releases")),
        attack("the key of another role", |p| {
            let snapshot = p.signers["snapshot"].clone();
            p.signers.insert("timestamp".to_owned(), snapshot);
        }),
        attack("nobody", |p| {
            p.signers.insert("timestamp".to_owned(), Vec::new());
        }),
    ]
}

#[tokio::test]
async fn signatures_by_revoked_keys() {
    refused(&revoked_keys()).await;
}

pub(crate) fn revoked_keys() -> Vec<Attack> {
    // The root names new keys; the old ones still sign.
    fn revoke(publisher: &mut Publisher, role: &str) {
        publisher.root.version += 1;
        publisher.entrust(role, &[Key::seed(50)], 1);
    }
    let attack = |name, before| Attack {
        name,
        before,
        after: nothing_after,
        expected: Reason::BadSignature,
    };
    vec![
        attack("timestamp", |p| revoke(p, "timestamp")),
        attack("snapshot", |p| revoke(p, "snapshot")),
        attack("targets", |p| revoke(p, "targets")),
        attack("a signer", |p| {
            p.delegate("targets/releases", &[Key::seed(51)], &[""]);
        }),
    ]
}

#[tokio::test]
async fn one_key_twice_for_a_threshold_of_two() {
    refused(&one_key_twice()).await;
}

pub(crate) fn one_key_twice() -> Vec<Attack> {
    fn two_of(publisher: &mut Publisher, role: &str) -> Vec<Arc<Key>> {
        let mut keys = publisher.signers[role].clone();
        keys.push(Key::seed(60));
        publisher.root.version += 1;
        publisher.entrust(role, &keys, 2);
        keys
    }
    fn twice(publisher: &mut Publisher, role: &str) {
        let keys = two_of(publisher, role);
        publisher
            .signers
            .insert(role.to_owned(), vec![keys[0].clone(), keys[0].clone()]);
    }
    let attack = |name, before| Attack {
        name,
        before,
        after: nothing_after,
        expected: Reason::ThresholdUnmet,
    };
    vec![
        attack("timestamp", |p| twice(p, "timestamp")),
        attack("snapshot", |p| twice(p, "snapshot")),
        attack("targets", |p| twice(p, "targets")),
        attack("releases", |p| {
            let keys = [p.signers["targets/releases"][0].clone(), Key::seed(61)];
            p.delegate("targets/releases", &keys, &[""]);
            let role = p
                .targets
                .get_mut("targets")
                .unwrap()
                .delegations
                .roles
                .iter_mut();
            role.filter(|r| r.name.signer() == "releases")
                .for_each(|r| r.signers.threshold = 2);
            p.signers.insert(
                "targets/releases".to_owned(),
                vec![keys[0].clone(), keys[0].clone()],
            );
        }),
    ]
}

#[tokio::test]
async fn two_different_keys_meet_a_threshold_of_two() {
    let (server, mut publisher) = (Server::start().await, Publisher::new());
    let keys = vec![Key::seed(1), Key::seed(2)];
    publisher.entrust("targets", &keys, 2);
    publisher.signers.insert("targets".to_owned(), keys);
    publisher.publish(&server);
    assert_eq!(Client::new().reason(&server).await, None);
}

#[tokio::test]
async fn two_certificates_of_one_key_count_once() {
    let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
    let certificates =
        [days(1000), days(2000)].map(|until| Key::certified(&pair, GUN, days(-9), until));
    let (server, mut publisher) = (Server::start().await, Publisher::new());
    publisher.entrust("root", &certificates, 2);
    publisher
        .signers
        .insert("root".to_owned(), certificates.to_vec());
    publisher.publish(&server);
    assert_eq!(
        Client::new().reason(&server).await,
        Some(Reason::ThresholdUnmet)
    );
}

#[tokio::test]
async fn a_bad_signature_does_not_shadow_a_good_one() {
    let (server, mut publisher) = (Server::start().await, Publisher::new());
    publisher.publish(&server);
    let file = String::from_utf8(server.file("timestamp.json")).unwrap();
    let id = publisher.signers["timestamp"][0].public.id().to_string();
    let bad =
        format!("\"signatures\":[{{\"keyid\":\"{id}\",\"method\":\"eddsa\",\"sig\":\"AAAA\"}},");
    let both = file.replacen("\"signatures\":[", &bad, 1);
    server.put(
        "timestamp.json",
        crate::world::Answer::File(both.into_bytes()),
    );
    assert_eq!(Client::new().reason(&server).await, None, "{TAG}");
}
