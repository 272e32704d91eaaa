//! What the API server is told: the answer of `admission.k8s.io/v1`.

use super::asked::{Asked, Object};
use super::decide::{Decided, Decisions};
use super::pin::pinned;
use super::review::VERSION;
use crate::gate::Answer;
use crate::gate::answer::printable;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::Serialize;
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
    Response::allowing(uid).whole()
}

/// The review itself is wrong.
pub(super) fn wrong(uid: &str, why: &str) -> Value {
    let status = Refusal::of(400, "BadRequest", line(why, MAX_LINE));
    Response::allowing(uid).but(status).whole()
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
                (Tags::Pinned, Object::Fixed)
                | (Tags::Refused, Object::Template | Object::Fixed) => {}
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
    match decided.answer() {
        Ok((image, Answer::Signed(signed))) => Fate::Pinned(pinned(image, signed)),
        Ok((_, Answer::Passed { notice: None })) => Fate::Passed,
        Ok((
            _,
            Answer::Passed {
                notice: Some(notice),
            },
        )) => Fate::Noticed(notice),
        Ok((_, Answer::Denied(denial))) => Fate::Refused(denial.line()),
        Err((why, reason)) => {
            Fate::Refused(format!("{name} is refused: {why} [{}]", reason.code()))
        }
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
        let mut response = Response {
            warnings: some(self.warnings),
            annotations: Some(Annotations {
                images: count.clone(),
                policy,
                verdict,
            }),
            ..Response::allowing(uid)
        };
        if !allowed {
            let refusal = refusal(count, &self.refused);
            response = response.but(Refusal::of(403, "Forbidden", refusal));
        } else if !self.patch.is_empty() {
            let patch = Value::Array(self.patch).to_string();
            response.patch_type = Some("JSONPatch");
            response.patch = Some(STANDARD.encode(patch));
        }
        response.whole()
    }
}

/// The answer as it is sent, member for member.
#[derive(Serialize)]
struct Response<'r> {
    uid: &'r str,
    allowed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<Refusal>,
    #[serde(rename = "patchType", skip_serializing_if = "Option::is_none")]
    patch_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    patch: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
    #[serde(rename = "auditAnnotations", skip_serializing_if = "Option::is_none")]
    annotations: Option<Annotations<'r>>,
}

/// What goes into the cluster's audit log; there, the webhook's name and a slash stand before each
/// name, which is why none has a slash here.
#[derive(Serialize)]
struct Annotations<'r> {
    images: String,
    policy: &'r str,
    verdict: &'static str,
}

/// Why not.
#[derive(Serialize)]
struct Refusal {
    status: &'static str,
    message: String,
    reason: &'static str,
    code: u16,
}

impl<'r> Response<'r> {
    fn allowing(uid: &'r str) -> Self {
        Self {
            uid,
            allowed: true,
            status: None,
            patch_type: None,
            patch: None,
            warnings: Vec::new(),
            annotations: None,
        }
    }

    fn but(mut self, status: Refusal) -> Self {
        self.allowed = false;
        self.status = Some(status);
        self
    }

    fn whole(&self) -> Value {
        json!({"apiVersion": VERSION, "kind": "AdmissionReview", "response": self})
    }
}

impl Refusal {
    fn of(code: u16, reason: &'static str, message: String) -> Self {
        Self {
            status: "Failure",
            message,
            reason,
            code,
        }
    }
}

fn may_pass(decided: Decided<'_>) -> bool {
    matches!(
        decided,
        Decided::Answer(_, Answer::Signed(_) | Answer::Passed { .. })
    )
}

/// The count, and a line for each refused image until there are too many.
fn refusal(count: String, refused: &[String]) -> String {
    let mut lines = vec![count];
    let named = refused.iter().take(MAX_REFUSED);
    lines.extend(named.map(|why| line(why, MAX_LINE)));
    let more = refused.len().saturating_sub(MAX_REFUSED);
    if more > 0 {
        lines.push(format!("and {more} more"));
    }
    lines.join("\n")
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
    let mut line = printable(text);
    if line.len() > most {
        line.truncate(line.floor_char_boundary(most - CUT.len()));
        line.push_str(CUT);
    }
    line
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
