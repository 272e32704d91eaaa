//! Which images a review asks about: those that can run because of it.
//!
//! A pod's images are asked about when they are new in it. The images of everything else are asked
//! about when its pod template changes: the same template brings nothing in that its pods, which
//! come here as well, would not be asked about. So a controller can scale down what is refused by
//! now, labels and finalizers change, and no rollout starts because the gate was installed.

use super::extra::ExtraPath;
use super::kinds::Workload;
use super::places::{Misshapen, Part, Place, parts};
use super::review::{Change, Review};
use serde_json::Value;
use std::collections::BTreeMap;

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Asked {
    /// The images to decide about
    pub(super) places: Vec<Place>,
    /// What they are to become
    pub(super) of: Object,
}

/// What an object is to its images.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Object {
    /// It runs them
    Pod,
    /// It makes pods that run them
    Template,
    /// The same, and nobody may change it: it has a controller, or is a job that was made
    Fixed,
}

/// The images a review asks about.
///
/// # Errors
/// A pod spec in which something has the wrong type.
pub(super) fn asked(review: &Review, extra: &[ExtraPath]) -> Result<Asked, Misshapen> {
    let (group, kind) = (review.group.as_str(), review.kind.as_str());
    let (new, old) = match &review.change {
        Change::Harmless => return Ok(Asked::nothing()),
        Change::Update { old, .. } if is_being_deleted(old) => return Ok(Asked::nothing()),
        Change::Create(new) => (new, None),
        Change::Update { new, old } => (new, Some(old)),
    };
    let workload = Workload::find(group, kind);
    let is_pod = workload.is_some_and(Workload::is_pod);
    let is_fixed = old.is_some() && workload.is_some_and(Workload::is_fixed);
    let mut found = parts(group, kind, new, extra)?;
    if let Some(old) = old {
        // What is stored and has the wrong type was never asked about.
        let before = parts(group, kind, old, extra).unwrap_or_default();
        for part in &mut found {
            match before.iter().find(|b| b.pointer == part.pointer) {
                Some(before) if is_pod => without_those_of(part, before),
                Some(_) if part.pointer.of(new) == part.pointer.of(old) => part.places.clear(),
                _ => {}
            }
        }
    }
    Ok(Asked {
        places: found.into_iter().flat_map(|part| part.places).collect(),
        of: match is_pod {
            true => Object::Pod,
            false if is_fixed || is_controlled(new) => Object::Fixed,
            false => Object::Template,
        },
    })
}

impl Asked {
    fn nothing() -> Self {
        let (places, of) = (Vec::new(), Object::Template);
        Self { places, of }
    }
}

/// Whether it is on its way out already.
///
/// Only what is stored counts: on a new object, whoever makes it writes what they like there, and
/// the API server takes it out after the webhooks were asked.
fn is_being_deleted(old: &Value) -> bool {
    let stamp = old.pointer("/metadata/deletionTimestamp");
    stamp.is_some_and(Value::is_string)
}

/// Leaves out images that the same container or volume had before.
fn without_those_of(part: &mut Part, before: &Part) {
    let mut had: BTreeMap<&(&str, String), Vec<&str>> = BTreeMap::new();
    for place in &before.places {
        had.entry(&place.owner).or_default().push(&place.image);
    }
    part.places.retain(|place| {
        let had = had.get(&place.owner);
        had.is_none_or(|had| had.iter().any(|image| *image != place.image))
    });
}

