//! Any byte changed in any file: refused, or the same image as before. Never another one.

use crate::world::{Answer, Client, Publisher, Server, TAG};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use std::cell::RefCell;
use trust::tuf::canonical::Node;
use trust::tuf::digest::FileMeta;
use trust::tuf::envelope::Unverified;
use trust::tuf::role::RoleName;
use trust::tuf::trusted::{Rooted, claimed_root_version};

/// How a file is changed on its way.
#[derive(Clone, Debug)]
enum Change {
    Flip(u8),
    Insert(u8),
    Remove,
    Truncate,
    /// A piece of the file stands in it twice
    Repeat(usize),
}

fn any_change() -> impl Strategy<Value = Change> {
    prop_oneof![
        4 => (1_u8..=255).prop_map(Change::Flip),
        2 => any::<u8>().prop_map(Change::Insert),
        2 => Just(Change::Remove),
        1 => Just(Change::Truncate),
        1 => (1_usize..200).prop_map(Change::Repeat),
    ]
}

fn changed(file: &[u8], at: usize, change: &Change) -> Vec<u8> {
    let mut file = file.to_vec();
    let at = at % file.len();
    match change {
        Change::Flip(bits) => file[at] ^= bits,
        Change::Insert(byte) => file.insert(at, *byte),
        Change::Remove => drop(file.remove(at)),
        Change::Truncate => file.truncate(at),
        Change::Repeat(length) => {
            let piece = file[at..(at + length).min(file.len())].to_vec();
            file.splice(at..at, piece);
        }
    }
    file
}

#[test]
fn a_changed_file_never_brings_another_image() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let server = runtime.block_on(Server::start());
    Publisher::new().publish(&server);
    let honest = runtime
        .block_on(Client::new().decide(&server))
        .judgement
        .decided_by
        .unwrap();
    let names = server.names();
    let refusals = RefCell::new(0_u32);
    let mut runner = TestRunner::new(Config {
        cases: cases(),
        failure_persistence: None,
        ..Config::default()
    });
    let inputs = (0..names.len(), any::<usize>(), any_change());
    runner
        .run(&inputs, |(name, at, change)| {
            let name = &names[name];
            let file = server.file(name);
            server.put(name, Answer::File(changed(&file, at, &change)));
            let judgement = runtime.block_on(Client::new().decide(&server)).judgement;
            server.put(name, Answer::File(file));
            if judgement.reason.is_some() {
                *refusals.borrow_mut() += 1;
            } else {
                prop_assert_eq!(&judgement.decided_by.unwrap().digest, &honest.digest);
            }
            Ok(())
        })
        .unwrap();
    assert!(
        *refusals.borrow() > 30,
        "{TAG}: only {} changes were refused",
        refusals.borrow()
    );
}

/// `TRUST_SOAK_CASES`, or a number that suits every day.
fn cases() -> u32 {
    let asked = std::env::var("TRUST_SOAK_CASES").ok();
    asked.map_or(120, |number| number.parse().unwrap())
}

proptest! {
    #[test]
    fn no_bytes_make_the_model_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = Unverified::parse(&bytes);
        let _ = Rooted::kept("docker.io/library/alpine", &bytes);
        let _ = claimed_root_version(&bytes);
    }

    #[test]
    fn no_json_makes_the_model_panic(json in any_json()) {
        let file = json.canonical();
        let _ = Rooted::kept("docker.io/library/alpine", &file);
        let _ = claimed_root_version(&file);
        prop_assert!(FileMeta::of(&file).check(&file).is_ok());
    }

    #[test]
    fn a_role_name_reads_back_as_itself(name in "(targets/)?[-a-z0-9_/]{0,20}") {
        if let Some(role) = RoleName::parse(&name) {
            prop_assert_eq!(role.as_str(), name);
        }
    }
}

/// JSON that has the names of metadata at the places of metadata, and anything else besides.
fn any_json() -> impl Strategy<Value = Node<'static>> {
    let leaf = prop_oneof![
        Just(Node::Null),
        any::<bool>().prop_map(Node::Bool),
        (-2_i64..40).prop_map(Node::Int),
        "(Root|root|targets|ecdsa-x509|AAAA|2030-01-01T00:00:00Z|[a-z/]{0,9})"
            .prop_map(|t: String| Node::text(t)),
    ];
    leaf.prop_recursive(6, 64, 8, |inner| {
        let names = prop::sample::subsequence(
            vec![
                "_type",
                "expires",
                "keyids",
                "keys",
                "keytype",
                "keyval",
                "public",
                "roles",
                "root",
                "signatures",
                "signed",
                "snapshot",
                "targets",
                "threshold",
                "timestamp",
                "version",
            ],
            0..8,
        );
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(|list| Node::List(list.into())),
            (names, prop::collection::vec(inner, 8)).prop_map(|(names, values)| {
                Node::Object(names.into_iter().map(Into::into).zip(values).collect())
            }),
        ]
    })
}
