//! Which digest a tag means, as the roles of the rule say.
//!
//! Without roles of its own a rule goes by the released set: `targets/releases`, and where that
//! says nothing, `targets` (Docker client, `trust_pull`). Unlike Docker, a role that exists but
//! cannot be believed is not passed over: it might say otherwise.

use super::evidence::{Statement, Told, Unusable};
use super::trace::Trace;
use crate::policy::Reason;

/// Why not.
pub(super) type Refusal = (Reason, String);

/// The statement that says what the tag means.
pub(super) fn of<'e>(
    told: &Told<'e>,
    roles: &[String],
    trace: &mut Trace,
) -> Result<&'e Statement, Refusal> {
    if roles.is_empty() {
        return released(told, trace);
    }
    let mut meaning: Option<&Statement> = None;
    for role in roles {
        let Some(said) = believed(role, told, trace)? else {
            let words = format!("No trust data for {} in {role}", told.tag);
            return Err((Reason::Unsigned, words));
        };
        match meaning {
            Some(other) if (&other.digest, other.size) != (&said.digest, said.size) => {
                return Err(disagree(other, said));
            }
            _ => meaning = meaning.or(Some(said)),
        }
    }
    meaning.ok_or_else(|| nowhere(told, trace))
}

fn released<'e>(told: &Told<'e>, trace: &mut Trace) -> Result<&'e Statement, Refusal> {
    for role in RELEASED_SET {
        if let Some(said) = believed(role, told, trace)? {
            return Ok(said);
        }
    }
    Err(nowhere(told, trace))
}

/// Why it cannot be known what the roles say at all.
pub(super) fn in_doubt(roles: &[String], unusable: &[Unusable]) -> Option<Refusal> {
    let asked = |role: &str| match roles {
        [] => RELEASED_SET.contains(&role),
        roles => roles.iter().any(|asked| asked == role),
    };
    let fault = unusable.iter().find(|fault| asked(&fault.role))?;
    Some((fault.reason, fault.message.clone()))
}

/// What a role says of a tag, if it can be believed.
fn believed<'e>(
    role: &str,
    told: &Told<'e>,
    trace: &mut Trace,
) -> Result<Option<&'e Statement>, Refusal> {
    if let Some(fault) = told.fault(role) {
        trace.note(format!("{role}: cannot be believed: {}", fault.message));
        return Err((fault.reason, fault.message.clone()));
    }
    let said = told.by(role);
    trace.note(match said {
        Some(said) => format!("{role}: {} is sha256:{}", told.tag, said.digest),
        None => format!("{role}: says nothing of {}", told.tag),
    });
    match said {
        Some(said) if said.digest.is_empty() => {
            let words = format!("{role} states no SHA-256 of {}", told.tag);
            Err((Reason::Malformed, words))
        }
        Some(said) if said.key_ids.is_empty() => {
            let words = format!("{role} has no signature that counts");
            Err((Reason::BadSignature, words))
        }
        said => Ok(said),
    }
}

fn disagree(first: &Statement, second: &Statement) -> Refusal {
    let says = |said: &Statement| format!("{} says sha256:{}", said.role, said.digest);
    let sizes = if first.digest == second.digest {
        format!(" of {} and {} bytes", first.size, second.size)
    } else {
        String::new()
    };
    let tag = &first.tag;
    let words = format!(
        "the roles disagree on {tag}: {}, {}{sizes}",
        says(first),
        says(second)
    );
    (Reason::DigestNotSigned, words)
}

fn nowhere(told: &Told<'_>, trace: &mut Trace) -> Refusal {
    for other in &told.statements {
        let role = &other.role;
        trace.note(format!("{role}: signs it, but is not of the released set"));
    }
    let words = if told.statements.is_empty() {
        format!("No valid trust data for {}", told.tag)
    } else {
        format!("No trust data for {}", told.tag)
    };
    (Reason::Unsigned, words)
}

/// The roles whose word counts for a pull, first to last (Docker client).
pub(super) const RELEASED_SET: [&str; 2] = ["targets/releases", "targets"];
