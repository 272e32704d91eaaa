use super::*;
use crate::tuf::canonical::Node;
use crate::tuf::edit::BaseKeys;
use crate::tuf::envelope::Document;
use crate::tuf::key::PublicKey;
use crate::tuf::targets::Targets;
use proptest::prelude::*;

const ROLES: [&str; 5] = [
    "targets/a",
    "targets/a/b",
    "targets/a/b/c",
    "targets/d",
    "targets/releases",
];

fn role(name: &str) -> RoleName {
    RoleName::parse(name).unwrap()
}

fn key(seed: u8) -> PublicKey {
    PublicKey::new("ed25519", vec![seed; 32]).unwrap()
}

fn any_role() -> impl Strategy<Value = RoleName> {
    prop::sample::select(&ROLES[..]).prop_map(role)
}

fn any_keys() -> impl Strategy<Value = Vec<PublicKey>> {
    prop::collection::btree_set(0u8..4, 0..3).prop_map(|seeds| seeds.into_iter().map(key).collect())
}

fn any_ids() -> impl Strategy<Value = Vec<KeyId>> {
    any_keys().prop_map(|keys| keys.iter().map(PublicKey::canonical_id).collect())
}

fn any_paths() -> impl Strategy<Value = Vec<String>> {
    let path = prop::sample::select(vec!["", "v", "v1", "é<&>\"\n"]);
    prop::collection::btree_set(path.prop_map(str::to_owned), 0..3)
        .prop_map(|paths| paths.into_iter().collect())
}

fn added() -> impl Strategy<Value = Terms> {
    (prop::option::of(1u64..4), any_keys(), any_paths()).prop_map(|(threshold, keys, paths)| {
        Terms {
            threshold,
            add_keys: keys,
            add_paths: paths,
            ..Terms::default()
        }
    })
}

fn amended() -> impl Strategy<Value = Terms> {
    (added(), any_ids(), any_paths(), any::<bool>()).prop_map(|(terms, ids, paths, clear)| Terms {
        remove_keys: ids,
        remove_paths: paths,
        clear_paths: clear,
        ..terms
    })
}

fn any_meta() -> impl Strategy<Value = FileMeta> {
    let custom = prop::option::of(0i64..9).prop_map(|n| {
        n.map(|n| Node::object([("<&>", Node::Int(n)), ("a", Node::Null)]).into_owned())
    });
    (any::<[u8; 32]>(), 0u64..1 << 40, custom).prop_map(|(sha256, length, custom)| {
        let mut meta = FileMeta::of_image(sha256, length);
        meta.custom = custom;
        meta
    })
}

fn any_change() -> impl Strategy<Value = Change> {
    let name = prop::sample::select(vec!["v1", "v2", "w", "a<b>&\u{2028}\"\\\u{1}"]);
    let name = name.prop_map(str::to_owned);
    let ids = any_ids().prop_filter("a purge is of keys", |ids| !ids.is_empty());
    prop_oneof![
        (any_role(), name.clone(), any_meta()).prop_map(|(role, name, meta)| Change::Sign {
            role,
            name,
            meta
        }),
        (any_role(), name).prop_map(|(role, name)| Change::Revoke { role, name }),
        (any_role(), added()).prop_map(|(role, terms)| Change::Begin { role, terms }),
        (any_role(), amended()).prop_map(|(role, terms)| Change::Amend { role, terms }),
        any_role().prop_map(|role| Change::End { role }),
        ids.prop_map(|keys| Change::Purge {
            from: RoleName::targets(),
            keys
        }),
        any_role().prop_map(|role| Change::Witness { role }),
    ]
}

/// What the draft has, by role; nothing for a file that says nothing.
fn state(draft: &Draft) -> Vec<(RoleName, Targets)> {
    let roles = ROLES.iter().copied().chain(["targets"]).map(role);
    let files = roles.filter_map(|role| Some((role.clone(), draft.targets_of(&role)?.clone())));
    files
        .filter(|(_, file)| !file.targets.is_empty() || !file.delegations.roles.is_empty())
        .collect()
}

fn begun() -> Draft {
    let keys = BaseKeys {
        root: vec![key(90)],
        root_threshold: 1,
        snapshot: key(91),
        targets: key(92),
        timestamp: key(93),
    };
    Draft::first(&keys, "2026-01-01T00:00:00Z".parse().unwrap())
}

