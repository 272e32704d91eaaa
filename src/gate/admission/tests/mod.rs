//! Reviews in, answers out, with a policy that goes by the name of the registry.

mod any_json;
mod kinds;
mod replies;

use super::deadline;
use super::reply::Tags;
use super::review::{Review, Unreadable, VERSION};
use super::{ExtraPath, ruled};
use crate::gate::{Answer, Denial, Pinned};
use crate::policy::Reason;
use crate::reference::{Digest, ImageReference};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use tokio::time::Instant;

/// A review of an object of this kind; `old` makes it an update.
fn review(group: &str, kind: &str, object: &Value, old: Option<&Value>) -> Value {
    let mut object = object.clone();
    object["apiVersion"] = json!("v1");
    object["kind"] = json!(kind);
    json!({
        "apiVersion": VERSION,
        "kind": "AdmissionReview",
        "request": {
            "uid": UID,
            "kind": {"group": group, "version": "v1", "kind": kind},
            "operation": if old.is_some() { "UPDATE" } else { "CREATE" },
            "namespace": "team",
            "userInfo": {"username": "alice"},
            "object": object,
            "oldObject": old,
        },
    })
}

/// What the review is answered, which is a valid answer; none: it is no review.
async fn answer_to(bytes: &[u8], tags: Tags, extra: &[ExtraPath]) -> Option<Value> {
    let answer = match Review::read(bytes) {
        Ok(review) => {
            let deadline = Instant::now() + deadline::allowed(None);
            let decide = async |image: ImageReference, _| policy(&image);
            ruled(review, extra, tags, "hash", deadline, decide, |_| ()).await
        }
        Err(Unreadable::Wrong { uid, why }) => super::reply::wrong(&uid, &why),
        Err(Unreadable::Foreign(_)) => return None,
    };
    is_valid(&answer);
    Some(answer["response"].clone())
}

async fn mutate(review: &Value) -> Value {
    let text = review.to_string();
    answer_to(text.as_bytes(), Tags::Pinned, &[]).await.unwrap()
}

async fn validate(review: &Value) -> Value {
    let text = review.to_string();
    answer_to(text.as_bytes(), Tags::Refused, &[])
        .await
        .unwrap()
}

/// What the policy says: the registry's name is the answer.
fn policy(image: &ImageReference) -> Answer {
    match image.registry() {
        "signed.test" => Answer::Signed(Pinned {
            tag: image.tag().unwrap_or("any").to_owned(),
            digest: digest(),
            size: 7,
        }),
        "audit.test" => Answer::Passed {
            notice: Some(format!("only audited: {image} is unsigned\nand more")),
        },
        "free.test" => Answer::Passed { notice: None },
        _ => Answer::Denied(Denial {
            image: image.to_string(),
            reason: Reason::Unsigned,
            message: "No valid trust data".to_owned(),
            hint: Some("sign it".to_owned()),
            undecided: false,
            rule: "default".to_owned(),
        }),
    }
}

/// The digest of everything that is signed.
fn digest() -> Digest {
    Digest::of(b"manifest")
}

/// The object after the patch of the response, if there is one.
fn patched(object: &Value, response: &Value) -> Value {
    let mut object = object.clone();
    if let Some(patch) = response.get("patch") {
        let patch = STANDARD.decode(patch.as_str().unwrap()).unwrap();
        let patch: json_patch::Patch = serde_json::from_slice(&patch).unwrap();
        json_patch::patch(&mut object, &patch).unwrap();
    }
    object
}

/// Holds an answer against what the API server accepts.
#[track_caller]
fn is_valid(answer: &Value) {
    assert_eq!(answer["apiVersion"], VERSION);
    assert_eq!(answer["kind"], "AdmissionReview");
    let response = answer["response"].as_object().unwrap();
    assert_eq!(response["uid"], UID);
    let allowed = response["allowed"].as_bool().unwrap();
    assert_eq!(response.contains_key("status"), !allowed);
    if !allowed {
        let status = &response["status"];
        assert!([400, 403].contains(&status["code"].as_u64().unwrap()));
        assert!(!status["message"].as_str().unwrap().is_empty());
    }
    assert!(allowed || !response.contains_key("patch"));
    assert_eq!(
        response.contains_key("patch"),
        response.contains_key("patchType")
    );
    let warnings = response
        .get("warnings")
        .map(|w| w.as_array().unwrap().clone());
    let warnings = warnings.unwrap_or_default();
    let length = |warning: &Value| warning.as_str().unwrap().len();
    assert!(
        warnings
            .iter()
            .all(|warning| (1..=256).contains(&length(warning)))
    );
    assert!(warnings.iter().map(length).sum::<usize>() <= 4096);
    let controls = |warning: &Value| warning.as_str().unwrap().chars().any(char::is_control);
    assert!(!warnings.iter().any(controls));
    let annotations = response.get("auditAnnotations").and_then(Value::as_object);
    for (name, value) in annotations.into_iter().flatten() {
        assert!(name.bytes().all(|b| b.is_ascii_alphanumeric()) && value.is_string());
    }
}

const UID: &str = "705ab4f5-6393-11e8-b7cc-42010a800002";
