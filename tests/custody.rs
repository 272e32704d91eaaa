//! Keys of base roles and their dates: replaced and renewed, also where something breaks off.

use crate::world::{Answer, Client, NotaryServer, Person, Publisher, Server, days, now};
use trust::repository::init::{Initialization, SnapshotKey};
use trust::repository::keyring::{KeyName, Keyring, PassphraseError, Passphrases};
use trust::repository::renew::{Outcome, Renewal};
use trust::repository::rotate::Rotation;
use trust::repository::{Error, Event, RootKeys};
use trust::tuf::envelope::Expires;
use trust::tuf::error::TufError;
use trust_store::keys::Passphrase;

/// A repository whose owner has every key but the server's, with a signed tag.
async fn begun() -> (NotaryServer, Person) {
    let (server, mut owner) = (NotaryServer::start().await, Person::new());
    let alice = owner.signer("alice");
    owner.add(&server, &alice).await.unwrap();
    owner.sign(&server, "1.0").await.unwrap();
    (server, owner)
}

fn rotations() -> [Rotation; 2] {
    [
        Rotation::Root(RootKeys::default()),
        Rotation::Targets(Vec::new(), None),
    ]
}

fn private_keys(owner: &Person) -> Vec<String> {
    let keys = owner.store().list().unwrap();
    keys.into_iter().map(|key| key.id).collect()
}

#[tokio::test]
async fn a_rotation_is_one_publish_and_old_keys_stay() {
    for (how, roles) in rotations()
        .iter()
        .zip([vec!["root"], vec!["root", "targets"]])
    {
        let (server, mut owner) = begun().await;
        let (before, published) = (private_keys(&owner), server.published().len());
        let rotated = owner.rotate(&server, how).await.unwrap();
        assert_eq!(server.published()[published..], [roles]);
        let after = private_keys(&owner);
        assert_eq!(after.len(), before.len() + 1);
        assert!(before.iter().all(|id| after.contains(id)));
        assert!(rotated.changed && before.contains(&rotated.former[0]));
        assert!(after.contains(&rotated.key_ids[0]));
        owner.sign(&server, "2.0").await.unwrap();
    }
}

#[tokio::test]
async fn the_same_keys_again_change_nothing() {
    let (server, mut owner) = begun().await;
    let (a, b) = (owner.root_key(), owner.root_key());
    let how = |keys, threshold| {
        Rotation::Root(RootKeys {
            keys,
            threshold: Some(threshold),
            ..RootKeys::default()
        })
    };
    let both = how(vec![a.clone(), b.clone()], 2);
    assert!(owner.rotate(&server, &both).await.unwrap().changed);
    let published = server.published().len();
    let turned = how(vec![b, a.clone()], 2);
    assert!(!owner.rotate(&server, &turned).await.unwrap().changed);
    assert_eq!(server.published().len(), published);
    // A new key alone would meet no threshold of two, and none is made.
    let before = private_keys(&owner);
    let error = owner.rotate(&server, &rotations()[0]).await.unwrap_err();
    let expected = Error::WrongThreshold {
        threshold: 2,
        keys: 1,
    };
    assert_eq!(error.to_string(), expected.to_string());
    assert_eq!(private_keys(&owner), before);
    let alone = how(vec![a], 1);
    assert!(owner.rotate(&server, &alone).await.unwrap().changed);
}

/// Every request is the one that breaks off, once before and once after it was carried out.
#[tokio::test]
async fn a_rotation_that_breaks_off_anywhere_can_be_made_again() {
    for how in &rotations() {
        for heard in [false, true] {
            let (server, mut owner) = begun().await;
            let mut broken = 0;
            loop {
                let (before, root) = (private_keys(&owner), server.signed("root"));
                server.cut_after(Some(broken), heard);
                let done = owner.rotate(&server, how).await;
                let after = private_keys(&owner);
                assert!(before.iter().all(|id| after.contains(id)), "a key went");
                if done.is_ok() && owner.events.iter().all(|e| !is_unseen(e)) {
                    break;
                }
                let named = server.signed("root");
                if named != root {
                    let new = &named["roles"][how.role().as_str()]["keyids"][0];
                    assert_ne!(*new, root["roles"][how.role().as_str()]["keyids"][0]);
                }
                server.cut_after(None, false);
                owner.events.clear();
                owner.rotate(&server, how).await.unwrap();
                broken += 1;
            }
            server.cut_after(None, false);
            owner.sign(&server, "2.0").await.unwrap();
            assert!(broken >= 3, "only {broken} requests");
        }
    }
}

fn is_unseen(event: &Event) -> bool {
    matches!(event, Event::NotSeenYet { .. })
}

#[tokio::test]
async fn contended_it_ends_and_can_be_made_again() {
    let (server, mut owner) = begun().await;
    server.conflicts(12);
    let error = owner.rotate(&server, &rotations()[0]).await.unwrap_err();
    assert!(matches!(error, Error::Contended(12)), "{error}");
    owner.rotate(&server, &rotations()[0]).await.unwrap();
}

#[tokio::test]
async fn what_has_to_sign_and_is_not_here_is_named_before_a_key_is_made() {
    let (server, mut owner) = (NotaryServer::start().await, Person::new());
    let keys = vec![owner.root_key(), owner.root_key(), owner.root_key()];
    let how = Initialization {
        root: RootKeys {
            keys: keys.clone(),
            threshold: Some(2),
            ..RootKeys::default()
        },
        snapshot_key: SnapshotKey::Server,
    };
    owner.init(&server, &how).await.unwrap();
    // Two of the three still sign.
    std::fs::remove_file(&keys[0].path).unwrap();
    let targets = Rotation::Targets(Vec::new(), None);
    owner.rotate(&server, &targets).await.unwrap();
    std::fs::remove_file(&keys[2].path).unwrap();
    let before = private_keys(&owner);
    let error = owner.rotate(&server, &targets).await.unwrap_err();
    let words = error.to_string();
    assert!(words.contains("root needs 2 signatures and 1 can be made here"));
    assert!(words.contains(&keys[0].id) && words.contains(&keys[2].id));
    assert!(!words.contains(&keys[1].id));
    assert_eq!(private_keys(&owner), before);
}

