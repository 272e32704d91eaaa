//! Policies as people write them.

mod mistakes;

use super::*;
use crate::policy::{Demand, Mode, Requirement};
use crate::reference::ImageReference;
use proptest::prelude::*;
use std::time::Duration;

fn parse(text: &str) -> Result<Policy, PolicyError> {
    Policy::parse(text, &mut |name| Err(format!("no file {name}")))
}

fn read(text: &str) -> Policy {
    parse(text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn requirement(rule: &Rule) -> &Requirement {
    match &rule.demand {
        Demand::Signed(requirement) => requirement,
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_empty_policy_lets_nothing_pass() {
    let policy = read("");
    assert!(policy.rules.is_empty());
    assert_eq!(policy.default.demand, Demand::Reject);
    assert_eq!(policy.engine, EngineRules::default());
    assert_eq!(
        policy.hash,
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    );
}

#[test]
fn every_key_is_read() {
    let id = "ab".repeat(32);
    let policy = read(&format!(
        r#"
            [default]
            require = "signed"
            first_use = true
            [groups]
            qa = ["alice", "bob", "carol"]
            [engine]
            local = "accept"
            [[rule]]
            match = "registry.example.com/hub/**"
            require = "signed"
            mode = "audit"
            signers = ["dave", "qa"]
            quorum = [{{ at_least = 2, of = "qa" }}, {{ at_least = 3 }}, {{ at_least = 1, of = ["dave"] }}]
            roles = ["targets/releases", "targets"]
            root_keys = ["{id}"]
            as = "docker.io/**"
            server = "https://notary.example.com"
            context = "prod"
            refuse_superseded = true
            refresh = "30s"
            max_age = "24h"
            exempt = [
                {{ digest = "sha256:{id}", until = "2026-12-31", why = "old" }},
                {{ digest = "sha256:{}", until = 2027-01-01T12:00:00+02:00 }},
            ]
        "#,
        "cd".repeat(32)
    ));
    let [rule] = &policy.rules[..] else {
        panic!("{:?}", policy.rules)
    };
    assert_eq!(rule.name, "registry.example.com/hub/**");
    assert_eq!(rule.mode, Mode::Audit);
    let demanded = requirement(rule);
    assert_eq!(demanded.signers, ["dave", "alice", "bob", "carol"]);
    let quorums: Vec<_> = demanded
        .quorums
        .iter()
        .map(|q| (q.at_least, q.of.len()))
        .collect();
    assert_eq!(quorums, [(2, 3), (3, 0), (1, 1)]);
    assert_eq!(demanded.roles, ["targets/releases", "targets"]);
    assert!(demanded.root.key_ids.contains(&id) && !demanded.root.first_use);
    assert_eq!(
        demanded.server.as_deref(),
        Some("https://notary.example.com")
    );
    assert_eq!(demanded.context.as_deref(), Some("prod"));
    assert!(demanded.refuse_superseded);
    assert_eq!(demanded.refresh, Duration::from_secs(30));
    assert_eq!(demanded.max_age, Some(Duration::from_hours(24)));
    let image = ImageReference::parse("registry.example.com/hub/library/alpine:3").unwrap();
    let judged = demanded.judged_as(&image).unwrap();
    assert_eq!(judged.to_string(), "docker.io/library/alpine:3");
    let ends: Vec<_> = rule
        .exempt
        .iter()
        .map(|exempt| exempt.until.to_string())
        .collect();
    assert_eq!(ends, ["2027-01-01T00:00:00Z", "2027-01-01T10:00:00Z"]);
    assert!(requirement(&policy.default).root.first_use);
    assert_eq!(policy.engine.local, Allowance::Accept);
    assert_eq!(policy.engine.build, Allowance::Reject);
}

#[test]
fn the_most_exact_rule_holds() {
    let rule = |pattern: &str| format!("[[rule]]\nmatch = \"{pattern}\"\nrequire = \"accept\"\n");
    let patterns = [
        "reg.test/**",
        "alpine",
        "*.test/**",
        "reg.test/team/*",
        "reg.test/team/app",
    ];
    let policy = read(&patterns.map(rule).concat());
    let names: Vec<_> = policy.rules.iter().map(|rule| rule.name.as_str()).collect();
    for (image, expected) in [
        ("reg.test/team/app:1", "reg.test/team/app"),
        ("reg.test/team/web", "reg.test/team/*"),
        ("reg.test/team/web/x", "reg.test/**"),
        ("reg.test/app", "reg.test/**"),
        ("other.test/app", "*.test/**"),
        ("other.example/app", "default"),
        ("evil.example/reg.test/team/app", "default"),
        (
            "alpine@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
            "docker.io/library/alpine",
        ),
        (
            "registry-1.docker.io/library/alpine",
            "docker.io/library/alpine",
        ),
    ] {
        let image = ImageReference::parse(image).unwrap();
        assert_eq!(policy.rule(&image).name, expected, "{image} in {names:?}");
    }
}

#[test]
fn a_refresh_is_never_later_than_the_age_that_is_allowed() {
    let text = "[default]\nrequire = \"signed\"\nmax_age = \"10s\"\n";
    let policy = read(text);
    assert_eq!(
        requirement(&policy.default).refresh,
        Duration::from_secs(10)
    );
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "[\\[\\]a-z=\"\\n{}*/., 0-9:]{0,200}") {
        let _ = parse(&text);
    }
}
