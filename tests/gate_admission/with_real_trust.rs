//! Reviews decided by signed metadata.

use super::webhook::{Webhook, digest, signed};
use super::{pod, review};
use crate::world::{Answer, GUN, Publisher, Server, days};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use trust::policy::{Demand, Mode, Policy};
use trust::reference::Digest;

async fn honest() -> (Server, Publisher) {
    let server = Server::start().await;
    let mut publisher = Publisher::new();
    publisher.publish(&server);
    (server, publisher)
}

fn patched(review: &Value, response: &Value) -> Value {
    let patch = STANDARD
        .decode(response["patch"].as_str().unwrap())
        .unwrap();
    let patch: json_patch::Patch = serde_json::from_slice(&patch).unwrap();
    let mut object = review["request"]["object"].clone();
    json_patch::patch(&mut object, &patch).unwrap();
    object
}

#[tokio::test]
async fn a_signed_tag_is_pinned_and_then_verified() {
    let (server, _) = honest().await;
    let webhook = Webhook::start(Policy::signed(), &server, Vec::new()).await;
    let asked = review(
        "apps",
        "Deployment",
        json!({
            "kind": "Deployment",
            "spec": {"template": {"spec": {
                "containers": [{"name": "a", "image": signed()}],
                "volumes": [{"name": "v", "image": {"reference": signed()}}],
            }}},
        }),
    );
    let response = webhook.mutate(&asked).await;
    let object = patched(&asked, &response);
    let pinned = format!("{}@{}", signed(), digest());
    assert_eq!(
        object["spec"]["template"]["spec"],
        json!({
            "containers": [{"name": "a", "image": pinned}],
            "volumes": [{"name": "v", "image": {"reference": pinned}}],
        })
    );
    assert_eq!(
        response["auditAnnotations"],
        json!({
            "images": "1 of 1 images verified", "policy": "", "verdict": "signed",
        })
    );
    let again = webhook.mutate(&review("apps", "Deployment", object)).await;
    assert!(
        again.get("patch").is_none(),
        "asked again, there is nothing to change"
    );
    assert_eq!(webhook.validate(&pod(&[&pinned])).await["allowed"], true);
    let decisions = webhook.decisions();
    assert_eq!(decisions.len(), 3);
    assert_eq!(decisions[0]["door"], "admission");
    assert_eq!(
        decisions[0]["who"],
        "system:serviceaccount:ci:deployer/team-a"
    );
    assert_eq!(decisions[0]["resolved"], digest());
}

