//! What is wrong is named with its place.

use super::*;

/// A rule for everything on a host, whose other lines follow.
fn rule(lines: &str) -> String {
    format!("[groups]\nqa = [\"alice\", \"bob\"]\n[[rule]]\nmatch = \"reg.test/**\"\n{lines}\n")
}

#[test]
fn mistakes_are_named_with_their_place() {
    for (text, expected) in [
        ("x", "line 1, column 2: "),
        (
            "[default]\nrequire = \"signed\"\nsigner = []\n",
            "line 3, column 1: unknown field `signer`",
        ),
        (
            "[default]\nrequire = \"yes\"\n",
            "line 2, column 11: unknown variant `yes`, expected one of",
        ),
        ("[default]\n", "line 1, column 1: missing field `require`"),
        (
            "[default]\nrequire = \"signed\"\nmatch = \"a\"\n",
            "line 3, column 9: [default] has no `match`",
        ),
        (
            "[default]\nrequire = \"signed\"\nas = \"a\"\n",
            "line 3, column 6: [default] has no `as`",
        ),
        ("[engine]\nlocal = true\n", "line 2, column 9: "),
        (
            "[engine]\nbuidl = \"accept\"\n",
            "line 2, column 1: unknown field `buidl`, expected `local` or `build`",
        ),
        (
            "[rules]\n",
            "line 1, column 2: unknown field `rules`, expected one of",
        ),
        ("[groups]\nqa = []\n", "line 2, column 6: a group is empty"),
        (
            "[groups]\nqa = [\"a\", \"a\"]\n",
            "line 2, column 12: `a` is named twice",
        ),
        (
            "[groups]\nqa = [\"A\"]\n",
            "line 2, column 7: `A` is no name of a signer",
        ),
        (
            "[groups]\nQA = [\"a\"]\n",
            "line 2, column 1: `QA` is no name of a signer",
        ),
        (
            "[groups]\na = [\"x\"]\nb = [\"a\"]\n",
            "line 3, column 6: `a` is a group: groups do not nest",
        ),
        (
            "[groups]\nqa = [\"a\"]\nqa = [\"b\"]\n",
            "line 3, column 1: duplicate key",
        ),
        (
            "[[rule]]\nrequire = \"accept\"\n",
            "line 1, column 1: missing field `match`",
        ),
        (
            "[[rule]]\nmatch = \"*\"\nrequire = \"accept\"\n",
            "line 2, column 9: `*` is every image",
        ),
        (
            "[[rule]]\nmatch = \"reg.test/Team/*\"\nrequire = \"accept\"\n",
            "line 2, column 9: invalid reference format: repository name",
        ),
        (
            &rule("require = \"signed\"\nsigners = []"),
            "line 6, column 11: the list is empty",
        ),
        (
            &rule("require = \"signed\"\nsigners = [\"a b\"]"),
            "line 6, column 12: `a b` is no name of a signer",
        ),
        (
            &rule("require = \"signed\"\nsigners = [\"releases\"]"),
            "line 6, column 12: `releases` is no signer",
        ),
        (
            &rule("require = \"signed\"\nquorum = [{ at_least = 1, of = \"qq\" }]"),
            "line 6, column 32: there is no group `qq` in [groups]",
        ),
        (
            &rule("require = \"signed\"\nquorum = [{ at_least = 3, of = \"qa\" }]"),
            "line 6, column 24: 3 of 2 signers can never be had",
        ),
        (
            &rule("require = \"signed\"\nquorum = [{ at_least = 0 }]"),
            "line 6, column 24: 0 signers are none",
        ),
        (
            &rule("require = \"signed\"\nquorum = [{ at_least = -1 }]"),
            "line 6, column 24: -1 signers are none",
        ),
        (
            &rule("require = \"signed\"\nquorum = []"),
            "line 6, column 10: the list is empty",
        ),
        (
            &rule("require = \"signed\"\nquorum = [{ of = \"qa\" }]"),
            "line 6, column 11: missing field `at_least`",
        ),
        (
            &rule("require = \"signed\"\nroles = [\"snapshot\"]"),
            "line 6, column 10: `snapshot` is no role that signs tags",
        ),
        (
            &rule("require = \"signed\"\nroles = [\"targets\", \"targets\"]"),
            "line 6, column 21: `targets` is named twice",
        ),
        (
            &rule("require = \"signed\"\nroot_keys = [\"ab\"]"),
            "line 6, column 14: `ab` is no key id: 64 lower-case hex digits",
        ),
        (
            &rule("require = \"signed\"\nroot_ca = \"x.pem\""),
            "line 6, column 11: x.pem: no file x.pem",
        ),
        (
            &rule("require = \"signed\"\nroot_ca = [\"x.pem\"]"),
            "line 6, column 12: x.pem: no file x.pem",
        ),
        (
            &rule("require = \"signed\"\nroot_ca = []"),
            "line 6, column 11: the list is empty",
        ),
        (
            &rule("require = \"signed\"\nroot_ca = 7"),
            "line 6, column 11: invalid type: integer `7`, expected a name or a list of names",
        ),
        (
            &rule(&format!(
                "require = \"signed\"\nroot_keys = [\"{}\"]\nfirst_use = true",
                "ab".repeat(32)
            )),
            "line 7, column 13: `first_use` makes no sense beside `root_keys` or `root_ca`",
        ),
        (
            &rule("require = \"signed\"\nas = \"docker.io/library/alpine\""),
            "line 6, column 6: `reg.test/**` ends with `**`, `docker.io/library/alpine` with no `*`",
        ),
        (
            &rule("require = \"signed\"\nas = \"*.io/**\""),
            "line 6, column 6: `*.io/**` names no single host",
        ),
        (
            &rule("require = \"signed\"\nserver = \"http://a.test\""),
            "line 6, column 10: valid https URL required for trust server, got http://a.test",
        ),
        (
            &rule("require = \"signed\"\ncontext = \"Prod\""),
            "line 6, column 11: `Prod` can be no context",
        ),
        (
            &rule("require = \"signed\"\ncontext = \"releases\""),
            "line 6, column 11: `releases` can be no context",
        ),
        (
            &rule("require = \"signed\"\nrefresh = \"10\""),
            "line 6, column 11: \"10\" is no time such as",
        ),
        (
            &rule("require = \"signed\"\nrefresh = \"2d\"\nmax_age = \"1d\""),
            "line 6, column 11: `refresh` is longer than `max_age`",
        ),
        (
            &rule("require = \"signed\"\nmax_age = \"0s\""),
            "line 6, column 11: 0s is not between 1s and 365d",
        ),
        (
            &rule("require = \"signed\"\nexempt = []"),
            "line 6, column 10: the list is empty",
        ),
        (
            &rule("require = \"signed\"\nexempt = [{ digest = \"abc\", until = \"2027-01-01\" }]"),
            "line 6, column 22: `abc` is no digest: sha256: and 64 hex digits",
        ),
        (
            &rule(&format!(
                "require = \"signed\"\nexempt = [{{ digest = \"sha512:{}\", until = \"2027-01-01\" }}]",
                "ab".repeat(64)
            )),
            "line 6, column 22: `sha512:",
        ),
        (
            &rule(&format!(
                "require = \"signed\"\nexempt = [{{ digest = \"sha256:{}\", until = \"soon\" }}]",
                "ab".repeat(32)
            )),
            "line 6, column 105: `soon` is no end such as 2027-01-31 or",
        ),
        (
            &rule(&format!(
                "require = \"signed\"\nexempt = [{{ digest = \"sha256:{}\", until = \"2027-02-30\" }}]",
                "ab".repeat(32)
            )),
            "line 6, column 105: `2027-02-30` is no end",
        ),
        (
            &rule(&format!(
                "require = \"signed\"\nexempt = [{{ digest = \"sha256:{}\", until = 2027-01-01T00:00:00 }}]",
                "ab".repeat(32)
            )),
            "line 6, column 105: `2027-01-01T00:00:00` is no end",
        ),
        (
            &rule(&format!(
                "require = \"signed\"\nexempt = [{{ digest = \"sha256:{}\", until = 7 }}]",
                "ab".repeat(32)
            )),
            "line 6, column 105: `integer` is no end",
        ),
        (
            &rule(&format!(
                "require = \"signed\"\nexempt = [{{ digest = \"sha256:{}\" }}]",
                "ab".repeat(32)
            )),
            "line 6, column 11: missing field `until`",
        ),
        (
            &rule("require = \"signed\"\nmode = \"warn\""),
            "line 6, column 8: unknown variant `warn`",
        ),
        (
            &rule("require = \"accept\"\nsigners = [\"a\"]"),
            "line 6, column 11: `signers` makes no sense with `require = \"accept\"`",
        ),
        (
            &rule("require = \"accept\"\nmode = \"audit\""),
            "line 6, column 8: `mode` makes no sense with `require = \"accept\"`",
        ),
        (
            &rule("require = \"accept\"\nexempt = []"),
            "line 6, column 10: `exempt` makes no sense with `require = \"accept\"`",
        ),
        (
            &rule("require = \"reject\"\nfirst_use = true"),
            "line 6, column 13: `first_use` makes no sense with `require = \"reject\"`",
        ),
        (
            &rule("require = \"reject\"\nmax_age = \"1h\""),
            "line 6, column 11: `max_age` makes no sense",
        ),
        (
            &(rule("require = \"accept\"") + &rule("require = \"reject\"").split_off(31)),
            "line 7, column 9: `reg.test/**` has a rule already, in line 4, column 9",
        ),
    ] {
        let words = parse(text).expect_err(text).to_string();
        assert!(words.starts_with(expected), "{words}\n{text}");
        assert!(!words.contains('\n'), "{words}");
    }
}

