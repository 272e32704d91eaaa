//! What several people have to sign: requested by one, signed in turn, published by the last.

use crate::world::{NotaryServer, Person, TAG, days};
use trust::policy::Reason;
use trust::repository::init::{Initialization, SnapshotKey};
use trust::repository::keyring::KeyringError;
use trust::repository::request::Approval;
use trust::repository::rotate::Rotation;
use trust::repository::{Error, RootKeys};
use trust::tuf::change::Change;
use trust::tuf::edit::{Change as Difference, ProposalError, Terms};
use trust::tuf::role::RoleName;
use trust_store::keys::StoredKey;

/// A repository whose releases two of alice, bob and carol have to sign; none has another's key.
struct Team {
    server: NotaryServer,
    owner: Person,
    alice: Person,
    bob: Person,
    carol: Person,
}

impl Team {
    async fn of_three() -> Self {
        let (server, mut owner) = (NotaryServer::start().await, Person::new());
        let [alice, bob, carol] = [Person::new(), Person::new(), Person::new()];
        for (person, name) in [(&alice, "alice"), (&bob, "bob"), (&carol, "carol")] {
            owner.add(&server, &person.signer(name)).await.unwrap();
        }
        let terms = Terms {
            threshold: Some(2),
            ..Terms::default()
        };
        let role = RoleName::releases();
        let changes = [Change::Amend { role, terms }];
        assert!(owner.change(&server, &changes).await.unwrap());
        Self {
            server,
            owner,
            alice,
            bob,
            carol,
        }
    }

    fn publishes(&self) -> usize {
        self.server.published().len()
    }
}

fn reason(error: &Error) -> Option<Reason> {
    error.reason()
}

#[tokio::test]
async fn two_of_three_sign_a_release_in_turn() {
    let mut team = Team::of_three().await;
    let before = team.publishes();
    let alone = team.alice.sign(&team.server, TAG).await.unwrap_err();
    assert!(matches!(
        &alone,
        Error::Keyring(KeyringError::Lacking(lacking)) if lacking.here == 1 && lacking.needed == 2
    ));
    assert!(alone.hint().unwrap().contains("--request"), "{alone}");

    let request = team.alice.request_sign(&team.server, TAG).await.unwrap();
    assert!(!request.is_complete());
    let added =
        |change: &Difference| matches!(change, Difference::TagAdded { tag, .. } if tag == TAG);
    let releases = RoleName::releases();
    let review = request.reviews.iter().find(|it| it.role == releases);
    assert!(review.unwrap().changes.iter().any(added));
    assert_eq!(team.publishes(), before, "a request publishes nothing");

    let done = team.bob.approve(&team.server, &request.file).await.unwrap();
    assert!(matches!(done, Approval::Published(_)), "{done:?}");
    assert_eq!(team.publishes(), before + 1);
    let tags = Person::new().inspect(&team.server).await.signed_tags;
    assert_eq!(
        (tags[0].tag.as_str(), &tags[0].signers[..]),
        (TAG, &["alice".to_owned()][..])
    );
    let decision = Person::new().decide_at(&team.server, days(0)).await;
    assert_eq!(decision.judgement.reason, None);
}

#[tokio::test]
async fn a_request_can_be_signed_without_the_network_and_handed_on() {
    let mut team = Team::of_three().await;
    team.bob.inspect(&team.server).await;
    let request = team.alice.request_sign(&team.server, TAG).await.unwrap();
    let before = team.publishes();
    let done = team.bob.approve_offline(&request.file).await.unwrap();
    let Approval::Signed(signed) = done else {
        panic!("{done:?}");
    };
    assert!(signed.is_complete());
    assert_eq!(team.bob.kept, std::slice::from_ref(&signed.file));
    assert_eq!(team.publishes(), before);
    // Whoever reaches the server publishes it, key or not.
    let done = team
        .owner
        .approve(&team.server, &signed.file)
        .await
        .unwrap();
    assert!(matches!(done, Approval::Published(_)), "{done:?}");
    assert_eq!(team.publishes(), before + 1);
}

