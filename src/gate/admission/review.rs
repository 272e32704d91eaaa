//! What the API server asks: an `AdmissionReview` of `admission.k8s.io/v1`.

use crate::gate::json::{self, Bounds};
use serde::Deserialize;
use serde_json::{Map, Value};

/// A question that can be answered.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Review {
    /// What the answer has to repeat
    pub(super) uid: String,
    /// The API group of the object
    pub(super) group: String,
    /// The kind of the object
    pub(super) kind: String,
    /// Whoever asks, and the namespace, for the log
    pub(super) who: String,
    /// What happens to the object
    pub(super) change: Change,
}

/// What happens to the object.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Change {
    /// It is new
    Create(Value),
    /// It takes the place of another
    Update {
        /// As it will be
        new: Value,
        /// As it is
        old: Value,
    },
    /// Nothing that could bring an image in
    Harmless,
}

/// Why a question cannot be answered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unreadable {
    /// Nobody could be answered: the review has no uid that can be read.
    #[error("{0}")]
    Foreign(String),
    /// The review has a uid, and is wrong in another way.
    #[error("{why}")]
    Wrong {
        /// What the answer has to repeat
        uid: String,
        /// What is wrong
        why: String,
    },
}

impl Review {
    /// Reads a review; members nobody here knows are passed over.
    ///
    /// # Errors
    /// Not JSON that means one thing, or not a review of version 1, or one without what is needed.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, Unreadable> {
        let document = json::parse(bytes, BOUNDS).map_err(|error| unparsable(bytes, &error))?;
        let Value::Object(mut review) = document else {
            return Err(Unreadable::Foreign("not an AdmissionReview".to_owned()));
        };
        is_version_1(text(&review, "kind"), text(&review, "apiVersion"))?;
        let Some(Value::Object(request)) = review.remove("request") else {
            return Err(Unreadable::Foreign("the review has no request".to_owned()));
        };
        let uid = uid(text(&request, "uid"))?;
        request_of(uid.clone(), request).map_err(|why| Unreadable::Wrong {
            uid,
            why: why.to_owned(),
        })
    }
}

fn request_of(uid: String, mut request: Map<String, Value>) -> Result<Review, &'static str> {
    let kind = request.get("kind").and_then(Value::as_object);
    let kind = kind.ok_or("request.kind is missing")?;
    let group = match kind.get("group") {
        None | Some(Value::Null) => "",
        Some(Value::String(group)) => group,
        Some(_) => return Err("request.kind.group is no text"),
    };
    let group = group.to_owned();
    let kind = text(kind, "kind").ok_or("request.kind.kind is missing")?;
    let kind = kind.to_owned();
    let who = who(&request);
    let change = change(&mut request)?;
    if let Change::Create(new) | Change::Update { new, .. } = &change
        && new.get("kind").is_some_and(|said| *said != *kind)
    {
        return Err("request.object is of another kind than request.kind");
    }
    Ok(Review {
        uid,
        group,
        kind,
        who,
        change,
    })
}

fn change(request: &mut Map<String, Value>) -> Result<Change, &'static str> {
    let operation = text(request, "operation").ok_or("request.operation is missing")?;
    let update = match operation {
        "CREATE" => false,
        "UPDATE" => true,
        "DELETE" | "CONNECT" => return Ok(Change::Harmless),
        _ => return Err("request.operation is none of CREATE, UPDATE, DELETE, CONNECT"),
    };
    match request.get("subResource") {
        None | Some(Value::Null) => {}
        Some(Value::String(name)) if name.is_empty() || name == super::kinds::EPHEMERAL => {}
        // A status, a scale, a binding, a resize: what they write holds no image.
        Some(Value::String(_)) => return Ok(Change::Harmless),
        Some(_) => return Err("request.subResource is no text"),
    }
    let Some(new @ Value::Object(_)) = request.remove("object") else {
        return Err("request.object is no object");
    };
    match request.remove("oldObject") {
        Some(old @ Value::Object(_)) if update => Ok(Change::Update { new, old }),
        None | Some(Value::Null | Value::Object(_)) => Ok(Change::Create(new)),
        Some(_) => Err("request.oldObject is no object"),
    }
}

