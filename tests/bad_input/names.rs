//! Names of images, repositories, signers, keys and roles.

use super::{Case, Machine};
use snapbox::str;

#[test]
fn images() {
    let machine = Machine::new();
    let long_tag = format!("verify --offline app:{}", "a".repeat(129));
    let long_path = format!("verify --offline {}", "a".repeat(256));
    let cases: [Case<'_>; 19] = [
        (
            "verify --offline ''",
            str![[r#"
trust: verify : invalid reference format
hint: an image is named [HOST[:PORT]/]PATH[:TAG][@sha256:HEX], without a scheme
exit 2

"#]],
        ),
        (
            "verify --offline ' '",
            str![[r#"
trust: verify  : invalid reference format
hint: an image is named [HOST[:PORT]/]PATH[:TAG][@sha256:HEX], without a scheme
exit 2

"#]],
        ),
        (
            "verify --offline Alpine",
            str![[r#"
trust: verify Alpine: invalid reference format: repository name (library/Alpine) must be lowercase
exit 2

"#]],
        ),
        (
            "verify --offline reg.example/Team/App:1",
            str![[r#"
trust: verify reg.example/Team/App:1: invalid reference format: repository name (Team/App) must be lowercase
exit 2

"#]],
        ),
        (
            &long_path,
            str![[r#"
trust: verify aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa: repository name must not be more than 255 characters
exit 2

"#]],
        ),
        (
            &long_tag,
            str![[r#"
trust: verify app:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa: invalid reference format
hint: an image is named [HOST[:PORT]/]PATH[:TAG][@sha256:HEX], without a scheme
exit 2

"#]],
        ),
        (
            "verify --offline app:",
            str![[r#"
trust: verify app:: invalid reference format
hint: an image is named [HOST[:PORT]/]PATH[:TAG][@sha256:HEX], without a scheme
exit 2

"#]],
        ),
        (
            "verify --offline app:-x",
            str![[r#"
trust: verify app:-x: invalid reference format
hint: an image is named [HOST[:PORT]/]PATH[:TAG][@sha256:HEX], without a scheme
exit 2

"#]],
        ),
        (
            "verify --offline app:1:2",
            str![[r#"
trust: verify app:1:2: invalid reference format
hint: an image is named [HOST[:PORT]/]PATH[:TAG][@sha256:HEX], without a scheme
exit 2

"#]],
        ),
        (
            "verify --offline app@sha256:abc",
            str![[r#"
trust: verify app@sha256:abc: invalid reference format
hint: an image is named [HOST[:PORT]/]PATH[:TAG][@sha256:HEX], without a scheme
exit 2

"#]],
        ),
        (
            "verify --offline app@md5:d41d8cd98f00b204e9800998ecf8427e",
            str![[r#"
trust: verify app@md5:d41d8cd98f00b204e9800998ecf8427e: unsupported digest algorithm
exit 2

"#]],
        ),
        (
            "verify --offline app@latest",
            str![[r#"
trust: verify app@latest: invalid reference format
hint: an image is named [HOST[:PORT]/]PATH[:TAG][@sha256:HEX], without a scheme
exit 2

"#]],
        ),
        (
            "verify --offline https://reg.example/app:1",
            str![[r#"
trust: verify https://reg.example/app:1: invalid reference format
hint: an image is named [HOST[:PORT]/]PATH[:TAG][@sha256:HEX], without a scheme
exit 2

"#]],
        ),
        (
            "verify --offline 'app:1\u{1b}[2J'",
            str![[r#"
trust: verify app:1\u{1b}[2J: invalid reference format
hint: an image is named [HOST[:PORT]/]PATH[:TAG][@sha256:HEX], without a scheme
exit 2

"#]],
        ),
        (
            "verify --offline 'app:1\n'",
            str![[r#"
trust: verify app:1\n: invalid reference format
hint: an image is named [HOST[:PORT]/]PATH[:TAG][@sha256:HEX], without a scheme
exit 2

"#]],
        ),
        (
            "verify --offline äpfel",
            str![[r#"
trust: verify äpfel: invalid reference format
hint: an image is named [HOST[:PORT]/]PATH[:TAG][@sha256:HEX], without a scheme
exit 2

"#]],
        ),
        (
            "verify --offline ../../etc/passwd",
            str![[r#"
trust: verify ../../etc/passwd: invalid reference format
hint: an image is named [HOST[:PORT]/]PATH[:TAG][@sha256:HEX], without a scheme
exit 2

"#]],
        ),
        (
            "verify --offline aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
            str![[r#"
trust: verify aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa: invalid repository name (aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa), cannot specify 64-byte hexadecimal strings
exit 2

"#]],
        ),
        (
            "verify --offline -- -app",
            str![[r#"
trust: verify -app: invalid reference format
hint: an image is named [HOST[:PORT]/]PATH[:TAG][@sha256:HEX], without a scheme
exit 2

"#]],
        ),
    ];
    machine.refuses(cases);
}

#[test]
fn images_to_sign() {
    Machine::new().refuses([
        ("sign app", str![[r#"
trust: sign app: no tag specified for app
exit 2

"#]]),
        ("sign app@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", str![[r#"
trust: sign app@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855: cannot use a digest reference for IMAGE:TAG
hint: name the tag too, as IMAGE:TAG@DIGEST
exit 2

"#]]),
        ("sign app:1 App:2", str![[r#"
trust: sign App:2: invalid reference format: repository name (library/App) must be lowercase
exit 2

"#]]),
        ("sign --local app:1@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", str![[r#"
trust: sign app:1@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855: --local signs what the engine pushes; leave the digest out
exit 2

"#]]),
        ("sign --role root app:1", str![[r#"
trust: command line: invalid value 'root' for '--role <ROLE>': images are signed into targets or a role below it, such as targets/releases
hint: --help says more
exit 2

"#]]),
        ("sign --role targets/Nigel app:1", str![[r#"
trust: command line: invalid value 'targets/Nigel' for '--role <ROLE>': images are signed into targets or a role below it, such as targets/releases
hint: --help says more
exit 2

"#]]),
        ("sign --as targets/nigel app:1", str![[r#"
trust: sign: signer name "targets/nigel" must start with lowercase alphanumeric characters and can include "-" or "_" after the first character
exit 2

"#]]),
        ("inspect App", str![[r#"
| []
trust: inspect App: invalid reference format: repository name (library/App) must be lowercase
exit 2

"#]]),
        ("inspect --pretty App", str![[r#"
trust: inspect App: invalid reference format: repository name (library/App) must be lowercase
exit 2

"#]]),
    ]);
}

#[test]
fn signers_and_keys() {
    let machine = Machine::new();
    machine.file("alice.pub", super::openssl("public-ec"));
    machine.refuses([
        ("key generate ''", str![[r#"
trust: key generate: key name "" must start with lowercase alphanumeric characters and can include "-" or "_" after the first character
exit 2

"#]]),
        ("key generate Alice", str![[r#"
trust: key generate: key name "Alice" must start with lowercase alphanumeric characters and can include "-" or "_" after the first character
exit 2

"#]]),
        ("key generate ../alice", str![[r#"
trust: key generate: key name "../alice" must start with lowercase alphanumeric characters and can include "-" or "_" after the first character
exit 2

"#]]),
        ("key generate 'a\tb'", str![[r#"
trust: key generate: key name "a\tb" must start with lowercase alphanumeric characters and can include "-" or "_" after the first character
exit 2

"#]]),
        ("signer add --key alice.pub Alice reg.example/app", str![[r#"
trust: signer add: signer name "Alice" must start with lowercase alphanumeric characters and can include "-" or "_" after the first character
exit 2

"#]]),
        ("signer add --key alice.pub releases reg.example/app", str![[r#"
trust: signer add: releases is a reserved keyword, use a different signer name
exit 2

"#]]),
        ("signer add --key alice.pub alice App", str![[r#"
| Adding signer "alice" to App...
trust: signer add App: invalid reference format: repository name (library/App) must be lowercase

trust: signer add: failed to add signer to: App
exit 2

"#]]),
        ("signer add alice reg.example/app", str![[r#"
trust: signer add: path to a public key must be provided using the `--key` flag
exit 2

"#]]),
    ]);
}