#[tokio::test]
async fn a_stranger_signs_nothing_and_alice_not_twice() {
    let mut team = Team::of_three().await;
    let request = team.alice.request_sign(&team.server, TAG).await.unwrap();
    let before = team.publishes();
    for person in [&mut Person::new(), &mut team.alice] {
        let refused = person.approve(&team.server, &request.file).await;
        assert!(matches!(
            refused,
            Err(Error::Keyring(KeyringError::NoKey(_)))
        ));
        assert!(person.kept.is_empty());
    }
    assert_eq!(team.publishes(), before);
}

#[tokio::test]
async fn a_stale_request_is_refused() {
    let mut team = Team::of_three().await;
    let first = team.alice.request_sign(&team.server, "1.1").await.unwrap();
    let second = team.carol.request_sign(&team.server, "1.2").await.unwrap();
    team.bob.approve(&team.server, &second.file).await.unwrap();
    let before = team.publishes();
    let refused = team
        .bob
        .approve(&team.server, &first.file)
        .await
        .unwrap_err();
    assert!(matches!(
        &refused,
        Error::Proposal(ProposalError::Stale { claimed, present, .. }) if claimed == present
    ));
    assert_eq!(reason(&refused), Some(Reason::Rollback));
    assert!(refused.hint().unwrap().contains("again"), "{refused}");
    assert_eq!((team.publishes(), team.bob.kept.len()), (before, 1));
    // So is the one that was published.
    assert!(
        team.carol
            .approve(&team.server, &second.file)
            .await
            .is_err()
    );
}

#[tokio::test]
async fn a_request_in_which_any_byte_was_changed_is_refused() {
    let mut team = Team::of_three().await;
    let request = team.alice.request_sign(&team.server, TAG).await.unwrap();
    let before = team.publishes();
    for at in 0..request.file.len() {
        let mut changed = request.file.clone();
        changed[at] ^= 1;
        let refused = team.bob.approve(&team.server, &changed).await;
        assert!(refused.is_err(), "byte {at}: {refused:?}");
    }
    assert!(team.bob.kept.is_empty());
    assert_eq!(team.publishes(), before);
}

#[tokio::test]
async fn what_a_request_says_it_adds_is_what_is_signed() {
    let mut team = Team::of_three().await;
    let request = team.alice.request_sign(&team.server, TAG).await.unwrap();
    let text = String::from_utf8(request.file).unwrap();
    // Another tag in the same place, and the signatures taken out: nothing betrays it but the look.
    let other = text.replace("\"1.0\":", "\"6.6\":");
    let cut = unsigned(&other);
    let done = team.bob.approve(&team.server, cut.as_bytes()).await;
    let Ok(Approval::Signed(signed)) = done else {
        panic!("{done:?}");
    };
    let tags: Vec<_> = signed
        .reviews
        .iter()
        .flat_map(|review| &review.changes)
        .filter_map(|change| match change {
            Difference::TagAdded { tag, .. } => Some(tag.as_str()),
            _ => None,
        })
        .collect();
    assert!(tags.iter().all(|tag| *tag == "6.6"), "{tags:?}");
    assert!(!signed.is_complete());
}

/// The same request without any signature.
fn unsigned(request: &str) -> String {
    let mut value: serde_json::Value = serde_json::from_str(request).unwrap();
    for file in value["files"].as_object_mut().unwrap().values_mut() {
        file["signatures"] = serde_json::json!([]);
    }
    value.to_string()
}

