//! What answers say, and that hostile reviews get one.

use super::{UID, answer_to, mutate, patched, policy, review};
use crate::gate::Denial;
use crate::gate::admission::reply::Tags;
use crate::gate::admission::review::Review;
use crate::gate::admission::ruled;
use serde_json::{Value, json};
use std::sync::Mutex;
use std::time::Duration;
use tokio::time::Instant;

fn pod(images: &[&str]) -> Value {
    let containers: Vec<_> = images
        .iter()
        .enumerate()
        .map(|(n, image)| json!({"name": format!("c{n}"), "image": image}))
        .collect();
    json!({"spec": {"containers": containers}})
}

#[tokio::test]
async fn a_refusal_names_each_image_its_place_and_its_reason() {
    let images = [
        "signed.test/a:1",
        "unsigned.test/b:2",
        "unsigned.test/b:2",
        "No Name",
        "audit.test/c",
    ];
    let response = mutate(&review("", "Pod", &pod(&images), None)).await;
    let status = json!({
        "status": "Failure",
        "reason": "Forbidden",
        "code": 403,
        "message": "2 of 4 images verified\n\
            spec.containers[1].image: unsigned.test/b:2 is refused by rule default: \
            No valid trust data [unsigned]; sign it\n\
            spec.containers[2].image: unsigned.test/b:2 is refused by rule default: \
            No valid trust data [unsigned]; sign it\n\
            spec.containers[3].image: No Name is refused: invalid reference format: \
            repository name (library/No Name) must be lowercase [malformed]",
    });
    assert_eq!(
        response,
        json!({
            "uid": UID,
            "allowed": false,
            "status": status,
            "warnings": ["only audited: audit.test/c:latest is unsigned and more"],
            "auditAnnotations": {
                "images": "2 of 4 images verified", "policy": "hash", "verdict": "denied",
            },
        })
    );
}

#[tokio::test]
async fn an_object_without_images_gets_the_shortest_answer() {
    for (group, kind, object) in [
        (
            "",
            "ConfigMap",
            json!({"data": {"image": "unsigned.test/a"}}),
        ),
        (
            "",
            "Pod",
            json!({"spec": {"containers": [{"name": "a"}, {"image": ""}]}}),
        ),
        ("batch", "CronJob", json!({"spec": null})),
        ("autoscaling", "Scale", json!({"spec": {"replicas": 3}})),
    ] {
        let response = mutate(&review(group, kind, &object, None)).await;
        assert_eq!(response, json!({"uid": UID, "allowed": true}), "{kind}");
    }
}

#[tokio::test]
async fn long_refusals_and_many_warnings_are_cut() {
    let long = format!("unsigned.test/{}:1", "a/".repeat(100) + "b");
    let refused: Vec<String> = (0..100).map(|n| format!("{long}{n}")).collect();
    let refused: Vec<&str> = refused.iter().map(String::as_str).collect();
    let response = mutate(&review("", "Pod", &pod(&refused), None)).await;
    let message = response["status"]["message"].as_str().unwrap();
    assert!(message.starts_with("0 of 100 images verified\n"));
    assert!(message.ends_with("\nand 80 more"));
    assert!(message.len() < 20 * 700);

    let long = "x".repeat(220);
    let audited: Vec<String> = (0..100).map(|n| format!("audit.test/{n}/{long}")).collect();
    let audited: Vec<&str> = audited.iter().map(String::as_str).collect();
    let response = mutate(&review("", "Pod", &pod(&audited), None)).await;
    let warnings = response["warnings"].as_array().unwrap();
    assert_eq!((warnings.len(), &warnings[15]), (16, &json!("and 85 more")));
}

#[tokio::test]
async fn thousands_of_containers_are_one_decision() {
    let images = vec!["signed.test/a:1"; 10_000];
    let object = pod(&images);
    let response = mutate(&review("", "Pod", &object, None)).await;
    assert_eq!(
        response["auditAnnotations"]["images"],
        "1 of 1 images verified"
    );
    let pinned = format!("signed.test/a:1@{}", super::digest());
    assert_eq!(
        patched(&object, &response),
        pod(&vec![pinned.as_str(); 10_000])
    );
}

#[tokio::test]
async fn a_thousand_different_images_are_refused_without_a_question() {
    let images: Vec<String> = (0..1000).map(|n| format!("signed.test/a:{n}")).collect();
    let images: Vec<&str> = images.iter().map(String::as_str).collect();
    let response = mutate(&review("", "Pod", &pod(&images), None)).await;
    assert_eq!(response["allowed"], false);
    let message = response["status"]["message"].as_str().unwrap();
    assert!(message.contains("one of more than 256 images in one object [malformed]"));
}

