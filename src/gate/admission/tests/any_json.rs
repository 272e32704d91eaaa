//! Whatever is sent: an answer of version 1 or none, never a yes to an image nobody verified.

use super::super::kinds::WORKLOADS;
use super::super::reply::Tags;
use super::{answer_to, patched, review};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// JSON made of the words that matter here.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i32>().prop_map(|n| json!(n)),
        Just(json!("unsigned.test/a")),
        Just(json!("signed.test/a")),
        Just(json!("")),
        ".{0,6}".prop_map(Value::String),
    ];
    let name = prop_oneof![
        8 => prop::sample::select(vec![
            "spec", "template", "jobTemplate", "containers", "initContainers", "volumes",
            "ephemeralContainers", "image", "reference", "metadata", "ownerReferences",
            "controller", "deletionTimestamp", "name", "status",
        ]).prop_map(str::to_owned),
        1 => "[a-z~/]{0,4}",
    ];
    leaf.prop_recursive(7, 60, 5, move |inner| {
        prop_oneof![
            1 => prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            3 => prop::collection::btree_map(name.clone(), inner, 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

/// Objects that often look like what they should be, and may hold anything anywhere.
fn any_object() -> impl Strategy<Value = [Value; 9]> {
    let image = prop_oneof![
        4 => prop::sample::select(vec!["unsigned.test/a", "signed.test/a", "signed.test/a:1", ""])
            .prop_map(|image| json!(image)),
        1 => any_json(),
    ];
    let name = prop::sample::select(vec!["a", "b"]);
    let container = (name.clone(), image.clone())
        .prop_map(|(name, image)| json!({"name": name, "image": image}));
    let volume = (name, image)
        .prop_map(|(name, image)| json!({"name": name, "image": {"reference": image}}));
    let list = |item: BoxedStrategy<Value>| {
        let item = prop_oneof![20 => item, 1 => any_json()];
        let list = prop::collection::vec(item, 0..3).prop_map(Value::Array);
        prop_oneof![20 => list, 1 => any_json()].boxed()
    };
    let container = list(container.boxed());
    let metadata = prop_oneof![
        3 => Just(json!({})),
        1 => Just(json!({"ownerReferences": [{"controller": true}]})),
        1 => Just(json!({"deletionTimestamp": "2026-01-01T00:00:00Z"})),
        1 => any_json(),
    ];
    let lists = (
        container.clone(),
        container.clone(),
        container,
        list(volume.boxed()),
    );
    let spec = lists.prop_map(|(a, b, c, d)| {
        json!({"containers": a, "initContainers": b, "ephemeralContainers": c, "volumes": d})
    });
    let spec = prop_oneof![20 => spec, 1 => any_json()];
    (spec, metadata, any_json()).prop_map(|(spec, metadata, noise)| {
        WORKLOADS.map(|workload| {
            let pod = json!({"spec": spec, "metadata": noise});
            let wrap = |inside, name: &&str| json!({ *name: inside, "noise": noise });
            let mut object = workload.template.iter().rev().fold(pod, wrap);
            object["metadata"] = metadata.clone();
            object
        })
    })
}

/// Every image in the pod spec of an object, by a way of its own.
fn images(object: &Value, template: &[&str]) -> Vec<String> {
    let names: Vec<&str> = [""]
        .iter()
        .chain(template)
        .chain(&["spec"])
        .copied()
        .collect();
    let pointer = names.join("/");
    let Some(spec) = object.pointer(&pointer) else {
        return Vec::new();
    };
    let mut images = Vec::new();
    for list in ["containers", "initContainers", "ephemeralContainers"] {
        for item in spec[list].as_array().into_iter().flatten() {
            images.extend(item["image"].as_str().map(str::to_owned));
        }
    }
    for volume in spec["volumes"].as_array().into_iter().flatten() {
        images.extend(volume["image"]["reference"].as_str().map(str::to_owned));
    }
    images.retain(|image| !image.is_empty());
    images
}

fn answer(review: &Value) -> Option<Value> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build();
    let text = review.to_string();
    runtime
        .unwrap()
        .block_on(answer_to(text.as_bytes(), Tags::Pinned, &[]))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn no_object_gets_an_unverified_image_in(
        objects in any_object(), kind in 0..WORKLOADS.len()
    ) {
        let (workload, object) = (&WORKLOADS[kind], &objects[kind]);
        let response = answer(&review(workload.group, workload.kind, object, None)).unwrap();
        if response["allowed"] == true {
            for image in images(&patched(object, &response), workload.template) {
                let controlled = object["metadata"].get("ownerReferences").is_some();
                let controlled = controlled && !workload.is_pod();
                prop_assert!(
                    image.starts_with("signed.test/a") && (controlled || image.contains("@sha256:")),
                    "{} let in as a {}", image, workload.kind
                );
            }
        }
    }

    #[test]
    fn no_update_gets_an_unverified_image_in(
        objects in any_object(), olds in any_object(), kind in 0..WORKLOADS.len()
    ) {
        let (workload, object, old) = (&WORKLOADS[kind], &objects[kind], &olds[kind]);
        prop_assume!(!old["metadata"]["deletionTimestamp"].is_string());
        let response = answer(&review(workload.group, workload.kind, object, Some(old))).unwrap();
        if response["allowed"] == true {
            let before = images(old, workload.template);
            for image in images(&patched(object, &response), workload.template) {
                prop_assert!(image.starts_with("signed.test/a") || before.contains(&image));
            }
        }
    }

    #[test]
    fn anything_in_the_place_of_a_review_is_answered(
        any in any_json(), place in prop::sample::select(vec![
            "", "/apiVersion", "/kind", "/request", "/request/kind", "/request/kind/group",
            "/request/operation", "/request/object", "/request/oldObject", "/request/userInfo",
        ])
    ) {
        let mut review = review("", "Pod", &json!({"spec": {}}), Some(&json!({})));
        *review.pointer_mut(place).unwrap() = any;
        let _ = answer(&review);
    }

    #[test]
    fn any_bytes_are_answered(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
        let none = runtime.unwrap().block_on(answer_to(&bytes, Tags::Refused, &[]));
        prop_assert!(none.is_none());
    }
}
