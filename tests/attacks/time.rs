//! Old files: too old to be valid, or older than what was seen.

use super::{Attack, nothing_after, refused};
use crate::world::{Answer, Client, Key, Publisher, Server, days};
use trust::policy::{Reason, Verdict};
use trust::repository::Event;
use trust::tuf::envelope::Expires;

#[tokio::test]
async fn an_older_version_of_each_role() {
    refused(&older()).await;
}

pub(crate) fn older() -> Vec<Attack> {
    let attack = |name, before| Attack {
        name,
        before,
        after: nothing_after,
        expected: Reason::Rollback,
    };
    vec![
        attack("timestamp", |p| p.timestamp.version = 4),
        attack("snapshot", |p| p.snapshot.version = 4),
        attack("targets", |p| {
            p.targets.get_mut("targets").unwrap().version = 4;
        }),
        attack("releases", |p| {
            p.targets.get_mut("targets/releases").unwrap().version = 4;
        }),
        attack("root", |p| p.root.version = 4),
    ]
}

#[tokio::test]
async fn each_role_expired() {
    refused(&expired()).await;
}

pub(crate) fn expired() -> Vec<Attack> {
    let attack = |name, before| Attack {
        name,
        before,
        after: nothing_after,
        expected: Reason::Expired,
    };
    vec![
        attack("timestamp", |p| p.timestamp.expires = Expires::at(days(-1))),
        attack("snapshot", |p| p.snapshot.expires = Expires::at(days(-1))),
        attack("targets", |p| {
            p.targets.get_mut("targets").unwrap().expires = Expires::at(days(-1));
        }),
        attack("releases", |p| {
            p.targets.get_mut("targets/releases").unwrap().expires = Expires::at(days(-1));
        }),
        attack("root", |p| {
            p.root.version += 1;
            p.root.expires = Expires::at(days(-1));
        }),
        attack("the moment itself", |p| {
            p.timestamp.expires = Expires::at(days(0));
        }),
    ]
}

#[tokio::test]
async fn the_memory_outlives_what_is_kept() {
    let (server, mut publisher, mut client) =
        (Server::start().await, Publisher::new(), Client::new());
    publisher.publish(&server);
    assert_eq!(client.reason(&server).await, None);
    // docker or notary, or a hand, removes the kept files; the floor stays.
    let files: Vec<_> = client
        .kept()
        .into_keys()
        .filter(|p| p.extension().is_some_and(|e| e == "json"))
        .collect();
    for file in files
        .iter()
        .filter(|path| path.to_string_lossy().contains("/metadata/"))
    {
        std::fs::remove_file(file).unwrap();
    }
    publisher
        .targets
        .get_mut("targets/releases")
        .unwrap()
        .version = 3;
    publisher.publish(&server);
    assert_eq!(client.reason(&server).await, Some(Reason::Rollback));
}

#[tokio::test]
async fn a_version_driven_up_by_a_stolen_key_locks_nobody_out() {
    let (server, mut publisher, mut client) =
        (Server::start().await, Publisher::new(), Client::new());
    publisher.timestamp.version = 2_147_483_647;
    publisher.publish(&server);
    assert_eq!(client.reason(&server).await, None);
    publisher.root.version += 1;
    publisher.entrust("timestamp", &[Key::seed(70)], 1);
    publisher
        .signers
        .insert("timestamp".to_owned(), vec![Key::seed(70)]);
    publisher.timestamp.version = 6;
    publisher.publish(&server);
    assert_eq!(client.reason(&server).await, None, "the key was replaced");
}

#[tokio::test]
async fn an_unreachable_server_is_said_and_only_unexpired_files_stand_in() {
    for status in [404, 500, 503] {
        let (server, mut publisher, mut client) =
            (Server::start().await, Publisher::new(), Client::new());
        publisher.publish(&server);
        assert_eq!(client.reason(&server).await, None);
        server.put("timestamp.json", Answer::Status(status));
        assert_eq!(client.reason(&server).await, None, "{status}");
        let told = client
            .events
            .iter()
            .any(|event| matches!(event, Event::KeptTimestamp { .. }));
        assert!(told, "{status}: used what was kept without a word");
        let later = client.decide_at(Some(&server), days(11)).await;
        assert_eq!(later.judgement.reason, Some(Reason::Expired), "{status}");
    }
}

#[tokio::test]
async fn a_refusal_to_serve_is_not_covered_up() {
    let (server, mut publisher, mut client) =
        (Server::start().await, Publisher::new(), Client::new());
    publisher.publish(&server);
    assert_eq!(client.reason(&server).await, None);
    server.put("timestamp.json", Answer::Status(403));
    let decision = client.decide(&server).await;
    assert_eq!(decision.judgement.verdict, Verdict::Undecided);
}

#[tokio::test]
async fn offline_uses_what_was_kept_until_it_expires() {
    let (server, mut publisher, mut client) =
        (Server::start().await, Publisher::new(), Client::new());
    assert_eq!(
        client.decide_at(None, days(0)).await.judgement.verdict,
        Verdict::Undecided
    );
    publisher.publish(&server);
    assert_eq!(client.reason(&server).await, None);
    assert_eq!(client.decide_at(None, days(0)).await.judgement.reason, None);
    assert_eq!(
        client.decide_at(None, days(11)).await.judgement.reason,
        Some(Reason::Expired)
    );
}
