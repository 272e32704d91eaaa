//! Versions that do not grow, or grow so far that nobody can follow.

use super::host::Files;
use super::{ROOT, Refused, SNAPSHOT, TARGETS, WHOLE, refused, without_root};
use crate::world::Publisher;

fn targets(publisher: &mut Publisher, role: &str, version: u64) -> Files {
    publisher.targets.get_mut(role).unwrap().version = version;
    without_root(publisher)
}

fn snapshot(publisher: &mut Publisher, version: u64) -> Files {
    publisher.snapshot.version = version;
    without_root(publisher)
}

fn root(publisher: &mut Publisher, version: u64) -> Files {
    publisher.root.version = version;
    publisher.files()
}

macro_rules! cases {
    ($($name:literal, $files:expr, $expected:expr;)+) => {
        &[$(Refused { name: $name, files: $files, expected: $expected }),+]
    };
}

#[tokio::test]
async fn that_do_not_grow() {
    refused(cases![
        "the same root", |p| root(p, 5), "VERSION";
        "the same targets", |p| targets(p, "targets", 5), "VERSION";
        "the same signer's file", |p| targets(p, "targets/alice", 5), "VERSION";
        "the same snapshot", |p| snapshot(p, 5), "VERSION";
        "older targets", |p| targets(p, "targets", 4), "VERSION";
        "an older signer's file", |p| targets(p, "targets/releases", 1), "VERSION";
        "an older snapshot", |p| snapshot(p, 4), "VERSION";
        "an older root", |p| root(p, 4), ROOT;
        "the first root", |p| root(p, 1), ROOT;
        "no version", |p| targets(p, "targets", 0), TARGETS;
    ])
    .await;
}

#[tokio::test]
async fn that_grow_too_far() {
    refused(cases![
        "a root that skips one", |p| root(p, 7), ROOT;
        "a root far ahead", |p| root(p, 2_147_483_647), ROOT;
        "the last targets", |p| targets(p, "targets", 2_147_483_647), WHOLE;
        "the last of a signer", |p| targets(p, "targets/alice", 2_147_483_647), WHOLE;
        "the last snapshot", |p| snapshot(p, 2_147_483_647), WHOLE;
        "targets beyond the last", |p| targets(p, "targets", 2_147_483_648), TARGETS;
        "a snapshot beyond the last", |p| snapshot(p, 2_147_483_648), SNAPSHOT;
    ])
    .await;
}
