//! What every door of the gate hears, and what is written down of it.

use crate::world::{Answer as Served, Client, GUN, Publisher, Server, TAG, image, now};
use std::time::{Duration, Instant};
use trust::gate::{Answer, Door, Gate, Log, Tags};
use trust::policy::{Demand, Mode, Policy, Reason};
use trust::reference::{Digest, ImageReference};
use trust::repository::{Decider, Repository};
use trust_store::metadata::Cache;

async fn world() -> (Server, Publisher, Client) {
    let (server, mut publisher) = (Server::start().await, Publisher::new());
    publisher.publish(&server);
    (server, publisher, Client::new())
}

fn gate(policy: Policy, decider: Decider, log: Log) -> Gate {
    Gate::new(policy, decider, log, Duration::from_secs(10), now)
}

fn named(rest: &str) -> ImageReference {
    format!("{GUN}{rest}").parse().unwrap()
}

fn audited(mut policy: Policy) -> Policy {
    policy.default.mode = Mode::Audit;
    policy
}

fn demanding(demand: Demand) -> Policy {
    let mut policy = Policy::signed();
    policy.default.demand = demand;
    policy
}

#[tokio::test]
async fn signed_is_pinned_and_unsigned_is_denied() {
    let (server, _, client) = world().await;
    let gate = gate(Policy::signed(), client.decider(&server), Log::none());
    let digest = Digest::of(b"manifest");
    for rest in [
        format!(":{TAG}"),
        format!("@{digest}"),
        format!(":{TAG}@{digest}"),
    ] {
        let Answer::Signed(pinned) = gate.decide(Door::Proxy, "", &named(&rest)).await else {
            panic!("{rest} is signed");
        };
        assert_eq!((pinned.digest, pinned.size), (digest.clone(), 8));
        assert_eq!(pinned.tag, TAG);
    }
    let other = Digest::of(b"other");
    for (rest, reason) in [
        (":2.0".to_owned(), Reason::Unsigned),
        (String::new(), Reason::Unsigned),
        (format!("@{other}"), Reason::DigestNotSigned),
        (format!(":{TAG}@{other}"), Reason::DigestNotSigned),
    ] {
        let Answer::Denied(denial) = gate.decide(Door::Proxy, "", &named(&rest)).await else {
            panic!("{rest} is not signed");
        };
        assert_eq!(denial.reason, reason, "{rest}");
        assert!(!denial.undecided);
    }
    assert_eq!(
        gate.signed_tags(&image()).await.unwrap(),
        Tags::Only(vec![TAG.to_owned()])
    );
}

#[tokio::test]
async fn audit_lets_pass_and_says_so() {
    let (server, _, client) = world().await;
    let policy = audited(Policy::signed());
    let gate = gate(policy, client.decider(&server), Log::none());
    assert_eq!(
        gate.decide(Door::Proxy, "", &image()).await,
        Answer::Passed { notice: None }
    );
    let Answer::Passed {
        notice: Some(notice),
    } = gate.decide(Door::Proxy, "", &named(":2")).await
    else {
        panic!("it is only audited");
    };
    assert!(notice.contains("[unsigned]"), "{notice}");
    assert_eq!(gate.signed_tags(&image()).await.unwrap(), Tags::All);
}

#[tokio::test]
async fn rules_without_signatures_ask_nobody() {
    let (server, _, client) = world().await;
    let accepting = gate(
        demanding(Demand::Accept),
        client.decider(&server),
        Log::none(),
    );
    assert_eq!(
        accepting.decide(Door::Authz, "", &named(":2")).await,
        Answer::Passed { notice: None }
    );
    let rejecting = gate(
        demanding(Demand::Reject),
        client.decider(&server),
        Log::none(),
    );
    let Answer::Denied(denial) = rejecting.decide(Door::Authz, "", &image()).await else {
        panic!("the rule rejects it");
    };
    assert_eq!(denial.reason, Reason::NoRule);
    assert_eq!(
        rejecting.signed_tags(&image()).await.unwrap_err().reason,
        Reason::NoRule
    );
    assert!(server.asked().is_empty());
    rejecting.enforce(demanding(Demand::Accept));
    assert_eq!(
        rejecting.decide(Door::Authz, "", &image()).await,
        Answer::Passed { notice: None }
    );
}

