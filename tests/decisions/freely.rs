//! Any policy, any trust state: what nobody signed passes only where a rule lets it.

use super::state::{State, digest, key_id};
use super::{decide, nothing};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::json;
use std::collections::BTreeSet;
use std::time::Duration;
use trust::policy::{
    Demand, Evidence, Judgement, Policy, Reason, Requirement, RootKey, Rule, Statement, Unusable,
    Verdict,
};
use trust::reference::ImageReference;

const ROLES: [&str; 6] = [
    "targets/releases",
    "targets",
    "targets/alice",
    "targets/bob",
    "targets/prod",
    "targets/x/y",
];
const KEYS: [&str; 4] = ["K1", "K2", "K3", "K4"];
const NOW: &str = "2026-06-01T00:00:00Z";

/// The lines of `[default]` or of a rule behind its pattern.
fn terms() -> impl Strategy<Value = String> {
    prop_oneof![
        1 => Just("require = \"accept\"\n".to_owned()),
        2 => exemptions().prop_map(|exempt| format!("require = \"reject\"\n{exempt}")),
        8 => signed(),
    ]
}

fn exemptions() -> impl Strategy<Value = String> {
    let until = select(vec![
        "2026-05-31",
        "2026-06-01",
        NOW,
        "2027-01-01T00:00:00+01:00",
    ]);
    let exemption = (select(vec!["A", "B", "C"]), until);
    proptest::option::weighted(0.3, exemption).prop_map(|exemption| match exemption {
        Some((letter, until)) => {
            format!(
                "exempt = [{{ digest = \"sha256:{}\", until = \"{until}\" }}]\n",
                digest(letter)
            )
        }
        None => String::new(),
    })
}

fn signed() -> impl Strategy<Value = String> {
    let key = |weight, line: BoxedStrategy<String>| {
        proptest::option::weighted(weight, line).prop_map(Option::unwrap_or_default)
    };
    let names = |names: Vec<&'static str>| subsequence(names, 1..=2);
    let roots = subsequence(KEYS.to_vec(), 1..=2).prop_map(|keys| {
        let ids: Vec<_> = keys.into_iter().map(key_id).collect();
        format!("root_keys = {ids:?}\n")
    });
    let quorum = prop_oneof![
        (1..4_u64).prop_map(|n| format!("quorum = [{{ at_least = {n} }}]\n")),
        (1..3_u64).prop_map(|n| format!("quorum = [{{ at_least = {n}, of = \"qa\" }}]\n")),
    ];
    (
        key(
            0.4,
            names(vec!["alice", "bob", "x/y"])
                .prop_map(|it| format!("signers = {it:?}\n"))
                .boxed(),
        ),
        key(
            0.4,
            names(ROLES.to_vec())
                .prop_map(|it| format!("roles = {it:?}\n"))
                .boxed(),
        ),
        key(0.3, quorum.boxed()),
        key(0.3, roots.boxed()),
        key(0.2, Just("context = \"prod\"\n".to_owned()).boxed()),
        key(0.2, Just("refuse_superseded = true\n".to_owned()).boxed()),
        key(0.2, Just("max_age = \"1h\"\n".to_owned()).boxed()),
        key(0.2, Just("mode = \"audit\"\n".to_owned()).boxed()),
        exemptions(),
    )
        .prop_map(|(a, b, c, d, e, f, g, h, i)| {
            ["require = \"signed\"\n", &a, &b, &c, &d, &e, &f, &g, &h, &i].concat()
        })
}

fn policies() -> impl Strategy<Value = Policy> {
    let patterns = ["r.test/a", "r.test/*", "r.test/**", "*.test/**", "*.test/a"];
    let rules = subsequence(patterns.to_vec(), 0..=4).prop_flat_map(|chosen| {
        chosen
            .into_iter()
            .map(|it| (Just(it), terms()))
            .collect::<Vec<_>>()
    });
    (proptest::option::of(terms()), rules).prop_map(|(default, rules)| {
        let mut text = "[groups]\nqa = [\"alice\", \"bob\", \"prod\"]\n".to_owned();
        text.extend(default.map(|terms| format!("[default]\n{terms}")));
        text.extend(
            rules
                .into_iter()
                .map(|(it, terms)| format!("[[rule]]\nmatch = \"{it}\"\n{terms}")),
        );
        Policy::parse(&text, &mut |_| Err(String::new())).unwrap_or_else(|e| panic!("{e}\n{text}"))
    })
}

