//! Roots that nobody trusted so far has signed.

use super::{Attack, nothing_after, refused};
use crate::world::{Client, GUN, Key, Publisher, Server, days};
use std::sync::Arc;
use trust::policy::Reason;

/// Signs the root with these keys and names them for it.
fn crown(publisher: &mut Publisher, named: Vec<Arc<Key>>, signing: Vec<Arc<Key>>) {
    publisher.root.version += 1;
    publisher.entrust("root", &named, 1);
    publisher.signers.insert("root".to_owned(), signing);
}

#[tokio::test]
async fn roots_from_strangers() {
    refused(&strangers()).await;
}

pub(crate) fn strangers() -> Vec<Attack> {
    let attack = |name, before| Attack {
        name,
        before,
        after: nothing_after,
        expected: Reason::RootMismatch,
    };
    vec![
        attack("signed only by new keys", |p| {
            let new = Key::root(GUN);
            crown(p, vec![new.clone()], vec![new]);
        }),
        attack("another repository in its place", |p| *p = Publisher::new()),
        attack("the same version with other keys", |p| {
            p.entrust("timestamp", &[Key::seed(80)], 1);
        }),
        attack("a certificate for another repository", |p| {
            let (old, new) = (
                p.signers["root"][0].clone(),
                Key::root("registry.test:5000/other"),
            );
            crown(p, vec![new.clone()], vec![old, new]);
        }),
        Attack {
            expected: Reason::BadSignature,
            ..attack("signed by the old keys only", |p| {
                let old = p.signers["root"].clone();
                crown(p, vec![Key::root(GUN)], old);
            })
        },
    ]
}

#[tokio::test]
async fn a_chain_with_a_gap() {
    let (server, mut publisher, mut client) =
        (Server::start().await, Publisher::new(), Client::new());
    publisher.publish(&server);
    assert_eq!(client.reason(&server).await, None);
    let kept = client.kept();
    let (first, second, third) = (
        publisher.signers["root"][0].clone(),
        Key::root(GUN),
        Key::root(GUN),
    );
    crown(
        &mut publisher,
        vec![second.clone()],
        vec![first, second.clone()],
    );
    publisher.publish(&server);
    crown(&mut publisher, vec![third.clone()], vec![second, third]);
    publisher.publish(&server);
    server.remove("6.root.json");
    assert_eq!(client.reason(&server).await, Some(Reason::RootMismatch));
    assert!(client.kept() == kept);
}

#[tokio::test]
async fn a_chain_without_a_gap_is_followed() {
    let (server, mut publisher, mut client) =
        (Server::start().await, Publisher::new(), Client::new());
    publisher.publish(&server);
    assert_eq!(client.reason(&server).await, None);
    let mut old = publisher.signers["root"][0].clone();
    for _ in 0..4 {
        let new = Key::root(GUN);
        crown(&mut publisher, vec![new.clone()], vec![old, new.clone()]);
        publisher.advance();
        publisher.publish(&server);
        old = new;
    }
    assert_eq!(client.reason(&server).await, None);
    let state = client.decide(&server).await.state.unwrap();
    assert_eq!(state.versions["root"], 9);
}

#[tokio::test]
async fn a_certificate_past_its_date() {
    let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
    let expired = Key::certified(&pair, GUN, days(-90), days(-1));
    let (server, mut publisher) = (Server::start().await, Publisher::new());
    publisher.entrust("root", std::slice::from_ref(&expired), 1);
    publisher.signers.insert("root".to_owned(), vec![expired]);
    publisher.publish(&server);
    assert_eq!(Client::new().reason(&server).await, Some(Reason::Expired));
}

#[tokio::test]
async fn a_damaged_kept_root_is_not_replaced_by_the_servers() {
    let (server, mut publisher, mut client) =
        (Server::start().await, Publisher::new(), Client::new());
    publisher.publish(&server);
    assert_eq!(client.reason(&server).await, None);
    let root = client
        .kept()
        .into_keys()
        .find(|path| path.ends_with("root.json"))
        .unwrap();
    std::fs::write(&root, b"{}").unwrap();
    assert_eq!(client.reason(&server).await, Some(Reason::Malformed));
    assert_eq!(std::fs::read(&root).unwrap(), b"{}");
}
