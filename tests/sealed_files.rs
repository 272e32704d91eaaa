//! A file this process sealed is believed without a second look only under the keys it was sealed with.

use crate::world::{GUN, Key, Publisher, now};
use std::sync::Arc;
use trust::tuf::digest::FileMeta;
use trust::tuf::edit::{Draft, SealedFile};
use trust::tuf::error::TufError;
use trust::tuf::floor::Floor;
use trust::tuf::role::RoleName;
use trust::tuf::trusted::{Current, Rooted, Walk};

const ROLE: &str = "targets/releases";

#[test]
fn under_the_same_keys_it_is_believed() {
    let (publisher, sealed) = one_more_tag();
    let mut walk = walk(publisher, sealed.bytes());
    assert_eq!(walk.accept_sealed(&sealed), Ok(true));
    let current = walk.finish().unwrap();
    assert!(tags(&current).contains(&"2.0".to_owned()));
}

#[test]
fn under_other_keys_it_is_verified_again() {
    let (mut publisher, sealed) = one_more_tag();
    publisher.delegate(ROLE, &[Key::seed(9)], &[""]);
    let mut walk = walk(publisher, sealed.bytes());
    assert_eq!(walk.accept_sealed(&sealed), Ok(true));
    let current = walk.finish().unwrap();
    let pruned = current.pruned(&role()).unwrap();
    assert!(matches!(pruned.fault, TufError::Signatures { .. }));
    assert!(current.role(&role()).is_none());
}

#[test]
fn under_a_higher_threshold_it_is_verified_again() {
    let (mut publisher, sealed) = one_more_tag();
    let delegations = &mut publisher.targets.get_mut("targets").unwrap().delegations;
    let releases = delegations.roles.iter_mut().find(|r| r.name == role());
    releases.unwrap().signers.threshold = 2;
    let mut walk = walk(publisher, sealed.bytes());
    assert_eq!(walk.accept_sealed(&sealed), Ok(true));
    assert!(walk.finish().unwrap().role(&role()).is_none());
}

#[test]
fn where_the_server_names_another_it_is_left_out() {
    let (publisher, sealed) = one_more_tag();
    let other = publisher.file(ROLE, &publisher.targets[ROLE]);
    let mut walk = walk(publisher, &other);
    assert_eq!(walk.accept_sealed(&sealed), Ok(false));
    walk.accept(&other).unwrap();
    assert!(!tags(&walk.finish().unwrap()).contains(&"2.0".to_owned()));
}

/// A repository, and its released set with another tag as a signer seals it.
fn one_more_tag() -> (Publisher, SealedFile) {
    let publisher = publisher();
    let key = Arc::clone(&publisher.signers[ROLE][0]);
    let file = publisher.file(ROLE, &publisher.targets[ROLE]);
    let mut walk = walk(publisher, &file);
    walk.accept(&file).unwrap();
    let mut draft = Draft::of(&walk.finish().unwrap(), now());
    let image = FileMeta::of_image([7; 32], 700);
    draft.sign(&role(), "2.0", &image).unwrap();
    let sign = |_: &_, _: &_, message: &[u8]| Ok::<_, ()>(vec![key.sign(message)]);
    let sealed = draft.seal(false, sign).unwrap().remove(0);
    (self::publisher(), sealed)
}

/// With nobody but `targets/releases` below `targets`.
fn publisher() -> Publisher {
    let mut publisher = Publisher::new();
    publisher.targets.remove("targets/alice");
    let delegations = &mut publisher.targets.get_mut("targets").unwrap().delegations;
    delegations.roles.retain(|r| r.name == role());
    publisher
}

/// The walk up to the released set, where `releases` is the file that is wanted.
fn walk(mut publisher: Publisher, releases: &[u8]) -> Walk {
    let root = publisher.file("root", &publisher.root);
    let targets = publisher.file("targets", &publisher.targets["targets"]);
    for (role, file) in [("root", &*root), ("targets", &targets), (ROLE, releases)] {
        let meta = FileMeta::of(file);
        publisher.snapshot.meta.insert(role.to_owned(), meta);
    }
    let snapshot = publisher.file("snapshot", &publisher.snapshot);
    publisher.timestamp.snapshot = FileMeta::of(&snapshot);
    let timestamp = publisher.file("timestamp", &publisher.timestamp);
    let floor = Floor::default();
    let set = Rooted::kept(GUN, &root)
        .and_then(|rooted| rooted.timestamp(&timestamp, &floor, now()))
        .and_then(|timestamped| timestamped.snapshot(&snapshot, &floor, now()));
    let mut walk = set.and_then(|set| set.walk(floor, now())).unwrap();
    walk.accept(&targets).unwrap();
    walk
}

fn tags(current: &Current) -> Vec<String> {
    let file = current.role(&role()).unwrap();
    file.facts().targets.keys().cloned().collect()
}

fn role() -> RoleName {
    RoleName::releases()
}
