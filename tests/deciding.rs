//! Decisions of a process that goes on: state in memory, one look for many, clocks, first roots.

use crate::world::{Answer, Client, Publisher, Server, days, image, now};
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;
use trust::policy::{Demand, Policy, Reason, RootTrust, Rule};
use trust::repository::{Decider, Decision};
use trust::tuf::envelope::Expires;

fn signed() -> Rule {
    Policy::signed().default
}

fn trusting(root: RootTrust) -> Rule {
    let mut rule = signed();
    if let Demand::Signed(requirement) = &mut rule.demand {
        requirement.root = root;
    }
    rule
}

async fn ask(decider: &Decider, rule: &Rule, now: Timestamp) -> Decision {
    let decision = decider.decide(&image(), rule, now, &mut |_| ()).await;
    decision.unwrap()
}

async fn reason(decider: &Decider, now: Timestamp) -> Option<Reason> {
    ask(decider, &signed(), now).await.judgement.reason
}

/// A server with an honest repository, and a machine that has seen nothing.
async fn world() -> (Server, Publisher, Client) {
    let (server, mut publisher) = (Server::start().await, Publisher::new());
    publisher.publish(&server);
    (server, publisher, Client::new())
}

fn take_away(server: &Server) {
    for name in server.names() {
        server.put(&name, Answer::Status(503));
    }
}

/// Bypass 25: many clients at once cost one refresh.
#[tokio::test]
async fn five_hundred_questions_cost_one_look() {
    let (server, _, client) = world().await;
    let decider = Arc::new(client.decider(&server));
    let asking = (0..500).map(|_| {
        let decider = Arc::clone(&decider);
        tokio::spawn(async move { reason(&decider, now()).await })
    });
    for answer in asking.collect::<Vec<_>>() {
        assert_eq!(answer.await.unwrap(), None);
    }
    let asked = server.asked();
    let looks = asked.iter().filter(|name| *name == "timestamp.json");
    assert_eq!(looks.count(), 1, "{asked:?}");
}

#[tokio::test]
async fn state_is_asked_for_anew_when_it_is_old() {
    let (server, mut publisher, client) = world().await;
    let decider = client.decider(&server);
    assert_eq!(reason(&decider, now()).await, None);
    server.asked();
    let later = |seconds| now() + SignedDuration::from_secs(seconds);
    let decision = ask(&decider, &signed(), later(59)).await;
    assert_eq!(decision.age.unwrap().as_secs(), 59);
    assert_eq!(server.asked(), Vec::<String>::new());
    publisher
        .targets
        .values_mut()
        .for_each(|role| role.targets.clear());
    publisher.advance();
    publisher.publish(&server);
    assert_eq!(reason(&decider, later(60)).await, Some(Reason::Unsigned));
}

#[tokio::test]
async fn without_the_server_unexpired_state_serves_and_expired_does_not() {
    let (server, _, client) = world().await;
    let decider = client.decider(&server);
    assert_eq!(reason(&decider, now()).await, None);
    take_away(&server);
    assert_eq!(reason(&decider, days(9)).await, None);
    assert_eq!(reason(&decider, days(10)).await, Some(Reason::Expired));
}

#[tokio::test]
async fn a_delegation_that_expires_in_memory_counts_no_more() {
    let (server, mut publisher, client) = world().await;
    publisher
        .targets
        .get_mut("targets/releases")
        .unwrap()
        .expires = Expires::at(days(1));
    publisher.advance();
    publisher.publish(&server);
    let mut rule = signed();
    if let Demand::Signed(requirement) = &mut rule.demand {
        requirement.refresh = std::time::Duration::from_hours(24 * 5);
    }
    let decider = client.decider(&server);
    assert_eq!(ask(&decider, &rule, days(0)).await.judgement.reason, None);
    assert!(decider.decide_at_once(&image(), &rule, days(0)).is_some());
    // Whoever holds the line open, so that there is no time to look, must not keep it alive.
    assert!(decider.decide_at_once(&image(), &rule, days(1)).is_none());
    let late = ask(&decider, &rule, days(1)).await;
    assert_eq!(late.judgement.reason, Some(Reason::Expired));
}

/// Bypass 22: a clock that is set back brings nothing back, in this process and the next.
#[tokio::test]
async fn what_has_expired_stays_so_when_the_clock_is_set_back() {
    let (server, mut publisher, client) = world().await;
    let decider = client.decider(&server);
    assert_eq!(reason(&decider, days(0)).await, None);
    assert_eq!(reason(&decider, days(11)).await, Some(Reason::Expired));
    assert_eq!(reason(&decider, days(0)).await, Some(Reason::Expired));
    let after_restart = client.decider(&server);
    assert_eq!(reason(&after_restart, days(0)).await, Some(Reason::Expired));
    publisher.timestamp.expires = Expires::at(days(20));
    publisher.advance();
    publisher.publish(&server);
    assert_eq!(reason(&client.decider(&server), days(0)).await, None);
}

#[tokio::test]
async fn a_role_that_was_seen_expired_stays_so_when_the_clock_is_set_back() {
    let (server, mut publisher, client) = world().await;
    publisher
        .targets
        .get_mut("targets/releases")
        .unwrap()
        .expires = Expires::at(days(1));
    publisher.advance();
    publisher.publish(&server);
    assert_eq!(reason(&client.decider(&server), days(0)).await, None);
    assert_eq!(
        reason(&client.decider(&server), days(2)).await,
        Some(Reason::Expired)
    );
    assert_eq!(
        reason(&client.decider(&server), days(0)).await,
        Some(Reason::Expired)
    );
}

#[tokio::test]
async fn a_first_root_is_trusted_only_as_the_rule_says() {
    let (server, publisher, client) = world().await;
    let id = publisher.root.roles["root"].key_ids[0].to_string();
    let pinned = |id: &str| RootTrust {
        key_ids: [id.to_owned()].into(),
        ..RootTrust::default()
    };
    let decide = async |root| {
        let decision = ask(&client.decider(&server), &trusting(root), now()).await;
        decision.judgement
    };
    for root in [RootTrust::default(), pinned(&"0".repeat(64))] {
        let judgement = decide(root).await;
        assert_eq!(judgement.reason, Some(Reason::RootMismatch));
        assert!(judgement.message.contains(&id), "{}", judgement.message);
        assert!(client.kept().is_empty(), "a refused root is not kept");
    }
    assert_eq!(decide(pinned(&id)).await.reason, None);
    assert_eq!(
        decide(RootTrust::default()).await.reason,
        None,
        "it is kept now"
    );
    let other_pin = decide(pinned(&"0".repeat(64))).await;
    assert_eq!(other_pin.reason, Some(Reason::RootMismatch));
}

#[tokio::test]
async fn a_look_that_fails_is_tried_again() {
    let (server, mut publisher, client) = world().await;
    take_away(&server);
    let decider = client.decider(&server);
    assert_eq!(reason(&decider, now()).await, Some(Reason::Unreachable));
    publisher.publish(&server);
    assert_eq!(reason(&decider, now()).await, None);
}
