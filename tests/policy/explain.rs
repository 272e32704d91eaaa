use super::{Home, MANY, write};
use snapbox::{IntoData as _, str};

#[test]
fn says_which_rule_holds_and_why() {
    let home = Home::with(MANY);
    home.trust("policy explain registry.example.com/team/app:1 --policy policy.toml")
        .assert()
        .code(0)
        .stdout_eq(
            str![[r#"
Image:    registry.example.com/team/app:1
Rule:     registry.example.com/team/*, 1 of 5
          before registry.example.com/**, because `team` stands for less than `**`
          before *.example.com/**, because `registry` stands for less than `*`
Demands:  targets/releases and targets/qa say which digest the tag means, and agree
          dave signed the same digest for the tag
          2 of alice, bob, carol signed it, each with another key
          3 signers signed it, each with another key
          the root is signed with the key abababababababababababababababababababababababababababababababab
          the trust server is https://notary.example.com
          it is signed for prod: by targets/prod, or with "context": "prod" beside the digest
          no signer calls it superseded
          the server is asked again after 1m, and has confirmed it within 1d

"#]]
            .raw(),
        )
        .stderr_eq("");
}

#[test]
fn says_under_which_name_an_image_is_judged() {
    let home = Home::with(MANY);
    home.trust("policy explain registry.example.com/hub/alpine --policy policy.toml")
        .assert()
        .code(0)
        .stdout_eq(
            str![[r#"
Image:    registry.example.com/hub/alpine:latest
Rule:     registry.example.com/hub/**, 2 of 5
          before registry.example.com/**, because `hub` stands for less than `**`
          before *.example.com/**, because `registry` stands for less than `*`
Judged:   as docker.io/library/alpine:latest
Demands:  targets/releases says which digest the tag means; where it says nothing, targets
          the root is one this machine keeps already: none is trusted on first use
          the server is asked again after 1m
Mode:     audit: what is refused passes all the same

"#]]
            .raw(),
        );
}

#[test]
fn says_what_accepts_and_what_rejects() {
    let home = Home::with(MANY);
    home.trust("policy explain alpine:3 --policy policy.toml")
        .assert()
        .code(0)
        .stdout_eq(
            str![[r#"
Image:    docker.io/library/alpine:3
Rule:     docker.io/library/alpine, 5 of 5
Demands:  it passes, signed or not

"#]]
            .raw(),
        );
    home.trust("policy explain other.example.com/a --policy policy.toml")
        .assert()
        .code(0)
        .stdout_eq(
            str![[r#"
Image:    other.example.com/a:latest
Rule:     *.example.com/**, 4 of 5
Demands:  it is refused, signed or not

"#]]
            .raw(),
        );
    home.trust("policy explain evil.test/registry.example.com/team/app --policy policy.toml")
        .assert()
        .code(0)
        .stdout_eq(
            str![[r#"
Image:    evil.test/registry.example.com/team/app:latest
Rule:     default, because no other rule matches
Demands:  it is refused, signed or not

"#]]
            .raw(),
        );
}

#[test]
fn says_that_a_digest_is_exempt() {
    let home = Home::with(MANY);
    let explain = |digest: &str| {
        let image = format!("registry.example.com/team/app@sha256:{}", digest.repeat(32));
        let words = format!("policy explain {image} --policy policy.toml --format json");
        let ran = home.trust(&words).assert().code(0);
        let out: serde_json::Value = serde_json::from_slice(&ran.get_output().stdout).unwrap();
        out["exempt"].clone()
    };
    assert_eq!(explain("ef"), "2999-02-01T00:00:00Z");
    assert_eq!(explain("cd"), serde_json::Value::Null, "ran out");
    assert_eq!(explain("ab"), serde_json::Value::Null);
}

#[test]
fn tells_programs_the_same() {
    let home = Home::with(MANY);
    home.trust("policy explain registry.example.com/web:2 --policy policy.toml --format json")
        .assert()
        .code(0)
        .stdout_eq(
            str![[r#"
{
    "image": "registry.example.com/web:2",
    "rule": {
        "match": "registry.example.com/**",
        "require": "signed",
        "mode": "enforce",
        "roles": [],
        "signers": [],
        "quorum": [],
        "root_keys": [],
        "root_authorities": 0,
        "first_use": true,
        "as": null,
        "server": null,
        "context": null,
        "refuse_superseded": false,
        "refresh": "1m",
        "max_age": null,
        "exempt": []
    },
    "position": 3,
    "rules": 5,
    "others": [
        {
            "match": "*.example.com/**",
            "because": "`registry` stands for less than `*`"
        }
    ],
    "judged_as": null,
    "exempt": null,
    "demands": [
        "targets/releases says which digest the tag means; where it says nothing, targets",
        "the first root that is seen is trusted from then on",
        "the server is asked again after 1m"
    ]
}

"#]]
            .raw(),
        );
}

#[test]
fn goes_by_the_policy_there_is() {
    let home = Home::with("");
    home.trust("policy explain alpine")
        .assert()
        .code(2)
        .stdout_eq("")
        .stderr_eq(
            str![[r#"
trust: policy explain: there is no policy
hint: name one with --policy

"#]]
            .raw(),
        );
    home.trust("policy explain alpine")
        .env("DOCKER_CONTENT_TRUST", "1")
        .assert()
        .code(0)
        .stdout_eq(
            str![[r#"
Image:    docker.io/library/alpine:latest
Rule:     DOCKER_CONTENT_TRUST, because no other rule matches
Demands:  targets/releases says which digest the tag means; where it says nothing, targets
          the first root that is seen is trusted from then on
          the server is asked again after 1m

"#]]
            .raw(),
        );
    let folder = home.path().join(".docker/trust");
    std::fs::create_dir_all(&folder).unwrap();
    write(
        &folder.join("policy.toml"),
        "[default]\nrequire = \"accept\"\n",
    );
    home.trust("policy explain alpine")
        .assert()
        .code(0)
        .stdout_eq(
            str![[r#"
Image:    docker.io/library/alpine:latest
Rule:     default, because no other rule matches
Demands:  it passes, signed or not

"#]]
            .raw(),
        );
}

#[test]
fn a_name_that_is_none_is_refused() {
    let home = Home::with(MANY);
    home.trust("policy explain Team/App --policy policy.toml")
        .assert()
        .code(2)
        .stdout_eq("")
        .stderr_eq(
            str![[r#"
trust: policy explain: invalid reference format: repository name (App) must be lowercase

"#]]
            .raw(),
        );
}
