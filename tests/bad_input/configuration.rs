//! Docker's configuration, the environment, and what credential helpers say.

use super::{Answer, Machine, Server};
use snapbox::str;
use std::fs;
use std::os::unix::fs::PermissionsExt;

fn configured(json: &str) -> Machine {
    let machine = Machine::new();
    machine.file(".docker/config.json", json);
    machine
}

fn helped(script: &str) -> Machine {
    let machine = configured(r#"{"credsStore":"broken"}"#);
    let program = "bin/docker-credential-broken";
    machine.file(program, format!("#!/bin/sh\n{script}\n"));
    fs::set_permissions(machine.path(program), fs::Permissions::from_mode(0o755)).unwrap();
    machine
}

#[test]
fn config_json() {
    configured(r#"{"auths": {"#).refuses([("verify reg.example/app:1", str![[r#"
trust: verify reg.example/app:1: [HOME]/.docker/config.json, line 1, column 11: EOF while parsing an object
exit 2

"#]])]);
    configured("[]").refuses([("verify reg.example/app:1", str![[r#"
trust: verify reg.example/app:1: [HOME]/.docker/config.json, line 1, column 1: expected a JSON object
exit 2

"#]])]);
    configured("not json").refuses([("verify reg.example/app:1", str![[r#"
trust: verify reg.example/app:1: [HOME]/.docker/config.json, line 1, column 1: expected a JSON object
exit 2

"#]])]);
    configured(r#"{"auths": "none"}"#).refuses([("verify reg.example/app:1", str![[r#"
trust: verify reg.example/app:1: [HOME]/.docker/config.json, line 1, column 16: invalid type: string "none", expected a map
exit 2

"#]])]);
    configured(r#"{"auths": {"reg.example": {"auth": 7}}}"#)
        .refuses([("verify reg.example/app:1", str![[r#"
trust: verify reg.example/app:1: [HOME]/.docker/config.json, line 1, column 36: invalid type: integer `7`, expected a string
exit 2

"#]])]);
    configured(r#"{"auths": {"reg.example": {"auth": "?!"}}}"#).refuses([(
        "verify reg.example/app:1",
        str![[r#"
trust: verify reg.example/app:1: invalid credentials for reg.example: the auth field is not base64
exit 2

"#]],
    )]);
    configured(r#"{"auths": {"reg.example": {"auth": "bm9jb2xvbg=="}}}"#)
        .refuses([("verify reg.example/app:1", str![[r#"
trust: verify reg.example/app:1: invalid credentials for reg.example: the auth field is not user:password
exit 2

"#]])]);
    let machine = Machine::new();
    machine.folder(".docker/config.json");
    machine.refuses([(
        "verify reg.example/app:1",
        str![[r#"
trust: verify reg.example/app:1: cannot read [HOME]/.docker/config.json: Is a directory
exit 2

"#]],
    )]);
    configured(&"[".repeat(100_000)).refuses([("verify reg.example/app:1", str![[r#"
trust: verify reg.example/app:1: [HOME]/.docker/config.json, line 1, column 1: expected a JSON object
exit 2

"#]])]);
    configured(&" ".repeat((4 << 20) + 1)).refuses([(
        "verify reg.example/app:1",
        str![[r#"
trust: verify reg.example/app:1: [HOME]/.docker/config.json is larger than 4194304 bytes
exit 2

"#]],
    )]);
}

#[test]
fn credential_helpers() {
    configured(r#"{"credsStore":"absent"}"#).refuses([("verify reg.example/app:1", str![[r#"
trust: verify reg.example/app:1: error getting credentials: docker-credential-absent: No such file or directory
hint: credential helpers are named by credsStore and credHelpers in config.json
exit 3

"#]])]);
    configured(r#"{"credHelpers":{"reg.example":"../sh"}}"#)
        .refuses([("verify reg.example/app:1", str![[r#"
trust: verify reg.example/app:1: error getting credentials: docker-credential-../sh: a helper is named without a path
hint: credential helpers are named by credsStore and credHelpers in config.json
exit 3

"#]])]);
    helped("echo the vault is closed; exit 1").refuses([("verify reg.example/app:1", str![[r#"
trust: verify reg.example/app:1: error getting credentials: docker-credential-broken: the vault is closed
hint: credential helpers are named by credsStore and credHelpers in config.json
exit 3

"#]])]);
    helped("echo gibberish").refuses([("verify reg.example/app:1", str![[r#"
trust: verify reg.example/app:1: error getting credentials: docker-credential-broken: its answer is not JSON
hint: credential helpers are named by credsStore and credHelpers in config.json
exit 3

"#]])]);
    helped("exit 0").refuses([("verify reg.example/app:1", str![[r#"
trust: verify reg.example/app:1: error getting credentials: docker-credential-broken: its answer is not JSON
hint: credential helpers are named by credsStore and credHelpers in config.json
exit 3

"#]])]);
    helped("kill -9 $$").refuses([("verify reg.example/app:1", str![[r#"
trust: verify reg.example/app:1: error getting credentials: docker-credential-broken: it failed without a word
hint: credential helpers are named by credsStore and credHelpers in config.json
exit 3

"#]])]);
}

#[test]
fn environment() {
    let server = |url: &str| Machine::new().with("DOCKER_CONTENT_TRUST_SERVER", url);
    server("http://127.0.0.1:4443").refuses([("verify reg.example/app:1", str![[r#"
trust: verify reg.example/app:1: valid https URL required for trust server, got http://127.0.0.1:4443
exit 2

"#]])]);
    server("notary").refuses([(
        "verify reg.example/app:1",
        str![[r#"
trust: verify reg.example/app:1: valid https URL required for trust server, got notary
exit 2

"#]],
    )]);
    server("https://").refuses([(
        "verify reg.example/app:1",
        str![[r#"
trust: verify reg.example/app:1: valid https URL required for trust server, got https://
exit 2

"#]],
    )]);
    Machine::new().refuses([
        (
            "verify --server ftp://reg.example reg.example/app:1",
            str![[r#"
trust: verify reg.example/app:1: valid https URL required for trust server, got ftp://reg.example
exit 2

"#]],
        ),
        (
            "verify --tls-ca absent.crt reg.example/app:1",
            str![[r#"
trust: verify reg.example/app:1: cannot read absent.crt: No such file or directory
exit 2

"#]],
        ),
        (
            "verify --tls-ca .docker reg.example/app:1",
            str![[r#"
trust: verify reg.example/app:1: cannot read .docker: Is a directory
exit 2

"#]],
        ),
    ]);
    Machine::new().with("DOCKER_AUTH_CONFIG", "{").refuses([(
        "verify reg.example/app:1",
        str![[r#"
trust: verify reg.example/app:1: DOCKER_AUTH_CONFIG, line 1, column 1: EOF while parsing an object
exit 2

"#]],
    )]);
    Machine::new()
        .with("DOCKER_CONFIG", "")
        .with("HOME", "")
        .refuses([(
            "verify reg.example/app:1",
            str![[r#"
trust: verify: cannot find Docker's configuration: set DOCKER_CONFIG or HOME
exit 2

"#]],
        )]);
    let server = Server::https(|_| Answer::ok());
    let machine = Machine::new().with_trust_server(&server);
    machine.file(
        &format!(".docker/tls/{}/ca.crt", server.host),
        "no certificate",
    );
    machine.refuses([(
        "verify reg.example/app:1",
        str![[r#"
trust: verify reg.example/app:1: [HOME]/.docker/tls/[SERVER]/ca.crt holds no certificate in PEM form
exit 2

"#]],
    )]);
}

#[test]
fn passphrases() {
    let variable = "DOCKER_CONTENT_TRUST_REPOSITORY_PASSPHRASE_FILE";
    let machine = Machine::new();
    machine.file("empty", "").file("short", "seven77\n");
    machine.file("binary", [0xff, 0xfe, 0x00, 0x41]);
    machine.file("huge", "x".repeat(2 << 20));
    machine.refuses([
        ("key generate alice", str![[r#"
| Generating key for alice...
trust: failed to generate key for alice: no passphrase for the alice key, and no terminal to ask on
hint: set DOCKER_CONTENT_TRUST_REPOSITORY_PASSPHRASE, or name a file with DOCKER_CONTENT_TRUST_REPOSITORY_PASSPHRASE_FILE or --passphrase-file
exit 2

"#]]),
        ("key generate --passphrase-file absent alice", str![[r#"
| Generating key for alice...
trust: failed to generate key for alice: cannot read absent: no such file
exit 2

"#]]),
        ("key generate --passphrase-file .docker alice", str![[r#"
| Generating key for alice...
trust: failed to generate key for alice: cannot read .docker: Is a directory
exit 2

"#]]),
        ("key generate --passphrase-file empty alice", str![[r#"
| Generating key for alice...
trust: failed to generate key for alice: cannot read empty: there is no passphrase in it
exit 2

"#]]),
        ("key generate --passphrase-file binary alice", str![[r#"
| Generating key for alice...
trust: failed to generate key for alice: cannot read binary: a passphrase is text in UTF-8
exit 2

"#]]),
        ("key generate --passphrase-file huge alice", str![[r#"
| Generating key for alice...
trust: failed to generate key for alice: huge is larger than 65536 bytes
exit 2

"#]]),
    ]);
    Machine::new()
        .with(variable, "absent")
        .refuses([("key generate alice", str![[r#"
| Generating key for alice...
trust: failed to generate key for alice: DOCKER_CONTENT_TRUST_REPOSITORY_PASSPHRASE_FILE: cannot read absent: no such file
exit 2

"#]])]);
}
