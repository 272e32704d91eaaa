//! Delegations that reach further than they may.

use super::{Attack, nothing_after, refused};
use crate::world::{Client, Key, Publisher, Server, TAG};
use trust::policy::Reason;
use trust::tuf::delegation::Delegation;
use trust::tuf::role::RoleName;
use trust::tuf::root::KeyList;
use trust::tuf::targets::Targets;

/// Adds a delegation without asking whether its name fits.
fn delegate_anyhow(publisher: &mut Publisher, from: &str, to: &str) {
    let key = Key::seed(40);
    let delegations = &mut publisher.targets.get_mut(from).unwrap().delegations;
    delegations
        .keys
        .insert(key.public.id().clone(), key.public.clone());
    let signers = KeyList {
        key_ids: vec![key.public.id().clone()],
        threshold: 1,
    };
    let name = RoleName::parse(to).unwrap();
    delegations.roles.push(Delegation {
        name,
        signers,
        paths: vec![String::new()],
    });
}

#[tokio::test]
async fn outside_its_paths() {
    refused(&outside_paths()).await;
}

pub(crate) fn outside_paths() -> Vec<Attack> {
    let attack = |name, before| Attack {
        name,
        before,
        after: nothing_after,
        expected: Reason::Unsigned,
    };
    vec![
        attack("releases may sign only v*", |p| {
            let keys = p.signers["targets/releases"].clone();
            p.delegate("targets/releases", &keys, &["v"]);
        }),
        attack("releases may sign nothing", |p| {
            let keys = p.signers["targets/releases"].clone();
            p.delegate("targets/releases", &keys, &[]);
        }),
        attack("only a signer signs it", |p| {
            p.targets
                .get_mut("targets/releases")
                .unwrap()
                .targets
                .clear();
        }),
    ]
}

#[tokio::test]
async fn circles_and_depths() {
    refused(&circles()).await;
}

pub(crate) fn circles() -> Vec<Attack> {
    let attack = |name, before| Attack {
        name,
        before,
        after: nothing_after,
        expected: Reason::Malformed,
    };
    vec![
        attack("to itself", |p| {
            delegate_anyhow(p, "targets/alice", "targets/alice");
        }),
        attack("back to targets", |p| {
            delegate_anyhow(p, "targets/alice", "targets");
        }),
        attack("to a neighbour", |p| {
            delegate_anyhow(p, "targets/alice", "targets/releases");
        }),
        attack("to a base role", |p| {
            delegate_anyhow(p, "targets", "timestamp");
        }),
        attack("twice", |p| delegate_anyhow(p, "targets", "targets/alice")),
        attack("over a level", |p| {
            delegate_anyhow(p, "targets", "targets/a/b");
        }),
        attack("too deep", |p| {
            let mut parent = "targets".to_owned();
            for _ in 0..17 {
                let child = format!("{parent}/x");
                delegate_anyhow(p, &parent, &child);
                let expires = p.root.expires.clone();
                p.targets.insert(child.clone(), Targets::empty(expires));
                p.signers.insert(child.clone(), vec![Key::seed(40)]);
                parent = child;
            }
        }),
        attack("too many", |p| {
            for n in 0..1100 {
                delegate_anyhow(p, "targets", &format!("targets/n{n}"));
            }
        }),
    ]
}

#[tokio::test]
async fn an_unusable_signer_does_not_hide_the_released_set() {
    let (server, mut publisher) = (Server::start().await, Publisher::new());
    publisher
        .signers
        .insert("targets/alice".to_owned(), vec![Key::seed(99)]);
    publisher.publish(&server);
    let decision = Client::new().decide(&server).await;
    assert_eq!(decision.judgement.reason, None, "{TAG}");
    assert!(
        decision.judgement.signers.is_empty(),
        "alice's word does not count"
    );
}
