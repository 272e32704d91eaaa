//! What is trusted, and why not; `tests/decisions` has the table.

use super::*;
use crate::policy::Quorum;

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