fn statements() -> impl Strategy<Value = Vec<Statement>> {
    let custom = select(vec![
        None,
        Some(json!({"context": "prod"})),
        Some(json!({"superseded": true})),
        Some(json!({"context": ["prod"], "superseded_by": "2"})),
        Some(json!([1])),
    ]);
    let statement = (
        select(ROLES.to_vec()),
        select(vec!["1", "2"]),
        select(vec!["A", "A", "B"]),
        subsequence(KEYS.to_vec(), 0..=2),
        custom,
    );
    let statement = statement.prop_map(|(role, tag, letter, keys, custom)| Statement {
        role: role.to_owned(),
        tag: tag.to_owned(),
        digest: digest(letter),
        size: 1,
        key_ids: keys.into_iter().map(key_id).collect(),
        custom,
    });
    proptest::collection::vec(statement, 0..10).prop_map(|mut statements| {
        // A role says one thing of a tag.
        let mut seen = BTreeSet::new();
        statements.retain(|said| seen.insert((said.role.clone(), said.tag.clone())));
        statements
    })
}

fn evidence() -> impl Strategy<Value = Evidence> {
    let unusable = proptest::option::weighted(0.2, select(ROLES.to_vec())).prop_map(|role| {
        let unusable = role.map(|role| Unusable {
            role: role.to_owned(),
            reason: Reason::Expired,
            message: "old".to_owned(),
        });
        unusable.into_iter().collect()
    });
    let roots = subsequence(KEYS.to_vec(), 0..=2).prop_map(|keys| {
        let ids = keys.into_iter().map(key_id);
        let keys = ids.map(|id| RootKey {
            id: id.clone(),
            canonical_id: id,
            certificates: None,
            signed: true,
        });
        keys.collect()
    });
    let age = select(vec![None, Some(0), Some(3600), Some(3601)]);
    let known = (statements(), unusable, roots, age);
    let known = known.prop_map(|(statements, unusable, root_keys, age)| Evidence::Known {
        gun: "r.test/a".to_owned(),
        statements,
        unusable,
        root_keys,
        age: age.map(Duration::from_secs),
    });
    let reasons = vec![Reason::Unreachable, Reason::Rollback, Reason::Unsigned];
    prop_oneof![9 => known, 1 => select(reasons).prop_map(nothing)]
}

fn images() -> impl Strategy<Value = ImageReference> {
    let names = select(vec![
        "r.test/a",
        "r.test/a/b",
        "s.test/a",
        "other.example/a",
    ]);
    let tags = proptest::option::of(select(vec!["1", "2"]));
    let digests = proptest::option::of(select(vec!["A", "B", "C"]));
    (names, tags, digests).prop_map(|(name, tag, letter)| {
        let tag = tag.map(|tag| format!(":{tag}")).unwrap_or_default();
        let digest = letter
            .map(|it| format!("@sha256:{}", digest(it)))
            .unwrap_or_default();
        ImageReference::parse(&format!("{name}{tag}{digest}"))
            .unwrap()
            .or_latest()
    })
}

