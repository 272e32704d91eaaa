//! What signers do to a repository, against a server that accepts what is right.

use crate::world::{NotaryServer, Person, TAG, days, request};
use trust::policy::Reason;
use trust::repository::inspect::SignedTag;
use trust::repository::sign::SignRequest;
use trust::repository::signer::Removal;
use trust::repository::{Error, Event};
use trust::tuf::canonical::Node;
use trust::tuf::role::RoleName;

fn rows(tags: &[SignedTag]) -> Vec<(&str, Vec<&str>)> {
    tags.iter()
        .map(|row| {
            (
                row.tag.as_str(),
                row.signers.iter().map(String::as_str).collect(),
            )
        })
        .collect()
}

/// A repository with one signer, alice, whose key its owner has.
async fn begun() -> (NotaryServer, Person) {
    let (server, mut owner) = (NotaryServer::start().await, Person::new());
    let alice = owner.signer("alice");
    owner.add(&server, &alice).await.unwrap();
    (server, owner)
}

#[tokio::test]
async fn a_first_signer_begins_the_repository_in_one_publish() {
    let (server, mut owner) = begun().await;
    assert_eq!(server.published(), [["root", "targets"]]);
    assert!(matches!(
        owner.events[..],
        [Event::Initializing, Event::Initialized, ..]
    ));
    assert_eq!(
        (
            server.signed("root")["version"].as_u64(),
            server.signed("targets")["version"].as_u64()
        ),
        (Some(1), Some(1))
    );
    let roles = &server.signed("targets")["delegations"]["roles"];
    assert_eq!(
        (&roles[0]["name"], &roles[1]["name"]),
        (&"targets/alice".into(), &"targets/releases".into())
    );
    assert_eq!(roles[0]["paths"], serde_json::json!([""]));
    assert!(owner.inspect(&server).await.signed_tags.is_empty());
}

#[tokio::test]
async fn what_was_published_is_known_offline_at_once() {
    let (server, mut owner) = begun().await;
    owner.sign(&server, TAG).await.unwrap();
    drop(server);
    let decision = owner.decide_offline(days(0)).await;
    assert_eq!(decision.judgement.reason, None);
}

#[tokio::test]
async fn two_signers_sign_the_same_tag() {
    let (server, mut owner) = begun().await;
    let mut bob = Person::new();
    owner.add(&server, &bob.signer("bob")).await.unwrap();
    owner.sign(&server, TAG).await.unwrap();
    bob.sign(&server, TAG).await.unwrap();
    assert_eq!(
        server.published().last().unwrap(),
        &["targets/bob"],
        "the released set says it already"
    );
    assert!(
        bob.events.iter().any(
            |e| matches!(e, Event::ExistingSignatures { signers, .. } if *signers == ["alice"])
        )
    );
    let inspection = Person::new().inspect(&server).await;
    assert_eq!(rows(&inspection.signed_tags), [(TAG, vec!["alice", "bob"])]);
}

#[tokio::test]
async fn signing_again_changes_nothing() {
    let (server, mut owner) = begun().await;
    owner.sign(&server, TAG).await.unwrap();
    let before = server.published().len();
    owner.sign(&server, TAG).await.unwrap();
    assert_eq!(server.published().len(), before);
}

#[tokio::test]
async fn somebody_elses_publish_is_built_upon() {
    let (server, mut owner) = begun().await;
    server.conflicts(3);
    owner.sign(&server, TAG).await.unwrap();
    let conflicts = owner
        .events
        .iter()
        .filter(|e| matches!(e, Event::Conflict))
        .count();
    assert_eq!(conflicts, 3);
    server.conflicts(100);
    assert!(matches!(
        owner.sign(&server, "other").await,
        Err(Error::Contended(12))
    ));
}

