//! Which of two patterns comes first, by example and by brute force.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeSet;

#[test]
fn the_more_exact_pattern_comes_first() {
    use Precedence::{After, Apart, Before, Same, Unclear};
    for (first, second, expected) in [
        ("reg.test/a/b", "reg.test/a/*", Before),
        ("reg.test/a/*", "reg.test/a/**", Before),
        ("reg.test/a/**", "reg.test/**", Before),
        ("reg.test/a/b/**", "reg.test/a/**", Before),
        ("reg.test/**", "*.test/**", Before),
        ("reg.test/**", "*.test/a/b", Before),
        ("reg.test/a/**", "reg.test/*/b", Before),
        ("reg.test/app-*", "reg.test/*", Before),
        ("reg.test/app-x-*", "reg.test/app-*", Before),
        ("reg.test/*/b", "reg.test/**", Before),
        ("*.b.test/**", "a.*.test/**", Before),
        ("reg.test/*", "reg.test/app-*", After),
        ("alpine", "docker.io/library/alpine", Same),
        ("reg.test/a/**", "REG.test/a/**", Same),
        ("reg.test/app-*", "reg.test/*-app", Unclear),
        ("reg.test/app-*", "reg.test/*-frontend", Unclear),
        ("reg.test/app-*", "reg.test/web-*", Apart),
        ("reg.test/a/*", "reg.test/*", Apart),
        ("reg.test/a/**", "reg.test/a", Apart),
        ("reg.test/**", "reg.test:5000/**", Apart),
        ("reg.test/**", "reg.test:443/**", Same),
        ("reg.test/**", "other.test/**", Apart),
        ("*.test/**", "*.x.test/**", Apart),
    ] {
        let found = pattern(first).precedence(&pattern(second));
        assert_eq!(found, expected, "{first} {second}");
    }
}

/// Hosts and components of so few letters that patterns often meet.
fn any_pattern() -> impl Strategy<Value = Pattern> {
    let host = prop::sample::select(vec![
        "a.b", "*.b", "a.*", "*.*", "a*.b", "*a.b", "ab.b", "a.b:1", "a.b:*", "*.b:1", "a.b:1*",
    ]);
    let part = prop::sample::select(vec!["a", "b", "ab", "*", "a*", "*a", "*b", "a*b", "ab*"]);
    let path = prop::collection::vec(part, 0..3);
    (host, path, any::<bool>()).prop_filter_map("a pattern has a path", |(host, path, below)| {
        let mut parts = path.clone();
        parts.extend(below.then_some("**"));
        (!parts.is_empty()).then(|| pattern(&format!("{host}/{}", parts.join("/"))))
    })
}

/// Every name that can be told apart by such patterns.
fn names() -> Vec<ImageReference> {
    let hosts = [
        "a.b", "a.a", "b.b", "ab.b", "aa.b", "ba.b", "a.b:1", "a.b:2", "a.b:12", "b.b:1",
    ];
    let parts = ["a", "b", "c", "ab", "ba", "aa", "abb", "aab", "acb"];
    let mut paths: Vec<String> = parts.iter().map(|&part| part.to_owned()).collect();
    for _ in 0..2 {
        let longer: Vec<_> = paths
            .iter()
            .flat_map(|path| parts.iter().map(move |part| format!("{path}/{part}")))
            .collect();
        paths.extend(longer);
    }
    let paths: BTreeSet<_> = paths.into_iter().chain(["a/b/a/b".to_owned()]).collect();
    let named = hosts
        .iter()
        .flat_map(|host| paths.iter().map(move |path| format!("{host}/{path}")));
    named
        .map(|name| ImageReference::parse(&name).unwrap())
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// For any two patterns that both match some name the order is decided, or they are refused;
    /// and what stands for less is never asked last.
    #[test]
    fn the_order_of_any_two_is_decided(first in any_pattern(), second in any_pattern()) {
        let names = names();
        let of = |pattern: &Pattern| -> BTreeSet<usize> {
            let matched = names.iter().enumerate().filter(|(_, name)| pattern.matches(name));
            matched.map(|(index, _)| index).collect()
        };
        let (mine, theirs) = (of(&first), of(&second));
        let found = first.precedence(&second);
        let back = match found {
            Precedence::Before => Precedence::After,
            Precedence::After => Precedence::Before,
            same => same,
        };
        prop_assert_eq!(second.precedence(&first), back);
        if !mine.is_disjoint(&theirs) {
            prop_assert_ne!(found, Precedence::Apart, "{} {}", first, second);
        }
        match found {
            Precedence::Before => {
                prop_assert!(!mine.is_superset(&theirs) || mine == theirs || theirs.is_empty());
                prop_assert_eq!(first.order(&second), Ordering::Less, "{} {}", first, second);
            }
            Precedence::Same => prop_assert_eq!(&first, &second),
            Precedence::Apart => prop_assert!(mine.is_disjoint(&theirs)),
            Precedence::After | Precedence::Unclear => {}
        }
        prop_assert_eq!(first.order(&second) == Ordering::Equal, first == second);
    }

    /// The first of a sorted list that matches is the one that comes before all others that do.
    #[test]
    fn one_order_holds_for_all(patterns in prop::collection::vec(any_pattern(), 1..8)) {
        let clear = |a: &Pattern, b: &Pattern| {
            !matches!(a.precedence(b), Precedence::Unclear | Precedence::Same)
        };
        let mut kept: Vec<Pattern> = Vec::new();
        for pattern in patterns {
            if kept.iter().all(|other| clear(&pattern, other)) {
                kept.push(pattern);
            }
        }
        kept.sort_by(Pattern::order);
        for name in names() {
            let mut matching = kept.iter().filter(|pattern| pattern.matches(&name));
            if let Some(first) = matching.next() {
                for other in matching {
                    prop_assert_eq!(first.precedence(other), Precedence::Before);
                }
            }
        }
    }

    /// What is printed is the same pattern; no text makes it panic.
    #[test]
    fn a_pattern_is_read_as_it_is_printed(pattern in any_pattern(), text in "[a-c*./:@A]{0,12}") {
        let again = Pattern::parse(&pattern.to_string());
        prop_assert_eq!(again.as_ref(), Ok(&pattern));
        let _ = Pattern::parse(&text);
    }
}