/// `TRUST_SOAK_CASES`, or a number that suits every day.
fn cases() -> u32 {
    let asked = std::env::var("TRUST_SOAK_CASES").ok();
    asked.map_or(4096, |cases| cases.parse().unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases()))]

    #[test]
    fn nothing_unsigned_passes_unless_a_rule_lets_it(
        policy in policies(),
        evidence in evidence(),
        image in images(),
    ) {
        let now = NOW.parse().unwrap();
        let known = State { repository: image.gun().to_owned(), evidence };
        let rule = policy.rule(&image);
        let (judgement, _) = decide(&policy, &known, &image, now);
        if judgement.verdict != Verdict::Trusted {
            prop_assert!(judgement.reason.is_some());
            return Ok(());
        }
        prop_assert_eq!(judgement.reason, None);
        let asked = image.digest().and_then(|digest| digest.sha256_hex());
        let exempt = rule.exempt.iter().any(|it| Some(it.digest.as_str()) == asked && now < it.until);
        match &rule.demand {
            _ if exempt => prop_assert_eq!(judgement.decided_by, None),
            Demand::Accept => prop_assert_eq!(judgement.decided_by, None),
            Demand::Reject => prop_assert!(false, "{:?} passed {}", rule, image),
            Demand::Signed(demanded) => is_signed(demanded, rule, &known.evidence, &judgement, &image)?,
        }
    }
}

/// Whether somebody signed it as the rule demands, counted in the plainest way.
fn is_signed(
    demanded: &Requirement,
    rule: &Rule,
    evidence: &Evidence,
    judgement: &Judgement,
    image: &ImageReference,
) -> Result<(), TestCaseError> {
    let Evidence::Known {
        statements,
        unusable,
        root_keys,
        age,
        ..
    } = evidence
    else {
        return Err(TestCaseError::fail(format!(
            "{rule:?} passed what nothing is known of"
        )));
    };
    let said = judgement
        .decided_by
        .as_ref()
        .ok_or_else(|| TestCaseError::fail("nobody"))?;
    prop_assert!(statements.contains(said) && !said.key_ids.is_empty());
    prop_assert!(image.tag().is_none_or(|tag| tag == said.tag));
    let asked = image.digest().and_then(|digest| digest.sha256_hex());
    prop_assert!(asked.is_none_or(|digest| digest == said.digest));
    let roles = match &demanded.roles[..] {
        [] => vec![said.role.clone()],
        roles => roles.to_vec(),
    };
    let released = ["targets/releases", "targets"];
    prop_assert!(!demanded.roles.is_empty() || released.contains(&said.role.as_str()));
    let same: Vec<_> = statements
        .iter()
        .filter(|other| (&other.tag, &other.digest) == (&said.tag, &said.digest))
        .filter(|other| !other.key_ids.is_empty())
        .collect();
    for role in &roles {
        prop_assert!(same.iter().any(|it| it.role == *role));
        prop_assert!(!unusable.iter().any(|it| it.role == *role));
    }
    let signs = |name: &str| same.iter().find(|it| it.role == format!("targets/{name}"));
    for signer in &demanded.signers {
        prop_assert!(signs(signer).is_some());
    }
    for quorum in &demanded.quorums {
        let signers = same
            .iter()
            .filter(|it| !released.contains(&it.role.as_str()));
        let signers: Vec<_> = signers
            .filter(|it| {
                quorum.of.is_empty()
                    || quorum
                        .of
                        .iter()
                        .any(|name| it.role == format!("targets/{name}"))
            })
            .collect();
        let keys: BTreeSet<_> = signers.iter().flat_map(|it| &it.key_ids).collect();
        prop_assert!(
            signers.len() as u64 >= quorum.at_least && keys.len() as u64 >= quorum.at_least
        );
    }
    let pins = &demanded.root.key_ids;
    prop_assert!(pins.is_empty() || root_keys.iter().any(|key| pins.contains(&key.id)));
    prop_assert!(
        demanded
            .max_age
            .is_none_or(|most| age.is_some_and(|age| age <= most))
    );
    if demanded.context.is_some() {
        let custom = said
            .custom
            .as_ref()
            .is_some_and(|it| it.to_string().contains("prod"));
        prop_assert!(custom || signs("prod").is_some());
    }
    let replaced = |it: &&Statement| {
        it.custom
            .as_ref()
            .is_some_and(|it| it.to_string().contains("superseded"))
    };
    prop_assert!(!demanded.refuse_superseded || !same.iter().copied().any(|it| replaced(&it)));
    Ok(())
}
