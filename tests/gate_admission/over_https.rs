//! Paths, methods, sizes: what HTTP has to do with it.

use super::pod;
use super::webhook::{Webhook, answer, client, digest, signed};
use crate::world::{Publisher, Server};
use serde_json::json;
use trust::policy::Policy;

async fn webhook() -> (Server, Webhook) {
    let server = Server::start().await;
    Publisher::new().publish(&server);
    let webhook = Webhook::start(Policy::signed(), &server, Vec::new()).await;
    (server, webhook)
}

#[tokio::test]
async fn paths_and_methods() {
    let (_server, webhook) = webhook().await;
    let url = |path: &str| format!("{}{path}", webhook.url);
    for (path, status) in [
        ("/healthz", 200),
        ("/readyz", 200),
        ("/metrics", 200),
        ("/mutate", 405),
        ("/validate", 405),
        ("/", 404),
        ("/mutate/", 404),
        ("/Mutate", 404),
    ] {
        assert_eq!(
            answer(webhook.client.get(url(path))).await.status,
            status,
            "GET {path}"
        );
    }
    let review = pod(&[&signed()]).to_string();
    assert_eq!(webhook.post("/other", review.clone()).await.status, 404);
    let put = webhook.client.put(url("/mutate")).body(review);
    assert_eq!(answer(put).await.status, 405);
}

#[tokio::test]
async fn what_is_no_review_of_version_1_is_400_with_a_line() {
    let (_server, webhook) = webhook().await;
    let mut old = pod(&[&signed()]);
    old["apiVersion"] = json!("admission.k8s.io/v1beta1");
    for (body, line) in [
        (
            old.to_string(),
            "this is a review of admission.k8s.io/v1beta1: set admissionReviewVersions to [\"v1\"]\n",
        ),
        (
            "{}".to_owned(),
            "not an AdmissionReview of admission.k8s.io/v1\n",
        ),
        (
            String::new(),
            "cannot read the review: EOF while parsing a value at line 1 column 0\n",
        ),
    ] {
        let answer = webhook.post("/mutate", body).await;
        assert_eq!((answer.status, answer.text.as_str()), (400, line));
    }
}

#[tokio::test]
async fn bodies_have_an_end() {
    let (_server, webhook) = webhook().await;
    let mut review = pod(&[&signed()]);
    review["request"]["object"]["metadata"] = json!({"annotations": {"a": "x".repeat(6 << 20)}});
    let response = webhook.mutate(&review).await;
    assert_eq!(
        response["allowed"], true,
        "an update of two large objects is no attack"
    );
    review["request"]["object"]["metadata"] = json!({"annotations": {"a": "x".repeat(8 << 20)}});
    let answer = webhook
        .client
        .post(format!("{}/mutate", webhook.url))
        .body(review.to_string());
    // Whoever announces too much is answered at once, and may or may not get to read it.
    if let Ok(answer) = answer.send().await {
        assert_eq!(answer.status(), 413);
    }
}

/// Whoever sends nothing gets neither the whole time nor everybody's place.
#[tokio::test]
async fn bodies_that_do_not_come_are_given_up() {
    let (_server, webhook) = webhook().await;
    let never = futures_util::stream::pending::<Result<Vec<u8>, std::io::Error>>();
    let slow = webhook.post("/mutate?timeout=30s", reqwest::Body::wrap_stream(never));
    assert_eq!(slow.await.status, 408);
}

#[tokio::test]
async fn many_reviews_at_a_time_are_all_answered() {
    let (_server, webhook) = webhook().await;
    let review = pod(&[&signed()]);
    let reviews = (0..200).map(|_| webhook.mutate(&review));
    for response in futures_util::future::join_all(reviews).await {
        assert_eq!(response["allowed"], true);
    }
}

#[tokio::test]
async fn twenty_images_are_decided_together() {
    let (_server, webhook) = webhook().await;
    let pinned = format!("{}@{}", signed(), digest());
    let by_digest = format!("{}@{}", crate::world::GUN, digest());
    let names = [signed(), pinned, by_digest];
    let images: Vec<&str> = (0..20).map(|n| names[n % 3].as_str()).collect();
    let began = std::time::Instant::now();
    let response = webhook.mutate(&pod(&images)).await;
    eprintln!("admission of 20 images, cold: {:?}", began.elapsed());
    assert_eq!(
        response["auditAnnotations"]["images"],
        "3 of 3 images verified"
    );
    let began = std::time::Instant::now();
    for _ in 0..50 {
        webhook.mutate(&pod(&images)).await;
    }
    eprintln!("admission of 20 images, warm: {:?}", began.elapsed() / 50);
}

#[tokio::test]
async fn only_tls_is_spoken() {
    let (_server, webhook) = webhook().await;
    let plain = webhook.url.replace("https", "http");
    let other = rcgen::generate_simple_self_signed(vec!["other".to_owned()]).unwrap();
    let stranger = client(&other.cert.pem());
    // Whether the line that says so can be read depends on who hangs up first.
    if let Ok(answer) = webhook.client.get(format!("{plain}/healthz")).send().await {
        assert_eq!(answer.status(), 400);
    }
    assert!(
        stranger
            .get(format!("{}/healthz", webhook.url))
            .send()
            .await
            .is_err()
    );
}