/// Bypass 5: an unsigned digest of a signed repository is refused.
#[tokio::test]
async fn what_is_unsigned_is_refused_with_its_reason() {
    let (server, _) = honest().await;
    let webhook = Webhook::start(Policy::signed(), &server, Vec::new()).await;
    let other = Digest::of(b"other");
    for (image, reason) in [
        (format!("{GUN}:2.0"), "[unsigned]"),
        (GUN.to_owned(), "[unsigned]"),
        (format!("{GUN}@{other}"), "[digest-not-signed]"),
        (format!("{}@{other}", signed()), "[digest-not-signed]"),
        (
            format!("{GUN}@sha512:{}", "0".repeat(128)),
            "[digest-not-signed]",
        ),
    ] {
        for response in [
            webhook.mutate(&pod(&[&signed(), &image])).await,
            webhook.validate(&pod(&[&image])).await,
        ] {
            assert_eq!(
                (&response["allowed"], &response["status"]["code"]),
                (&json!(false), &json!(403))
            );
            let message = response["status"]["message"].as_str().unwrap();
            assert!(message.contains(reason), "{image}: {message}");
        }
    }
    let text = webhook
        .post(
            "/mutate",
            pod(&[&signed(), &format!("{GUN}:2.0")]).to_string(),
        )
        .await;
    let message = text.response()["status"]["message"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(
        message.starts_with("1 of 2 images verified\nspec.containers[1].image: "),
        "{message}"
    );
}

/// A tag that moved in the registry changes nothing: pods get the digest that is signed.
#[tokio::test]
async fn a_moved_tag_is_pinned_to_what_is_signed_now() {
    let (server, mut publisher) = honest().await;
    let mut policy = Policy::signed();
    if let Demand::Signed(requirement) = &mut policy.default.demand {
        requirement.refresh = std::time::Duration::ZERO;
    }
    let webhook = Webhook::start(policy, &server, Vec::new()).await;
    webhook.mutate(&pod(&[&signed()])).await;
    for role in ["targets/releases", "targets/alice"] {
        publisher.sign_image(role, crate::world::TAG, b"newer");
    }
    publisher.advance();
    publisher.publish(&server);
    let asked = pod(&[&signed()]);
    let response = webhook.mutate(&asked).await;
    let newer = format!("{}@{}", signed(), Digest::of(b"newer"));
    assert_eq!(
        patched(&asked, &response)["spec"]["containers"][0]["image"],
        newer
    );
    let old = format!("{}@{}", signed(), digest());
    assert_eq!(webhook.validate(&pod(&[&old])).await["allowed"], false);
}

#[tokio::test]
async fn audit_warns_and_changes_nothing() {
    let (server, _) = honest().await;
    let mut policy = Policy::signed();
    policy.default.mode = Mode::Audit;
    let webhook = Webhook::start(policy, &server, Vec::new()).await;
    let unsigned = format!("{GUN}:2.0");
    let response = webhook.mutate(&pod(&[&unsigned, &signed()])).await;
    assert_eq!(response["allowed"], true);
    assert_eq!(response["auditAnnotations"]["verdict"], "passed");
    let warnings = response["warnings"].as_array().unwrap();
    assert_eq!(warnings.len(), 1);
    assert!(
        warnings[0].as_str().unwrap().contains("[unsigned]"),
        "{warnings:?}"
    );
    let response = webhook.validate(&pod(&[&unsigned])).await;
    assert_eq!(
        response["allowed"], true,
        "nothing was pinned, so nothing has to be"
    );
}

#[tokio::test]
async fn a_policy_that_accepts_or_rejects_needs_no_signatures() {
    let (server, _) = honest().await;
    for (demand, allowed) in [(Demand::Accept, true), (Demand::Reject, false)] {
        let mut policy = Policy::signed();
        policy.default.demand = demand;
        let webhook = Webhook::start(policy, &server, Vec::new()).await;
        for response in [
            webhook.mutate(&pod(&["alpine"])).await,
            webhook.validate(&pod(&["alpine"])).await,
        ] {
            assert_eq!(response["allowed"], allowed);
            assert!(response.get("patch").is_none() && response.get("warnings").is_none());
        }
    }
}

/// A trust server that is down, silent, lying or stale: refused, and in time.
#[tokio::test]
async fn what_cannot_be_decided_is_refused() {
    let (server, mut publisher) = honest().await;
    for name in server.names() {
        server.put(&name, Answer::Status(503));
    }
    let webhook = Webhook::start(Policy::signed(), &server, Vec::new()).await;
    let response = webhook.mutate(&pod(&[&signed()])).await;
    assert_eq!(response["allowed"], false);
    assert!(
        response["status"]["message"]
            .as_str()
            .unwrap()
            .contains("[unreachable]")
    );

    publisher.timestamp.expires = trust::tuf::envelope::Expires::at(days(-1));
    publisher.publish(&server);
    let webhook = Webhook::start(Policy::signed(), &server, Vec::new()).await;
    let response = webhook.mutate(&pod(&[&signed()])).await;
    assert_eq!(response["allowed"], false);
    assert!(
        response["status"]["message"]
            .as_str()
            .unwrap()
            .contains("[expired]")
    );
}

#[tokio::test]
async fn the_answer_comes_within_the_time_the_api_server_waits() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (mut server, _) = honest().await;
    server.url = format!("http://{}/", silent.local_addr().unwrap())
        .parse()
        .unwrap();
    let webhook = Webhook::start(Policy::signed(), &server, Vec::new()).await;
    let began = std::time::Instant::now();
    let answer = webhook.post("/mutate?timeout=1s", pod(&[&signed()]).to_string());
    let response = answer.await.response();
    assert!(began.elapsed() < std::time::Duration::from_secs(5));
    assert_eq!(response["allowed"], false);
    let message = response["status"]["message"].as_str().unwrap();
    assert!(message.contains("[unreachable]"), "{message}");
    assert_eq!(
        webhook.decisions()[0]["reason"],
        "unreachable",
        "it is written down"
    );
}

#[tokio::test]
async fn extra_paths_are_asked_about() {
    let (server, _) = honest().await;
    let extra = "argoproj.io/Workflow:/spec/templates/*/script/image"
        .parse()
        .unwrap();
    let webhook = Webhook::start(Policy::signed(), &server, vec![extra]).await;
    let workflow = |image: &str| {
        let object =
            json!({"kind": "Workflow", "spec": {"templates": [{"script": {"image": image}}]}});
        review("argoproj.io", "Workflow", object)
    };
    let asked = workflow(&signed());
    let object = patched(&asked, &webhook.mutate(&asked).await);
    let pinned = format!("{}@{}", signed(), digest());
    assert_eq!(object["spec"]["templates"][0]["script"]["image"], pinned);
    let response = webhook.mutate(&workflow(&format!("{GUN}:2.0"))).await;
    assert_eq!(response["allowed"], false);
}

#[tokio::test]
async fn what_is_refused_without_asking_is_written_down_as_well() {
    let (server, _) = honest().await;
    let webhook = Webhook::start(Policy::signed(), &server, Vec::new()).await;
    let many: Vec<String> = (0..300).map(|n| format!("app:{n}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let mut broken = pod(&["a"]);
    broken["request"]["object"]["spec"]["containers"] = json!({});
    let mut vague = pod(&["a"]);
    vague["request"]["operation"] = json!("PATCH");
    for (asked, query) in [
        (pod(&["Not\nAn Image"]), "10s"),
        (pod(&many), "10s"),
        (pod(&[&signed()]), "0s"),
        (broken, "10s"),
        (vague, "10s"),
    ] {
        let path = format!("/mutate?timeout={query}");
        let answer = webhook.post(&path, asked.to_string()).await;
        assert_eq!(answer.response()["allowed"], false);
    }
    let decisions = webhook.decisions();
    let told: Vec<_> = decisions
        .iter()
        .map(|line| {
            (
                line["asked"].as_str().unwrap(),
                line["reason"].as_str().unwrap(),
            )
        })
        .collect();
    let late = signed();
    let expected = [
        ("Not\nAn Image", "malformed"),
        ("app:0", "malformed"),
        (late.as_str(), "unreachable"),
        ("Pod", "malformed"),
        ("a review", "malformed"),
    ];
    assert_eq!(told, expected);
    assert!(decisions.iter().all(|line| line["door"] == "admission"));
    assert_eq!(decisions[2]["verdict"], "undecided");
}