proptest! {
    #[test]
    fn a_change_reads_back_as_itself(change in any_change()) {
        let bytes = change.to_bytes().unwrap();
        prop_assert_eq!(Change::parse(&bytes), Ok(change), "{}", String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn no_bytes_make_it_panic(change in any_change(), at in any::<prop::sample::Index>(), byte: u8) {
        let mut bytes = change.to_bytes().unwrap();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Ok(read) = Change::parse(&bytes) {
            prop_assert_eq!(Change::parse(&read.to_bytes().unwrap()), Ok(read));
        }
    }

    /// Whatever is changed in whatever order: files stay such as readers accept, no key is left
    /// that nobody lists, and a change that cannot be made changes nothing.
    #[test]
    fn a_draft_stays_readable(changes in prop::collection::vec(any_change(), 0..40)) {
        let mut draft = begun();
        for change in changes {
            let before = state(&draft);
            let made = change.apply(&mut draft, &mut |_, _| true);
            let after = state(&draft);
            if made.is_err() {
                prop_assert_eq!(&before, &after, "{}", change);
            }
            for (role, file) in &after {
                let mut next = file.clone();
                next.version += 1; // as sealing numbers it
                prop_assert_eq!(&Targets::read(&next.node(), role), &Ok(next.clone()));
                let listed = file.delegations.roles.iter().flat_map(|it| &it.signers.key_ids);
                let listed: std::collections::BTreeSet<_> = listed.collect();
                prop_assert_eq!(listed, file.delegations.keys.keys().collect());
                prop_assert!(draft.keys_of(role).is_some(), "{} has a file and no keys", role);
            }
        }
    }
}

/// Written by notary 0.7.
#[test]
fn what_notary_stages_is_read() {
    let read = |json: &str| Change::parse(json.as_bytes()).unwrap();
    let terms =
        |json: &str| base64::Engine::encode(&base64::engine::general_purpose::STANDARD, json);
    let id = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881";
    let change = read(
        r#"{"action":"create","role":"targets/x","type":"target","path":"t1","data":"eyJsZW5ndGgiOjEyMywiaGFzaGVzIjp7InNoYTI1NiI6IkxYRVdRcmNtc0VRQllueXArNnd5OWNoVEQ3R1FQTVRiQWlXSEY1SWFTSUU9In0sImN1c3RvbSI6eyJiIjoiXHUwMDNjeFx1MDAzZSJ9fQ=="}"#,
    );
    let Change::Sign {
        role: by,
        name,
        meta,
    } = &change
    else {
        panic!("{change}");
    };
    assert_eq!(
        (by, name.as_str(), meta.length),
        (&role("targets/x"), "t1", 123)
    );
    assert_eq!(meta.sha256_hex().as_deref(), Some(id));
    let custom = meta.custom.as_ref().unwrap().canonical();
    assert_eq!(custom, br#"{"b":"<x>"}"#);
    let change = read(
        r#"{"action":"update","role":"targets/*","type":"delegation","path":"","data":"eyJyZW1vdmVfa2V5cyI6WyIyZDcxMTY0MmI3MjZiMDQ0MDE2MjdjYTlmYmFjMzJmNWM4NTMwZmIxOTAzY2M0ZGIwMjI1ODcxNzkyMWE0ODgxIl19"}"#,
    );
    let (from, keys) = (RoleName::targets(), vec![KeyId::parse(id).unwrap()]);
    assert_eq!(change, Change::Purge { from, keys });
    for (json, shown) in [
        (
            r#"{"action":"delete","role":"targets/z","type":"delegation","path":"","data":null}"#
                .to_owned(),
            "delete delegation targets/z",
        ),
        (
            r#"{"action":"delete","role":"targets","type":"target","path":"t1","data":null}"#
                .to_owned(),
            "delete target targets t1",
        ),
        (
            r#"{"action":"update","role":"targets/x","type":"witness","path":"","data":null}"#
                .to_owned(),
            "update witness targets/x",
        ),
        (
            format!(
                r#"{{"action":"update","role":"targets/x","type":"delegation","path":"","data":"{}"}}"#,
                terms(r#"{"clear_paths":true}"#)
            ),
            "update delegation targets/x",
        ),
    ] {
        let change = read(&json);
        assert_eq!(change.to_string(), shown);
        assert_eq!(String::from_utf8(change.to_bytes().unwrap()).unwrap(), json);
    }
}

#[test]
fn what_is_not_understood_is_refused() {
    let data = |json: &str| {
        let text = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, json);
        format!("\"{text}\"")
    };
    let file = |action: &str, role: &str, kind: &str, path: &str, data: &str| {
        format!(
            r#"{{"action":"{action}","role":"{role}","type":"{kind}","path":"{path}","data":{data}}}"#
        )
    };
    let paths = data(r#"{"add_paths":["v"]}"#);
    for json in [
        String::new(),
        "[]".to_owned(),
        "{}".to_owned(),
        file(
            "create",
            "root",
            "role",
            "",
            &data(r#"{"keys":[],"role":"targets"}"#),
        ),
        file("create", "root", "delegation", "", &paths),
        file("create", "targets", "delegation", "", &paths),
        file("create", "targets/A", "delegation", "", &paths),
        file("create", "targets/a", "delegation", "x", &paths),
        file("create", "targets/a", "delegation", "", "null"),
        file("delete", "targets/a", "delegation", "", &paths),
        file(
            "create",
            "targets/a",
            "delegation",
            "",
            &data(r#"{"new_name":"targets/b"}"#),
        ),
        file(
            "create",
            "targets/a",
            "delegation",
            "",
            &data(r#"{"remove_paths":["v"]}"#),
        ),
        file(
            "update",
            "targets/a",
            "delegation",
            "",
            &data(r#"{"threshold":-1}"#),
        ),
        file(
            "update",
            "targets/a",
            "delegation",
            "",
            &data(r#"{"remove_keys":["ab"]}"#),
        ),
        file("update", "targets/*", "delegation", "", &paths),
        file("update", "targets/*", "delegation", "", &data("{}")),
        file("delete", "targets/*", "delegation", "", "null"),
        file("update", "snapshot", "witness", "", "null"),
        file(
            "create",
            "targets",
            "target",
            "v",
            &data(r#"{"length":1,"hashes":{}}"#),
        ),
        file(
            "create",
            "targets",
            "target",
            "",
            &data(r#"{"length":1,"hashes":{}}"#),
        ),
        file("update", "targets", "target", "v", "null"),
        file("delete", "targets", "target", "v", "\"!\""),
        file("delete", "targets", "target", "v", "null").replace("null}", "null,\"more\":1}"),
        file("delete", "targets", "target", "v", "null").replace("null}", "null,\"path\":\"w\"}"),
    ] {
        assert!(Change::parse(json.as_bytes()).is_err(), "{json}");
    }
}
