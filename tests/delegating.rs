//! Who may sign what, at any depth: changed at once, or staged and published later.

use crate::world::{NotaryServer, Person, TAG, days, request};
use trust::policy::Reason;
use trust::repository::sign::{NewSigner, SignRequest};
use trust::repository::signer::Removal;
use trust::repository::{Error, Event};
use trust::tuf::change::Change;
use trust::tuf::edit::{EditError, Terms};
use trust::tuf::key::{KeyId, PublicKey};
use trust::tuf::role::RoleName;

fn role(name: &str) -> RoleName {
    RoleName::parse(name).unwrap()
}

fn id(signer: &NewSigner) -> KeyId {
    signer.keys[0].canonical_id()
}

fn begin(name: &str, keys: &[&NewSigner], paths: &[&str], threshold: u64) -> Change {
    let keys = keys.iter().flat_map(|signer| signer.keys.clone());
    Change::Begin {
        role: role(name),
        terms: Terms {
            threshold: Some(threshold),
            add_keys: keys.collect::<Vec<PublicKey>>(),
            add_paths: paths.iter().map(|path| (*path).to_owned()).collect(),
            ..Terms::default()
        },
    }
}

fn amend(name: &str, terms: Terms) -> Change {
    let role = role(name);
    Change::Amend { role, terms }
}

fn into(name: &str, tag: &str) -> SignRequest {
    SignRequest {
        role: Some(role(name)),
        ..request(tag)
    }
}

/// A repository with one signer, alice, whose key its owner has; one tag is signed.
async fn begun() -> (NotaryServer, Person, NewSigner) {
    let (server, mut owner) = (NotaryServer::start().await, Person::new());
    let alice = owner.signer("alice");
    owner.add(&server, &alice).await.unwrap();
    owner.sign(&server, TAG).await.unwrap();
    (server, owner, alice)
}

async fn refused(person: &mut Person, server: &NotaryServer) -> Option<Reason> {
    person.decide_at(server, days(0)).await.judgement.reason
}

#[tokio::test]
async fn each_level_is_delegated_by_the_one_above_it() {
    let (server, mut owner, _) = begun().await;
    let (mut lead, mut tester) = (Person::new(), Person::new());
    let (team, qa) = (lead.signer("team"), tester.signer("qa"));
    let top = begin("targets/team", &[&team], &["v"], 1);
    owner.change(&server, &[top]).await.unwrap();
    let middle = begin("targets/team/qa", &[&qa], &["v2", "v3"], 1);
    let stranger = tester.change(&server, std::slice::from_ref(&middle)).await;
    assert!(
        stranger
            .unwrap_err()
            .to_string()
            .contains(id(&team).as_str())
    );
    lead.change(&server, &[middle]).await.unwrap();
    let deep = begin("targets/team/qa/nightly", &[&qa], &["v3"], 1);
    tester.change(&server, &[deep]).await.unwrap();
    tester
        .sign_as(&server, &into("targets/team/qa/nightly", "v3.1"), days(0))
        .await
        .unwrap();
    let published = server.published();
    assert_eq!(published[3], ["targets/team"]);
    assert_eq!(published[4], ["targets/team/qa"]);
    assert_eq!(published[5], ["targets/team/qa/nightly"]);

    let outside = tester
        .sign_as(&server, &into("targets/team/qa/nightly", "v2.1"), days(0))
        .await;
    assert!(matches!(
        outside,
        Err(Error::Edit(EditError::NotAdmitted { .. }))
    ));
    let wider = begin("targets/team/qa", &[], &["w"], 1);
    assert!(matches!(
        lead.change(&server, &[wider]).await,
        Err(Error::Edit(EditError::PathsOutside(_)))
    ));
    let nobody = begin("targets/nobody/qa", &[&qa], &["v"], 1);
    assert!(matches!(
        owner.change(&server, &[nobody]).await,
        Err(Error::Edit(EditError::UnknownRole(_)))
    ));

    // Ending the top ends what is below it.
    let role = role("targets/team");
    owner
        .change(&server, &[Change::End { role }])
        .await
        .unwrap();
    let late = tester
        .sign_as(&server, &into("targets/team/qa/nightly", "v3.2"), days(0))
        .await;
    assert!(late.is_err());
    assert_eq!(refused(&mut owner, &server).await, None);
}

