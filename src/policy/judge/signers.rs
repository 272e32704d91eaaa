//! Who signed the same tag and digest, and whether those are enough.

use super::evidence::{Statement, Told};
use super::meaning::{RELEASED_SET, Refusal};
use super::trace::Trace;
use crate::policy::{Quorum, Reason, Requirement};
use std::collections::{BTreeMap, BTreeSet};

/// What the other roles say, where they say the same.
pub(super) fn of<'e>(meaning: &Statement, told: &Told<'e>) -> Vec<&'e Statement> {
    let same = told.same(meaning);
    same.filter(|said| !RELEASED_SET.contains(&said.role.as_str()))
        .collect()
}

/// Whether all signers of the rule signed.
pub(super) fn all(
    requirement: &Requirement,
    meaning: &Statement,
    signed: &[&Statement],
    told: &Told<'_>,
) -> Result<(), Refusal> {
    let signs = |wanted: &str| signed.iter().any(|said| said.signer() == wanted);
    let Some(missing) = requirement.signers.iter().find(|wanted| !signs(wanted)) else {
        return Ok(());
    };
    let role = format!("targets/{missing}");
    let why = match (told.fault(&role), told.by(&role)) {
        (Some(fault), _) => format!(": {}", fault.message),
        (None, Some(other)) => {
            let (theirs, ours) = (&other.digest, &meaning.digest);
            format!(
                ": {role} says sha256:{theirs}, {} says sha256:{ours}",
                meaning.role
            )
        }
        (None, None) => String::new(),
    };
    Err((
        Reason::SignerMissing,
        format!("not signed by {missing}{why}"),
    ))
}

/// Whether each quorum of the rule is met.
pub(super) fn quorums(
    requirement: &Requirement,
    signed: &[&Statement],
    trace: &mut Trace,
) -> Result<(), Refusal> {
    for quorum in &requirement.quorums {
        let found = with_keys_of_their_own(quorum, signed);
        let needed = quorum.at_least;
        if found < needed {
            return Err((
                Reason::ThresholdUnmet,
                format!("{found} of {needed} signers needed"),
            ));
        }
        trace.note(format!(
            "{needed} signers needed: {found} signed, each with another key"
        ));
    }
    Ok(())
}

/// How many signers there are at most, when each is to have another key.
///
/// One key in two roles counts once; who has two keys leaves one to another signer.
fn with_keys_of_their_own(quorum: &Quorum, signed: &[&Statement]) -> u64 {
    let among = |said: &&&Statement| {
        quorum.of.is_empty() || quorum.of.iter().any(|name| name == said.signer())
    };
    let signers: Vec<&Statement> = signed.iter().filter(among).copied().collect();
    let mut taken = BTreeMap::new();
    let found = (0..signers.len()).filter(|signer| {
        let mut seen = BTreeSet::new();
        finds_key(*signer, &signers, &mut taken, &mut seen)
    });
    u64::try_from(found.count()).unwrap_or(u64::MAX)
}

/// Gives a signer a key, if need be one that its owner can do without (Kuhn's algorithm).
fn finds_key<'s>(
    signer: usize,
    signers: &[&'s Statement],
    taken: &mut BTreeMap<&'s str, usize>,
    seen: &mut BTreeSet<&'s str>,
) -> bool {
    let keys = signers.get(signer).map(|said| said.key_ids.as_slice());
    for key in keys.unwrap_or_default() {
        if !seen.insert(key) {
            continue;
        }
        let owner = taken.get(key.as_str()).copied();
        if owner.is_none_or(|owner| finds_key(owner, signers, taken, seen)) {
            taken.insert(key, signer);
            return true;
        }
    }
    false
}