/// Only the version this page answers in.
fn is_version_1(kind: Option<&str>, version: Option<&str>) -> Result<(), Unreadable> {
    match (kind, version) {
        (Some("AdmissionReview"), Some(VERSION)) => Ok(()),
        (Some("AdmissionReview"), Some(other)) => Err(Unreadable::Foreign(format!(
            "this is a review of {}: set admissionReviewVersions to [\"v1\"]",
            short(other)
        ))),
        _ => Err(Unreadable::Foreign(format!(
            "not an AdmissionReview of {VERSION}"
        ))),
    }
}

fn uid(uid: Option<&str>) -> Result<String, Unreadable> {
    match uid {
        Some(uid) if !uid.is_empty() && uid.len() <= MAX_UID => Ok(uid.to_owned()),
        _ => Err(Unreadable::Foreign(
            "the review has no uid that can be repeated".to_owned(),
        )),
    }
}

/// A review that is no JSON to rely on is refused by its uid, where that much can be read.
///
/// To an error of HTTP, a webhook with `failurePolicy: Ignore` says yes.
fn unparsable(bytes: &[u8], error: &serde_json::Error) -> Unreadable {
    #[derive(Deserialize)]
    struct Envelope {
        kind: String,
        #[serde(rename = "apiVersion")]
        version: String,
        request: Request,
    }
    #[derive(Deserialize)]
    struct Request {
        uid: String,
    }
    let why = format!("cannot read the review: {error}");
    let envelope: Result<Envelope, _> = serde_json::from_slice(bytes);
    match envelope {
        Ok(envelope) if is_version_1(Some(&envelope.kind), Some(&envelope.version)).is_ok() => {
            match uid(Some(&envelope.request.uid)) {
                Ok(uid) => Unreadable::Wrong { uid, why },
                Err(unreadable) => unreadable,
            }
        }
        _ => Unreadable::Foreign(why),
    }
}

/// `user/namespace`; what the API server found out, never what the object says.
fn who(request: &Map<String, Value>) -> String {
    let user = request.get("userInfo").and_then(Value::as_object);
    let user = user.and_then(|user| text(user, "username"));
    let namespace = text(request, "namespace");
    format!(
        "{}/{}",
        short(user.unwrap_or_default()),
        short(namespace.unwrap_or_default())
    )
}

fn text<'m>(members: &'m Map<String, Value>, name: &str) -> Option<&'m str> {
    members.get(name)?.as_str()
}

fn short(text: &str) -> &str {
    text.get(..text.floor_char_boundary(SHOWN)).unwrap_or(text)
}

