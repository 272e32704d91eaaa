//! Snapshots that are not of what is there afterwards.

use super::host::Files;
use super::{HIERARCHY, Refused, SNAPSHOT, refused, with, without_root};
use crate::world::{Key, Publisher};
use trust::tuf::digest::FileMeta;

/// The next files, with a snapshot whose meta was changed before it was signed.
fn snapshot(publisher: &mut Publisher, change: impl Fn(&mut Publisher)) -> Files {
    let files = without_root(publisher);
    change(publisher);
    let file = publisher.file("snapshot", &publisher.snapshot);
    with(files, "snapshot", file)
}

fn only(files: &[(String, Vec<u8>)], roles: &[&str]) -> Files {
    let wanted = |role: &str| roles.contains(&role);
    files
        .iter()
        .filter(|(role, _)| wanted(role))
        .cloned()
        .collect()
}

fn other() -> FileMeta {
    FileMeta::of(b"another file")
}

macro_rules! cases {
    ($($name:literal, $change:expr;)+) => {
        &[$(Refused {
            name: $name,
            files: |p| snapshot(p, $change),
            expected: SNAPSHOT,
        }),+]
    };
}

#[tokio::test]
async fn that_name_something_else() {
    refused(cases![
        "another root", |p| drop(p.snapshot.meta.insert("root".into(), other()));
        "other targets", |p| drop(p.snapshot.meta.insert("targets".into(), other()));
        "another signer's file", |p| drop(p.snapshot.meta.insert("targets/alice".into(), other()));
        "no root", |p| drop(p.snapshot.meta.remove("root"));
        "no targets", |p| drop(p.snapshot.meta.remove("targets"));
        "not what is uploaded", |p| drop(p.snapshot.meta.remove("targets/releases"));
        "what is not there", |p| drop(p.snapshot.meta.insert("targets/bob".into(), other()));
        "itself", |p| drop(p.snapshot.meta.insert("snapshot".into(), other()));
        "a timestamp", |p| drop(p.snapshot.meta.insert("timestamp".into(), other()));
        "no role at all", |p| drop(p.snapshot.meta.insert("../root".into(), other()));
        "nothing", |p| p.snapshot.meta.clear();
        "wrong lengths", |p| p.snapshot.meta.get_mut("targets").unwrap().length += 1;
        "the files before", |p| {
            let version = p.snapshot.version;
            p.targets.values_mut().for_each(|file| file.version -= 1);
            drop(p.files());
            p.targets.values_mut().for_each(|file| file.version += 1);
            p.snapshot.version = version;
        };
    ])
    .await;
}

#[tokio::test]
async fn that_are_missing_or_of_others() {
    refused(&[
        Refused {
            name: "no snapshot, and the server has no key",
            files: |p| {
                only(
                    &p.files(),
                    &["targets", "targets/alice", "targets/releases"],
                )
            },
            expected: HIERARCHY,
        },
        Refused {
            name: "targets alone, with a snapshot of all",
            files: |p| only(&p.files(), &["targets", "snapshot"]),
            expected: SNAPSHOT,
        },
        Refused {
            name: "only a snapshot of what nobody has",
            files: |p| only(&p.files(), &["snapshot"]),
            expected: SNAPSHOT,
        },
        Refused {
            name: "signed by the targets key",
            files: |p| {
                let key = p.signers["targets"].clone();
                p.signers.insert("snapshot".to_owned(), key);
                without_root(p)
            },
            expected: SNAPSHOT,
        },
        Refused {
            name: "signed by the server's old key",
            files: |p| {
                p.signers.insert("snapshot".to_owned(), vec![Key::seed(77)]);
                without_root(p)
            },
            expected: SNAPSHOT,
        },
    ])
    .await;
}
