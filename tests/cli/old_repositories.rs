//! Repositories as Notary 0.1 to 0.7 and Docker kept them are read offline: hashes by SHA-256 alone, expiries
//! with an offset, delegations nobody has signed yet, `null` for empty lists.

use super::Home;
use crate::world::{Key, days};
use base64::{Engine, engine::general_purpose::STANDARD};
use ring::digest::{Algorithm, SHA256, SHA512, digest};
use std::{fmt::Write as _, fs, sync::Arc};
use trust::tuf::{canonical::Node, envelope::file_bytes};

const GUN: &str = "docker.com/old/samplerepo";

/// How a version wrote what all of them mean.
struct Style {
    expires: &'static str,
    hashes: &'static [(&'static str, &'static Algorithm)],
    /// An empty list of delegations
    no_roles: &'static str,
    /// Whether there are delegations, none of which has a file
    delegation: bool,
}

/// Notary 0.1, in 2015.
const V0_1: Style = Style {
    expires: "2116-01-11T16:58:57.194192511-08:00",
    hashes: &[("sha256", &SHA256)],
    no_roles: r#"{"keys":{},"roles":[]}"#,
    delegation: false,
};
/// Notary 0.3, in 2016, with a delegation that nobody has signed.
const V0_3: Style = Style {
    expires: "2116-07-03T18:08:08.418734928-05:00",
    hashes: &[("sha256", &SHA256), ("sha512", &SHA512)],
    no_roles: r#"{"keys":{},"roles":[]}"#,
    delegation: true,
};
/// Notary 0.6 and 0.7, and Docker since 17.
const V0_7: Style = Style {
    expires: "2116-07-03T18:08:08.418734928Z",
    hashes: &[("sha256", &SHA256), ("sha512", &SHA512)],
    no_roles: r#"{"keys":null,"roles":null}"#,
    delegation: false,
};

#[test]
fn repositories_of_every_version_are_read() {
    for (name, style) in [("0.1", V0_1), ("0.3", V0_3), ("0.7", V0_7)] {
        let home = Home::new();
        keep(&home, &style);
        let listed = home
            .trust(&format!("repo list --offline {GUN}"))
            .ends(0)
            .stdout;
        let row: Vec<_> = listed.lines().nth(1).unwrap().split_whitespace().collect();
        assert_eq!(
            (row[0], row[2], row[3]),
            ("LICENSE", "11309", "(Repo"),
            "{name}: {listed}"
        );
        let shown = home
            .trust(&format!("repo show --offline --format json {GUN}"))
            .ends(0);
        let shown: serde_json::Value = serde_json::from_str(&shown.stdout).unwrap();
        assert!(shown.to_string().contains("targets"), "{name}: {shown}");
        let verified = home
            .trust(&format!("verify --offline -q {GUN}:LICENSE"))
            .ends(0);
        assert!(
            verified
                .stdout
                .starts_with(&format!("{GUN}:LICENSE@sha256:")),
            "{name}"
        );
        let absent = home.trust(&format!("verify --offline -q {GUN}:other"));
        assert_ne!(absent.code, 0, "{name}");
    }
}

/// Writes the metadata as that version kept them.
fn keep(home: &Home, style: &Style) {
    let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
    let root_key = Key::certified(&pair, GUN, days(-9000), days(20_000));
    let [targets_key, snapshot_key, timestamp_key, alice] = [1, 2, 3, 4].map(Key::seed);
    let expires = style.expires;

    let mut delegations = style.no_roles.to_owned();
    if style.delegation {
        delegations = format!(
            r#"{{"keys":{{{}}},"roles":[{{"keyids":["{}"],"name":"targets/alice","paths":[""],"threshold":1}},{{"keyids":null,"name":"targets/releases","paths":null,"threshold":1}}]}}"#,
            entry(&alice),
            alice.public.id()
        );
    }
    let license = hashes(b"the licence", style);
    let targets = signed(
        &format!(
            r#"{{"_type":"Targets","delegations":{delegations},"expires":"{expires}","targets":{{"LICENSE":{{"hashes":{license},"length":11309}}}},"version":2}}"#
        ),
        &targets_key,
    );
    let base = [
        ("root", &root_key),
        ("snapshot", &snapshot_key),
        ("targets", &targets_key),
        ("timestamp", &timestamp_key),
    ];
    let keys: Vec<_> = base.iter().map(|(_, key)| entry(key)).collect();
    let roles: Vec<_> = base
        .iter()
        .map(|(role, key)| {
            format!(
                r#""{role}":{{"keyids":["{}"],"threshold":1}}"#,
                key.public.id()
            )
        })
        .collect();
    let root = signed(
        &format!(
            r#"{{"_type":"Root","consistent_snapshot":false,"expires":"{expires}","keys":{{{}}},"roles":{{{}}},"version":1}}"#,
            keys.join(","),
            roles.join(",")
        ),
        &root_key,
    );
    let (root_meta, targets_meta) = (meta(&root, style), meta(&targets, style));
    let snapshot = signed(
        &format!(
            r#"{{"_type":"Snapshot","expires":"{expires}","meta":{{"root":{root_meta},"targets":{targets_meta}}},"version":2}}"#
        ),
        &snapshot_key,
    );
    let snapshot_meta = meta(&snapshot, style);
    let timestamp = signed(
        &format!(
            r#"{{"_type":"Timestamp","expires":"{expires}","meta":{{"snapshot":{snapshot_meta}}},"version":1}}"#
        ),
        &timestamp_key,
    );
    let folder = home
        .path()
        .join(".docker/trust/tuf")
        .join(GUN)
        .join("metadata");
    fs::create_dir_all(&folder).unwrap();
    for (role, file) in [
        ("root", root),
        ("targets", targets),
        ("snapshot", snapshot),
        ("timestamp", timestamp),
    ] {
        trust_store::write_atomic(&folder.join(format!("{role}.json")), &file, 0o600).unwrap();
    }
}

fn signed(text: &str, key: &Key) -> Vec<u8> {
    let node = Node::parse(text.as_bytes()).unwrap();
    file_bytes(&node, &[key.sign(&node.canonical())])
}

fn entry(key: &Arc<Key>) -> String {
    let public = &key.public;
    let bytes = STANDARD.encode(public.public());
    let (id, kind) = (public.id(), public.key_type());
    format!(r#""{id}":{{"keytype":"{kind}","keyval":{{"private":null,"public":"{bytes}"}}}}"#)
}

fn meta(file: &[u8], style: &Style) -> String {
    format!(
        r#"{{"hashes":{},"length":{}}}"#,
        hashes(file, style),
        file.len()
    )
}

fn hashes(bytes: &[u8], style: &Style) -> String {
    let mut text = String::new();
    for (name, algorithm) in style.hashes {
        let comma = if text.is_empty() { "" } else { "," };
        let hash = STANDARD.encode(digest(algorithm, bytes));
        write!(text, r#"{comma}"{name}":"{hash}""#).unwrap();
    }
    format!("{{{text}}}")
}