/// Two rules for one name of which neither is more exact are both named.
#[test]
fn ties_are_refused() {
    let text = "[[rule]]\nmatch = \"reg.test/app-*\"\nrequire = \"accept\"\n\
                [[rule]]\nrequire = \"signed\"\n  match = \"reg.test/*-app\"\n";
    assert_eq!(
        parse(text).unwrap_err().to_string(),
        "line 6, column 11: `reg.test/*-app` and `reg.test/app-*` (line 2, column 9) match the same \
         names, and neither is more exact"
    );
}

#[test]
fn every_key_of_signatures_is_refused_where_none_are_wanted() {
    let values = [
        ("as", "\"docker.io/**\""),
        ("context", "\"prod\""),
        ("first_use", "false"),
        ("max_age", "\"1h\""),
        ("quorum", "[{ at_least = 1 }]"),
        ("refresh", "\"1h\""),
        ("refuse_superseded", "true"),
        ("roles", "[\"targets\"]"),
        ("root_ca", "\"x\""),
        ("root_keys", "[\"x\"]"),
        ("server", "\"https://x\""),
        ("signers", "[\"a\"]"),
    ];
    for (key, value) in values {
        for require in ["accept", "reject"] {
            let text = rule(&format!("require = \"{require}\"\n{key} = {value}"));
            let words = parse(&text).unwrap_err().to_string();
            let expected = format!("`{key}` makes no sense with `require = \"{require}\"`");
            assert!(words.ends_with(&expected), "{words}");
        }
    }
}

#[test]
fn sizes_are_bounded() {
    let large = "#".repeat(MAX_FILE + 1);
    assert!(
        parse(&large)
            .unwrap_err()
            .to_string()
            .contains("larger than")
    );
    let rules = |count: usize| {
        let rule = |n| format!("[[rule]]\nmatch='r.t/a{n}-*'\nrequire='accept'\n");
        (0..count).map(rule).collect::<Vec<_>>().concat()
    };
    assert_eq!(read(&rules(4096)).rules.len(), 4096);
    let words = parse(&rules(4097)).unwrap_err().to_string();
    assert_eq!(words, "line 12289, column 1: more than 4096 rules");
    let deep = format!("a = {}", "[".repeat(100_000));
    assert!(parse(&deep).is_err());
}
