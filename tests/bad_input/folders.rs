//! Trust directories that cannot be used, and damage in them.
//!
//! Modes do not stop root, so what cannot be written here lies below a file; read-only and full
//! disks are tested with the real peers.

use super::{Machine, Server, openssl};
use snapbox::str;
use std::os::unix::fs::symlink;

#[test]
fn trust_directories() {
    let machine = Machine::new().with_passphrases();
    machine.file("file", "").folder(".docker");
    symlink("loop", machine.path("loop")).unwrap();
    machine.refuses([
        ("key generate --trust-dir file alice", str![[r#"
| Generating key for alice...
trust: failed to generate key for alice: could not read file/private: Not a directory
hint: name a folder of your own with --trust-dir
exit 3

"#]]),
        ("key generate --trust-dir file/trust alice", str![[r#"
| Generating key for alice...
trust: failed to generate key for alice: could not read file/trust/private: Not a directory
hint: name a folder of your own with --trust-dir
exit 3

"#]]),
        ("key generate --trust-dir loop alice", str![[r#"
| Generating key for alice...
trust: failed to generate key for alice: could not read loop/private: Too many levels of symbolic links
hint: name a folder of your own with --trust-dir
exit 3

"#]]),
        ("key generate --trust-dir /dev/null alice", str![[r#"
| Generating key for alice...
trust: failed to generate key for alice: could not read /dev/null/private: Not a directory
hint: name a folder of your own with --trust-dir
exit 3

"#]]),
        ("key list --trust-dir file", str![[r#"
trust: key list: could not read file/private: Not a directory
hint: name a folder of your own with --trust-dir
exit 3

"#]]),
        ("verify --offline --trust-dir file reg.example/app:1", str![[r#"
trust: verify reg.example/app:1: could not read file/tuf/reg.example/app/.floor.json: Not a directory [unreachable]
hint: name a folder with --trust-dir that can be written and has room
exit 3

"#]]),
        ("verify --offline --trust-dir loop reg.example/app:1", str![[r#"
trust: verify reg.example/app:1: could not read loop/tuf/reg.example/app/.floor.json: Too many levels of symbolic links [unreachable]
hint: name a folder with --trust-dir that can be written and has room
exit 3

"#]]),
        ("inspect --offline --trust-dir file reg.example/app:1", str![[r#"
| []
trust: no signatures or cannot access reg.example/app:1: could not read file/tuf/reg.example/app/.floor.json: Not a directory [unreachable]
hint: name a folder with --trust-dir that can be written and has room
exit 3

"#]]),
        ("key generate --dir absent alice", str![[r#"
trust: key generate: public key path does not exist: "absent"
exit 2

"#]]),
        ("key generate --dir file alice", str![[r#"
trust: key generate: public key path does not exist: "file"
exit 2

"#]]),
    ]);
    assert!(!machine.path("alice.pub").exists());
}

#[test]
fn a_public_key_in_the_way() {
    let machine = Machine::new().with_passphrases();
    machine.file("alice.pub", "mine");
    machine.refuses([(
        "key generate alice",
        str![[r#"
trust: key generate: public key file already exists: "[HOME]/alice.pub"
exit 2

"#]],
    )]);
    assert!(!machine.path(".docker/trust").exists(), "a key was made");
    assert_eq!(std::fs::read(machine.path("alice.pub")).unwrap(), b"mine");
}

#[test]
fn folders_inside() {
    let machine = Machine::new().with_passphrases();
    machine
        .file(".docker/trust/private", "")
        .file(".docker/trust/tuf", "");
    machine.refuses([
        ("key generate alice", str![[r#"
| Generating key for alice...
trust: failed to generate key for alice: could not read [HOME]/.docker/trust/private: Not a directory
hint: name a folder of your own with --trust-dir
exit 3

"#]]),
        ("key list", str![[r#"
trust: key list: could not read [HOME]/.docker/trust/private: Not a directory
hint: name a folder of your own with --trust-dir
exit 3

"#]]),
        ("verify --offline reg.example/app:1", str![[r#"
trust: verify reg.example/app:1: could not read [HOME]/.docker/trust/tuf/reg.example/app/.floor.json: Not a directory [unreachable]
hint: name a folder with --trust-dir that can be written and has room
exit 3

"#]]),
    ]);
}

#[test]
fn kept_metadata() {
    let kept = |name: &str, bytes: &[u8]| {
        let machine = Machine::new();
        machine.file(&format!(".docker/trust/tuf/reg.example/app/{name}"), bytes);
        machine
    };
    kept("metadata/root.json", b"{\"signed\":").refuses([
        ("verify --offline reg.example/app:1", str![[r#"
trust: verify reg.example/app:1: the root kept on this machine cannot be used: root metadata are invalid: not acceptable JSON: EOF while parsing a value at line 1 column 10 [malformed]
hint: ask the publisher over another channel; only if they confirm a new root, forget this one with `trust repo delete REPOSITORY` and trust theirs with `trust repo pin`
exit 1

"#]]),
        ("inspect --offline reg.example/app:1", str![[r#"
| []
trust: no signatures or cannot access reg.example/app:1: the root kept on this machine cannot be used: root metadata are invalid: not acceptable JSON: EOF while parsing a value at line 1 column 10 [malformed]
hint: ask the publisher over another channel; only if they confirm a new root, forget this one with `trust repo delete REPOSITORY` and trust theirs with `trust repo pin`
exit 1

"#]]),
    ]);
    kept("metadata/root.json", b"").refuses([("verify --offline reg.example/app:1", str![[r#"
trust: verify reg.example/app:1: the root kept on this machine cannot be used: root metadata are invalid: not acceptable JSON: EOF while parsing a value at line 1 column 0 [malformed]
hint: ask the publisher over another channel; only if they confirm a new root, forget this one with `trust repo delete REPOSITORY` and trust theirs with `trust repo pin`
exit 1

"#]])]);
    kept("metadata/root.json", &vec![b' '; 5 << 20]).refuses([("verify --offline reg.example/app:1", str![[r#"
trust: verify reg.example/app:1: [HOME]/.docker/trust/tuf/reg.example/app/metadata/root.json is larger than 4194304 bytes [unreachable]
exit 3

"#]])]);
    kept(".floor.json", b"{]").refuses([("verify --offline reg.example/app:1", str![[r#"
trust: verify reg.example/app:1: the memory of versions seen is damaged: key must be a string at line 1 column 2 [malformed]
hint: restore the repository's .floor.json from a backup
exit 1

"#]])]);
    kept(".pending/what", b"?").refuses([(
        "verify --offline reg.example/app:1",
        str![[r#"
trust: verify reg.example/app:1: client is offline [unreachable]
hint: leave out --offline: this needs more than is kept here
exit 3

"#]],
    )]);
    let machine = Machine::new();
    machine.folder(".docker/trust/tuf/reg.example/app/metadata/root.json");
    machine.refuses([("verify --offline reg.example/app:1", str![[r#"
trust: verify reg.example/app:1: could not read [HOME]/.docker/trust/tuf/reg.example/app/metadata/root.json: Is a directory [unreachable]
hint: name a folder with --trust-dir that can be written and has room
exit 3

"#]])]);
    Machine::new().refuses([
        (
            "verify --offline reg.example/app:1",
            str![[r#"
trust: verify reg.example/app:1: client is offline [unreachable]
hint: leave out --offline: this needs more than is kept here
exit 3

"#]],
        ),
        (
            "sign --offline reg.example/app:1",
            str![[r#"
trust: sign reg.example/app:1: client is offline [unreachable]
hint: leave out --offline: this needs more than is kept here
exit 3

"#]],
        ),
        (
            "pull --offline reg.example/app:1",
            str![[r#"
trust: pull reg.example/app:1: client is offline [unreachable]
hint: leave out --offline: this needs more than is kept here
exit 3

"#]],
        ),
    ]);
}

#[test]
fn damage_among_the_keys() {
    let id = "b86e65ec389689dc89e4712826c7db881e578cf43624bc3d1a7dbd5bc84d004f";
    let other = "a877f4539d9043307ab9ba606a0fe4d56c60d19f66ce9d4c0df15b4d2fe275aa";
    let stored = |id: &str, bytes: Vec<u8>| {
        let machine = Machine::new().with_passphrases();
        machine.file(&format!(".docker/trust/private/{id}.key"), bytes);
        machine
    };
    stored(id, b"gone".to_vec()).refuses([(
        "key show b86e",
        str![[r#"
trust: key show b86e: [HOME]/.docker/trust/private/b86e65ec389689dc89e4712826c7db881e578cf43624bc3d1a7dbd5bc84d004f.key: no valid private key found
exit 2

"#]],
    )]);
    stored(other, openssl("ec-pkcs8")).refuses([("key show a877", str![[r#"
trust: key show a877: [HOME]/.docker/trust/private/a877f4539d9043307ab9ba606a0fe4d56c60d19f66ce9d4c0df15b4d2fe275aa.key: the file named a877f4539d9043307ab9ba606a0fe4d56c60d19f66ce9d4c0df15b4d2fe275aa holds the key b86e65ec389689dc89e4712826c7db881e578cf43624bc3d1a7dbd5bc84d004f
exit 2

"#]])]);
    let half = openssl("ec-pkcs8-default")[..150].to_vec();
    stored(id, half).refuses([(
        "key show b86e",
        str![[r#"
trust: key show b86e: [HOME]/.docker/trust/private/b86e65ec389689dc89e4712826c7db881e578cf43624bc3d1a7dbd5bc84d004f.key: no valid private key found
exit 2

"#]],
    )]);
    stored(id, openssl("ec-pkcs8-default"))
        .with("DOCKER_CONTENT_TRUST_REPOSITORY_PASSPHRASE", "wrongphrase")
        .refuses([(
            "key show b86e",
            str![[r#"
trust: key show b86e: password invalid, operation has failed.
exit 2

"#]],
        )]);
    stored(id, openssl("ec-pkcs8-default"))
        .with("DOCKER_CONTENT_TRUST_REPOSITORY_PASSPHRASE", "")
        .refuses([("key show b86e", str![[r#"
trust: key show b86e: no passphrase for the signer key, and no terminal to ask on
hint: set DOCKER_CONTENT_TRUST_REPOSITORY_PASSPHRASE, or name a file with DOCKER_CONTENT_TRUST_REPOSITORY_PASSPHRASE_FILE or --passphrase-file
exit 2

"#]])]);
    let down = Server::down();
    let machine = stored(id, vec![b'x'; (1 << 20) + 1]).with_address(&down);
    machine.refuses([(
        "key show b86e",
        str![[r#"
trust: key show b86e: [HOME]/.docker/trust/private/b86e65ec389689dc89e4712826c7db881e578cf43624bc3d1a7dbd5bc84d004f.key: the file is larger than 1048576 bytes, no key is
exit 2

"#]],
    )]);
}