#[tokio::test]
async fn no_decision_takes_longer_than_the_deadline() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", silent.local_addr().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_owned();
    let decider = Decider::opening(move |_, _| {
        let http = trust::tls::http_client(&trust::tls::TlsFiles::default(), "127.0.0.1");
        let remote = trust::remote::Notary::new(
            http.unwrap(),
            &url.parse().unwrap(),
            GUN,
            trust::remote::Actions::Pull,
            trust::config::Credentials::Anonymous,
        );
        let cache = Cache::at(&path).repository(GUN).unwrap();
        Box::pin(async move { Ok(Repository::new(GUN, cache, Some(remote))) })
    });
    let deadline = Duration::from_millis(200);
    let gate = Gate::new(Policy::signed(), decider, Log::none(), deadline, now);
    let began = Instant::now();
    let Answer::Denied(denial) = gate.decide(Door::Authz, "", &image()).await else {
        panic!("nobody answers");
    };
    assert!(began.elapsed() >= deadline);
    assert_eq!(denial.reason, Reason::Unreachable);
    assert!(denial.undecided);
    assert!(denial.message.contains("200 ms"), "{}", denial.message);
}

#[tokio::test]
async fn each_decision_is_one_line_and_counted() {
    let (server, _, client) = world().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("decisions.log");
    let log = Log::to(&path, 1 << 20, 2).unwrap();
    let gate = gate(Policy::signed(), client.decider(&server), log);
    gate.decide(Door::Proxy, "10.0.0.7", &image()).await;
    gate.decide(Door::Admission, "alice in shop", &named(":2"))
        .await;
    server.put("timestamp.json", Served::Status(503));
    let text = std::fs::read_to_string(&path).unwrap();
    let lines: Vec<serde_json::Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let [signed, unsigned] = &lines[..] else {
        panic!("{text}");
    };
    let digest = Digest::of(b"manifest").to_string();
    for (field, value) in [
        ("time", now().to_string().into()),
        ("door", "proxy".into()),
        ("who", "10.0.0.7".into()),
        ("asked", format!("{GUN}:{TAG}").into()),
        ("resolved", digest.into()),
        ("rule", "DOCKER_CONTENT_TRUST".into()),
        ("verdict", "trusted".into()),
        ("reason", serde_json::Value::Null),
        ("role", "targets/releases".into()),
        ("cache_age_ms", 0.into()),
    ] {
        assert_eq!(signed[field], value, "{field}");
    }
    assert_eq!(signed["versions"]["timestamp"], 5);
    assert!(signed["latency_us"].as_u64().is_some());
    assert!(signed["expires"].as_str().is_some());
    assert_eq!(signed["key_ids"].as_array().unwrap().len(), 1);
    assert_eq!(unsigned["verdict"], "refused");
    assert_eq!(unsigned["reason"], "unsigned");
    let metrics = gate.own_page("/metrics").unwrap();
    let body = http_body_util::BodyExt::collect(metrics.into_body())
        .await
        .unwrap();
    let text = String::from_utf8(body.to_bytes().to_vec()).unwrap();
    for line in [
        r#"trust_gate_decisions_total{door="proxy",verdict="trusted",reason=""} 1"#,
        r#"trust_gate_decisions_total{door="admission",verdict="refused",reason="unsigned"} 1"#,
        r#"trust_gate_decision_duration_seconds_count{door="proxy"} 1"#,
    ] {
        assert!(text.contains(line), "{text}");
    }
    assert!(gate.own_page("/healthz").is_some());
    assert!(gate.own_page("/v2/").is_none());
}

/// Who can hold the line open must not be able to stop what the server verified a minute ago.
#[tokio::test]
async fn a_server_that_stalls_is_one_that_is_away() {
    let (server, _, client) = world().await;
    let mut policy = Policy::signed();
    if let Demand::Signed(requirement) = &mut policy.default.demand {
        requirement.refresh = Duration::ZERO;
    }
    let deadline = Duration::from_millis(500);
    let gate = Gate::new(policy, client.decider(&server), Log::none(), deadline, now);
    let decide = async |rest: &str| gate.decide(Door::Authz, "", &named(rest)).await;
    let signed = format!(":{TAG}");
    assert!(matches!(decide(&signed).await, Answer::Signed(_)));
    server.put("timestamp.json", Served::Never);
    for _ in 0..2 {
        assert!(matches!(decide(&signed).await, Answer::Signed(_)));
        let Answer::Denied(denial) = decide(":2.0").await else {
            panic!("nobody signed it");
        };
        assert_eq!(denial.reason, Reason::Unsigned);
    }
}

#[tokio::test]
async fn what_a_look_refused_does_not_pass_while_the_next_one_stalls() {
    let (server, _, client) = world().await;
    let mut policy = Policy::signed();
    if let Demand::Signed(requirement) = &mut policy.default.demand {
        requirement.refresh = Duration::ZERO;
    }
    let deadline = Duration::from_millis(500);
    let gate = Gate::new(policy, client.decider(&server), Log::none(), deadline, now);
    let decide = async || {
        gate.decide(Door::Authz, "", &named(&format!(":{TAG}")))
            .await
    };
    assert!(matches!(decide().await, Answer::Signed(_)));
    for served in [Served::File(b"{}".to_vec()), Served::Never] {
        server.put("timestamp.json", served);
        assert!(matches!(decide().await, Answer::Denied(_)));
    }
}
