//! The table as it is written.

use super::state::State;
use super::{decide, verdict};
use crate::decisions::state::{authority, digest, expand};
use jiff::Timestamp;
use std::collections::BTreeMap;
use trust::policy::{Policy, Verdict};
use trust::reference::ImageReference;

/// One theme.
pub struct Table {
    policies: BTreeMap<String, Policy>,
    states: BTreeMap<String, State>,
    pub cases: Vec<Case>,
    now: Timestamp,
}

/// One line of it.
pub struct Case {
    pub line: usize,
    pub text: String,
    pub expected: String,
    policy: String,
    state: String,
    now: Timestamp,
    image: ImageReference,
}

impl Table {
    pub fn read(text: &str) -> Self {
        let mut table = Self {
            policies: BTreeMap::new(),
            states: BTreeMap::new(),
            cases: Vec::new(),
            now: "2026-06-01T00:00:00Z".parse().unwrap(),
        };
        let mut line = 1;
        for section in text.split("\n== ") {
            let (heading, body) = section.split_once('\n').unwrap_or((section, ""));
            table.section(heading, body, line);
            line += section.matches('\n').count() + 1;
        }
        table
    }

    fn section(&mut self, heading: &str, body: &str, line: usize) {
        match heading.split_whitespace().collect::<Vec<_>>()[..] {
            ["policy", name] => {
                let policy = Policy::parse(&expand(body), &mut |name| authority(name));
                let policy = policy.unwrap_or_else(|error| panic!("{name}: {error}"));
                self.policies.insert(name.to_owned(), policy);
            }
            ["state", name] => {
                self.states.insert(name.to_owned(), State::read(body));
            }
            ["now", moment] => self.now = moment.parse().unwrap(),
            ["cases", policy, state] => {
                assert!(self.policies.contains_key(policy), "no policy {policy}");
                assert!(self.states.contains_key(state), "no state {state}");
                for (index, text) in body.lines().enumerate() {
                    if !text.trim().is_empty() && !text.starts_with('#') {
                        self.cases.push(Case::read(
                            line + index + 1,
                            text,
                            policy,
                            state,
                            self.now,
                        ));
                    }
                }
            }
            _ => assert!(heading.starts_with('#'), "what is {heading:?}?"),
        }
    }

    /// What is decided, written as the table has it.
    pub fn decide(&self, case: &Case) -> String {
        let (policy, state) = (&self.policies[&case.policy], &self.states[&case.state]);
        let (judgement, rule) = decide(policy, state, &case.image, case.now);
        let what = match (judgement.verdict, &judgement.decided_by, judgement.reason) {
            (Verdict::Trusted, Some(statement), None) => {
                let letters = ["A", "B", "C", "D", "E", "F"].into_iter();
                let mut letters = letters.filter(|letter| digest(letter) == statement.digest);
                letters.next().unwrap().to_owned()
            }
            (Verdict::Trusted, None, None) => "-".to_owned(),
            (Verdict::Refused | Verdict::Undecided, _, Some(reason)) => reason.code().to_owned(),
            odd => panic!("{odd:?}"),
        };
        format!("{} {what} {rule}", verdict(&judgement))
    }
}

impl Case {
    fn read(line: usize, text: &str, policy: &str, state: &str, now: Timestamp) -> Self {
        let [reference, verdict, what, rule] = text.split_whitespace().collect::<Vec<_>>()[..]
        else {
            panic!("line {line}: {text}");
        };
        let reference = match reference.rsplit_once('@') {
            Some((name, letter)) if letter.len() == 1 => {
                format!("{name}@sha256:{}", digest(letter))
            }
            _ => reference.to_owned(),
        };
        let image =
            ImageReference::parse(&reference).unwrap_or_else(|e| panic!("line {line}: {e}"));
        Self {
            line,
            text: text.to_owned(),
            expected: format!("{verdict} {what} {rule}"),
            policy: policy.to_owned(),
            state: state.to_owned(),
            now,
            image: image.or_latest(),
        }
    }
}
