//! One judgement for every door: what is asked, what is demanded, what is known.
//!
//! The released set decides: `targets/releases`, and where it says nothing, `targets` (Docker
//! client, `trust_pull`). Unlike Docker, a released set that exists but cannot be believed is not
//! passed over: it might say otherwise.

use super::{Demand, Exemption, Quorum, Reason, Requirement, RootKey, Rule};
use jiff::Timestamp;
use std::{collections::BTreeSet, time::Duration};

/// Which image is asked for: a tag, a digest, or both.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The tag
    pub tag: Option<&'a str>,
    /// SHA-256 of the manifest in lower-case hex
    pub digest: Option<&'a str>,
}

/// One role's statement that a tag means a digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// The role: `targets`, `targets/releases`, `targets/alice`
    pub role: String,
    /// The tag
    pub tag: String,
    /// SHA-256 of the manifest in lower-case hex
    pub digest: String,
    /// Size of the manifest in bytes
    pub size: u64,
    /// Canonical ids of the keys whose signatures on the role count
    pub key_ids: Vec<String>,
    /// What the signer wrote beside it
    pub custom: Option<serde_json::Value>,
}

/// A role that is delegated and has a file, but cannot be believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unusable {
    /// The role
    pub role: String,
    /// Why, as a code
    pub reason: Reason,
    /// Why, in words
    pub message: String,
}

/// What is known of the repository.
#[derive(Clone, Debug)]
pub enum Evidence {
    /// Verified metadata
    Known {
        /// The repository
        gun: String,
        /// Every statement about the tag or the digest asked for, in search order
        statements: Vec<Statement>,
        /// Roles that cannot be believed
        unusable: Vec<Unusable>,
        /// The keys of the root
        root_keys: Vec<RootKey>,
        /// How long ago the server confirmed all this; nothing if it did not since we began
        age: Option<Duration>,
    },
    /// Nothing can be believed
    Unknown {
        /// Why, as a code
        reason: Reason,
        /// Why, in words
        message: String,
    },
}

/// The answer: never a plain yes or no.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Signed as demanded
    Trusted,
    /// Not trusted, whatever happens next
    Refused,
    /// Nothing could be found out
    Undecided,
}

/// The answer and how it came about.
#[derive(Clone, Debug)]
pub struct Judgement {
    /// The answer
    pub verdict: Verdict,
    /// Why not, as a code
    pub reason: Option<Reason>,
    /// The answer in words; Docker's own where it has them
    pub message: String,
    /// The statement of the released set that decided
    pub decided_by: Option<Statement>,
    /// Signers of the same tag and digest, by name
    pub signers: Vec<String>,
    /// What was looked at, in order
    pub steps: Vec<String>,
}

impl Judgement {
    /// Refused without a look at anything.
    pub fn refused(reason: Reason, message: String) -> Self {
        Trace::default().no(reason, message)
    }
}

/// Judges an image by a rule and what is known of its repository.
pub fn judge(asked: Asked<'_>, rule: &Rule, evidence: &Evidence, now: Timestamp) -> Judgement {
    let mut trace = Trace::default();
    if let Some(exemption) = exemption(asked, rule, now) {
        return trace.yes(format!("exempt until {}", exemption.until));
    }
    let requirement = match &rule.demand {
        Demand::Accept => return trace.yes(format!("rule {} accepts it", rule.name)),
        Demand::Reject => {
            let message = format!("rule {} rejects it", rule.name);
            return trace.no(Reason::DeniedByRule, message);
        }
        Demand::Signed(requirement) => requirement,
    };
    match evidence {
        Evidence::Unknown { reason, message } => trace.no(*reason, message.clone()),
        Evidence::Known {
            gun,
            statements,
            unusable,
            root_keys,
            ..
        } => {
            if let Err(message) = requirement.root.holds_for(gun, root_keys) {
                return trace.no(Reason::RootMismatch, message);
            }
            match released(asked, statements, unusable, &mut trace) {
                Ok(statement) => demand(requirement, statement, statements, unusable, trace),
                Err((reason, message)) => trace.no(reason, message),
            }
        }
    }
}

