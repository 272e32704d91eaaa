//! One judgement for every door: what is asked, what is demanded, what is known.
//!
//! Everything that is demanded has to hold for one tag: that the roles of the rule say what it
//! means, and the same; that the signers signed that; that it is for the right purpose and not
//! replaced by something newer. What cannot be known does not hold.

mod evidence;
mod meaning;
mod purpose;
mod signers;
mod trace;

#[cfg(test)]
mod tests;

pub use evidence::{Asked, Evidence, Statement, Unusable};
pub use trace::{Judgement, Verdict};

use super::{Demand, Exemption, Mode, Reason, Requirement, Rule};
use evidence::{Known, Told};
use jiff::Timestamp;
use meaning::Refusal;
use std::time::Duration;
use trace::Trace;

/// Judges an image by a rule and what is known of its repository.
pub fn judge(asked: Asked<'_>, rule: &Rule, evidence: &Evidence, now: Timestamp) -> Judgement {
    let mut trace = Trace::default();
    trace.note(format!("rule {}", rule.name));
    if rule.mode == Mode::Audit {
        trace.note("audit: what is refused passes all the same, and is written down");
    }
    if let Some(exemption) = exemption(asked, rule, now, &mut trace) {
        return trace.yes(format!("exempt until {}", exemption.until));
    }
    if let Some((reason, message)) = rule.rejection() {
        return trace.no(reason, message);
    }
    let Demand::Signed(requirement) = &rule.demand else {
        return trace.yes(format!("rule {} accepts it", rule.name));
    };
    match Known::of(asked, evidence) {
        Err((reason, message)) => trace.no(reason, message),
        Ok(known) => signed(asked, requirement, &known, now, trace),
    }
}

/// Every tag that passes by its signatures, in the order of their bytes; asked about all at once,
/// what holds for the repository is looked at once.
///
/// # Errors
/// The judgement on all of them, where nothing of the repository passes.
pub fn passing_tags(
    rule: &Rule,
    evidence: &Evidence,
    now: Timestamp,
) -> Result<Vec<String>, Box<Judgement>> {
    let Demand::Signed(requirement) = &rule.demand else {
        return Ok(Vec::new());
    };
    let mut trace = Trace::default();
    let known = Known::of_all(evidence).and_then(|known| {
        repository(requirement, &known, now, &mut trace)?;
        Ok(known)
    });
    let known = known.map_err(|(reason, message)| Box::new(trace.no(reason, message)))?;
    let passes = |told: &&Told<'_>| {
        let judgement = of_tag(told, None, requirement, Trace::default());
        judgement.verdict == Verdict::Trusted
    };
    let tags = known.tags.iter().filter(passes);
    Ok(tags.map(|told| told.tag.to_owned()).collect())
}

/// Judges by signatures.
fn signed(
    asked: Asked<'_>,
    requirement: &Requirement,
    known: &Known<'_>,
    now: Timestamp,
    mut trace: Trace,
) -> Judgement {
    if let Err((reason, message)) = repository(requirement, known, now, &mut trace) {
        return trace.no(reason, message);
    }
    let mut refused: Option<Judgement> = None;
    for told in &known.tags {
        let judgement = of_tag(told, asked.digest, requirement, trace.clone());
        if judgement.verdict == Verdict::Trusted || asked.tag.is_some() {
            return judgement;
        }
        // What says most is why a tag is refused that does mean the digest.
        let says_more = judgement.decided_by.is_some();
        if refused
            .as_ref()
            .is_none_or(|it| says_more && it.decided_by.is_none())
        {
            refused = Some(judgement);
        }
    }
    match refused {
        Some(refused) if refused.reason != Some(Reason::Unsigned) => refused,
        refused => {
            let trace = refused.map_or(trace, Trace::of);
            let nothing = || {
                let words = format!("no signed tag has the digest {}", asked.shown());
                (Reason::DigestNotSigned, words)
            };
            let doubt = meaning::in_doubt(&requirement.roles, known.unusable);
            let (reason, message) = doubt.unwrap_or_else(nothing);
            trace.no(reason, message)
        }
    }
}

