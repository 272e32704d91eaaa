//! Where an object names images.

use super::extra::ExtraPath;
use super::kinds::Workload;
use super::pointer::Pointer;
use serde_json::{Map, Value};

/// An image in an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// Where it stands
    pub(super) pointer: Pointer,
    /// The image, as it is written
    pub(super) image: String,
    /// Whose it is: the list, and the name of the container or volume in it
    pub(super) owner: (&'static str, String),
}

/// A part of an object that takes effect as a whole, with the images in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Part {
    /// Where it is
    pub(super) pointer: Pointer,
    /// Its images
    pub(super) places: Vec<Place>,
}

/// A value that is not what its place needs.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{pointer} is no {expected}")]
pub(super) struct Misshapen {
    pointer: Pointer,
    expected: &'static str,
}

/// The images of an object: in its pod template, and where `extra` says they are.
///
/// A kind that is not one of Kubernetes' own is searched for pod specs.
pub(super) fn parts(
    group: &str,
    kind: &str,
    object: &Value,
    extra: &[ExtraPath],
) -> Result<Vec<Part>, Misshapen> {
    let mut parts = match Workload::find(group, kind) {
        Some(workload) => vec![known(workload, object)?],
        None => searched(object),
    };
    for path in extra.iter().filter(|path| path.is_of(group, kind)) {
        parts.push(extra_part(path, object)?);
    }
    Ok(parts)
}

/// A pod, or the pod template of a workload.
fn known(workload: &Workload, object: &Value) -> Result<Part, Misshapen> {
    let pointer = workload
        .template
        .iter()
        .fold(Pointer::default(), |way, name| way.member(name));
    let at = pointer.member("spec");
    let mut places = Vec::new();
    match at.of(object) {
        None | Some(Value::Null) => {}
        Some(Value::Object(spec)) => strict(&at, spec, &mut places)?,
        Some(_) => return Err(misshapen(&at, "object")),
    }
    Ok(Part { pointer, places })
}

/// The images of a pod spec, every value of which has to have the type it needs.
///
/// A container without an image is no business of ours: no pod starts from it.
fn strict(
    at: &Pointer,
    spec: &Map<String, Value>,
    places: &mut Vec<Place>,
) -> Result<(), Misshapen> {
    for list in LISTS {
        let items = match spec.get(list) {
            None | Some(Value::Null) => continue,
            Some(Value::Array(items)) => items,
            Some(_) => return Err(misshapen(&at.member(list), "list")),
        };
        for (number, item) in items.iter().enumerate() {
            let at = at.member(list).item(number);
            let Value::Object(item) = item else {
                return Err(misshapen(&at, "object"));
            };
            let owner = (list, name(item));
            if list != VOLUMES {
                image(&at.member("image"), item.get("image"), owner, places)?;
                continue;
            }
            let at = at.member("image");
            match item.get("image") {
                None | Some(Value::Null) => {}
                Some(Value::Object(source)) => {
                    let reference = source.get("reference");
                    image(&at.member("reference"), reference, owner, places)?;
                }
                Some(_) => return Err(misshapen(&at, "object")),
            }
        }
    }
    Ok(())
}

