//! A signed image, and a registry or a person that means another one.

use super::{Answer, Machine, Server};
use crate::world::{self, Key, Publisher, days, now};
use snapbox::str;
use std::collections::BTreeMap;
use trust::tuf::envelope::Expires;

const IMAGE: &str = r#"{"schemaVersion":2,"config":{},"layers":[]}"#;
const OTHER: &str = r#"{"schemaVersion":2,"config":{},"layers":[{}]}"#;

/// A registry, the trust server that vouches for `app:1` in it, and a machine that uses both.
struct Scene {
    name: String,
    machine: Machine,
    _servers: [Server; 3],
}

impl Scene {
    /// The registry serves this manifest, whatever is asked for; `change` touches what is published.
    fn new(served: &'static str, change: fn(&mut Publisher)) -> Self {
        let registry = Server::http(move |path| match path {
            "/v2/" => Answer::ok(),
            _ => Answer::new(200, served),
        });
        let name = format!("{}/app", registry.host);
        let files = published(&name, change);
        let trust_server = Server::https(move |path| {
            let name = path.split_once("/_trust/tuf/").map(|(_, name)| name);
            match name.map(|name| files.get(name)) {
                Some(Some(file)) => Answer::new(200, file.clone()),
                Some(None) => Answer::new(404, ""),
                None => Answer::ok(),
            }
        });
        let engine = Server::http(|_| Answer::new(200, r#"{"ApiVersion":"1.44","Version":"27"}"#));
        let machine = Machine::new()
            .with_passphrases()
            .with_trust_server(&trust_server)
            .with("DOCKER_HOST", &format!("tcp://{}", engine.host))
            .hiding("[REGISTRY]", &registry.host);
        Self {
            name,
            machine,
            _servers: [registry, trust_server, engine],
        }
    }

    /// A command line with `IMAGE` for the repository's name.
    fn line(&self, line: &str) -> String {
        line.replace("IMAGE", &self.name)
    }
}

/// What an honest trust server has of `gun`, valid for all the years this test will run.
fn published(gun: &str, change: fn(&mut Publisher)) -> BTreeMap<String, Vec<u8>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let late = || Expires::at(days(36_500));
    let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
    let root = vec![Key::certified(&pair, gun, now(), days(36_500))];
    let mut publisher = Publisher::new();
    publisher.root.keys.clear();
    publisher.signers.insert("root".to_owned(), root);
    for role in ["root", "targets", "snapshot", "timestamp"] {
        publisher.entrust(role, &publisher.signers[role].clone(), 1);
    }
    publisher.root.expires = late();
    publisher.snapshot.expires = late();
    publisher.timestamp.expires = late();
    for (role, targets) in &mut publisher.targets {
        targets.expires = late();
        if role != "targets" {
            targets.targets.clear();
        }
    }
    for role in ["targets/releases", "targets/alice"] {
        publisher.sign_image(role, "1", IMAGE.as_bytes());
    }
    change(&mut publisher);
    runtime.block_on(async {
        let server = world::Server::start().await;
        publisher.publish(&server);
        let files = server.names().into_iter();
        files
            .map(|name| (name.clone(), server.file(&name)))
            .collect()
    })
}

#[test]
fn the_honest_scene_is_trusted() {
    let scene = Scene::new(IMAGE, |_| {});
    let said = scene.machine.run(&scene.line("verify IMAGE:1"));
    assert!(said.ends_with("exit 0\n"), "{said}");
}

#[test]
fn another_manifest_than_the_signed_one() {
    let scene = Scene::new(OTHER, |_| {});
    scene.machine.refuses([
        (&scene.line("pull IMAGE:1"), str![[r#"
| Pull (1 of 1): [REGISTRY]/app:1@sha256:4108250765b19c4d5000be73d2bdd612bbb17a989972bcfd1adbf5085a9af46b
trust: pull [REGISTRY]/app:1: the registry served sha256:d3e5849e10e74618d7d9308843aae9bf45c319017eea2c9fd0ad02346c758294 when asked for sha256:4108250765b19c4d5000be73d2bdd612bbb17a989972bcfd1adbf5085a9af46b [digest-not-signed]
exit 1

"#]]),
        (&scene.line("pull -a IMAGE"), str![[r#"
| Pull (1 of 1): [REGISTRY]/app:1@sha256:4108250765b19c4d5000be73d2bdd612bbb17a989972bcfd1adbf5085a9af46b
trust: pull [REGISTRY]/app: the registry served sha256:d3e5849e10e74618d7d9308843aae9bf45c319017eea2c9fd0ad02346c758294 when asked for sha256:4108250765b19c4d5000be73d2bdd612bbb17a989972bcfd1adbf5085a9af46b [digest-not-signed]
exit 1

"#]]),
    ]);
    // The digest fits; then the length is what differs.
    let scene = Scene::new(IMAGE, |publisher| {
        for role in ["targets/releases", "targets/alice"] {
            let facts = publisher.targets.get_mut(role).unwrap();
            facts.targets.get_mut("1").unwrap().length += 1;
        }
    });
    scene.machine.refuses([(&scene.line("pull IMAGE:1"), str![[r#"
| Pull (1 of 1): [REGISTRY]/app:1@sha256:4108250765b19c4d5000be73d2bdd612bbb17a989972bcfd1adbf5085a9af46b
trust: pull [REGISTRY]/app:1: sha256:4108250765b19c4d5000be73d2bdd612bbb17a989972bcfd1adbf5085a9af46b is signed as 44 bytes, the registry serves 43 [digest-not-signed]
exit 1

"#]])]);
    let scene = Scene::new("<html>", |_| {});
    scene.machine.refuses([(&scene.line("pull IMAGE:1"), str![[r#"
| Pull (1 of 1): [REGISTRY]/app:1@sha256:4108250765b19c4d5000be73d2bdd612bbb17a989972bcfd1adbf5085a9af46b
trust: pull [REGISTRY]/app:1: the registry served no usable manifest: it is not a JSON object [malformed]
exit 1

"#]])]);
}

#[test]
fn what_is_not_signed() {
    let scene = Scene::new(IMAGE, |_| {});
    let zeros = "0".repeat(64);
    scene.machine.refuses([
        (&scene.line("verify IMAGE:2"), str![[r#"
trust: verify [REGISTRY]/app:2: No valid trust data for 2 [unsigned]
exit 1

"#]]),
        (&scene.line("verify IMAGE"), str![[r#"
trust: verify [REGISTRY]/app: No valid trust data for latest [unsigned]
exit 1

"#]]),
        (&scene.line(&format!("verify IMAGE:1@sha256:{zeros}")), str![[r#"
trust: verify [REGISTRY]/app:1@sha256:0000000000000000000000000000000000000000000000000000000000000000: 1 is signed as sha256:4108250765b19c4d5000be73d2bdd612bbb17a989972bcfd1adbf5085a9af46b, not as sha256:0000000000000000000000000000000000000000000000000000000000000000 [digest-not-signed]
exit 1

"#]]),
        (&scene.line(&format!("verify IMAGE@sha256:{zeros}")), str![[r#"
trust: verify [REGISTRY]/app@sha256:0000000000000000000000000000000000000000000000000000000000000000: no signed tag has the digest sha256:0000000000000000000000000000000000000000000000000000000000000000 [digest-not-signed]
exit 1

"#]]),
        (&scene.line(&format!("verify IMAGE@sha512:{zeros}{zeros}")), str![[r#"
trust: verify [REGISTRY]/app@sha512:00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000: no signed tag has the digest sha512:00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000 [digest-not-signed]
exit 1

"#]]),
        (&scene.line("verify --signer bob IMAGE:1"), str![[r#"
trust: verify [REGISTRY]/app:1: not signed by bob [signer-missing]
exit 1

"#]]),
        (&scene.line("verify --threshold 2 IMAGE:1"), str![[r#"
trust: verify [REGISTRY]/app:1: 1 of 2 signers needed [threshold-unmet]
exit 1

"#]]),
        (&scene.line("pull IMAGE:2"), str![[r#"
trust: pull [REGISTRY]/app:2: No valid trust data for 2 [unsigned]
exit 1

"#]]),
        (&scene.line("pull -a IMAGE:1"), str![[r#"
trust: pull [REGISTRY]/app:1: tag can't be used with --all-tags/-a
exit 2

"#]]),
        (&scene.line("pull -a --disable-content-trust IMAGE"), str![[r#"
trust: pull [REGISTRY]/app: --all-tags pulls what is signed, and --disable-content-trust asks for all else
exit 2

"#]]),
        (&scene.line("pull --platform linux IMAGE:1"), str![[r#"
trust: command line: invalid value 'linux' for '--platform <OS/ARCH>': "linux" is not OS/ARCH or OS/ARCH/VARIANT
hint: --help says more
exit 2

"#]]),
        (&scene.line("verify --format json IMAGE:1 IMAGE:2 App"), str![[r#"
| [
|     {
|         "image": "[REGISTRY]/app:1",
|         "name": "[REGISTRY]/app",
|         "tag": "1",
|         "digest": "sha256:4108250765b19c4d5000be73d2bdd612bbb17a989972bcfd1adbf5085a9af46b",
|         "size": 43,
|         "verdict": "trusted",
|         "reason": null,
|         "message": "1 is signed",
|         "role": "targets/releases",
|         "signers": [
|             "alice"
|         ],
|         "key_ids": [
|             "a982fa1b2212c313d27b17608990d2ac51c6ba1b6f6ab010c3ed95559b0df4e9"
|         ],
|         "root_key_ids": [
|             "[..]"
|         ],
|         "expires": "2126-05-08T12:00:00Z",
|         "versions": {
|             "root": 5,
|             "snapshot": 5,
|             "targets": 5,
|             "targets/alice": 5,
|             "targets/releases": 5,
|             "timestamp": 5
|         },
|         "policy_rule": null
|     },
|     {
|         "image": "[REGISTRY]/app:2",
|         "name": "[REGISTRY]/app",
|         "tag": "2",
|         "digest": null,
|         "size": null,
|         "verdict": "refused",
|         "reason": "unsigned",
|         "message": "No valid trust data for 2",
|         "role": null,
|         "signers": [],
|         "key_ids": [],
|         "root_key_ids": [
|             "[..]"
|         ],
|         "expires": "2126-05-08T12:00:00Z",
|         "versions": {
|             "root": 5,
|             "snapshot": 5,
|             "targets": 5,
|             "targets/alice": 5,
|             "targets/releases": 5,
|             "timestamp": 5
|         },
|         "policy_rule": null
|     },
|     {
|         "image": "App",
|         "name": null,
|         "tag": null,
|         "digest": null,
|         "size": null,
|         "verdict": "undecided",
|         "reason": null,
|         "message": "invalid reference format: repository name (library/App) must be lowercase",
|         "role": null,
|         "signers": [],
|         "key_ids": [],
|         "root_key_ids": [],
|         "expires": null,
|         "versions": {},
|         "policy_rule": null
|     }
| ]
trust: verify [REGISTRY]/app:2: No valid trust data for 2 [unsigned]
trust: verify App: invalid reference format: repository name (library/App) must be lowercase
exit 1

"#]]),
    ]);
}

#[test]
fn keys_that_are_not_here() {
    let scene = Scene::new(IMAGE, |_| {});
    scene.machine.file("alice.pub", super::openssl("public-ec"));
    scene.machine.refuses([
        (&scene.line("sign IMAGE:1"), str![[r#"
| 1: digest: sha256:4108250765b19c4d5000be73d2bdd612bbb17a989972bcfd1adbf5085a9af46b size: 43
| Signing and pushing trust metadata for [REGISTRY]/app:1
| Existing signatures for tag 1 digest 4108250765b19c4d5000be73d2bdd612bbb17a989972bcfd1adbf5085a9af46b from:
| alice
trust: failed to sign [REGISTRY]/app:1: no valid signing keys for delegation roles
hint: load a signer's key with `trust key load`, or name one with `--as`
exit 1

"#]]),
        (&scene.line("sign --as bob IMAGE:1"), str![[r#"
| 1: digest: sha256:4108250765b19c4d5000be73d2bdd612bbb17a989972bcfd1adbf5085a9af46b size: 43
| Signing and pushing trust metadata for [REGISTRY]/app:1
| Existing signatures for tag 1 digest 4108250765b19c4d5000be73d2bdd612bbb17a989972bcfd1adbf5085a9af46b from:
| alice
trust: failed to sign [REGISTRY]/app:1: no signer bob for repository [REGISTRY]/app
exit 2

"#]]),
        (&scene.line("sign --role targets/bob IMAGE:1"), str![[r#"
| 1: digest: sha256:4108250765b19c4d5000be73d2bdd612bbb17a989972bcfd1adbf5085a9af46b size: 43
| Signing and pushing trust metadata for [REGISTRY]/app:1
| Existing signatures for tag 1 digest 4108250765b19c4d5000be73d2bdd612bbb17a989972bcfd1adbf5085a9af46b from:
| alice
trust: failed to sign [REGISTRY]/app:1: tuf: invalid role targets/bob. this role is not known
exit 2

"#]]),
        (&scene.line("revoke IMAGE:1"), str![[r#"
trust: could not remove signature for [REGISTRY]/app:1: could not find necessary signing keys, at least one of these keys must be available: a982fa1b2212c313d27b17608990d2ac51c6ba1b6f6ab010c3ed95559b0df4e9
hint: load one of them with `trust key load KEYFILE`
exit 1

"#]]),
        (&scene.line("revoke IMAGE:2"), str![[r#"
trust: could not remove signature for [REGISTRY]/app:2: No valid trust data for 2 [unsigned]
exit 1

"#]]),
        (&scene.line("revoke -y IMAGE"), str![[r#"
trust: could not remove signature for [REGISTRY]/app: could not find necessary signing keys, at least one of these keys must be available: a982fa1b2212c313d27b17608990d2ac51c6ba1b6f6ab010c3ed95559b0df4e9
hint: load one of them with `trust key load KEYFILE`
exit 1

"#]]),
        (&scene.line("signer add --key alice.pub bob IMAGE"), str![[r#"
| Adding signer "bob" to [REGISTRY]/app...
trust: signer add [REGISTRY]/app: could not find necessary signing keys, at least one of these keys must be available: c3dedb9f6adc50ba0f49a0ae56dc8bc24021cab7c296db65404410b4e3258aef
hint: load one of them with `trust key load KEYFILE`

trust: signer add: failed to add signer to: [REGISTRY]/app
exit 1

"#]]),
        (&scene.line("signer remove -f alice IMAGE"), str![[r#"
| Removing signer "alice" from [REGISTRY]/app...
trust: signer remove [REGISTRY]/app: could not find necessary signing keys, at least one of these keys must be available: c3dedb9f6adc50ba0f49a0ae56dc8bc24021cab7c296db65404410b4e3258aef
hint: load one of them with `trust key load KEYFILE`

trust: signer remove: error removing signer from: [REGISTRY]/app
exit 1

"#]]),
        (&scene.line("signer remove bob IMAGE"), str![[r#"
| Removing signer "bob" from [REGISTRY]/app...
trust: signer remove [REGISTRY]/app: no signer bob for repository [REGISTRY]/app

trust: signer remove: error removing signer from: [REGISTRY]/app
exit 2

"#]]),
        (&scene.line("signer remove releases IMAGE"), str![[r#"
| Removing signer "releases" from [REGISTRY]/app...
trust: signer remove [REGISTRY]/app: releases is a reserved keyword and cannot be removed

trust: signer remove: error removing signer from: [REGISTRY]/app
exit 2

"#]]),
        (&scene.line("repo init IMAGE"), str![[r#"
trust: repo init [REGISTRY]/app: [REGISTRY]/app is initialized already
exit 2

"#]]),
    ]);
}
