//! Root keys that are lost: with others that can stand in, and without.

use std::fs;

use super::{
    Readers, hand, id_of, is_another_root, key_ids, lose, lose_key, page::Way, sees, signed, signer,
};
use crate::peers::{home::Home, lab::Lab, server::Kind};

pub(super) fn one_of_several_root_keys_is_lost(server: Kind) {
    let lab = Lab::start(server);
    let mut way = Way::of("One of several root keys is lost");
    on_one_machine(&lab, &mut way);
    on_several_machines(&lab, &mut way);
    way.ends();
}

fn on_one_machine(lab: &Lab, way: &mut Way) {
    let (owner, app) = (lab.home("owner"), lab.name("app"));
    let [one, two, three] = [(); 3].map(|()| root_key(&owner));
    owner
        .trust(&format!(
            "repo init --server-managed-snapshot --root-threshold 2 --root-key {one} --root-key {two} --root-key {three} {app}"
        ))
        .ok();
    let alice = signer(&owner, "alice", &app);
    let first = signed(&alice, &app, "v1");
    let readers = Readers::of(lab);
    readers.see(&app, "v1", &first);
    lose_key(&owner, &three);

    let before = root_ids(&owner);
    way.with("REPOSITORY", &app);
    fs::remove_file(owner.folder().join("root.pub")).expect("the last one");
    way.next(&owner).ok();
    let four = new_root_id(&owner, &before);
    way.with("ROOT1", &one)
        .with("ROOT2", &two)
        .with("ROOT4", &four);
    way.next(&owner).ok();
    let mut ids = vec![one, two, four];
    ids.sort();
    let mut present = key_ids(&owner, &app, "root");
    present.sort();
    assert_eq!(present, ids);
    readers.see(&app, "v1", &first);
    readers.see(&app, "v2", &signed(&alice, &app, "v2"));
}

fn on_several_machines(lab: &Lab, way: &mut Way) {
    let app = lab.name("shared");
    let [ann, ben, cat, dan] = ["ann", "ben", "cat", "dan"].map(|name| lab.home(name));
    let [one, two, _three, four] = [&ann, &ben, &cat, &dan].map(root_key);
    for (home, file) in [(&ben, "ben.crt"), (&cat, "cat.crt")] {
        let id = id_of(home, "root");
        home.trust(&format!("key export {id} --certificate {app} -o {file}"))
            .ok();
        hand(home, &ann, file);
    }
    ann.trust(&format!(
        "repo init --server-managed-snapshot --root-threshold 2 --root-key {one} --root-cert ben.crt --root-cert cat.crt --request init.json {app}"
    ))
    .ok();
    hand(&ann, &ben, "init.json");
    ben.trust("sign --approve init.json -y").ok();
    let alice = signer(&ann, "alicia", &app);
    let first = signed(&alice, &app, "v1");
    let readers = Readers::of(lab);
    readers.see(&app, "v1", &first);

    // Cat's key is lost; dan has a new one.
    way.with("REPOSITORY", &app);
    way.with("ROOT1", &one)
        .with("ROOT2", &two)
        .with("ROOT4", &four);
    way.next(&ben).ok();
    way.next(&dan).ok();
    hand(&ben, &ann, "root2.crt");
    hand(&dan, &ann, "root4.crt");
    way.next(&ann).ok();
    hand(&ann, &ben, "root.json");
    way.next_with_a_yes(&ben, "Sign this for");
    let mut ids = vec![one, two, four];
    ids.sort();
    let mut present = key_ids(&ann, &app, "root");
    present.sort();
    assert_eq!(present, ids);
    readers.see(&app, "v1", &first);
    readers.see(&app, "v2", &signed(&alice, &app, "v2"));
}

pub(super) fn the_only_root_key_is_lost(server: Kind) {
    let lab = Lab::start(server);
    let (owner, app) = (lab.home("owner"), lab.name("app"));
    let alice = signer(&owner, "alice", &app);
    let first = signed(&alice, &app, "v1");
    let readers = Readers::of(&lab);
    readers.see(&app, "v1", &first);
    lose(&owner, &app, "root");
    owner.trust(&format!("key rotate root -y {app}")).exit(1);
    // Until it expires, all goes on.
    readers.see(&app, "v2", &signed(&alice, &app, "v2"));

    let mut way = Way::of("The only root key is lost");
    way.with("REPOSITORY", &app).with("TAG", "v1");
    way.next(&owner).ok();
    way.next(&owner).ok();
    way.next(&owner).ok();
    // Alice, too, trusts the old root.
    is_another_root(alice.trust(&format!("sign {app}:v1")));
    forget_with_trust(&alice, &app, &key_ids(&owner, &app, "root")[0]);
    way.next(&alice).ok();
    way.ends();
    none_follows(&readers, &app);
    sees(&lab.home("newcomer"), &app, "v1", &first);
    for home in [&readers.docker, &readers.notary] {
        forget_the_folder(home, &app);
    }
    forget_with_trust(&readers.trust, &app, &key_ids(&owner, &app, "root")[0]);
    readers.see(&app, "v1", &first);
}

