//! Command lines that no command understands.

use super::Machine;
use snapbox::str;

#[test]
fn options_and_commands() {
    Machine::new().refuses([
        ("", str![[r#"
Sign container images, and refuse the ones nobody signed
...
exit 2

"#]]),
        ("frobnicate", str![[r#"
trust: command line: unrecognized subcommand 'frobnicate'
hint: usage: trust [OPTIONS] <COMMAND>
exit 2

"#]]),
        ("verfy app", str![[r#"
trust: command line: unrecognized subcommand 'verfy'
hint: a similar subcommand exists: 'verify'
exit 2

"#]]),
        ("verify", str![[r#"
trust: command line: the following required arguments were not provided: <IMAGE>...
hint: usage: trust verify <IMAGE>...
exit 2

"#]]),
        ("verify --frob app", str![[r#"
trust: command line: unexpected argument '--frob' found
hint: usage: trust verify [OPTIONS] <IMAGE>...
exit 2

"#]]),
        ("verify --format yaml app", str![[r#"
trust: command line: invalid value 'yaml' for '--format <FORM>' [possible values: text, json]
hint: --help says more
exit 2

"#]]),
        ("verify --threshold 0 app", str![[r#"
trust: command line: invalid value '0' for '--threshold <N>': it is a number of signers, at least 1
hint: --help says more
exit 2

"#]]),
        ("verify --threshold many app", str![[r#"
trust: command line: invalid value 'many' for '--threshold <N>': it is a number of signers, at least 1
hint: --help says more
exit 2

"#]]),
        ("verify --threshold 18446744073709551616 app", str![[r#"
trust: command line: invalid value '18446744073709551616' for '--threshold <N>': it is a number of signers, at least 1
hint: --help says more
exit 2

"#]]),
        ("verify --server", str![[r#"
trust: command line: a value is required for '--server <URL>' but none was supplied
hint: --help says more
exit 2

"#]]),
        ("verify --color sometimes app", str![[r#"
trust: command line: invalid value 'sometimes' for '--color <WHEN>' [possible values: auto, never, always]
hint: --help says more
exit 2

"#]]),
        ("sign --custom {broken app:1", str![[r#"
trust: command line: invalid value '{broken' for '--custom <JSON>': key must be a string at line 1 column 2
hint: --help says more
exit 2

"#]]),
        ("sign", str![[r#"
trust: command line: the following required arguments were not provided: <IMAGE:TAG[@DIGEST]>...
hint: usage: trust sign <IMAGE:TAG[@DIGEST]>...
exit 2

"#]]),
        ("key", str![[r#"
Make, load, keep, look at and replace signing keys
...
exit 2

"#]]),
        ("key generate", str![[r#"
trust: command line: the following required arguments were not provided: <NAME>
hint: usage: trust key generate <NAME>
exit 2

"#]]),
        ("key generate --type rsa alice", str![[r#"
| Generating key for alice...
trust: failed to generate key for alice: RSA keys are made on tokens only
hint: name a token with --token, or load a key that `openssl genrsa` made
exit 2

"#]]),
        ("key generate alice bob", str![[r#"
trust: command line: unexpected argument 'bob' found
hint: usage: trust key generate [OPTIONS] <NAME>
exit 2

"#]]),
        ("signer add --key", str![[r#"
trust: command line: a value is required for '--key <FILE>' but none was supplied
hint: --help says more
exit 2

"#]]),
        ("signer add alice", str![[r#"
trust: command line: the following required arguments were not provided: <REPOSITORY>...
hint: usage: trust signer add <NAME> <REPOSITORY>...
exit 2

"#]]),
    ]);
}