#[tokio::test]
async fn what_has_expired_is_signed_again_in_one_publish() {
    let (server, mut owner) = begun().await;
    let published = server.published().len();
    assert_eq!(owner.renew(&server, days(100), now()).await.unwrap(), []);
    assert_eq!(server.published().len(), published);
    // The snapshot of this server ends with day 300, targets and delegations with day 1095.
    let late = days(1200);
    let due = owner.renew(&server, late, late).await.unwrap();
    let told = |event: &Event| matches!(event, Event::LapsedTimestamp { .. });
    assert!(owner.events.iter().any(told));
    let roles: Vec<_> = due
        .iter()
        .map(|it| (it.role.as_str(), &it.outcome))
        .collect();
    let until = Outcome::Renewed(days(1200 + 1095));
    assert_eq!(
        roles,
        [
            ("targets", &until),
            ("snapshot", &Outcome::LeftToServer),
            ("targets/alice", &until),
            ("targets/releases", &until),
        ]
    );
    let all = ["targets", "targets/alice", "targets/releases"];
    assert_eq!(server.published()[published..], [all]);
    assert_eq!(
        server.signed("targets/alice")["targets"]["1.0"]["length"],
        528
    );
    // Ten years on, also the root with its certificate.
    let later = days(3700);
    let due = owner.renew(&server, later, later).await.unwrap();
    assert_eq!(due[0].role.as_str(), "root");
    assert_eq!(due[0].outcome, Outcome::Renewed(days(3700 + 3650)));
    let root = server.signed("root");
    assert_eq!(root["version"], 2);
    assert_eq!(
        root["keys"].as_object().unwrap().len(),
        5,
        "a new certificate"
    );
}

#[tokio::test]
async fn without_its_keys_nothing_is_published_and_they_are_named() {
    let (server, mut owner) = begun().await;
    let published = server.published().len();
    let mut stranger = Person::new();
    let later = days(3700);
    let due = stranger.renew(&server, later, later).await.unwrap();
    let lacking = |it: &Renewal| matches!(&it.outcome, Outcome::Lacking(_));
    assert_eq!(due.iter().filter(|it| lacking(it)).count(), 4);
    assert_eq!(server.published().len(), published);
    // Where the root has expired and its key is gone, the others do not help.
    let root = owner.store().matching("root").unwrap();
    std::fs::remove_file(&root[0].path).unwrap();
    let due = owner.renew(&server, later, later).await.unwrap();
    for renewal in due.iter().filter(|it| it.role.as_str() != "snapshot") {
        let Outcome::Lacking(lacking) = &renewal.outcome else {
            panic!("{renewal:?}");
        };
        assert_eq!(
            (lacking.role.as_str(), &lacking.absent),
            ("root", &vec![root[0].id.clone()])
        );
    }
    assert_eq!(server.published().len(), published);
}

/// The timestamp says that the rest is the newest; only what no server can sign excuses its date.
#[tokio::test]
async fn an_expired_timestamp_alone_is_not_passed_over() {
    let (server, mut owner) = begun().await;
    let late = days(20);
    let error = owner.renew(&server, days(2000), late).await.unwrap_err();
    let Error::Tuf(TufError::Expired { role, .. }) = &error else {
        panic!("{error}");
    };
    assert_eq!(role.as_str(), "timestamp");
}

#[tokio::test]
async fn all_but_dates_is_judged_before_anything_is_signed_again() {
    for attack in crate::attacks::all_but_dates() {
        let (server, mut publisher, mut client) =
            (Server::start().await, Publisher::new(), Client::new());
        publisher.publish(&server);
        assert_eq!(client.reason(&server).await, None, "{}", attack.name);
        publisher.advance();
        (attack.before)(&mut publisher);
        for file in publisher.targets.values_mut() {
            file.expires = Expires::at(days(-1));
        }
        publisher.publish(&server);
        (attack.after)(&publisher, &server);
        let key = publisher.signers["snapshot"][0].public.to_json();
        server.put("snapshot.key", Answer::File(key.into_bytes()));
        let (repository, mut nobody) = (client.repository(Some(&server)), Nobody);
        let store = trust_store::keys::KeyStore::at(client.trust_dir());
        let mut keyring = Keyring::new(store, &mut nobody);
        let watch = &mut |_| ();
        match repository.renew(&mut keyring, days(1), now(), watch).await {
            Err(error) => {
                assert_eq!(
                    error.reason(),
                    Some(attack.expected),
                    "{}: {error}",
                    attack.name
                );
            }
            // A delegation that is not believed is nothing to sign again.
            Ok(due) => {
                let roles: Vec<_> = due.iter().map(|it| it.role.as_str()).collect();
                assert!(!roles.contains(&"targets/releases"), "{}", attack.name);
            }
        }
    }
}

struct Nobody;

impl Passphrases for Nobody {
    fn existing(&mut self, _: &KeyName<'_>) -> Result<Passphrase, PassphraseError> {
        Err(PassphraseError::TooManyTries)
    }

    fn fresh(&mut self, key: &KeyName<'_>) -> Result<Passphrase, PassphraseError> {
        self.existing(key)
    }

    fn wrong(&mut self, _: &KeyName<'_>) -> bool {
        false
    }
}