/// Three owners of a root, of whom two have to sign, and their root keys.
async fn owners(server: &NotaryServer) -> ([Person; 3], [StoredKey; 3]) {
    let [mut ann, mut ben, cat] = [Person::new(), Person::new(), Person::new()];
    let keys = [ann.root_key(), ben.root_key(), cat.root_key()];
    let how = Initialization {
        root: RootKeys {
            keys: vec![keys[0].clone()],
            certificates: vec![ben.certificate(&keys[1]), cat.certificate(&keys[2])],
            threshold: Some(2),
        },
        snapshot_key: SnapshotKey::Server,
    };
    assert!(ann.init(server, &how).await.is_err(), "one cannot begin it");
    let request = ann.request_init(server, &how).await.unwrap();
    let done = ben.approve(server, &request.file).await.unwrap();
    assert!(matches!(done, Approval::Published(_)), "{done:?}");
    assert_eq!(server.signed("root")["roles"]["root"]["threshold"], 2);
    ([ann, ben, cat], keys)
}

#[tokio::test]
async fn a_repository_is_begun_by_two_of_three_owners() {
    let server = NotaryServer::start().await;
    let ([mut ann, ..], _) = owners(&server).await;
    let alice = ann.signer("alice");
    ann.add(&server, &alice).await.unwrap();
    ann.sign(&server, TAG).await.unwrap();
    let decision = Person::new().decide_at(&server, days(0)).await;
    assert_eq!(decision.judgement.reason, None);
}

#[tokio::test]
async fn a_root_key_without_a_network_signs_what_begins_a_repository() {
    let server = NotaryServer::start().await;
    let [mut ann, mut ben] = [Person::new(), Person::new()];
    let keys = [ann.root_key(), ben.root_key()];
    let how = Initialization {
        root: RootKeys {
            keys: vec![keys[0].clone()],
            certificates: vec![ben.certificate(&keys[1])],
            threshold: Some(2),
        },
        snapshot_key: SnapshotKey::Server,
    };
    let request = ann.request_init(&server, &how).await.unwrap();
    let done = ben.approve_offline(&request.file).await.unwrap();
    let Approval::Signed(signed) = done else {
        panic!("{done:?}");
    };
    let done = ann.approve(&server, &signed.file).await.unwrap();
    assert!(matches!(done, Approval::Published(_)), "{done:?}");

    // Where it is known, or is to be changed, what is kept has to say what is in force.
    let how = Rotation::Root(RootKeys {
        keys: vec![keys[0].clone()],
        certificates: vec![ben.certificate(&keys[1])],
        threshold: Some(1),
    });
    let change = ann.request_rotation(&server, &how).await.unwrap();
    let refused = Person::new().approve_offline(&change.file).await;
    assert!(matches!(refused, Err(Error::Offline)), "{refused:?}");
    ben.inspect(&server).await;
    let refused = ben.approve_offline(&request.file).await;
    assert!(
        matches!(refused, Err(Error::Proposal(ProposalError::Stale { .. }))),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_lost_root_key_is_replaced_by_the_other_two() {
    let server = NotaryServer::start().await;
    let ([mut ann, mut ben, mut cat], keys) = owners(&server).await;
    let alice = ann.signer("alice");
    ann.add(&server, &alice).await.unwrap();
    ann.sign(&server, TAG).await.unwrap();
    let mut reader = Person::new();
    reader.decide_at(&server, days(0)).await;

    // Ann's key is gone; Dan takes her place.
    let dan = Person::new();
    let new = dan.root_key();
    let how = Rotation::Root(RootKeys {
        keys: vec![keys[1].clone()],
        certificates: vec![cat.certificate(&keys[2]), dan.certificate(&new)],
        threshold: Some(2),
    });
    assert!(ben.rotate(&server, &how).await.is_err(), "one cannot do it");
    let request = ben.request_rotation(&server, &how).await.unwrap();
    let done = cat.approve(&server, &request.file).await.unwrap();
    assert!(matches!(done, Approval::Published(_)), "{done:?}");
    assert_eq!(server.signed("root")["version"], 2);
    let decision = reader.decide_at(&server, days(0)).await;
    assert_eq!(decision.judgement.reason, None);
    assert_eq!(decision.state.unwrap().versions["root"], 2);
}