#[derive(Default)]
struct Trace(Vec<String>);

impl Trace {
    fn note(&mut self, step: String) {
        self.0.push(step);
    }

    fn yes(self, message: String) -> Judgement {
        Judgement {
            verdict: Verdict::Trusted,
            reason: None,
            message,
            decided_by: None,
            signers: Vec::new(),
            steps: self.0,
        }
    }

    fn no(self, reason: Reason, message: String) -> Judgement {
        let verdict = match reason {
            Reason::Unreachable => Verdict::Undecided,
            _ => Verdict::Refused,
        };
        let (decided_by, signers) = (None, Vec::new());
        Judgement {
            verdict,
            reason: Some(reason),
            message,
            decided_by,
            signers,
            steps: self.0,
        }
    }
}

fn exemption<'r>(asked: Asked<'_>, rule: &'r Rule, now: Timestamp) -> Option<&'r Exemption> {
    let digest = asked.digest?;
    let holds = |exemption: &&Exemption| exemption.digest == digest && now < exemption.until;
    rule.exempt.iter().find(holds)
}

type Refusal = (Reason, String);

/// The statement of the released set about what was asked.
fn released<'s>(
    asked: Asked<'_>,
    statements: &'s [Statement],
    unusable: &[Unusable],
    trace: &mut Trace,
) -> Result<&'s Statement, Refusal> {
    for role in RELEASED_SET {
        if let Some(fault) = unusable.iter().find(|u| u.role == role) {
            trace.note(format!("{role}: cannot be believed: {}", fault.message));
            return Err((fault.reason, fault.message.clone()));
        }
        let mut said = statements.iter().filter(|s| s.role == role);
        let Some(first) = said.clone().next() else {
            trace.note(format!("{role}: says nothing of {}", name(asked)));
            continue;
        };
        trace.note(format!("{role}: {} is sha256:{}", first.tag, first.digest));
        let wanted = |s: &&Statement| asked.digest.is_none_or(|digest| s.digest == digest);
        return said.find(wanted).ok_or_else(|| other_digest(asked, first));
    }
    Err(nowhere(asked, statements, trace))
}

fn other_digest(asked: Asked<'_>, signed: &Statement) -> Refusal {
    let digest = asked.digest.unwrap_or_default();
    let words = format!(
        "{} is signed as sha256:{}, not as {}",
        signed.tag,
        signed.digest,
        shown(digest)
    );
    (Reason::DigestNotSigned, words)
}

fn nowhere(asked: Asked<'_>, statements: &[Statement], trace: &mut Trace) -> Refusal {
    for other in statements {
        trace.note(format!(
            "{}: signs it, but is not of the released set",
            other.role
        ));
    }
    match (asked.tag, asked.digest) {
        (Some(tag), _) if statements.is_empty() => {
            (Reason::Unsigned, format!("No valid trust data for {tag}"))
        }
        (Some(tag), _) => (Reason::Unsigned, format!("No trust data for {tag}")),
        (None, digest) => {
            let digest = digest.unwrap_or_default();
            (
                Reason::DigestNotSigned,
                format!("no signed tag has the digest {}", shown(digest)),
            )
        }
    }
}

/// Whether the signers of the same tag and digest meet the demand.
fn demand(
    requirement: &Requirement,
    decided_by: &Statement,
    statements: &[Statement],
    unusable: &[Unusable],
    mut trace: Trace,
) -> Judgement {
    let same = |s: &&Statement| s.tag == decided_by.tag && s.digest == decided_by.digest;
    let signed: Vec<_> = statements
        .iter()
        .filter(same)
        .filter(|s| is_signer(&s.role))
        .collect();
    let signers: Vec<String> = signed
        .iter()
        .map(|s| signer_name(&s.role).to_owned())
        .collect();
    for signer in &signers {
        trace.note(format!("signed by {signer}"));
    }
    let refusal = signers_missing(requirement, &signers, unusable)
        .or_else(|| quorum_unmet(requirement, &signed));
    let mut judgement = match refusal {
        Some((reason, message)) => trace.no(reason, message),
        None => trace.yes(format!("{} is signed", decided_by.tag)),
    };
    judgement.decided_by = Some(decided_by.clone());
    judgement.signers = signers;
    judgement
}