#[tokio::test]
async fn what_is_not_decided_in_time_is_refused() {
    let request = review(
        "",
        "Pod",
        &pod(&["signed.test/a:1", "signed.test/slow:1"]),
        None,
    );
    let read = Review::read(request.to_string().as_bytes()).unwrap();
    let deadline = Instant::now() + Duration::from_millis(100);
    let decide = async |image: crate::reference::ImageReference, left| {
        if image.path() == "slow" {
            tokio::time::sleep(left).await;
            return policy(&"unsigned.test/slow".parse().unwrap());
        }
        policy(&image)
    };
    let refused = |denial| unreachable!("the gate was asked: {denial:?}");
    let answer = ruled(read, &[], Tags::Pinned, "", deadline, decide, refused).await;
    assert_eq!(answer["response"]["allowed"], false);
    assert!(Instant::now() >= deadline);
    let over = Instant::now();
    let read = Review::read(request.to_string().as_bytes()).unwrap();
    let written = Mutex::new(Vec::new());
    let refused = |denial: Denial| written.lock().unwrap().push(denial);
    let decide = async |_, _| unreachable!("too late");
    let answer = ruled(read, &[], Tags::Pinned, "", over, decide, refused).await;
    let written = written.into_inner().unwrap();
    assert_eq!(written.len(), 2);
    assert!(written.iter().all(|denial| denial.undecided));
    let message = answer["response"]["status"]["message"].as_str().unwrap();
    assert!(message.contains("signed.test/a:1 is refused: no decision in time [unreachable]"));
}

/// A value of each wrong type in every place of a review.
#[tokio::test]
async fn wrong_types_everywhere_get_an_answer() {
    let object = json!({
        "metadata": {"name": "x", "ownerReferences": [{"controller": true}]},
        "spec": {
            "containers": [{"name": "a", "image": "unsigned.test/a"}],
            "initContainers": [{"name": "b", "image": "unsigned.test/a"}],
            "volumes": [{"name": "c", "image": {"reference": "unsigned.test/a"}}],
        },
    });
    let whole = review(
        "",
        "Pod",
        &object,
        Some(&json!({"metadata": {}, "spec": {}})),
    );
    let mut places = Vec::new();
    every_place(&whole, String::new(), &mut places);
    let mut answered = 0;
    for place in &places {
        for wrong in [
            json!(null),
            json!(true),
            json!(0.5),
            json!("x"),
            json!([]),
            json!([1]),
            json!({}),
            json!({"a": 1}),
        ] {
            let mut review = whole.clone();
            *review.pointer_mut(place).unwrap() = wrong.clone();
            if place == "/request/uid"
                || review.pointer("/request/uid") != whole.pointer("/request/uid")
            {
                continue;
            }
            let text = review.to_string();
            let Some(response) = answer_to(text.as_bytes(), Tags::Pinned, &[]).await else {
                continue;
            };
            answered += 1;
            let left = review.to_string().contains("\"unsigned.test/a\"");
            let harmless = ["DELETE", "CONNECT"]
                .contains(&review["request"]["operation"].as_str().unwrap_or(""))
                || review["request"]["subResource"]
                    .as_str()
                    .is_some_and(|name| !name.is_empty());
            assert!(
                response["allowed"] == false || !left || harmless,
                "{place} {wrong}: {response}"
            );
        }
    }
    assert!(answered > 200, "{answered}");
}

fn every_place(value: &Value, at: String, places: &mut Vec<String>) {
    match value {
        Value::Array(items) => {
            for (number, item) in items.iter().enumerate() {
                every_place(item, format!("{at}/{number}"), places);
            }
        }
        Value::Object(members) => {
            for (name, member) in members {
                every_place(member, format!("{at}/{name}"), places);
            }
        }
        _ => {}
    }
    places.push(at);
}

#[tokio::test]
async fn a_review_that_means_two_things_is_refused() {
    let request = review("", "Pod", &pod(&["free.test/a"]), None).to_string();
    let containers = r#""containers":[{"image":"free.test/a","name":"c0"}]"#;
    assert!(request.contains(containers));
    let twice = r#""containers":[],"containers":[{"image":"unsigned.test/a","name":"c0"}]"#;
    let text = request.replace(containers, twice);
    let response = answer_to(text.as_bytes(), Tags::Pinned, &[]).await.unwrap();
    assert_eq!(
        (&response["allowed"], &response["status"]["code"]),
        (&json!(false), &json!(400))
    );
    let deep = format!("\"containers\":{}1{}", "[".repeat(200), "]".repeat(200));
    let text = request.replace(containers, &deep);
    let response = answer_to(text.as_bytes(), Tags::Pinned, &[]).await.unwrap();
    assert_eq!(response["allowed"], false);
}
