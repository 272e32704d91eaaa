//! `docs/policy.md` describes policies as they are.

use trust::policy::Policy;

const DOCUMENT: &str = include_str!("../../docs/policy.md");

/// Every TOML block of the page.
fn blocks() -> Vec<&'static str> {
    let blocks = DOCUMENT.split("\n```toml\n").skip(1);
    blocks
        .map(|rest| rest.split("\n```").next().unwrap())
        .collect()
}

#[test]
fn every_example_is_a_policy() {
    let blocks = blocks();
    assert!(blocks.len() >= 5);
    let authority = {
        let mut params = rcgen::CertificateParams::default();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        params
            .self_signed(&rcgen::KeyPair::generate().unwrap())
            .unwrap()
            .pem()
    };
    for block in blocks {
        let policy = Policy::parse(block, &mut |_| Ok(authority.clone().into_bytes()));
        policy.unwrap_or_else(|error| panic!("{error}\n{block}"));
    }
}

#[test]
fn every_key_is_described() {
    for section in ["[default]", "[[rule]]"] {
        let refused = Policy::parse(&format!("{section}\nno-such-key = 1\n"), &mut |_| {
            Err(String::new())
        });
        let words = refused.unwrap_err().reason;
        let keys: Vec<_> = words.split('`').skip(3).step_by(2).collect();
        assert!(keys.len() > 15, "{words}");
        for key in &keys {
            assert!(
                DOCUMENT.contains(&format!("\n| `{key}` |")),
                "`{key}` is not described"
            );
        }
        let (_, table) = DOCUMENT.split_once("\n## Keys\n").unwrap();
        let table = table.split("\n## ").next().unwrap();
        assert_eq!(
            table.matches("\n| `").count(),
            keys.len(),
            "a key is described that is none"
        );
    }
}
