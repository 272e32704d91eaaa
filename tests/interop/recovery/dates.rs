//! What has expired, and comes back.

use std::fs;

use jiff::{SignedDuration, Timestamp};
use trust::repository::init::SnapshotKey;

use super::{Readers, id_of, lose_key, page::Way};
use crate::peers::{
    home::Home,
    lab::Lab,
    past::{Made, wait_until_after, within},
    server::Kind,
};

pub(super) fn targets_have_expired(server: Kind) {
    let lab = Lab::start(server);
    let (owner, app, other) = (lab.home("owner"), lab.name("app"), lab.name("other"));
    Made::by(&owner, &other).begun(SnapshotKey::Server, days_ago(1095 - 60));
    let (past, expires) = within(20, 1095);
    Made::by(&owner, &app).begun(SnapshotKey::Server, past);
    let shared = lab.name("shared");
    let alice = released_in_the_past(&owner, &shared, past);
    let readers = Readers::of(&lab);
    all_read(&readers, &app);
    all_read(&readers, &other);
    all_read(&readers, &shared);
    wait_until_after(expires);
    none_reads(&readers, &app);
    none_reads(&readers, &shared);

    let mut way = Way::of("Targets have expired");
    // The owner renews targets, and alice what she signed.
    way.with("REPOSITORY", &shared);
    let renew = way.peek();
    let released = |code| {
        readers
            .trust
            .trust(&format!("verify {shared}:v1"))
            .exit(code)
    };
    let owners = owner.trust(&renew).exit(1);
    owners
        .says("targets is signed again")
        .says("targets/releases is not signed again");
    released(1).says("[expired]");
    readers
        .docker
        .docker(&format!("trust inspect {shared}"))
        .ok()
        .does_not_say(SIGNED_IN_THE_PAST);
    alice
        .trust(&renew)
        .ok()
        .says("targets/releases is signed again");
    released(0).says("v1");
    readers
        .docker
        .docker(&format!("trust inspect {shared}"))
        .ok()
        .says(SIGNED_IN_THE_PAST);
    readers
        .notary
        .notary(&format!("list {shared}"))
        .ok()
        .says(SIGNED_IN_THE_PAST);

    way.with("REPOSITORY", &app);
    way.next(&owner).ok().says("targets is signed again");
    all_read(&readers, &app);
    let renewed = way.next(&owner).ok();
    renewed.says(&other).says("targets is signed again");
    way.ends();
    all_read(&readers, &other);
}

pub(super) fn the_root_has_expired(server: Kind) {
    let lab = Lab::start(server);
    let home = |name: &str| lab.home(name);
    let (owner, later, last) = (home("owner"), home("later"), home("last"));
    let (app, young, old) = (lab.name("app"), lab.name("young"), lab.name("old"));
    Made::by(&later, &young).with_a_root_from(days_ago(3650 - 60), days_ago(3650 - 60));
    let (past, expires) = within(20, 3650);
    Made::by(&owner, &app).with_a_root_from(past, Timestamp::now());
    Made::by(&last, &old).with_a_root_from(past, past);
    let readers = Readers::of(&lab);
    for name in [&app, &young, &old] {
        all_read(&readers, name);
    }
    wait_until_after(expires);
    none_reads(&readers, &app);
    none_reads(&readers, &old);

    let mut way = Way::of("The root has expired");
    way.with("REPOSITORY", &app);
    way.next(&owner).ok().says("root is signed again");
    all_read(&readers, &app);
    // With its certificate, before it is too late.
    way.with("REPOSITORY", &young);
    way.next(&later).ok().says("root is signed again");
    way.ends();
    all_read(&readers, &young);

    // Too late: notary-server takes no root after one whose certificate has ended.
    let renewed = last.trust(&format!("repo renew {old}"));
    if server == Kind::Notary {
        renewed.exit(1).says("Update sent by the client is invalid");
        none_reads(&readers, &old);
        return;
    }
    renewed.ok().says("root is signed again");
    readers.trust.trust(&format!("repo show {old}")).ok();
    // And neither docker nor notary follows from one: they begin again.
    assert!(!docker_reads(&readers.docker, &old));
    assert!(!notary_reads(&readers.notary, &old));
    for home in [&readers.docker, &readers.notary] {
        super::roots::forget_the_folder(home, &old);
    }
    all_read(&readers, &old);
}

/// A repository of the past whose only signer works on another machine.
fn released_in_the_past<'lab>(owner: &Home<'lab>, app: &str, past: Timestamp) -> Home<'lab> {
    Made::by(owner, app).released_by("alice", past);
    let alice = owner.lab.home("alice");
    let id = id_of(owner, "alice");
    let kept = |home: &Home<'_>| home.trust_dir().join("private");
    fs::create_dir_all(kept(&alice)).expect("a folder");
    let file = format!("{id}.key");
    fs::copy(kept(owner).join(&file), kept(&alice).join(&file)).expect("a copy");
    lose_key(owner, &id);
    alice
}

#[track_caller]
fn all_read(readers: &Readers<'_>, app: &str) {
    assert_eq!(reads(readers, app), [true; 3]);
}

#[track_caller]
fn none_reads(readers: &Readers<'_>, app: &str) {
    assert_eq!(reads(readers, app), [false; 3]);
}

fn reads(readers: &Readers<'_>, app: &str) -> [bool; 3] {
    let shown = readers.trust.trust(&format!("repo show {app}"));
    [
        docker_reads(&readers.docker, app),
        notary_reads(&readers.notary, app),
        shown.code == 0,
    ]
}

fn docker_reads(home: &Home<'_>, app: &str) -> bool {
    home.docker(&format!("trust inspect {app}")).code == 0
}

fn notary_reads(home: &Home<'_>, app: &str) -> bool {
    home.notary(&format!("list {app}")).code == 0
}

fn days_ago(days: i64) -> Timestamp {
    let past = Timestamp::now().saturating_sub(SignedDuration::from_hours(24 * days));
    past.expect("a moment")
}

/// The digest of a tag made in the past.
const SIGNED_IN_THE_PAST: &str = "0707070707070707070707070707070707070707070707070707070707070707";
