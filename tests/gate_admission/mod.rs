//! Kubernetes admission over HTTPS: the webhook as the API server sees it.

mod binary;
mod manifests;
mod over_https;
mod webhook;
mod with_real_trust;

use serde_json::{Value, json};

/// A review of a new object.
fn review(group: &str, kind: &str, object: Value) -> Value {
    json!({
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "request": {
            "uid": "705ab4f5-6393-11e8-b7cc-42010a800002",
            "kind": {"group": group, "version": "v1", "kind": kind},
            "resource": {"group": group, "version": "v1", "resource": "any"},
            "requestKind": {"group": group, "version": "v1", "kind": kind},
            "name": "x",
            "namespace": "team-a",
            "operation": "CREATE",
            "userInfo": {"username": "system:serviceaccount:ci:deployer", "groups": ["ci"]},
            "object": object,
            "oldObject": null,
            "dryRun": false,
            "options": {"apiVersion": "meta.k8s.io/v1", "kind": "CreateOptions"},
        },
    })
}

/// A review of a new pod that runs these images.
fn pod(images: &[&str]) -> Value {
    let containers: Vec<_> = images
        .iter()
        .enumerate()
        .map(|(n, image)| json!({"name": format!("c{n}"), "image": image}))
        .collect();
    review(
        "",
        "Pod",
        json!({"kind": "Pod", "spec": {"containers": containers}}),
    )
}