fn image(
    at: &Pointer,
    image: Option<&Value>,
    owner: (&'static str, String),
    places: &mut Vec<Place>,
) -> Result<(), Misshapen> {
    match image {
        None | Some(Value::Null) => {}
        Some(Value::String(image)) if image.is_empty() => {}
        Some(Value::String(image)) => places.push(Place {
            pointer: at.clone(),
            image: image.clone(),
            owner,
        }),
        Some(_) => return Err(misshapen(at, "text")),
    }
    Ok(())
}

/// Every pod spec in an object of a kind that is not known, except in what others say of it.
fn searched(object: &Value) -> Vec<Part> {
    let mut parts = Vec::new();
    let Value::Object(members) = object else {
        return parts;
    };
    lenient(&Pointer::default(), members, &mut parts);
    for (name, value) in members {
        if !NOT_WANTED.contains(&name.as_str()) {
            search(&Pointer::default().member(name), value, &mut parts);
        }
    }
    parts
}

fn search(at: &Pointer, value: &Value, parts: &mut Vec<Part>) {
    match value {
        Value::Array(items) => {
            for (number, item) in items.iter().enumerate() {
                if is_compound(item) {
                    search(&at.item(number), item, parts);
                }
            }
        }
        Value::Object(members) => {
            lenient(at, members, parts);
            for (name, member) in members {
                if is_compound(member) {
                    search(&at.member(name), member, parts);
                }
            }
        }
        _ => {}
    }
}

/// The images of what may be a pod spec, or only looks like one.
fn lenient(at: &Pointer, members: &Map<String, Value>, parts: &mut Vec<Part>) {
    let mut places = Vec::new();
    for list in LISTS {
        let items = members.get(list).and_then(Value::as_array);
        for (number, item) in items.into_iter().flatten().enumerate() {
            let Some(item) = item.as_object() else {
                continue;
            };
            let mut pointer = at.member(list).item(number).member("image");
            let mut image = item.get("image");
            if list == VOLUMES {
                pointer = pointer.member("reference");
                image = image.and_then(|source| source.get("reference"));
            }
            if let Some(image @ Value::String(_)) = image {
                let owner = (list, name(item));
                // A text is always of the right type.
                let _ = self::image(&pointer, Some(image), owner, &mut places);
            }
        }
    }
    if !places.is_empty() {
        let pointer = at.clone();
        parts.push(Part { pointer, places });
    }
}

fn extra_part(path: &ExtraPath, object: &Value) -> Result<Part, Misshapen> {
    let mut places = Vec::new();
    for (at, value) in path.matches(object) {
        image(&at, Some(value), ("", String::new()), &mut places)?;
    }
    let pointer = path.root();
    Ok(Part { pointer, places })
}

fn name(item: &Map<String, Value>) -> String {
    let name = item.get("name").and_then(Value::as_str);
    name.unwrap_or_default().to_owned()
}

fn is_compound(value: &Value) -> bool {
    value.is_array() || value.is_object()
}

fn misshapen(pointer: &Pointer, expected: &'static str) -> Misshapen {
    let pointer = pointer.clone();
    Misshapen { pointer, expected }
}

/// The lists of a pod spec whose items have images.
const LISTS: [&str; 4] = [
    "containers",
    "initContainers",
    "ephemeralContainers",
    VOLUMES,
];
const VOLUMES: &str = "volumes";
/// What others say of an object, not what it asks for.
const NOT_WANTED: [&str; 2] = ["metadata", "status"];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::admission::kinds::WORKLOADS;
    use serde_json::json;

    fn found(group: &str, kind: &str, object: &Value) -> Vec<String> {
        let parts = parts(group, kind, object, &[]).unwrap();
        let places = parts.iter().flat_map(|part| &part.places);
        places
            .inspect(|place| assert_eq!(place.pointer.of(object), Some(&json!(place.image))))
            .map(|place| format!("{}={}", place.pointer, place.image))
            .collect()
    }

    fn spec() -> Value {
        json!({
            "containers": [{"name": "a", "image": "one"}, {"name": "b"}, {"image": null}, {"image": ""}],
            "initContainers": [{"name": "c", "image": "two"}],
            "ephemeralContainers": [{"name": "d", "image": "three"}],
            "volumes": [
                {"name": "e", "emptyDir": {}},
                {"name": "f", "image": {"reference": "four", "pullPolicy": "Always"}},
                {"name": "g", "image": {}},
                {"name": "h", "image": null},
            ],
            "image": "not one",
        })
    }

    #[test]
    fn every_kind_has_its_pod_spec_in_its_place() {
        for (kind, at) in [
            ("Pod", "spec"),
            ("PodTemplate", "template.spec"),
            ("ReplicationController", "spec.template.spec"),
            ("DaemonSet", "spec.template.spec"),
            ("Deployment", "spec.template.spec"),
            ("ReplicaSet", "spec.template.spec"),
            ("StatefulSet", "spec.template.spec"),
            ("CronJob", "spec.jobTemplate.spec.template.spec"),
            ("Job", "spec.template.spec"),
        ] {
            let known = WORKLOADS.iter().find(|known| known.kind == kind).unwrap();
            let mut object = spec();
            for name in at.split('.').rev() {
                object = json!({ name: object });
            }
            let expected = [
                format!("{at}.containers[0].image=one"),
                format!("{at}.initContainers[0].image=two"),
                format!("{at}.ephemeralContainers[0].image=three"),
                format!("{at}.volumes[1].image.reference=four"),
            ];
            assert_eq!(found(known.group, kind, &object), expected, "{kind}");
            if known.group == "apps" {
                assert_eq!(found("extensions", kind, &object), expected, "{kind}");
            }
        }
        assert_eq!(WORKLOADS.len(), 9, "each of them is in this table");
    }

    #[test]
    fn a_kind_that_only_sounds_the_same_is_searched() {
        let object = json!({"spec": {"template": {"spec": spec()}}});
        let found = found("example.com", "Pod", &object);
        assert_eq!(found.len(), 4, "{found:?}");
    }

    #[test]
    fn pod_specs_are_found_wherever_a_custom_resource_has_them() {
        let object = json!({
            "metadata": {"annotations": {"containers": [{"image": "no"}]}},
            "status": {"containers": [{"image": "no"}]},
            "containers": [{"image": "top"}],
            "spec": {
                "containers": [{"image": "in spec"}, 5, {"image": {"repository": "x"}}, {"image": ""}],
                "replicas": {"Worker/~": {"template": {"spec": {"initContainers": [{"image": "deep"}]}}}},
                "list": [[{"volumes": [{"image": {"reference": "volume"}}, {"image": "no"}]}]],
                "volumes": {"image": {"reference": "no"}},
                "status": {"containers": [{"image": "below"}]},
                "image": "no",
            },
        });
        let expected = [
            "containers[0].image=top",
            "spec.containers[0].image=in spec",
            "spec.list[0][0].volumes[0].image.reference=volume",
            r#"spec.replicas["Worker/~"].template.spec.initContainers[0].image=deep"#,
            "spec.status.containers[0].image=below",
        ];
        assert_eq!(found("example.com", "Thing", &object), expected);
    }

    #[test]
    fn a_kind_without_images_has_none() {
        for object in [
            json!({}),
            json!({"data": {"image": "x"}}),
            json!({"spec": null}),
        ] {
            assert!(found("", "ConfigMap", &object).is_empty());
        }
        for object in [
            json!({}),
            json!({"spec": null}),
            json!({"spec": {"containers": null}}),
        ] {
            assert!(found("", "Pod", &object).is_empty());
            assert!(found("batch", "CronJob", &object).is_empty());
        }
    }

    #[test]
    fn what_has_the_wrong_type_is_refused_and_named() {
        for (spec, why) in [
            (json!("x"), "spec is no object"),
            (json!({"containers": {}}), "spec.containers is no list"),
            (
                json!({"containers": ["x"]}),
                "spec.containers[0] is no object",
            ),
            (
                json!({"containers": [{"image": 5}]}),
                "spec.containers[0].image is no text",
            ),
            (
                json!({"initContainers": [{}, {"image": ["a"]}]}),
                "spec.initContainers[1].image is no text",
            ),
            (
                json!({"volumes": [{"image": "x"}]}),
                "spec.volumes[0].image is no object",
            ),
            (
                json!({"volumes": [{"image": {"reference": {}}}]}),
                "spec.volumes[0].image.reference is no text",
            ),
        ] {
            let pod = json!({ "spec": spec });
            let error = parts("", "Pod", &pod, &[]).unwrap_err();
            assert_eq!(error.to_string(), why);
        }
    }

    #[test]
    fn extra_paths_add_to_what_is_found() {
        let extra: Vec<ExtraPath> = ["g/Thing:/spec/runner/image", "g/Other:/spec/x"]
            .iter()
            .map(|path| path.parse().unwrap())
            .collect();
        let object =
            json!({"spec": {"runner": {"image": "a"}, "containers": [{"image": "b"}], "x": 1}});
        let found = parts("g", "Thing", &object, &extra).unwrap();
        let shown: Vec<_> = found
            .iter()
            .flat_map(|part| &part.places)
            .map(|place| place.pointer.json())
            .collect();
        assert_eq!(shown, ["/spec/containers/0/image", "/spec/runner/image"]);
        let wrong = parts("g", "Other", &object, &extra).unwrap_err();
        assert_eq!(wrong.to_string(), "spec.x is no text");
    }
}