#[tokio::test]
async fn without_a_key_nothing_is_signed() {
    let (server, _) = begun().await;
    let mut stranger = Person::new();
    assert!(matches!(
        stranger.sign(&server, TAG).await,
        Err(Error::NoSigningRole)
    ));
    let signer = SignRequest {
        signer: Some("alice".into()),
        ..request(TAG)
    };
    assert!(matches!(
        stranger.sign_as(&server, &signer, days(0)).await,
        Err(Error::NoSigningRole)
    ));
    let role = SignRequest {
        role: Some(RoleName::targets()),
        ..request(TAG)
    };
    let error = stranger
        .sign_as(&server, &role, days(0))
        .await
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("could not find necessary signing keys"),
        "{error}"
    );
    assert_eq!(server.published().len(), 1);
}

#[tokio::test]
async fn one_signer_can_be_chosen_among_the_keys_at_hand() {
    let (server, mut owner) = begun().await;
    let bob = owner.signer("bob");
    owner.add(&server, &bob).await.unwrap();
    let request = SignRequest {
        signer: Some("bob".into()),
        ..request(TAG)
    };
    owner.sign_as(&server, &request, days(0)).await.unwrap();
    assert_eq!(
        rows(&owner.inspect(&server).await.signed_tags),
        [(TAG, vec!["bob"])]
    );
}

#[tokio::test]
async fn custom_data_are_kept_and_signed_canonically() {
    let (server, mut owner) = begun().await;
    let custom = Node::parse(br#"{"z":1,"a":"<&>"}"#).unwrap().into_owned();
    let request = SignRequest {
        custom: Some(custom),
        ..request(TAG)
    };
    owner.sign_as(&server, &request, days(0)).await.unwrap();
    owner.sign(&server, "other").await.unwrap();
    let custom = &server.signed("targets/releases")["targets"][TAG]["custom"];
    assert_eq!(*custom, serde_json::json!({"a": "<&>", "z": 1}));
    assert_eq!(
        Person::new()
            .decide_at(&server, days(0))
            .await
            .judgement
            .reason,
        None
    );
}

#[tokio::test]
async fn a_revoked_tag_is_not_trusted_any_more() {
    let (server, mut owner) = begun().await;
    owner.sign(&server, TAG).await.unwrap();
    owner.sign(&server, "other").await.unwrap();
    owner.revoke(&server, Some(TAG)).await.unwrap();
    assert_eq!(
        owner.decide_at(&server, days(0)).await.judgement.reason,
        Some(Reason::Unsigned)
    );
    assert!(matches!(
        owner.revoke(&server, Some(TAG)).await,
        Err(Error::NotSigned(_))
    ));
    owner.revoke(&server, None).await.unwrap();
    assert!(owner.inspect(&server).await.signed_tags.is_empty());
    assert!(matches!(
        owner.revoke(&server, None).await,
        Err(Error::NoSignedTags)
    ));
}

#[tokio::test]
async fn a_tag_only_in_targets_is_revoked_or_the_missing_key_is_named() {
    let (server, mut owner) = begun().await;
    let mut bob = Person::new();
    owner.add(&server, &bob.signer("bob")).await.unwrap();
    let request = SignRequest {
        role: Some(RoleName::targets()),
        ..request(TAG)
    };
    owner.sign_as(&server, &request, days(0)).await.unwrap();
    let error = bob
        .revoke(&server, Some(TAG))
        .await
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("could not find necessary signing keys"),
        "{error}"
    );
    owner.revoke(&server, Some(TAG)).await.unwrap();
    assert_eq!(
        owner.decide_at(&server, days(0)).await.judgement.reason,
        Some(Reason::Unsigned)
    );
}

#[tokio::test]
async fn a_removed_signer_is_gone_and_tags_stay_signed_where_a_key_is_left() {
    let (server, mut owner) = begun().await;
    let mut bob = Person::new();
    owner.add(&server, &bob.signer("bob")).await.unwrap();
    bob.sign(&server, TAG).await.unwrap();
    // bob alone signed the released set; alice's key is here and signs it again.
    assert_eq!(
        owner.remove(&server, "bob", false).await.unwrap(),
        Removal::Done
    );
    assert_eq!(
        server.published().last().unwrap(),
        &["targets", "targets/releases"]
    );
    assert_eq!(
        owner.decide_at(&server, days(0)).await.judgement.reason,
        None
    );
    let signers: Vec<_> = owner
        .inspect(&server)
        .await
        .signers
        .into_iter()
        .map(|s| s.name)
        .collect();
    assert_eq!(signers, ["alice"]);
    assert!(matches!(
        owner.remove(&server, "bob", true).await,
        Err(Error::NoSuchSigner { .. })
    ));
    assert!(matches!(
        bob.sign(&server, "late").await,
        Err(Error::NoSigningRole)
    ));
}