#[tokio::test]
async fn a_threshold_is_set_kept_and_met() {
    let (server, mut owner, alice) = begun().await;
    let (bob, carol) = (owner.signer("bob"), owner.signer("carol"));
    let alone = begin("targets/two", &[&bob], &[""], 2);
    assert!(matches!(
        owner.change(&server, &[alone]).await,
        Err(Error::Edit(EditError::TooFewKeys {
            keys: 1,
            threshold: 2,
            ..
        }))
    ));
    let two = begin("targets/two", &[&bob, &carol], &[""], 2);
    owner.change(&server, &[two]).await.unwrap();
    let more = begin("targets/two", &[&alice], &[""], 1);
    owner.change(&server, &[more]).await.unwrap();
    let said = server.signed("targets")["delegations"]["roles"].clone();
    let said = said.as_array().unwrap().iter();
    let two = said.clone().find(|it| it["name"] == "targets/two").unwrap();
    assert_eq!(two["threshold"], 2, "only an amendment changes it");
    assert_eq!(two["keyids"].as_array().unwrap().len(), 3);
    owner
        .sign_as(&server, &into("targets/two", "t"), days(0))
        .await
        .unwrap();
    let terms = Terms {
        threshold: Some(3),
        ..Terms::default()
    };
    owner
        .change(&server, &[amend("targets/two", terms)])
        .await
        .unwrap();
    let terms = Terms::without(&[id(&bob), id(&carol)]);
    owner
        .change(&server, &[amend("targets/two", terms)])
        .await
        .unwrap();
    assert!(matches!(
        owner.events.last(),
        Some(Event::FewerKeys { threshold: 3, .. })
    ));
    let role = role("targets/two");
    assert!(matches!(
        owner.change(&server, &[Change::Witness { role }]).await,
        Err(Error::Edit(EditError::TooFewKeys { .. }))
    ));
}

#[tokio::test]
async fn what_is_not_there_cannot_be_taken_away() {
    let (server, mut owner, _) = begun().await;
    let stranger = Person::new().signer("stranger");
    let before = server.published().len();
    for change in [
        amend("targets/alice", Terms::without(&[id(&stranger)])),
        amend(
            "targets/alice",
            Terms {
                remove_paths: vec!["v".to_owned()],
                ..Terms::default()
            },
        ),
        Change::Purge {
            from: RoleName::targets(),
            keys: vec![id(&stranger)],
        },
    ] {
        let error = owner.change(&server, &[change]).await.unwrap_err();
        assert!(
            matches!(error, Error::NotListed { .. } | Error::NoSuchKeys(_)),
            "{error}"
        );
    }
    let role = role("targets/nobody");
    assert!(matches!(
        owner.change(&server, &[Change::End { role }]).await,
        Err(Error::Edit(EditError::UnknownRole(_)))
    ));
    assert_eq!(server.published().len(), before);
}

#[tokio::test]
async fn a_purge_takes_keys_out_of_every_file_that_can_be_signed_here() {
    let (server, mut owner, alice) = begun().await;
    let mut lead = Person::new();
    let team = lead.signer("team");
    owner
        .change(&server, &[begin("targets/team", &[&team], &[""], 1)])
        .await
        .unwrap();
    let below = begin("targets/team/a", &[&alice, &team], &[""], 1);
    lead.change(&server, &[below]).await.unwrap();
    let purge = Change::Purge {
        from: RoleName::targets(),
        keys: vec![id(&alice)],
    };
    let purge = std::slice::from_ref(&purge);
    owner.change(&server, purge).await.unwrap();
    assert!(
        owner
            .events
            .iter()
            .any(|event| matches!(event, Event::KeysNotPurged { role } if role == "targets/team"))
    );
    let targets = server.signed("targets").to_string();
    assert!(!targets.contains(id(&alice).as_str()));
    assert!(
        server
            .signed("targets/team")
            .to_string()
            .contains(id(&alice).as_str())
    );
    lead.change(&server, purge).await.unwrap();
    assert!(
        !server
            .signed("targets/team")
            .to_string()
            .contains(id(&alice).as_str())
    );
    assert_eq!(server.published().last().unwrap(), &["targets/team"]);
    assert!(matches!(
        lead.change(&server, purge).await,
        Err(Error::NoSuchKeys(_))
    ));
}

