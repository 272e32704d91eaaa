use super::{Home, MANY, write};
use snapbox::{IntoData as _, str};

#[test]
fn lists_the_rules_in_order_of_precedence() {
    let home = Home::with(MANY);
    home.trust("policy check policy.toml")
        .assert()
        .code(0)
        .stdout_eq(str![[r#"
MATCH                         REQUIRE   MODE      DEMANDS
registry.example.com/team/*   signed    enforce   in targets/releases and targets/qa; by dave; 2 of alice, bob, carol; 3 signers; root key abababababab; from https://notary.example.com; for prod; not superseded; confirmed within 1d; 2 exemptions
registry.example.com/hub/**   signed    audit     as docker.io/**
registry.example.com/**       signed    enforce   first root trusted
*.example.com/**              reject    enforce   
docker.io/library/alpine      accept    enforce   
default                       reject    enforce   

Local images: reject
Builds: accept

"#]].raw())
        .stderr_eq(str![[r#"
warning: registry.example.com/team/*: the exemption of sha256:cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd ran out at 2020-02-01T00:00:00Z
warning: registry.example.com/hub/** is only audited: what it refuses passes

"#]].raw());
}

#[test]
fn tells_programs_the_same() {
    let home = Home::with(MANY);
    home.trust("policy check policy.toml --format json --quiet")
        .assert()
        .code(0)
        .stdout_eq(str![[r#"
{
    "file": "policy.toml",
    "hash": "cc93d91cbada4775338fd2c65a3c09a3bbd96a1eb0424e6462f7513091eea091",
    "rules": [
        {
            "match": "registry.example.com/team/*",
            "require": "signed",
            "mode": "enforce",
            "roles": [
                "targets/releases",
                "targets/qa"
            ],
            "signers": [
                "dave"
            ],
            "quorum": [
                {
                    "at_least": 2,
                    "of": [
                        "alice",
                        "bob",
                        "carol"
                    ]
                },
                {
                    "at_least": 3,
                    "of": []
                }
            ],
            "root_keys": [
                "abababababababababababababababababababababababababababababababab"
            ],
            "root_authorities": 0,
            "first_use": false,
            "as": null,
            "server": "https://notary.example.com",
            "context": "prod",
            "refuse_superseded": true,
            "refresh": "1m",
            "max_age": "1d",
            "exempt": [
                {
                    "digest": "sha256:cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd",
                    "until": "2020-02-01T00:00:00Z",
                    "why": null
                },
                {
                    "digest": "sha256:efefefefefefefefefefefefefefefefefefefefefefefefefefefefefefefef",
                    "until": "2999-02-01T00:00:00Z",
                    "why": "until it is built anew"
                }
            ]
        },
        {
            "match": "registry.example.com/hub/**",
            "require": "signed",
            "mode": "audit",
            "roles": [],
            "signers": [],
            "quorum": [],
            "root_keys": [],
            "root_authorities": 0,
            "first_use": false,
            "as": "docker.io/**",
            "server": null,
            "context": null,
            "refuse_superseded": false,
            "refresh": "1m",
            "max_age": null,
            "exempt": []
        },
        {
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
        {
            "match": "*.example.com/**",
            "require": "reject",
            "mode": "enforce",
            "exempt": []
        },
        {
            "match": "docker.io/library/alpine",
            "require": "accept",
            "mode": "enforce",
            "exempt": []
        }
    ],
    "default": {
        "match": null,
        "require": "reject",
        "mode": "enforce",
        "exempt": []
    },
    "engine": {
        "local": "reject",
        "build": "accept"
    },
    "warnings": [
        "registry.example.com/team/*: the exemption of sha256:cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd ran out at 2020-02-01T00:00:00Z",
        "registry.example.com/hub/** is only audited: what it refuses passes"
    ]
}

"#]].raw())
        .stderr_eq(str![].raw());
}

#[test]
fn an_empty_policy_refuses_everything() {
    let home = Home::with("");
    home.trust("policy check policy.toml")
        .assert()
        .code(0)
        .stdout_eq(
            str![[r#"
MATCH     REQUIRE   MODE      DEMANDS
default   reject    enforce   

Local images: reject
Builds: reject

"#]]
            .raw(),
        )
        .stderr_eq(str![].raw());
}

#[test]
fn an_accepting_default_is_warned_of() {
    let home = Home::with("[default]\nrequire = \"accept\"\n");
    home.trust("policy check policy.toml")
        .assert()
        .code(0)
        .stdout_eq(
            str![[r#"
MATCH     REQUIRE   MODE      DEMANDS
default   accept    enforce   

Local images: reject
Builds: reject

"#]]
            .raw(),
        )
        .stderr_eq(
            str![[r#"
warning: the default accepts every image that no rule is for, signed or not

"#]]
            .raw(),
        );
}

#[test]
fn a_conflict_is_named_with_both_places() {
    let home = Home::with(
        "[[rule]]\nmatch = \"r.test/app-*\"\nrequire = \"accept\"\n\n\
         [[rule]]\nmatch = \"r.test/*-app\"\nrequire = \"reject\"\n",
    );
    home.trust("policy check policy.toml")
        .assert()
        .code(2)
        .stdout_eq("")
        .stderr_eq(str![[r#"
trust: policy check: policy.toml, line 6, column 9: `r.test/*-app` and `r.test/app-*` (line 2, column 9) match the same names, and neither is more exact

"#]].raw());
}

#[test]
fn a_mistake_is_named_with_its_place() {
    let home = Home::with("[default]\nrequire = \"signed\"\n  sigers = [\"alice\"]\n");
    home.trust("policy check policy.toml")
        .assert()
        .code(2)
        .stdout_eq("")
        .stderr_eq(str![[r#"
trust: policy check: policy.toml, line 3, column 3: unknown field `sigers`, expected one of `match`, `require`, `mode`, `signers`, `quorum`, `roles`, `root_keys`, `root_ca`, `first_use`, `as`, `server`, `context`, `refuse_superseded`, `refresh`, `max_age`, `exempt`

"#]].raw());
    home.trust("policy check policy.toml --format json")
        .assert()
        .code(2)
        .stdout_eq("");
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let home = Home::with("");
    home.trust("policy check absent.toml")
        .assert()
        .code(2)
        .stdout_eq("")
        .stderr_eq(
            str![[r#"
trust: policy check: cannot read absent.toml: no such file or directory

"#]]
            .raw(),
        );
    home.trust("policy check .").assert().code(2).stdout_eq("");
    let bytes = [0xff, 0xfe];
    trust_store::write_atomic(&home.path().join("latin1.toml"), &bytes, 0o600).unwrap();
    home.trust("policy check latin1.toml")
        .assert()
        .code(2)
        .stderr_eq(
            str![[r#"
trust: policy check: cannot read latin1.toml: it is not UTF-8

"#]]
            .raw(),
        );
    write(&home.path().join("large.toml"), &"#".repeat(3_000_000));
    home.trust("policy check large.toml")
        .assert()
        .code(2)
        .stderr_eq(
            str![[r#"
trust: policy check: large.toml, line 1, column 1: the file is larger than 1048576 bytes

"#]]
            .raw(),
        );
}

/// Files that a policy names lie beside it, wherever the program is run.
#[test]
fn an_authority_lies_beside_the_policy() {
    let home = Home::with("");
    let folder = home.path().join("etc");
    std::fs::create_dir(&folder).unwrap();
    let policy = "[default]\nrequire = \"signed\"\nroot_ca = \"ca.pem\"\n";
    write(&folder.join("policy.toml"), policy);
    home.trust("policy check etc/policy.toml")
        .assert()
        .code(2)
        .stderr_eq(
            str![[r#"
trust: policy check: etc/policy.toml, line 3, column 11: ca.pem: no such file or directory

"#]]
            .raw(),
        );
    write(&folder.join("ca.pem"), "not a certificate");
    home.trust("policy check etc/policy.toml")
        .assert()
        .code(2)
        .stderr_eq(str![[r#"
trust: policy check: etc/policy.toml, line 3, column 11: ca.pem: a root certificate is invalid: there is none

"#]].raw());
    write(&folder.join("ca.pem"), &authority(false));
    home.trust("policy check etc/policy.toml")
        .assert()
        .code(2)
        .stderr_eq(str![[r#"
trust: policy check: etc/policy.toml, line 3, column 11: ca.pem: a root certificate is invalid: a certificate that belongs to no CA

"#]].raw());
    write(&folder.join("ca.pem"), &authority(true));
    home.trust("policy check etc/policy.toml")
        .assert()
        .code(0)
        .stdout_eq(
            str![[r#"
MATCH     REQUIRE   MODE      DEMANDS
default   signed    enforce   root from an authority

Local images: reject
Builds: reject

"#]]
            .raw(),
        );
}

/// A certificate in PEM.
fn authority(is_ca: bool) -> String {
    let mut params = rcgen::CertificateParams::default();
    if is_ca {
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    }
    let key = rcgen::KeyPair::generate().unwrap();
    params.self_signed(&key).unwrap().pem()
}