/// Whether a controller says that the object is its own: then its template stays as it is.
///
/// A controller compares the template with its own. Where they differ, a Deployment makes one
/// `ReplicaSet` after the other without end. This is no reason to believe anything: such objects
/// are decided about as any other, and pods are always pinned.
fn is_controlled(object: &Value) -> bool {
    let owners = object.pointer("/metadata/ownerReferences");
    let owners = owners.and_then(Value::as_array);
    let mut owners = owners.into_iter().flatten();
    owners.any(|owner| owner.get("controller") == Some(&Value::Bool(true)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn update(kind: (&str, &str), new: &Value, old: &Value) -> Asked {
        asked(
            &review(
                kind,
                Change::Update {
                    new: new.clone(),
                    old: old.clone(),
                },
            ),
            &[],
        )
        .unwrap()
    }

    fn review((group, kind): (&str, &str), change: Change) -> Review {
        Review {
            uid: "u".into(),
            group: group.into(),
            kind: kind.into(),
            who: "a/b".into(),
            change,
        }
    }

    fn images(asked: &Asked) -> Vec<&str> {
        asked
            .places
            .iter()
            .map(|place| place.image.as_str())
            .collect()
    }

    const POD: (&str, &str) = ("", "Pod");
    const DEPLOYMENT: (&str, &str) = ("apps", "Deployment");

    fn pod(images: &[(&str, &str)]) -> Value {
        let containers: Vec<_> = images
            .iter()
            .map(|(name, image)| json!({"name": name, "image": image}))
            .collect();
        json!({"metadata": {"labels": {}}, "spec": {"containers": containers}})
    }

    #[test]
    fn a_pod_is_asked_about_what_is_new_in_it() {
        let old = pod(&[("a", "one"), ("b", "two")]);
        for (new, expected) in [
            (pod(&[("a", "one"), ("b", "two")]), vec![]),
            (pod(&[("a", "one"), ("b", "three")]), vec!["three"]),
            // The same image in another container is pulled anew.
            (pod(&[("a", "two"), ("b", "two")]), vec!["two"]),
            (pod(&[("b", "two"), ("a", "one")]), vec![]),
            (
                pod(&[("a", "one"), ("b", "two"), ("c", "one")]),
                vec!["one"],
            ),
            (pod(&[("a", "two"), ("b", "one")]), vec!["two", "one"]),
        ] {
            assert_eq!(images(&update(POD, &new, &old)), expected, "{new}");
        }
    }

    #[test]
    fn two_containers_of_one_name_do_not_vouch_for_each_other() {
        let old = pod(&[("a", "one"), ("a", "two")]);
        let new = pod(&[("a", "two"), ("a", "two")]);
        assert_eq!(images(&update(POD, &new, &old)), ["two", "two"]);
    }

    #[test]
    fn an_init_container_does_not_vouch_for_a_container() {
        let mut old = pod(&[]);
        old["spec"]["initContainers"] = json!([{"name": "a", "image": "one"}]);
        let new = pod(&[("a", "one")]);
        assert_eq!(images(&update(POD, &new, &old)), ["one"]);
    }

    #[test]
    fn a_template_is_asked_about_when_it_changes() {
        let deployment =
            |spec: Value, replicas: u32| json!({"spec": {"replicas": replicas, "template": spec}});
        let old = deployment(pod(&[("a", "one"), ("b", "two")]), 1);
        let scaled = deployment(pod(&[("a", "one"), ("b", "two")]), 9);
        assert!(images(&update(DEPLOYMENT, &scaled, &old)).is_empty());
        let mut restarted = old.clone();
        restarted["spec"]["template"]["metadata"]["labels"] = json!({"at": "now"});
        assert_eq!(
            images(&update(DEPLOYMENT, &restarted, &old)),
            ["one", "two"]
        );
        let changed = deployment(pod(&[("a", "one"), ("b", "three")]), 1);
        assert_eq!(
            images(&update(DEPLOYMENT, &changed, &old)),
            ["one", "three"]
        );
        let custom = ("example.com", "Rollout");
        assert!(images(&update(custom, &scaled, &old)).is_empty());
        assert_eq!(images(&update(custom, &changed, &old)), ["one", "three"]);
    }

    #[test]
    fn what_was_stored_with_the_wrong_type_vouches_for_nothing() {
        let old = json!({"spec": {"containers": [{"name": "a", "image": "one"}, 5]}});
        assert_eq!(images(&update(POD, &pod(&[("a", "one")]), &old)), ["one"]);
    }

    #[test]
    fn only_what_is_stored_can_be_on_its_way_out() {
        let gone = json!({"deletionTimestamp": "2026-01-01T00:00:00Z"});
        let (mut forged, mut stored) = (pod(&[("a", "one")]), pod(&[]));
        forged["metadata"] = gone.clone();
        let created = asked(&review(POD, Change::Create(forged.clone())), &[]).unwrap();
        assert_eq!(images(&created), ["one"]);
        assert_eq!(images(&update(POD, &forged, &stored)), ["one"]);
        stored["metadata"] = gone;
        assert!(images(&update(POD, &forged, &stored)).is_empty());
        stored["metadata"]["deletionTimestamp"] = json!(null);
        assert_eq!(images(&update(POD, &forged, &stored)), ["one"]);
    }

    #[test]
    fn a_template_that_nobody_may_change_stays_as_it_is_but_its_pods_do_not() {
        let mut object = json!({"spec": {"template": pod(&[("a", "one")])}});
        let create = |kind, object: &Value| {
            asked(&review(kind, Change::Create(object.clone())), &[]).unwrap()
        };
        assert_eq!(create(("apps", "ReplicaSet"), &object).of, Object::Template);
        object["metadata"] = json!({"ownerReferences": [{"controller": false}, 5]});
        assert_eq!(create(("apps", "ReplicaSet"), &object).of, Object::Template);
        let owned = json!({"ownerReferences": [{"kind": "Deployment", "controller": true}]});
        object["metadata"] = owned.clone();
        let asked = create(("apps", "ReplicaSet"), &object);
        assert_eq!((images(&asked), asked.of), (vec!["one"], Object::Fixed));
        let mut suspended = json!({"spec": {"template": pod(&[("a", "one")])}});
        assert_eq!(create(("batch", "Job"), &suspended).of, Object::Template);
        let old = suspended.clone();
        suspended["spec"]["template"]["spec"]["nodeSelector"] = json!({"pool": "b"});
        let asked = update(("batch", "Job"), &suspended, &old);
        assert_eq!((images(&asked), asked.of), (vec!["one"], Object::Fixed));
        let mut object = pod(&[("a", "one")]);
        object["metadata"] = owned;
        let asked = create(POD, &object);
        assert_eq!((images(&asked), asked.of), (vec!["one"], Object::Pod));
    }
}