/// Whether the repository as a whole may be gone by.
fn repository(
    requirement: &Requirement,
    known: &Known<'_>,
    now: Timestamp,
    trace: &mut Trace,
) -> Result<(), Refusal> {
    recent(requirement, known.age, trace)?;
    rooted(requirement, known, now, trace)
}

/// Judges one tag; the digest it means has to be the one asked for, if one is.
fn of_tag(
    told: &Told<'_>,
    digest: Option<&str>,
    requirement: &Requirement,
    mut trace: Trace,
) -> Judgement {
    let tag = told.tag;
    let meaning = match meaning::of(told, &requirement.roles, &mut trace) {
        Ok(meaning) => meaning,
        Err((reason, message)) => return trace.no(reason, message),
    };
    if let Some(digest) = digest.filter(|digest| *digest != meaning.digest) {
        let (signed, asked) = (&meaning.digest, evidence::shown(digest));
        let words = format!("{tag} is signed as sha256:{signed}, not as {asked}");
        return trace.no(Reason::DigestNotSigned, words);
    }
    let signed = signers::of(meaning, told);
    for statement in &signed {
        trace.note(format!("signed by {}", statement.signer()));
    }
    let met = signers::all(requirement, meaning, &signed, told)
        .and_then(|()| signers::quorums(requirement, &signed, &mut trace))
        .and_then(|()| purpose::context(requirement, meaning, told, &mut trace))
        .and_then(|()| purpose::not_superseded(requirement, meaning, told, &mut trace));
    let mut judgement = match met {
        Ok(()) => trace.yes(format!("{tag} is signed")),
        Err((reason, message)) => trace.no(reason, message),
    };
    judgement.decided_by = Some(meaning.clone());
    judgement.signers = signed.iter().map(|s| s.signer().to_owned()).collect();
    judgement
}

fn exemption<'r>(
    asked: Asked<'_>,
    rule: &'r Rule,
    now: Timestamp,
    trace: &mut Trace,
) -> Option<&'r Exemption> {
    let digest = asked.digest?;
    let found = rule.exempt.iter().find(|exempt| exempt.digest == digest)?;
    if now < found.until {
        let why = found.why.iter().map(|why| format!(": {why}"));
        trace.note(format!(
            "exempt until {}{}",
            found.until,
            why.collect::<String>()
        ));
        return Some(found);
    }
    trace.note(format!("its exemption ran out at {}", found.until));
    None
}

/// Whether the server has confirmed the state as lately as the rule wants it.
fn recent(
    requirement: &Requirement,
    age: Option<Duration>,
    trace: &mut Trace,
) -> Result<(), Refusal> {
    let seconds = |age: Duration| format!("{} s", age.as_secs());
    let ago = age.map_or("not since this began".to_owned(), |age| {
        format!("{} ago", seconds(age))
    });
    let Some(most) = requirement.max_age else {
        trace.note(format!("state: confirmed by the server {ago}"));
        return Ok(());
    };
    if age.is_some_and(|age| age <= most) {
        trace.note(format!(
            "state: confirmed by the server {ago}, at most {}",
            seconds(most)
        ));
        return Ok(());
    }
    let words = format!(
        "the server confirmed this state {ago}, the rule wants it within {}",
        seconds(most)
    );
    Err((Reason::Unreachable, words))
}

/// Whether the root is one the rule trusts.
fn rooted(
    requirement: &Requirement,
    known: &Known<'_>,
    now: Timestamp,
    trace: &mut Trace,
) -> Result<(), Refusal> {
    match requirement.root.holds_for(known.gun, known.root_keys, now) {
        Ok(why) => {
            trace.note(format!("root: {why}"));
            Ok(())
        }
        Err(message) => Err((Reason::RootMismatch, message)),
    }
}