fn signers_missing(
    requirement: &Requirement,
    signers: &[String],
    unusable: &[Unusable],
) -> Option<Refusal> {
    let missing = requirement
        .signers
        .iter()
        .find(|wanted| !signers.contains(wanted))?;
    let fault = unusable.iter().find(|u| signer_name(&u.role) == missing);
    let why = fault
        .map(|u| format!(": {}", u.message))
        .unwrap_or_default();
    Some((
        Reason::SignerMissing,
        format!("not signed by {missing}{why}"),
    ))
}

/// Counts signers with a key of their own: one key in two roles counts once.
fn quorum_unmet(requirement: &Requirement, signed: &[&Statement]) -> Option<Refusal> {
    let mut refusals = requirement
        .quorums
        .iter()
        .map(|quorum| unmet(quorum, signed));
    refusals.find_map(|refusal| refusal)
}

fn unmet(quorum: &Quorum, signed: &[&Statement]) -> Option<Refusal> {
    let needed = quorum.at_least;
    let among = |name: &str| quorum.of.is_empty() || quorum.of.iter().any(|s| s == name);
    let mut used = BTreeSet::new();
    let mut count = 0_u64;
    for statement in signed.iter().filter(|s| among(signer_name(&s.role))) {
        if let Some(key) = statement.key_ids.iter().find(|key| !used.contains(*key)) {
            used.insert(key);
            count += 1;
        }
    }
    (count < needed).then(|| {
        (
            Reason::ThresholdUnmet,
            format!("{count} of {needed} signers needed"),
        )
    })
}

fn is_signer(role: &str) -> bool {
    !RELEASED_SET.contains(&role)
}

fn signer_name(role: &str) -> &str {
    role.strip_prefix("targets/").unwrap_or(role)
}

fn name(asked: Asked<'_>) -> String {
    match (asked.tag, asked.digest) {
        (Some(tag), _) => tag.to_owned(),
        (None, digest) => shown(digest.unwrap_or_default()),
    }
}

/// A digest with its algorithm; only of SHA-256 is it left out before.
fn shown(digest: &str) -> String {
    if digest.contains(':') {
        return digest.to_owned();
    }
    format!("sha256:{digest}")
}

/// The roles whose word counts for a pull, first to last (Docker client).
const RELEASED_SET: [&str; 2] = ["targets/releases", "targets"];

#[cfg(test)]
mod tests {
    use super::*;

    fn said(role: &str, tag: &str, digest: &str) -> Statement {
        let key_ids = vec![format!("key of {role}")];
        let custom = None;
        Statement {
            custom,
            role: role.into(),
            tag: tag.into(),
            digest: digest.into(),
            size: 1,
            key_ids,
        }
    }

    fn known(statements: Vec<Statement>) -> Evidence {
        Evidence::Known {
            statements,
            unusable: Vec::new(),
            gun: String::new(),
            root_keys: Vec::new(),
            age: None,
        }
    }