/// Objects of Kubernetes have some ten levels; a pod with 1,000 containers has some 50,000 values,
/// and an update has it twice.
const BOUNDS: Bounds = Bounds {
    depth: 100,
    values: 1_000_000,
};
/// The version of the question and of the answer.
pub(super) const VERSION: &str = "admission.k8s.io/v1";
/// Bytes; the API server's are UUIDs.
const MAX_UID: usize = 256;
/// Bytes of a foreign text in a message or the log.
const SHOWN: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn review(request: &Value) -> Value {
        json!({"apiVersion": VERSION, "kind": "AdmissionReview", "request": request})
    }

    fn request() -> Value {
        json!({
            "uid": "u1",
            "kind": {"group": "apps", "version": "v1", "kind": "Deployment"},
            "operation": "CREATE",
            "namespace": "team",
            "userInfo": {"username": "alice", "groups": ["a"]},
            "object": {"kind": "Deployment", "spec": {"float": 1.5}},
            "oldObject": null,
            "dryRun": true,
            "options": {"kind": "CreateOptions"},
            "newer": ["than", "this", "program"],
        })
    }

    fn read(value: &Value) -> Result<Review, Unreadable> {
        Review::read(value.to_string().as_bytes())
    }

    #[test]
    fn a_review_of_the_api_server_is_read() {
        let read = read(&review(&request())).unwrap();
        assert_eq!((read.uid.as_str(), read.who.as_str()), ("u1", "alice/team"));
        assert_eq!(
            (read.group.as_str(), read.kind.as_str()),
            ("apps", "Deployment")
        );
        let object = json!({"kind": "Deployment", "spec": {"float": 1.5}});
        assert_eq!(read.change, Change::Create(object));
    }

    #[test]
    fn what_brings_no_image_in_is_harmless() {
        for (name, value) in [
            ("operation", "DELETE"),
            ("operation", "CONNECT"),
            ("subResource", "status"),
            ("subResource", "scale"),
            ("subResource", "binding"),
            ("subResource", "eviction"),
            ("subResource", "exec"),
            ("subResource", "resize"),
        ] {
            let mut request = request();
            request[name] = json!(value);
            request["object"] = json!(null);
            assert_eq!(
                read(&review(&request)).unwrap().change,
                Change::Harmless,
                "{value}"
            );
        }
        for sub_resource in [json!(null), json!(""), json!("ephemeralcontainers")] {
            let mut request = request();
            request["subResource"] = sub_resource;
            assert!(matches!(
                read(&review(&request)).unwrap().change,
                Change::Create(_)
            ));
        }
    }

    #[test]
    fn an_update_without_what_was_before_is_all_new() {
        let mut update = request();
        update["operation"] = json!("UPDATE");
        assert!(matches!(
            read(&review(&update)).unwrap().change,
            Change::Create(_)
        ));
        update["oldObject"] = json!({"spec": 1});
        let change = read(&review(&update)).unwrap().change;
        assert!(matches!(change, Change::Update { old, .. } if old == json!({"spec": 1})));
        update["operation"] = json!("CREATE");
        assert!(matches!(
            read(&review(&update)).unwrap().change,
            Change::Create(_)
        ));
    }

    #[test]
    fn what_is_wrong_is_refused_by_its_uid() {
        for (name, value) in [
            ("operation", json!("PATCH")),
            ("operation", json!(null)),
            ("operation", json!(7)),
            ("kind", json!("Pod")),
            ("kind", json!({"group": 1, "kind": "Pod"})),
            ("kind", json!({"group": "", "kind": []})),
            ("kind", json!({"group": "", "kind": "Pod"})),
            ("subResource", json!(["status"])),
            ("object", json!(null)),
            ("object", json!([])),
            ("object", json!({"kind": "ConfigMap"})),
            ("object", json!({"kind": null})),
            ("oldObject", json!("text")),
        ] {
            let mut request = request();
            request[name] = value.clone();
            let wrong = read(&review(&request)).unwrap_err();
            assert!(
                matches!(&wrong, Unreadable::Wrong { uid, .. } if uid == "u1"),
                "{name} {value}: {wrong:?}"
            );
        }
    }

    #[test]
    fn what_cannot_be_answered_says_why() {
        let mut old = review(&request());
        old["apiVersion"] = json!("admission.k8s.io/v1beta1");
        let mut other = review(&request());
        other["kind"] = json!("Pod");
        for (text, why) in [
            (old.to_string(), "set admissionReviewVersions to [\"v1\"]"),
            (
                other.to_string(),
                "not an AdmissionReview of admission.k8s.io/v1",
            ),
            (review(&json!({"uid": 5})).to_string(), "no uid"),
            (review(&json!({"uid": ""})).to_string(), "no uid"),
            (
                review(&json!({"uid": "u".repeat(257)})).to_string(),
                "no uid",
            ),
            (review(&json!([])).to_string(), "has no request"),
            ("[]".to_owned(), "not an AdmissionReview"),
            ("{".to_owned(), "EOF"),
            (String::new(), "EOF"),
        ] {
            let error = Review::read(text.as_bytes()).unwrap_err();
            assert!(matches!(error, Unreadable::Foreign(_)), "{text}");
            assert!(error.to_string().contains(why), "{text}: {error}");
        }
    }

    #[test]
    fn an_object_that_means_two_things_is_refused_by_its_uid() {
        let whole = review(&request()).to_string();
        let deep = format!("{}{}", "[".repeat(5000), "]".repeat(5000));
        for (object, why) in [
            (r#"{"spec":1,"spec":2}"#, "\"spec\" is there twice"),
            (deep.as_str(), "nested too deeply"),
            (r#"{"a":"\ud800"}"#, "hex escape"),
        ] {
            let honest = r#"{"kind":"Deployment","spec":{"float":1.5}}"#;
            assert!(whole.contains(honest));
            let text = whole.replace(honest, object);
            let error = Review::read(text.as_bytes()).unwrap_err();
            assert!(error.to_string().contains(why), "{error}");
            assert!(matches!(error, Unreadable::Wrong { uid, .. } if uid == "u1"));
        }
    }
}
