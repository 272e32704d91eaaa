//! Every kind, every list of images, created and updated, whatever the policy says.

use super::super::kinds::WORKLOADS;
use super::{digest, mutate, patched, review, validate};
use serde_json::{Value, json};

/// An object with this pod template.
fn object(template: &[&str], pod: Value) -> Value {
    let wrapped = template
        .iter()
        .rev()
        .fold(pod, |inside, name| json!({ *name: inside }));
    let mut object = json!({"metadata": {"name": "x"}});
    for (name, value) in wrapped.as_object().unwrap() {
        object[name] = value.clone();
    }
    object
}

/// A pod with these images in this list, and a signed container beside them.
fn pod(list: &str, images: &[String]) -> Value {
    let item = |(number, image): (usize, &String)| match list {
        "volumes" => json!({"name": format!("n{number}"), "image": {"reference": image}}),
        _ => json!({"name": format!("n{number}"), "image": image}),
    };
    let items: Vec<_> = images.iter().enumerate().map(item).collect();
    let mut spec = json!({"containers": [{"name": "main", "image": format!("signed.test/base@{}", digest())}]});
    match list {
        "containers" => spec["containers"].as_array_mut().unwrap().extend(items),
        _ => spec[list] = json!(items),
    }
    json!({ "spec": spec })
}

const LISTS: [&str; 4] = [
    "containers",
    "initContainers",
    "ephemeralContainers",
    "volumes",
];

/// Images, what becomes of them, and the verdict: none if they are refused.
fn cases() -> Vec<(Vec<String>, Vec<String>, Option<&'static str>)> {
    let digest = digest();
    let signed = "signed.test/a/b:1".to_owned();
    let pinned = format!("{signed}@{digest}");
    let by_digest = format!("signed.test/a/b@{digest}");
    let audit = "audit.test/a:1".to_owned();
    let free = "free.test/a:1".to_owned();
    let same = |image: &String| vec![image.clone()];
    vec![
        (same(&signed), same(&pinned), Some("signed")),
        (same(&pinned), same(&pinned), Some("signed")),
        (same(&by_digest), same(&by_digest), Some("signed")),
        (
            vec!["signed.test/a".to_owned()],
            vec![format!("signed.test/a:latest@{digest}")],
            Some("signed"),
        ),
        (vec!["unsigned.test/a:1".to_owned()], vec![], None),
        (vec![format!("unsigned.test/a@{digest}")], vec![], None),
        (vec!["alpine".to_owned()], vec![], None),
        (
            vec![signed.clone(), "unsigned.test/a:1".to_owned()],
            vec![],
            None,
        ),
        (same(&audit), same(&audit), Some("passed")),
        (same(&free), same(&free), Some("passed")),
        (
            vec![audit.clone(), signed.clone(), free.clone(), signed],
            vec![audit, pinned.clone(), free, pinned],
            Some("passed"),
        ),
        (vec!["signed.test/UPPER:1".to_owned()], vec![], None),
        (vec![" signed.test/a:1".to_owned()], vec![], None),
        (vec!["signed.test/a:1 ".to_owned()], vec![], None),
        (vec!["signed.test/ä:1".to_owned()], vec![], None),
        (vec!["a".repeat(100_000)], vec![], None),
        (vec!["f".repeat(64)], vec![], None),
        (vec!["signed.test/a@sha256:short".to_owned()], vec![], None),
    ]
}

/// Bypass 15 and 19: an image volume and a pod template are verified like any container.
#[tokio::test]
async fn every_kind_is_pinned_or_refused() {
    let mut asked = 0;
    for workload in &WORKLOADS {
        for list in LISTS {
            for (images, expected, verdict) in cases() {
                let new = object(workload.template, pod(list, &images));
                let other = vec!["free.test/old".to_owned()];
                let old = object(workload.template, pod(list, &other));
                for old in [None, Some(&old)] {
                    let request = review(workload.group, workload.kind, &new, old);
                    let response = mutate(&request).await;
                    let case = format!("{} {list} {images:?}", workload.kind);
                    assert_eq!(response["allowed"], verdict.is_some(), "{case}");
                    let said = &response["auditAnnotations"]["verdict"];
                    assert_eq!(said, verdict.unwrap_or("denied"), "{case}");
                    if verdict.is_some() {
                        let fixed = workload.kind == "Job" && old.is_some();
                        let expected = if fixed { &images } else { &expected };
                        let wanted = object(workload.template, pod(list, expected));
                        assert_eq!(patched(&new, &response), wanted, "{case}");
                        is_pinned_for_validation(&request, images == *expected, workload.is_pod())
                            .await;
                    }
                    asked += 1;
                }
            }
        }
    }
    assert_eq!(asked, 9 * 4 * 18 * 2);
}

/// What `/validate` says of the same object: a pod has to be pinned already.
async fn is_pinned_for_validation(request: &Value, pinned: bool, is_pod: bool) {
    let response = validate(request).await;
    assert_eq!(response["allowed"], pinned || !is_pod, "{request}");
    assert!(response.get("patch").is_none());
    if response["allowed"] == false {
        let message = response["status"]["message"].as_str().unwrap();
        assert!(
            message.contains("is signed, but not pinned as signed.test/a"),
            "{message}"
        );
    }
}

#[tokio::test]
async fn updates_that_change_no_image_pass_without_a_decision() {
    for workload in &WORKLOADS {
        for list in LISTS {
            let images = vec!["unsigned.test/a:1".to_owned()];
            let old = object(workload.template, pod(list, &images));
            let mut new = old.clone();
            new["metadata"]["labels"] = json!({"changed": "yes"});
            let request = review(workload.group, workload.kind, &new, Some(&old));
            for response in [mutate(&request).await, validate(&request).await] {
                assert_eq!(response["allowed"], true, "{} {list}", workload.kind);
                assert!(response.get("auditAnnotations").is_none());
            }
        }
    }
}

