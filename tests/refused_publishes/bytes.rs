//! Files that are no metadata, too much of it, or not in the form in which they are kept.

use super::host::Files;
use super::{ROOT, Refused, SNAPSHOT, TARGETS, refused, with, without_root};
use crate::world::Publisher;
use trust::tuf::digest::FileMeta;

/// A change of the bytes of a role, after which everything else fits them.
fn changed(publisher: &mut Publisher, role: &str, change: impl Fn(String) -> Vec<u8>) -> Files {
    if role == "root" {
        publisher.root.version += 1;
    }
    let files = publisher.files();
    let file = files.iter().find(|(name, _)| name == role).unwrap();
    let file = change(String::from_utf8(file.1.clone()).unwrap());
    let mut files = if role == "root" {
        files
    } else {
        without_root(publisher)
    };
    if role != "snapshot" {
        let meta = FileMeta::of(&file);
        publisher.snapshot.meta.insert(role.to_owned(), meta);
        let snapshot = publisher.file("snapshot", &publisher.snapshot);
        files = with(files, "snapshot", snapshot);
    }
    with(files, role, file)
}

macro_rules! cases {
    ($($name:literal, $role:literal, $change:expr, $expected:expr;)+) => {
        &[$(Refused {
            name: $name,
            files: |p| changed(p, $role, $change),
            expected: $expected,
        }),+]
    };
}

#[tokio::test]
async fn what_is_no_metadata() {
    refused(cases![
        "an empty root", "root", |_| Vec::new(), JSON;
        "empty targets", "targets", |_| Vec::new(), JSON;
        "an empty signer", "targets/alice", |_| Vec::new(), JSON;
        "an empty snapshot", "snapshot", |_| Vec::new(), JSON;
        "HTML", "targets", |_| b"<html><body>Sign in</body></html>".to_vec(), JSON;
        "deep", "targets", |_| [vec![b'['; 100_000], vec![b']'; 100_000]].concat(), JSON;
        "wide", "targets", |_| [&b"["[..], &b"0,".repeat(500_000), b"0]"].concat(), TARGETS;
        "null", "targets", |_| b"null".to_vec(), TARGETS;
        "a number", "targets", |_| b"1".to_vec(), TARGETS;
        "a list", "snapshot", |_| b"[]".to_vec(), SNAPSHOT;
        "nothing signed", "targets", |_| b"{}".to_vec(), TARGETS;
        "cut short", "targets", |f| f[..f.len() - 1].into(), JSON;
        "a cut root", "root", |f| f[..f.len() / 2].into(), JSON;
        "bad UTF-8", "targets", |f| {
            let mut bytes = f.into_bytes();
            let at = bytes.windows(7).position(|w| w == b"Targets").unwrap();
            bytes[at] = 0xff;
            bytes
        }, JSON;
        "more after the end", "targets", |f| format!("{f}{f}").into(), JSON;
        "members twice", "targets", |f| {
            f.replacen("\"version\":6", "\"version\":6,\"version\":6", 1).into()
        }, JSON;
        "another role's file", "targets/releases", |_| b"{\"signed\":{},\"signatures\":[]}".to_vec(), TARGETS;
    ])
    .await;
}

#[tokio::test]
async fn what_has_another_form() {
    refused(cases![
        "a space behind", "targets", |f| format!("{f} ").into(), TARGETS;
        "a line's end behind", "targets/alice", |f| format!("{f}\n").into(), TARGETS;
        "a space in front", "snapshot", |f| format!(" {f}").into(), SNAPSHOT;
        "indented", "root", |f| f.replacen("{\"signed\"", "{ \"signed\"", 1).into(), ROOT;
        "an unsigned member", "targets", |f| f.replacen('{', "{\"x\":1,", 1).into(), TARGETS;
        "an unsigned member of a root", "root", |f| f.replacen('{', "{\"x\":1,", 1).into(), ROOT;
        "an unsigned member of a snapshot", "snapshot", |f| f.replacen('{', "{\"x\":1,", 1).into(), SNAPSHOT;
        "a member of a signature", "targets", |f| {
            f.replacen("{\"keyid\"", "{\"x\":1,\"keyid\"", 1).into()
        }, TARGETS;
        "another order", "targets", |f| {
            let (signed, signatures) = f.split_once(",\"signatures\":").unwrap();
            let (signed, signatures) = (&signed[1..], &signatures[..signatures.len() - 1]);
            format!("{{\"signatures\":{signatures},{signed}}}").into()
        }, TARGETS;
        "an escape that need not be", "targets", |f| f.replacen("Targets", "\\u0054argets", 1).into(), TARGETS;
        "a version as a fraction", "targets", |f| f.replacen("\"version\":6", "\"version\":6.0", 1).into(), TARGETS;
        "a version in another notation", "targets", |f| f.replacen("\"version\":6", "\"version\":6e0", 1).into(), TARGETS;
        "no signature counts twice", "targets", |f| {
            let (signed, signatures) = f.split_once(",\"signatures\":[").unwrap();
            let signature = signatures.strip_suffix("]}").unwrap();
            let bad = signature.replacen("\"sig\":\"", "\"sig\":\"AAAA", 1);
            format!("{signed},\"signatures\":[{bad}]}}").into()
        }, TARGETS;
    ])
    .await;
}

const JSON: &str = "MALFORMED_JSON";