#[tokio::test]
async fn a_role_that_lost_its_signatures_is_witnessed_with_what_it_says() {
    let (server, mut owner, alice) = begun().await;
    let mut bob = Person::new();
    let key = bob.signer("bob");
    let releases = amend(
        "targets/releases",
        Terms {
            add_keys: key.keys.clone(),
            remove_keys: vec![id(&alice)],
            ..Terms::default()
        },
    );
    owner.change(&server, &[releases]).await.unwrap();
    assert!(owner.events.iter().any(
        |event| matches!(event, Event::SignaturesLost { role } if role == "targets/releases")
    ));
    assert_eq!(
        refused(&mut owner, &server).await,
        Some(Reason::BadSignature)
    );
    let witness = Change::Witness {
        role: RoleName::releases(),
    };
    let nested = begin("targets/releases/deep", &[&key], &[""], 1);
    assert!(matches!(
        bob.change(&server, &[nested]).await,
        Err(Error::Edit(EditError::Unbelieved(_)))
    ));
    let witness = std::slice::from_ref(&witness);
    assert!(
        owner.change(&server, witness).await.is_err(),
        "not her role any more"
    );
    bob.change(&server, witness).await.unwrap();
    let vouched = bob.events.iter().find_map(|event| match event {
        Event::Vouched { tags, .. } => Some(tags.clone()),
        _ => None,
    });
    assert!(vouched.unwrap()[0].starts_with("1.0 sha256:0707"));
    assert_eq!(refused(&mut owner, &server).await, None);
    let version = server.signed("targets/releases")["version"].as_u64();
    assert_eq!(version, Some(2), "numbered on");
}

#[tokio::test]
async fn a_replaced_signers_tags_stay_signed() {
    let (server, mut owner, alice) = begun().await;
    let mut next = owner.signer("alice");
    owner.replace(&server, &next, false).await.unwrap();
    assert_eq!(
        server.published().last().unwrap(),
        &["targets", "targets/alice", "targets/releases"]
    );
    assert_eq!(refused(&mut Person::new(), &server).await, None);
    let tags = owner.inspect(&server).await.signed_tags;
    assert_eq!(tags[0].signers, ["alice"]);
    let targets = server.signed("targets").to_string();
    assert!(!targets.contains(id(&alice).as_str()));
    assert!(!owner.replace(&server, &next, false).await.unwrap());

    // A key that another signer has too stays in the released set.
    let shared = NewSigner {
        name: "bob".to_owned(),
        keys: next.keys.clone(),
    };
    owner.add(&server, &shared).await.unwrap();
    let old = id(&next);
    next = owner.signer("alice");
    owner.replace(&server, &next, false).await.unwrap();
    let roles = server.signed("targets")["delegations"]["roles"].to_string();
    assert_eq!(roles.matches(old.as_str()).count(), 2, "bob, and for bob");
    next.name = "nobody".to_owned();
    assert!(matches!(
        owner.replace(&server, &next, false).await,
        Err(Error::NoSuchSigner { .. })
    ));
}

#[tokio::test]
async fn without_the_new_private_key_it_is_said_what_is_lost() {
    let (server, mut owner, _) = begun().await;
    let mut alice = Person::new();
    let next = alice.signer("alice");
    let before = server.published().len();
    let error = owner.replace(&server, &next, false).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "no key is here to sign again: targets/alice loses its signature on 1.0; \
         targets/releases loses its signature on 1.0"
    );
    assert_eq!(server.published().len(), before);
    owner.replace(&server, &next, true).await.unwrap();
    let lost = owner.events.iter();
    let lost = lost.filter(|event| matches!(event, Event::SignaturesLost { .. }));
    assert_eq!(lost.count(), 2);
    assert_eq!(
        refused(&mut owner, &server).await,
        Some(Reason::BadSignature)
    );
    let roles = ["targets/alice", "targets/releases"].map(role);
    let witness = roles.map(|role| Change::Witness { role });
    alice.change(&server, &witness).await.unwrap();
    assert_eq!(refused(&mut owner, &server).await, None);
    assert_eq!(
        owner.inspect(&server).await.signed_tags[0].signers,
        ["alice"]
    );
}

