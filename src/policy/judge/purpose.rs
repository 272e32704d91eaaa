//! What an image was signed for, and whether something newer has taken its place.
//!
//! A signer says so in a role for that purpose, or in the custom data beside the digest:
//! `"context": "prod"` or `["prod", "stage"]`; `"superseded": true` or `"superseded_by": "1.2.4"`.

use super::evidence::{Statement, Told};
use super::meaning::Refusal;
use super::trace::Trace;
use crate::policy::{Reason, Requirement};
use serde_json::Value;

/// Whether the image was signed for the context of the rule.
pub(super) fn context(
    requirement: &Requirement,
    meaning: &Statement,
    told: &Told<'_>,
    trace: &mut Trace,
) -> Result<(), Refusal> {
    let Some(context) = &requirement.context else {
        return Ok(());
    };
    if is_for(meaning, context) {
        trace.note(format!("context {context}: {} says so", meaning.role));
        return Ok(());
    }
    let role = format!("targets/{context}");
    let why = match (told.fault(&role), told.by(&role)) {
        (Some(fault), _) => format!(": {role} cannot be believed: {}", fault.message),
        (None, _) if told.same(meaning).any(|said| said.role == role) => {
            trace.note(format!("context {context}: {role} signs it"));
            return Ok(());
        }
        (None, Some(said)) => {
            let (theirs, ours) = (&said.digest, &meaning.digest);
            format!(
                ": {role} says sha256:{theirs}, {} says sha256:{ours}",
                meaning.role
            )
        }
        (None, None) => String::new(),
    };
    let words = format!("{} is not signed for {context}{why}", meaning.tag);
    Err((Reason::WrongContext, words))
}

/// Refuses a tag of which some role says that it was replaced, if the rule wants that.
pub(super) fn not_superseded(
    requirement: &Requirement,
    meaning: &Statement,
    told: &Told<'_>,
    trace: &mut Trace,
) -> Result<(), Refusal> {
    if !requirement.refuse_superseded {
        return Ok(());
    }
    let Some((said, by)) = told
        .same(meaning)
        .find_map(|said| Some((said, superseded(said)?)))
    else {
        trace.note("not superseded");
        return Ok(());
    };
    let words = format!("{} is superseded{by}, says {}", meaning.tag, said.role);
    Err((Reason::Superseded, words))
}

fn is_for(said: &Statement, context: &str) -> bool {
    match said
        .custom
        .as_ref()
        .and_then(|custom| custom.get("context"))
    {
        Some(Value::String(one)) => one == context,
        Some(Value::Array(several)) => several.iter().any(|one| one == context),
        _ => false,
    }
}

/// By what a tag is superseded; what is neither yes nor no counts as yes.
fn superseded(said: &Statement) -> Option<String> {
    let custom = said.custom.as_ref()?;
    match custom.get("superseded_by") {
        None | Some(Value::Null) => {}
        Some(Value::String(by)) => return Some(format!(" by {by}")),
        Some(_) => return Some(String::new()),
    }
    match custom.get("superseded") {
        None | Some(Value::Null | Value::Bool(false)) => None,
        Some(_) => Some(String::new()),
    }
}