    fn tag(tag: &str) -> Asked<'_> {
        Asked {
            tag: Some(tag),
            digest: None,
        }
    }

    fn asks(signers: &[&str], threshold: Option<u64>) -> Requirement {
        let named: Vec<_> = signers.iter().map(|s| (*s).to_owned()).collect();
        match threshold {
            Some(at_least) => Requirement {
                quorums: vec![Quorum {
                    at_least,
                    of: named,
                }],
                ..Requirement::default()
            },
            None => Requirement {
                signers: named,
                ..Requirement::default()
            },
        }
    }

    fn judge(asked: Asked<'_>, requirement: &Requirement, evidence: &Evidence) -> Judgement {
        let rule = Rule::of("test", requirement.clone());
        super::judge(asked, &rule, evidence, Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn the_released_set_decides() {
        let none = Requirement::default();
        for (statements, expected) in [
            (
                vec![
                    said("targets/releases", "a", "11"),
                    said("targets", "a", "22"),
                ],
                Ok("11"),
            ),
            (vec![said("targets", "a", "22")], Ok("22")),
            (
                vec![said("targets/alice", "a", "33")],
                Err("No trust data for a"),
            ),
            (vec![], Err("No valid trust data for a")),
        ] {
            let judgement = judge(tag("a"), &none, &known(statements));
            match expected {
                Ok(digest) => assert_eq!(judgement.decided_by.unwrap().digest, digest),
                Err(words) => {
                    assert_eq!(
                        (judgement.reason, judgement.message.as_str()),
                        (Some(Reason::Unsigned), words)
                    );
                    assert_eq!(judgement.verdict, Verdict::Refused);
                }
            }
        }
    }

    #[test]
    fn a_digest_must_be_the_signed_one() {
        let evidence = known(vec![
            said("targets/releases", "a", "11"),
            said("targets", "a", "22"),
        ]);
        let ask = |tag, digest| {
            judge(
                Asked {
                    tag,
                    digest: Some(digest),
                },
                &Requirement::default(),
                &evidence,
            )
        };
        assert_eq!(ask(Some("a"), "11").verdict, Verdict::Trusted);
        assert_eq!(
            ask(Some("a"), "22").reason,
            Some(Reason::DigestNotSigned),
            "targets is not asked again"
        );
        assert_eq!(ask(None, "11").verdict, Verdict::Trusted);
        assert_eq!(
            judge(
                Asked {
                    tag: None,
                    digest: Some("44")
                },
                &Requirement::default(),
                &known(vec![])
            )
            .reason,
            Some(Reason::DigestNotSigned)
        );
    }

    #[test]
    fn a_released_set_in_doubt_is_not_passed_over() {
        let unusable = vec![Unusable {
            role: "targets/releases".into(),
            reason: Reason::Expired,
            message: "old".into(),
        }];
        let evidence = Evidence::Known {
            statements: vec![said("targets", "a", "22")],
            unusable,
            gun: String::new(),
            root_keys: Vec::new(),
            age: None,
        };
        assert_eq!(
            judge(tag("a"), &Requirement::default(), &evidence).reason,
            Some(Reason::Expired)
        );
    }

    #[test]
    fn signers_are_counted_by_distinct_keys() {
        let mut same_key = said("targets/bob", "a", "11");
        same_key.key_ids = vec!["key of targets/alice".into()];
        let two = vec![
            said("targets/releases", "a", "11"),
            said("targets/alice", "a", "11"),
            said("targets/bob", "a", "11"),
        ];
        let one_key = vec![two[0].clone(), two[1].clone(), same_key];
        let other_digest = vec![
            two[0].clone(),
            two[1].clone(),
            said("targets/bob", "a", "99"),
        ];
        for (statements, requirement, expected) in [
            (&two, asks(&["alice", "bob"], None), None),
            (
                &two,
                asks(&["alice", "carol"], None),
                Some(Reason::SignerMissing),
            ),
            (&two, asks(&["alice", "carol"], Some(1)), None),
            (
                &two,
                asks(&["alice", "carol"], Some(2)),
                Some(Reason::ThresholdUnmet),
            ),
            (&two, asks(&[], Some(2)), None),
            (&two, asks(&[], Some(3)), Some(Reason::ThresholdUnmet)),
            (&one_key, asks(&[], Some(2)), Some(Reason::ThresholdUnmet)),
            (
                &other_digest,
                asks(&["bob"], None),
                Some(Reason::SignerMissing),
            ),
        ] {
            assert_eq!(
                judge(tag("a"), &requirement, &known(statements.clone())).reason,
                expected,
                "{requirement:?}"
            );
        }
    }

    #[test]
    fn what_cannot_be_known_is_never_trusted() {
        for (reason, verdict) in [
            (Reason::Unreachable, Verdict::Undecided),
            (Reason::Rollback, Verdict::Refused),
        ] {
            let evidence = Evidence::Unknown {
                reason,
                message: "words".into(),
            };
            assert_eq!(
                judge(tag("a"), &Requirement::default(), &evidence).verdict,
                verdict
            );
        }
    }
}