#[tokio::test]
async fn staged_changes_are_published_in_one_publish() {
    let (server, mut owner, _) = begun().await;
    let bob = owner.signer("bob");
    let staged = owner.stage_sign(&request("2.0")).await.unwrap();
    let shown: Vec<_> = staged.iter().map(ToString::to_string).collect();
    assert_eq!(
        shown,
        [
            "create target targets/alice 2.0",
            "create target targets/releases 2.0"
        ]
    );
    let more = [
        begin("targets/bob", &[&bob], &[""], 1),
        Change::Sign {
            role: role("targets/bob"),
            name: "2.0".to_owned(),
            meta: trust::tuf::digest::FileMeta::of_image([7; 32], 528),
        },
        Change::Revoke {
            role: RoleName::releases(),
            name: TAG.to_owned(),
        },
    ];
    owner.offline().stage(&more, days(-9)).unwrap();
    let listed = owner.offline().staged().unwrap();
    let listed: Vec<_> = listed.into_iter().map(|it| it.change.unwrap()).collect();
    assert_eq!(
        listed,
        [staged, more.to_vec()].concat(),
        "in order, whatever the clock"
    );
    let before = server.published().len();
    assert_eq!(owner.publish_staged(&server).await.unwrap(), 5);
    assert_eq!(server.published().len(), before + 1);
    assert!(owner.offline().staged().unwrap().is_empty());
    let tags = owner.inspect(&server).await.signed_tags;
    assert_eq!(tags.len(), 1);
    assert_eq!(
        (tags[0].tag.as_str(), &tags[0].signers[..]),
        ("2.0", &["alice".to_owned(), "bob".to_owned()][..])
    );
    assert_eq!(owner.publish_staged(&server).await.unwrap(), 0);
}

#[tokio::test]
async fn a_staged_change_that_cannot_be_made_is_named_and_all_stay() {
    let (server, mut owner, _) = begun().await;
    let nobody = Person::new();
    let by_role = SignRequest {
        role: Some(role("targets/nobody")),
        ..request("2.0")
    };
    let unknown = nobody.offline();
    assert!(unknown.staged().unwrap().is_empty());
    owner.stage_sign(&request("2.0")).await.unwrap();
    owner.stage_sign(&by_role).await.unwrap();
    let before = server.published().len();
    let error = owner.publish_staged(&server).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "change 2 (create target targets/nobody 2.0) cannot be made: \
         tuf: invalid role targets/nobody. this role is not known"
    );
    assert_eq!(server.published().len(), before);
    assert_eq!(owner.offline().staged().unwrap().len(), 3);
    assert_eq!(owner.offline().reset_staged(Some(&[2, 77])).unwrap(), 1);
    assert_eq!(owner.publish_staged(&server).await.unwrap(), 2);
}

#[tokio::test]
async fn nothing_kept_and_no_role_named_stages_nothing() {
    let mut stranger = Person::new();
    assert!(matches!(
        stranger.stage_sign(&request("2.0")).await,
        Err(Error::Offline)
    ));
    let named = into("targets/releases", "2.0");
    assert_eq!(stranger.stage_sign(&named).await.unwrap().len(), 1);
    assert_eq!(stranger.offline().staged().unwrap().len(), 1);
    assert_eq!(stranger.offline().reset_staged(None).unwrap(), 1);
    assert!(stranger.offline().staged().unwrap().is_empty());
}

#[tokio::test]
async fn whoever_removes_the_last_signer_hears_which_tags_go() {
    let (server, mut owner, _) = begun().await;
    owner.sign(&server, "2.0").await.unwrap();
    let mut asked = Vec::new();
    let removal = owner
        .remove_asking(&server, "alice", |tags| {
            asked = tags.to_vec();
            false
        })
        .await;
    assert_eq!(removal.unwrap(), Removal::Declined);
    assert_eq!(asked, [TAG, "2.0"]);
}
