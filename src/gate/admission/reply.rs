//! What the API server is told: the answer of `admission.k8s.io/v1`.

use super::asked::{Asked, Object};
use super::decide::{Decided, Decisions, MOST};
use super::pin::pinned;
use super::review::VERSION;
use crate::gate::Answer;
use crate::policy::Reason;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// What is done with images that are signed, but named by a tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tags {
    /// They are pinned to the digest that was decided about
    Pinned,
    /// A pod with one is refused: whoever pins had the time to do it
    Refused,
}

/// Nothing the review asks for can bring an image in.
pub(super) fn harmless(uid: &str) -> Value {
    whole(&json!({"uid": uid, "allowed": true}))
}

/// The review itself is wrong.
pub(super) fn wrong(uid: &str, why: &str) -> Value {
    let status = status(400, "BadRequest", &line(why, MAX_LINE));
    whole(&json!({"uid": uid, "allowed": false, "status": status}))
}

/// What was decided about the images of an object.
pub(super) fn decided(
    uid: &str,
    asked: &Asked,
    decisions: &Decisions,
    tags: Tags,
    policy: &str,
) -> Value {
    let mut told = Told::default();
    for place in &asked.places {
        let path = &place.pointer;
        match fate(&place.image, decisions.about(&place.image)) {
            Fate::Pinned(image) if image == place.image => {}
            Fate::Pinned(image) => match (tags, asked.of) {
                (Tags::Pinned, Object::Pod | Object::Template) => {
                    let op = json!({"op": "replace", "path": path.json(), "value": image});
                    told.patch.push(op);
                }
                (Tags::Refused, Object::Pod) => {
                    let why = format!("{} is signed, but not pinned as {image}", place.image);
                    told.refused.push(format!("{path}: {why}"));
                }
                (Tags::Pinned, Object::Controlled)
                | (Tags::Refused, Object::Template | Object::Controlled) => {}
            },
            Fate::Passed => told.unsigned = true,
            Fate::Noticed(notice) => {
                told.unsigned = true;
                told.warnings.insert(line(notice, MAX_WARNING));
            }
            Fate::Refused(why) => told.refused.push(format!("{path}: {why}")),
        }
    }
    told.into_value(uid, decisions, policy)
}

/// What comes of one image.
enum Fate<'d> {
    /// Signed, and to be pinned as this
    Pinned(String),
    /// Whatever it is
    Passed,
    /// The same, with a warning
    Noticed(&'d str),
    /// Refused, and why
    Refused(String),
}

fn fate<'d>(name: &str, decided: Decided<'d>) -> Fate<'d> {
    let because = |why: &str, reason: Reason| {
        Fate::Refused(format!("{name} is refused: {why} [{}]", reason.code()))
    };
    match decided {
        Decided::Answer(image, Answer::Signed(signed)) => Fate::Pinned(pinned(image, signed)),
        Decided::Answer(_, Answer::Passed { notice: None }) => Fate::Passed,
        Decided::Answer(
            _,
            Answer::Passed {
                notice: Some(notice),
            },
        ) => Fate::Noticed(notice),
        Decided::Answer(_, Answer::Denied(denial)) => Fate::Refused(denial.line()),
        Decided::Invalid(error) => because(&error.to_string(), Reason::Malformed),
        Decided::TooLate => because("no decision in time", Reason::Unreachable),
        Decided::TooMany => because(
            &format!("one of more than {MOST} images in one object"),
            Reason::Malformed,
        ),
    }
}

/// What is to be said.
#[derive(Default)]
struct Told {
    patch: Vec<Value>,
    refused: Vec<String>,
    warnings: BTreeSet<String>,
    unsigned: bool,
}

impl Told {
    fn into_value(self, uid: &str, decisions: &Decisions, policy: &str) -> Value {
        let allowed = self.refused.is_empty();
        let images = decisions.all().count();
        let passing = decisions
            .all()
            .filter(|(_, decided)| may_pass(*decided))
            .count();
        let count = format!("{passing} of {images} images verified");
        let verdict = match (allowed, self.unsigned) {
            (false, _) => "denied",
            (true, true) => "passed",
            (true, false) => "signed",
        };
        let mut response = json!({
            "uid": uid,
            "allowed": allowed,
            // The API server puts the name of the webhook and a slash before each name.
            "auditAnnotations": {"images": count, "policy": policy, "verdict": verdict},
        });
        if !allowed {
            response["status"] = status(403, "Forbidden", &refusal(&count, &self.refused));
        } else if !self.patch.is_empty() {
            let patch = Value::Array(self.patch).to_string();
            response["patchType"] = json!("JSONPatch");
            response["patch"] = json!(STANDARD.encode(patch));
        }
        if !self.warnings.is_empty() {
            response["warnings"] = json!(some(self.warnings));
        }
        whole(&response)
    }
}

fn may_pass(decided: Decided<'_>) -> bool {
    matches!(
        decided,
        Decided::Answer(_, Answer::Signed(_) | Answer::Passed { .. })
    )
}

/// The count, and a line for each refused image until there are too many.
fn refusal(count: &str, refused: &[String]) -> String {
    let mut text = count.to_owned();
    for why in refused.iter().take(MAX_REFUSED) {
        text.push('\n');
        text.push_str(&line(why, MAX_LINE));
    }
    let more = refused.len().saturating_sub(MAX_REFUSED);
    if more > 0 {
        text.push_str(&format!("\nand {more} more"));
    }
    text
}

/// As many warnings as the API server hands on.
fn some(warnings: BTreeSet<String>) -> Vec<String> {
    let more = warnings.len().saturating_sub(MAX_WARNINGS);
    let mut some: Vec<_> = warnings.into_iter().take(MAX_WARNINGS).collect();
    if more > 0 {
        some.push(format!("and {more} more"));
    }
    some
}

/// One line of so many bytes at most, without what terminals obey and headers cannot hold.
fn line(text: &str, most: usize) -> String {
    let mut line: String = text
        .chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .collect();
    if line.len() > most {
        line.truncate(line.floor_char_boundary(most - CUT.len()));
        line.push_str(CUT);
    }
    line
}

fn status(code: u16, reason: &str, message: &str) -> Value {
    json!({"status": "Failure", "message": message, "reason": reason, "code": code})
}

fn whole(response: &Value) -> Value {
    json!({"apiVersion": VERSION, "kind": "AdmissionReview", "response": response})
}

/// Bytes of a warning; from 256 on the API server may cut it.
const MAX_WARNING: usize = 240;
/// Warnings of one answer; the API server hands 4096 bytes on.
const MAX_WARNINGS: usize = 15;
/// Refused images that are named.
const MAX_REFUSED: usize = 20;
/// Bytes of the line about one of them.
const MAX_LINE: usize = 600;
const CUT: &str = "...";