pub(super) fn a_client_trusts_a_root_that_is_gone(server: Kind) {
    let lab = Lab::start(server);
    let (owner, app) = (lab.home("owner"), lab.name("app"));
    let alice = signer(&owner, "alice", &app);
    let first = signed(&alice, &app, "v1");
    let readers = Readers::of(&lab);
    readers.see(&app, "v1", &first);
    // The readers have seen more than alice, and more than the new repository has.
    for tag in ["v2", "v3", "v4"] {
        let digest = signed(&alice, &app, tag);
        readers.see(&app, tag, &digest);
    }
    let old = key_ids(&owner, &app, "root");
    lose(&owner, &app, "root");
    owner.trust(&format!("repo delete -y --remote {app}")).ok();
    owner
        .trust(&format!("signer add --key alice.pub alice {app}"))
        .ok();
    let [new] = &key_ids(&owner, &app, "root")[..] else {
        panic!("one root key");
    };
    forget_with_trust(&alice, &app, new);
    alice.trust(&format!("sign {app}:v1")).ok();
    none_follows(&readers, &app);

    // Not the root that somebody says it is.
    let again = lab.home("again");
    is_another_root(again.trust(&format!("repo pin --key-id {} {app}", old[0])));

    let mut way = Way::of("A client trusts a root that is gone");
    way.with("REPOSITORY", &app).with("NEWROOT", new);
    way.next(&readers.trust).ok();
    way.next(&readers.trust).ok();
    way.ends();
    for home in [&readers.docker, &readers.notary] {
        forget_the_folder(home, &app);
    }
    readers.see(&app, "v1", &first);
    readers.see(&app, "v5", &signed(&alice, &app, "v5"));
    what_a_key_has_signed_is_remembered(&owner, &alice, &readers.trust, &app);
}

/// A signer who comes to a new repository with an old key, and without the machine that knows how
/// far it was, begins below what others remember.
fn what_a_key_has_signed_is_remembered<'lab>(
    owner: &Home<'lab>,
    alice: &Home<'lab>,
    reader: &Home<'lab>,
    app: &str,
) {
    let secret = |home: &Home<'lab>| home.with("TRUST_BACKUP_PASSPHRASE", "a long secret");
    secret(alice).trust("key backup -o keys.backup").ok();
    let moved = owner.lab.home("moved");
    hand(alice, &moved, "keys.backup");
    secret(&moved).trust("key restore keys.backup").ok();
    let root = &key_ids(owner, app, "root")[0];
    let pin = format!("repo pin --key-id {root} {app}");
    let begin_with = |key: &str| {
        owner.trust(&format!("repo delete -y --remote {app}")).ok();
        let add = format!("signer add --key {key}.pub alice {app}");
        owner.trust(&add).ok();
        let digest = signed(&moved, app, "v1");
        reader.trust(&format!("repo delete {app}")).ok();
        digest
    };
    let digest = begin_with("alice");
    sees(&owner.lab.home("later"), app, "v1", &digest);
    reader.trust(&pin).exit(1).says("[rollback]");
    // With a new key it is well.
    moved.trust("key generate alice2").ok();
    hand(&moved, owner, "alice2.pub");
    moved.trust(&format!("repo delete {app}")).ok();
    let digest = begin_with("alice2");
    reader.trust(&pin).ok();
    sees(reader, app, "v1", &digest);
}

/// As long as they trust the old root, they say so.
#[track_caller]
fn none_follows(readers: &Readers<'_>, app: &str) {
    let inspected = readers.docker.docker(&format!("trust inspect {app}"));
    assert_ne!(inspected.code, 0, "{inspected}");
    let listed = readers.notary.notary(&format!("list {app}"));
    assert_ne!(listed.code, 0, "{listed}");
    is_another_root(readers.trust.trust(&format!("verify {app}:v1")));
}

/// What the last section says, with trust.
fn forget_with_trust(home: &Home<'_>, app: &str, root: &str) {
    home.trust(&format!("repo delete {app}")).ok();
    home.trust(&format!("repo pin --key-id {root} {app}")).ok();
}

/// What the last section says, with docker and notary.
pub(super) fn forget_the_folder(home: &Home<'_>, app: &str) {
    fs::remove_dir_all(home.trust_dir().join("tuf").join(app)).expect("the folder");
}

/// A new root key; its id.
fn root_key(home: &Home<'_>) -> String {
    let before = root_ids(home);
    let _ = fs::remove_file(home.folder().join("root.pub"));
    home.trust("key generate root").ok();
    new_root_id(home, &before)
}

fn new_root_id(home: &Home<'_>, before: &[String]) -> String {
    let mut ids = root_ids(home);
    ids.retain(|id| !before.contains(id));
    ids.pop().expect("a new root key")
}

fn root_ids(home: &Home<'_>) -> Vec<String> {
    let listed = home.trust("key list --format json").ok();
    let rows: serde_json::Value = serde_json::from_str(&listed.stdout).expect("JSON");
    let rows = rows.as_array().expect("keys").iter();
    rows.filter(|row| row["role"] == "root")
        .map(|row| row["id"].as_str().expect("an id").to_owned())
        .collect()
}
