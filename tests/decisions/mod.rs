//! The decision table: policy, trust state and reference in, verdict, reason, digest and rule out.
//!
//! Each `.txt` file is one theme, in sections that begin with `==`:
//!
//! ```text
//! == policy NAME              a policy file
//! == state NAME               what is known of a repository
//!    repository GUN           the repository; reg.test/team/app if left out
//!    root KEY…                root keys: K1, or a certificate K1~ISSUER[~NAME[~late]];
//!                            -K1, if it did not sign the root
//!    age SECONDS | never      since the server confirmed it; 0 if left out
//!    ROLE TAG=DIGEST[/SIZE] KEY… [JSON]
//!    unusable ROLE REASON     a role that cannot be believed
//!    unknown REASON           nothing can be believed
//! == now MOMENT               2026-06-01T00:00:00Z if left out
//! == cases POLICY STATE
//!    REFERENCE  VERDICT  REASON or DIGEST or -  RULE
//! ```
//!
//! A digest is a letter from A to F, or `none` where a role states no SHA-256; `{A}` in a policy; `{K1}` is the canonical id of a key,
//! `{K1.listed}` the one of its certificate. `ca1.pem`, `ca2.pem` and `old.pem`, out of date, are
//! authorities; their certificates are issued by `ca1`, `ca2`, `old`, or by `self`.

mod freely;
mod state;
mod table;

use std::fs;
use std::path::{Path, PathBuf};
use table::Table;
use trust::policy::{Demand, Evidence, Judgement, Policy, Reason, Verdict, judge};
use trust::reference::ImageReference;

fn themes() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/decisions");
    let entries = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let mut themes: Vec<_> = entries
        .filter(|path| path.extension().is_some_and(|e| e == "txt"))
        .collect();
    themes.sort();
    themes
}

#[test]
fn every_case_is_decided_as_the_table_says() {
    let (mut cases, mut wrong) = (0, Vec::new());
    for theme in themes() {
        let table = Table::read(&fs::read_to_string(&theme).unwrap());
        for case in &table.cases {
            cases += 1;
            let found = table.decide(case);
            if found != case.expected {
                let theme = theme.file_name().unwrap().to_string_lossy().into_owned();
                wrong.push(format!(
                    "{theme}, line {}: {}\n  found {found}",
                    case.line, case.text
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(cases >= 150, "only {cases} cases");
}

/// What a door comes to know of an image: the judgement, and the rule it rests on.
fn decide(
    policy: &Policy,
    known: &state::State,
    image: &ImageReference,
    now: jiff::Timestamp,
) -> (Judgement, String) {
    let rule = policy.rule(image);
    let judged = match &rule.demand {
        Demand::Signed(requirement) => requirement.judged_as(image),
        _ => Some(image.clone()),
    };
    let evidence = match &judged {
        Some(judged) if judged.gun() == known.repository => known.evidence.clone(),
        Some(_) => nothing(Reason::Unsigned),
        None => nothing(Reason::NoRule),
    };
    let digest = image
        .digest()
        .map(|digest| digest.sha256_hex().unwrap_or(digest.as_str()));
    let asked = trust::policy::Asked {
        tag: image.tag(),
        digest,
    };
    (judge(asked, rule, &evidence, now), rule.name.clone())
}

fn nothing(reason: Reason) -> Evidence {
    Evidence::Unknown {
        reason,
        message: "nothing is known".to_owned(),
    }
}

fn verdict(judgement: &Judgement) -> &'static str {
    match (judgement.verdict, &judgement.decided_by) {
        (Verdict::Trusted, Some(_)) => "signed",
        (Verdict::Trusted, None) => "passed",
        (Verdict::Refused, _) => "refused",
        (Verdict::Undecided, _) => "undecided",
    }
}
