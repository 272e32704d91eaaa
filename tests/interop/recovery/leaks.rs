//! Keys that somebody else has, too.

use std::{fs, path::Path};

use super::{Readers, hand, is_another_root, key_ids, page::Way, sees, signed, signer};
use crate::peers::{home::Home, image::hex_of, lab::Lab, run::run, server::Kind};

pub(super) fn a_signers_key_leaked(server: Kind) {
    let lab = Lab::start(server);
    let (owner, app) = (lab.home("owner"), lab.name("app"));
    let bob = signer(&owner, "bob", &app);
    let alice = signer(&owner, "alice", &app);
    let (first, second) = (signed(&bob, &app, "v1"), signed(&alice, &app, "v2"));
    let mallory = thief(&alice, "mallory");
    let evil = signed(&mallory, &app, "evil");
    let readers = Readers::of(&lab);
    for (tag, digest) in [("v1", &first), ("v2", &second), ("evil", &evil)] {
        readers.see(&app, tag, digest);
    }

    // Bob is the owner here as well: somebody who may sign has to be left.
    let keys = owner.trust_dir().join("private");
    for file in fs::read_dir(bob.trust_dir().join("private")).expect("keys") {
        let file = file.expect("a key").path();
        fs::copy(&file, keys.join(file.file_name().expect("a name"))).expect("a copy");
    }
    let mut way = Way::of("A signer's key leaked");
    way.with("REPOSITORY", &app).with("TAG", "evil");
    way.next(&owner).ok();
    lab.push("app", "worse");
    mallory.trust(&format!("sign {app}:worse")).exit(1);
    way.next(&owner).ok().says(hex_of(&evil));
    // Who does not reach the server believes what they kept.
    sees(&readers.trust, &app, "evil", &evil);
    way.next(&owner).ok();
    let offline = format!("--offline verify {app}:evil");
    readers.trust.trust(&offline).ok();
    readers.do_not_see(&app, "evil", &evil);
    readers.trust.trust(&offline).exit(1);
    readers.see(&app, "v1", &first);
    readers.see(&app, "v2", &second);
    mallory.trust(&format!("sign {app}:worse")).exit(1);

    // Alice comes back.
    alice.trust("key generate alice2").ok();
    hand(&alice, &owner, "alice2.pub");
    way.next(&owner).ok();
    way.ends();
    readers.see(&app, "v1", &first);
    readers.see(&app, "v3", &signed(&alice, &app, "v3"));
    readers.do_not_see(&app, "evil", &evil);
    readers
        .docker
        .docker(&format!("trust inspect {app}"))
        .ok()
        .says("\"alice\"");
    mallory.trust(&format!("sign {app}:worse")).exit(1);
}

pub(super) fn the_root_key_leaked(server: Kind) {
    let lab = Lab::start(server);
    let (owner, app) = (lab.home("owner"), lab.name("app"));
    let alice = signer(&owner, "alice", &app);
    let first = signed(&alice, &app, "v1");
    let readers = Readers::of(&lab);
    readers.see(&app, "v1", &first);
    let [old] = &key_ids(&owner, &app, "root")[..] else {
        panic!("one root key");
    };
    let pinned = lab.home("pinned");
    let pin = |id: &str| {
        let policy = format!("[default]\nrequire = \"signed\"\nroot_keys = [\"{id}\"]\n");
        fs::write(pinned.folder().join("policy.toml"), policy).expect("a policy");
    };
    let verify = format!("verify --policy policy.toml {app}:v1");
    pin(old);
    pinned.trust(&verify).ok();
    let mallory = thief(&owner, "mallory");

    owner.trust(&format!("key show {old}")).ok().says(&app);
    let mut way = Way::of("The root key leaked");
    way.with("REPOSITORY", &app);
    way.next(&owner).ok();
    let shown = way.next(&owner).ok();
    let new = shown
        .stdout
        .lines()
        .find_map(|line| line.trim().strip_prefix("Root Key:"));
    let new = new.expect("the root key").trim();
    assert_ne!(key_ids(&owner, &app, "root")[0], *old);
    way.next(&owner).ok().says(hex_of(&first));
    readers.see(&app, "v1", &first);
    readers.see(&app, "v2", &signed(&alice, &app, "v2"));

    is_another_root(pinned.trust(&verify));
    pin(new);
    pinned.trust(&verify).ok();
    way.with("OLDROOT", old).with("NEWROOT", new);
    way.next(&pinned).ok();
    is_another_root(pinned.trust(&format!("repo pin --key-id {old} {app}")));
    way.ends();

    // What was stolen is worth nothing any more: not there, and not here.
    mallory.trust(&format!("key rotate root -y {app}")).exit(1);
    let stolen = mallory.notary_with_input(&format!("key rotate {app} root"), "yes\n");
    assert_ne!(stolen.code, 0, "{stolen}");
    readers.see(&app, "v1", &first);
}

/// Somebody who copied all that is on a machine.
fn thief<'lab>(of: &Home<'lab>, name: &str) -> Home<'lab> {
    let home = of.lab.home(name);
    let copy = format!("-a {}/. {}", of.folder().display(), home.folder().display());
    run(home.command(Path::new("cp"), &copy)).ok();
    home
}