#[tokio::test]
async fn other_operations_and_subresources_pass() {
    let pod = object(&[], pod("containers", &["unsigned.test/a:1".to_owned()]));
    for operation in ["DELETE", "CONNECT"] {
        let mut request = review("", "Pod", &pod, None);
        request["request"]["operation"] = json!(operation);
        assert_eq!(mutate(&request).await["allowed"], true, "{operation}");
    }
    for (sub_resource, allowed) in [
        ("status", true),
        ("binding", true),
        ("eviction", true),
        ("resize", true),
        ("scale", true),
        ("exec", true),
        ("attach", true),
        ("portforward", true),
        ("log", true),
        ("ephemeralcontainers", false),
        ("", false),
    ] {
        let mut request = review("", "Pod", &pod, None);
        request["request"]["subResource"] = json!(sub_resource);
        assert_eq!(mutate(&request).await["allowed"], allowed, "{sub_resource}");
    }
}

/// Bypass 19: an ephemeral container is verified, whatever the pod ran before.
#[tokio::test]
async fn an_ephemeral_container_is_verified_and_the_pod_left_as_it_is() {
    let old = object(&[], pod("containers", &["unsigned.test/old:1".to_owned()]));
    for (image, allowed) in [("unsigned.test/a:1", false), ("signed.test/a:1", true)] {
        let mut new = old.clone();
        let debugger = json!({"name": "debugger", "image": image, "targetContainerName": "n0"});
        new["spec"]["ephemeralContainers"] = json!([debugger]);
        let mut request = review("", "Pod", &new, Some(&old));
        request["request"]["subResource"] = json!("ephemeralcontainers");
        let response = mutate(&request).await;
        assert_eq!(response["allowed"], allowed);
        if allowed {
            let mut wanted = new.clone();
            let pinned = format!("{image}@{}", digest());
            wanted["spec"]["ephemeralContainers"][0]["image"] = json!(pinned);
            assert_eq!(patched(&new, &response), wanted);
        }
    }
}

/// Bypass 19: owners, verdicts and farewells that the object claims change nothing.
#[tokio::test]
async fn nothing_an_object_says_of_itself_is_believed() {
    let forged = json!({
        "name": "x",
        "deletionTimestamp": "2026-01-01T00:00:00Z",
        "annotations": {
            "trust/verdict": "signed",
            "kubernetes.io/config.mirror": "x",
            "verify.trust-gate.example.com/verdict": "signed",
        },
        "labels": {"trust": "skip", "app.kubernetes.io/name": "trust-gate"},
        "ownerReferences": [{
            "apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "trust-gate",
            "uid": "705ab4f5", "controller": true, "blockOwnerDeletion": true,
        }],
        "namespace": "trust-system",
    });
    for workload in &WORKLOADS {
        for list in LISTS {
            let images = vec!["unsigned.test/a:1".to_owned()];
            let mut object = object(workload.template, pod(list, &images));
            object["metadata"] = forged.clone();
            let request = review(workload.group, workload.kind, &object, None);
            for response in [mutate(&request).await, validate(&request).await] {
                assert_eq!(response["allowed"], false, "{} {list}", workload.kind);
            }
        }
    }
    let mut object = object(&[], pod("containers", &["signed.test/a:1".to_owned()]));
    object["metadata"] = forged;
    assert!(
        mutate(&review("", "Pod", &object, None))
            .await
            .get("patch")
            .is_some()
    );
}

/// A Deployment whose template differs from its `ReplicaSet`'s makes new ones without end.
#[tokio::test]
async fn a_controlled_template_is_verified_but_not_changed() {
    let pod = pod("containers", &["signed.test/a:1".to_owned()]);
    let mut object = object(&["spec", "template"], pod);
    object["metadata"]["ownerReferences"] = json!([{"kind": "Deployment", "controller": true}]);
    let request = review("apps", "ReplicaSet", &object, None);
    for response in [mutate(&request).await, validate(&request).await] {
        assert_eq!(response["allowed"], true);
        assert!(response.get("patch").is_none());
    }
}

/// Bypass 19: custom resources, found by the shape of a pod spec or by a path.
#[tokio::test]
async fn custom_resources_are_verified() {
    let spec = |image: &str| json!({"spec": {"workers": {"a/b~c": {"template": {"spec": {"containers": [{"image": image}]}}}}}});
    let object = spec("signed.test/a:1");
    let response = mutate(&review("example.com", "Job", &object, None)).await;
    let pinned = format!("signed.test/a:1@{}", digest());
    assert_eq!(patched(&object, &response), spec(&pinned));
    let response = mutate(&review(
        "example.com",
        "Job",
        &spec("unsigned.test/a"),
        None,
    ))
    .await;
    assert_eq!(response["allowed"], false);
    let message = response["status"]["message"].as_str().unwrap();
    let path = r#"spec.workers["a/b~c"].template.spec.containers[0].image: "#;
    assert!(message.contains(path), "{message}");

    let workflow = json!({"spec": {"templates": [{"script": {"image": "unsigned.test/a"}}]}});
    let request = review("argoproj.io", "Workflow", &workflow, None);
    assert_eq!(
        mutate(&request).await["allowed"],
        true,
        "nothing in it looks like a pod"
    );
    let extra = "argoproj.io/Workflow:/spec/templates/*/script/image"
        .parse()
        .unwrap();
    let text = request.to_string();
    let tags = super::Tags::Pinned;
    let response = super::answer_to(text.as_bytes(), tags, &[extra])
        .await
        .unwrap();
    assert_eq!(response["allowed"], false);
}