#[tokio::test]
async fn the_last_signer_goes_only_if_that_is_wanted() {
    let (server, mut owner) = begun().await;
    owner.sign(&server, TAG).await.unwrap();
    assert_eq!(
        owner.remove(&server, "alice", false).await.unwrap(),
        Removal::Declined
    );
    assert_eq!(
        owner.decide_at(&server, days(0)).await.judgement.reason,
        None
    );
    assert_eq!(
        owner.remove(&server, "alice", true).await.unwrap(),
        Removal::Done
    );
    let refused = owner.decide_at(&server, days(0)).await.judgement.reason;
    assert_eq!(
        refused,
        Some(Reason::BadSignature),
        "the released set has no key any more"
    );
}

#[tokio::test]
async fn a_signer_may_come_back_after_being_removed() {
    let (server, mut owner) = begun().await;
    owner.sign(&server, TAG).await.unwrap();
    owner.remove(&server, "alice", true).await.unwrap();
    let again = owner.signer("alice");
    owner.add(&server, &again).await.unwrap();
    owner.sign(&server, "new").await.unwrap();
    assert_eq!(
        rows(&owner.inspect(&server).await.signed_tags),
        [("new", vec!["alice"])]
    );
    assert!(
        owner
            .events
            .iter()
            .any(|e| matches!(e, Event::RoleRestarted { .. }))
    );
}

#[tokio::test]
async fn an_expired_role_is_renewed_with_its_tags() {
    let (server, mut owner) = (NotaryServer::start().await, Person::new());
    let (alice, bob, long_ago) = (owner.signer("alice"), owner.signer("bob"), days(-1090));
    owner.add_at(&server, &alice, long_ago).await.unwrap();
    owner
        .sign_as(&server, &request(TAG), long_ago)
        .await
        .unwrap();
    owner.add(&server, &bob).await.unwrap(); // signs targets again, not the released set
    assert_eq!(
        owner.decide_at(&server, days(6)).await.judgement.reason,
        Some(Reason::Expired)
    );
    owner
        .sign_as(&server, &request("other"), days(6))
        .await
        .unwrap();
    assert_eq!(
        rows(&owner.inspect(&server).await.signed_tags),
        [(TAG, vec!["alice"]), ("other", vec!["alice", "bob"])]
    );
    assert_eq!(
        owner.decide_at(&server, days(6)).await.judgement.reason,
        None
    );
}

#[tokio::test]
async fn the_maker_of_a_repository_keeps_its_root() {
    let (_, owner) = begun().await;
    let elsewhere = NotaryServer::start().await;
    let mut other = Person::new();
    let signer = other.signer("mallory");
    other.add(&elsewhere, &signer).await.unwrap();
    let mut owner = owner;
    let refused = owner.decide_at(&elsewhere, days(0)).await.judgement.reason;
    assert_eq!(
        refused,
        Some(Reason::RootMismatch),
        "no first-use trust for one's own repository"
    );
}

#[tokio::test]
async fn a_repository_that_vanished_is_not_begun_anew() {
    let (_, mut owner) = begun().await;
    let empty = NotaryServer::start().await;
    assert!(matches!(
        owner.sign(&empty, TAG).await,
        Err(Error::Gone { .. })
    ));
    let alice = owner.signer("alice2");
    assert!(matches!(
        owner.add(&empty, &alice).await,
        Err(Error::Gone { .. })
    ));
    assert!(empty.published().is_empty());
}

#[tokio::test]
async fn names_that_go_cannot_write_are_refused() {
    let (server, mut owner) = begun().await;
    assert!(matches!(
        owner.sign(&server, "a\u{1}b").await,
        Err(Error::Edit(_))
    ));
}
