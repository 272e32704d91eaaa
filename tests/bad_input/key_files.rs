//! Key files that are damaged, of another kind, or somebody else's business.
//!
//! Modes do not stop root, so unreadable files are folders, loops and links to nowhere here. A named
//! pipe waits for its writer, as everywhere: `key load <(decrypt key)` is meant to work.

use super::{Machine, openssl};
use snapbox::str;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

/// A machine with this key file, which only its owner may read.
fn given(bytes: impl AsRef<[u8]>) -> Machine {
    let machine = Machine::new().with_passphrases();
    machine.file("the.key", bytes);
    let mode = fs::Permissions::from_mode(0o600);
    fs::set_permissions(machine.path("the.key"), mode).unwrap();
    machine
}

#[test]
fn private_keys_that_are_none() {
    let good = openssl("ec-pkcs8");
    given("").refuses([("key load the.key", str![[r#"
| Loading key from "the.key"...
trust: error importing key from the.key: provided file the.key is not a supported private key - to add a signer's public key use trust signer add
exit 2

"#]])]);
    given([0xff, 0x00, 0xfe, 0x80]).refuses([("key load the.key", str![[r#"
| Loading key from "the.key"...
trust: error importing key from the.key: provided file the.key is not a supported private key - to add a signer's public key use trust signer add
exit 2

"#]])]);
    given("my secret key\n").refuses([("key load the.key", str![[r#"
| Loading key from "the.key"...
trust: error importing key from the.key: provided file the.key is not a supported private key - to add a signer's public key use trust signer add
exit 2

"#]])]);
    given(&good[..good.len() / 2]).refuses([("key load the.key", str![[r#"
| Loading key from "the.key"...
trust: error importing key from the.key: provided file the.key is not a supported private key - to add a signer's public key use trust signer add
exit 2

"#]])]);
    let mut damaged = good.clone();
    damaged[40..60].fill(b'A');
    given(&damaged).refuses([(
        "key load the.key",
        str![[r#"
| Loading key from "the.key"...
trust: error importing key from the.key: the key is damaged: malformed OID at DER byte 10
exit 2

"#]],
    )]);
    given([good, vec![b'\n'; 1 << 20]].concat()).refuses([(
        "key load the.key",
        str![[r#"
| Loading key from "the.key"...
trust: error importing key from the.key: the.key: the file is larger than 1048576 bytes, no key is
exit 2

"#]],
    )]);
}

#[test]
fn private_keys_of_other_kinds() {
    let ssh = "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n";
    given(openssl("public-ec")).refuses([("key load the.key", str![[r#"
| Loading key from "the.key"...
trust: error importing key from the.key: provided file the.key is not a supported private key - to add a signer's public key use trust signer add
exit 2

"#]])]);
    given(openssl("certificate-ec")).refuses([("key load the.key", str![[r#"
| Loading key from "the.key"...
trust: error importing key from the.key: provided file the.key is not a supported private key - to add a signer's public key use trust signer add
exit 2

"#]])]);
    given(ssh).refuses([("key load the.key", str![[r#"
| Loading key from "the.key"...
trust: error importing key from the.key: provided file the.key is not a supported private key - to add a signer's public key use trust signer add
exit 2

"#]])]);
    given(openssl("refused-secp384r1")).refuses([(
        "key load the.key",
        str![[r#"
| Loading key from "the.key"...
trust: error importing key from the.key: private keys on curve P-384 are not supported, only P-256
exit 2

"#]],
    )]);
    given(openssl("refused-secp256k1")).refuses([("key load the.key", str![[r#"
| Loading key from "the.key"...
trust: error importing key from the.key: private keys on curve secp256k1 are not supported, only P-256
exit 2

"#]])]);
    given(openssl("refused-rsa1024")).refuses([(
        "key load the.key",
        str![[r#"
| Loading key from "the.key"...
trust: error importing key from the.key: RSA keys of 1024 bits are not supported, only 2048 to 4096
exit 2

"#]],
    )]);
    given(openssl("refused-x25519")).refuses([(
        "key load the.key",
        str![[r#"
| Loading key from "the.key"...
trust: error importing key from the.key: keys of algorithm 1.3.101.110 are not supported
exit 2

"#]],
    )]);
    given(openssl("refused-parameters")).refuses([("key load the.key", str![[r#"
| Loading key from "the.key"...
trust: error importing key from the.key: provided file the.key is not a supported private key - to add a signer's public key use trust signer add
exit 2

"#]])]);
}

#[test]
fn private_keys_that_do_not_open() {
    let wrong = |name: &str| {
        given(openssl(name)).with("DOCKER_CONTENT_TRUST_REPOSITORY_PASSPHRASE", "wrongphrase")
    };
    let none =
        |name: &str| given(openssl(name)).with("DOCKER_CONTENT_TRUST_REPOSITORY_PASSPHRASE", "");
    wrong("ec-pkcs8-default").refuses([("key load the.key", str![[r#"
| Loading key from "the.key"...
trust: error importing key from the.key: cannot load key from provided file the.key: could not decrypt key: password invalid, operation has failed.
exit 2

"#]])]);
    wrong("ec-sec1-aes256").refuses([("key load the.key", str![[r#"
| Loading key from "the.key"...
trust: error importing key from the.key: cannot load key from provided file the.key: could not decrypt key: password invalid, operation has failed.
exit 2

"#]])]);
    none("ec-pkcs8-default").refuses([("key load the.key", str![[r#"
| Loading key from "the.key"...
trust: error importing key from the.key: no passphrase for the encrypted key, and no terminal to ask on
hint: set DOCKER_CONTENT_TRUST_REPOSITORY_PASSPHRASE, or name a file with DOCKER_CONTENT_TRUST_REPOSITORY_PASSPHRASE_FILE or --passphrase-file
exit 2

"#]])]);
    none("ec-pkcs8").refuses([("key load the.key", str![[r#"
| Loading key from "the.key"...
trust: error importing key from the.key: no passphrase for the signer key, and no terminal to ask on
hint: set DOCKER_CONTENT_TRUST_REPOSITORY_PASSPHRASE, or name a file with DOCKER_CONTENT_TRUST_REPOSITORY_PASSPHRASE_FILE or --passphrase-file
exit 2

"#]])]);
    given(openssl("refused-pbes1")).refuses([("key load the.key", str![[r#"
| Loading key from "the.key"...
trust: error importing key from the.key: private key encryption 1.2.840.113549.1.12.1.3 is not supported
hint: encrypt it anew, as with `openssl pkcs8 -topk8 -in KEYFILE -out NEWFILE`
exit 2

"#]])]);
    given(openssl("refused-pbes2-des3")).refuses([(
        "key load the.key",
        str![[r#"
| Loading key from "the.key"...
trust: error importing key from the.key: private key encryption 1.2.840.113549.3.7 is not supported
hint: encrypt it anew, as with `openssl pkcs8 -topk8 -in KEYFILE -out NEWFILE`
exit 2

"#]],
    )]);
    given(openssl("refused-camellia")).refuses([(
        "key load the.key",
        str![[r#"
| Loading key from "the.key"...
trust: error importing key from the.key: private key encryption CAMELLIA-256-CBC is not supported
hint: encrypt it anew, as with `openssl pkcs8 -topk8 -in KEYFILE -out NEWFILE`
exit 2

"#]],
    )]);
    given(openssl("refused-iterations")).refuses([("key load the.key", str![[r#"
| Loading key from "the.key"...
trust: error importing key from the.key: PBKDF2 iteration count is 10000001 in the key file, at most 10000000 is accepted
exit 2

"#]])]);
    let targets = "-----BEGIN EC PRIVATE KEY-----\nrole: targets\n\n";
    let text = String::from_utf8(openssl("ec-sec1")).unwrap();
    let targets = text.replace("-----BEGIN EC PRIVATE KEY-----\n", targets);
    given(targets).refuses([("key load the.key", str![[r#"
| Loading key from "the.key"...
trust: error importing key from the.key: a targets key belongs to one repository, and the file names none
exit 2

"#]])]);
}

#[test]
fn files_that_are_none() {
    let machine = given(openssl("ec-pkcs8"));
    fs::set_permissions(machine.path("the.key"), fs::Permissions::from_mode(0o640)).unwrap();
    machine.folder("folder");
    fs::set_permissions(machine.path("folder"), fs::Permissions::from_mode(0o700)).unwrap();
    symlink("nowhere", machine.path("dangling")).unwrap();
    symlink("loop", machine.path("loop")).unwrap();
    machine.refuses([
        ("key load the.key", str![[r#"
| Loading key from "the.key"...
trust: refusing to load key from the.key: private key file the.key must not be readable or writable by others
hint: chmod 600 the.key
exit 2

"#]]),
        ("key load absent.key", str![[r#"
| Loading key from "absent.key"...
trust: refusing to load key from absent.key: stat absent.key: no such file or directory
exit 2

"#]]),
        ("key load ''", str![[r#"
trust: command line: a value is required for '<KEYFILE>' but none was supplied
hint: --help says more
exit 2

"#]]),
        ("key load folder", str![[r#"
| Loading key from "folder"...
trust: error importing key from folder: could not read folder: Is a directory
exit 2

"#]]),
        ("key load dangling", str![[r#"
| Loading key from "dangling"...
trust: refusing to load key from dangling: stat dangling: no such file or directory
exit 2

"#]]),
        ("key load loop", str![[r#"
| Loading key from "loop"...
trust: refusing to load key from loop: stat loop: too many levels of symbolic links
exit 2

"#]]),
        ("key load the.key/deeper", str![[r#"
| Loading key from "the.key/deeper"...
trust: refusing to load key from the.key/deeper: stat the.key/deeper: not a directory
exit 2

"#]]),
        ("key load /dev/zero", str![[r#"
| Loading key from "/dev/zero"...
trust: refusing to load key from /dev/zero: private key file /dev/zero must not be readable or writable by others
exit 2

"#]]),
    ]);
}

#[test]
fn a_key_that_is_there_already() {
    let machine = given(openssl("ec-pkcs8"));
    assert!(machine.run("key load the.key").ends_with("exit 0\n"));
    let before = machine.files(".docker");
    machine.refuses([("key load the.key", str![[r#"
| Loading key from "the.key"...
trust: error importing key from the.key: key b86e65ec389689dc89e4712826c7db881e578cf43624bc3d1a7dbd5bc84d004f is already in [HOME]/.docker/trust/private/b86e65ec389689dc89e4712826c7db881e578cf43624bc3d1a7dbd5bc84d004f.key
exit 2

"#]])]);
    assert!(machine.files(".docker") == before);
}

#[test]
fn keys_nobody_has() {
    Machine::new().refuses([
        ("key show alice", str![[r#"
trust: key show alice: no key here has the name "alice" or an id that begins so
hint: `key list` names them all
exit 2

"#]]),
        ("key show ''", str![[r#"
trust: key show : no key here has the name "" or an id that begins so
hint: `key list` names them all
exit 2

"#]]),
        ("key show ../../etc/passwd", str![[r#"
trust: key show ../../etc/passwd: no key here has the name "../../etc/passwd" or an id that begins so
hint: `key list` names them all
exit 2

"#]]),
    ]);
}
