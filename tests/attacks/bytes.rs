//! Bytes that are not what was signed, or not what a file may be.

use super::{Attack, nothing, refused};
use crate::world::{Answer, Publisher, Server};
use trust::policy::Reason;
use trust::tuf::digest::FileMeta;

/// Serves something else wherever `role` is served, by name and by hash.
fn replace(server: &Server, role: &str, change: impl Fn(Vec<u8>) -> Answer) {
    let file = server.file(&format!("{role}.json"));
    for name in server.names() {
        let same = name.starts_with(role);
        if same && matches!(server.file(&name), other if other == file) {
            server.put(&name, change(file.clone()));
        }
    }
}

/// The file with another version number of the same length inside.
fn altered(file: Vec<u8>) -> Answer {
    let text = String::from_utf8(file).unwrap();
    assert!(text.contains("\"version\":6"));
    Answer::File(text.replace("\"version\":6", "\"version\":7").into_bytes())
}

#[tokio::test]
async fn altered_bytes_of_each_role() {
    refused(&altered_bytes()).await;
}

pub(crate) fn altered_bytes() -> Vec<Attack> {
    let attack = |name, after, expected| Attack {
        name,
        before: nothing,
        after,
        expected,
    };
    let new_root = |name, after, expected| Attack {
        before: |p| p.root.version += 1,
        ..attack(name, after, expected)
    };
    vec![
        attack(
            "timestamp",
            |_, s| replace(s, "timestamp", altered),
            Reason::BadSignature,
        ),
        attack(
            "snapshot",
            |_, s| replace(s, "snapshot", altered),
            Reason::BadSignature,
        ),
        attack(
            "targets",
            |_, s| replace(s, "targets", altered),
            Reason::BadSignature,
        ),
        attack(
            "releases",
            |_, s| replace(s, "targets/releases", altered),
            Reason::BadSignature,
        ),
        attack(
            "alice",
            |_, s| replace(s, "targets/alice", altered),
            Reason::BadSignature,
        ),
        new_root(
            "root",
            |_, s| replace(s, "root", altered),
            Reason::RootMismatch,
        ),
    ]
}

#[tokio::test]
async fn endless_and_oversized_bodies() {
    let attack = |name, after| Attack {
        name,
        before: nothing,
        after,
        expected: Reason::Malformed,
    };
    refused(&[
        attack("timestamp", |_, s| {
            replace(s, "timestamp", |_| Answer::Endless);
        }),
        attack("snapshot", |_, s| {
            replace(s, "snapshot", |_| Answer::Endless);
        }),
        attack("releases", |_, s| {
            replace(s, "targets/releases", |_| Answer::Endless);
        }),
        attack("larger than named", |_, s| {
            replace(s, "targets", |file| {
                Answer::File([file.as_slice(), b" "].concat())
            });
        }),
        attack("a timestamp of 2 MiB", |_, s| {
            replace(s, "timestamp", |_| Answer::File(vec![b' '; 2 << 20]));
        }),
    ])
    .await;
}

/// A timestamp of these bytes; only its shape is wrong, so that nothing else is tested.
fn timestamp(server: &Server, file: Vec<u8>) {
    server.put("timestamp.json", Answer::File(file));
}

#[tokio::test]
async fn json_that_is_none_or_too_much() {
    let attack = |name, after| Attack {
        name,
        before: nothing,
        after,
        expected: Reason::Malformed,
    };
    refused(&[
        attack("empty", |_, s| timestamp(s, Vec::new())),
        attack("HTML", |_, s| {
            timestamp(s, b"<html><body>Sign in</body></html>".to_vec());
        }),
        attack("deep", |_, s| {
            timestamp(s, [vec![b'['; 100_000], vec![b']'; 100_000]].concat());
        }),
        attack("huge", |_, s| {
            timestamp(s, [&b"["[..], &b"0,".repeat(500_000), b"0]"].concat());
        }),
        attack("duplicate members", |_, s| {
            let file = String::from_utf8(s.file("timestamp.json")).unwrap();
            let twice = file.replacen("\"version\":6", "\"version\":6,\"version\":6", 1);
            timestamp(s, twice.into_bytes());
        }),
        attack("bad UTF-8", |_, s| {
            let mut file = s.file("timestamp.json");
            let at = file.windows(9).position(|w| w == b"Timestamp").unwrap();
            file[at] = 0xff;
            timestamp(s, file);
        }),
        attack("cut short", |_, s| {
            let file = s.file("timestamp.json");
            timestamp(s, file[..file.len() - 1].to_vec());
        }),
        Attack {
            expected: Reason::BadSignature,
            ..attack("another role's file", |_, s| {
                timestamp(s, s.file("snapshot.json"));
            })
        },
    ])
    .await;
}

#[tokio::test]
async fn a_snapshot_of_another_time() {
    // Both are signed by the right keys; the timestamp names only one of them.
    let before = |p: &mut Publisher| p.snapshot.version += 1;
    let after = |p: &Publisher, s: &Server| {
        let mut other = p.snapshot.clone();
        other.version += 1;
        let named = FileMeta::of(&p.file("snapshot", &p.snapshot))
            .sha256_hex()
            .unwrap();
        s.put(
            &format!("snapshot.{named}.json"),
            Answer::File(p.file("snapshot", &other)),
        );
    };
    let older = |p: &Publisher, s: &Server| {
        let mut other = p.snapshot.clone();
        other.version = 4;
        let named = FileMeta::of(&p.file("snapshot", &p.snapshot))
            .sha256_hex()
            .unwrap();
        s.put(
            &format!("snapshot.{named}.json"),
            Answer::File(p.file("snapshot", &other)),
        );
    };
    let targets = |p: &Publisher, s: &Server| {
        let mut other = p.targets["targets/releases"].clone();
        other.version = 8;
        let named = p.snapshot.meta["targets/releases"].sha256_hex().unwrap();
        s.put(
            &format!("targets/releases.{named}.json"),
            Answer::File(p.file("targets/releases", &other)),
        );
    };
    refused(&[
        Attack {
            name: "newer",
            before,
            after,
            expected: Reason::BadSignature,
        },
        Attack {
            name: "older",
            before,
            after: older,
            expected: Reason::Rollback,
        },
        Attack {
            name: "releases",
            before: nothing,
            after: targets,
            expected: Reason::BadSignature,
        },
    ])
    .await;
}
