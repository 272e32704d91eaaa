//! Command lines that no command understands.

use super::Machine;
use snapbox::str;

#[test]
fn options_and_commands() {
    Machine::new().refuses([
        ("", str![]),
        ("frobnicate", str![]),
        ("verfy app", str![]),
        ("verify", str![]),
        ("verify --frob app", str![]),
        ("verify --format yaml app", str![]),
        ("verify --threshold 0 app", str![]),
        ("verify --threshold many app", str![]),
        ("verify --threshold 18446744073709551616 app", str![]),
        ("verify --server", str![]),
        ("verify --color sometimes app", str![]),
        ("sign --custom {broken app:1", str![]),
        ("sign", str![]),
        ("key", str![]),
        ("key generate", str![]),
        ("key generate --type rsa alice", str![]),
        ("key generate alice bob", str![]),
        ("signer add --key", str![]),
        ("signer add alice", str![]),
    ]);
}
