//! Keys that are lost and can be replaced.

use super::{Readers, hand, id_of, key_ids, lose, lose_key, page::Way, sees, signed, signer};
use crate::peers::{image::hex_of, lab::Lab, server::Kind};

pub(super) fn a_signer_lost_their_key(server: Kind) {
    let lab = Lab::start(server);
    let (owner, app, other) = (lab.home("owner"), lab.name("app"), lab.name("other"));
    let alice = signer(&owner, "alice", &app);
    owner
        .trust(&format!("signer add --key alice.pub alice {other}"))
        .ok();
    let (first, second) = (signed(&alice, &app, "v1"), signed(&alice, &other, "v2"));
    let readers = Readers::of(&lab);
    readers.see(&app, "v1", &first);
    readers.see(&other, "v2", &second);
    lose_key(&alice, &id_of(&alice, "alice"));

    let mut way = Way::of("A signer lost their key");
    way.with("REPOSITORY", &app);
    way.next(&alice).ok();
    hand(&alice, &owner, "alice2.pub");
    way.next(&owner).ok().says("not yet by");
    readers.see(&app, "v1", &first);
    hand(&owner, &alice, "alice.json");
    way.next_with_a_yes(&alice, "Sign this for");
    readers.see(&app, "v1", &first);
    readers
        .docker
        .docker(&format!("trust inspect {app}"))
        .ok()
        .says(&id_of(&alice, "alice2"));
    readers.see(&app, "v3", &signed(&alice, &app, "v3"));
    readers.see(&app, "v1", &first);

    // The owner does not wait for alice: until she vouches, nobody believes what she alone signed.
    way.with("REPOSITORY", &other);
    way.next(&owner).ok();
    readers.trust.trust(&format!("verify {other}:v2")).exit(1);
    let listed = readers.notary.notary(&format!("list {other}"));
    listed.ok().does_not_say(hex_of(&second));
    way.next(&alice).ok();
    readers.see(&other, "v2", &second);
    readers.see(&other, "v3", &signed(&alice, &other, "v3"));
    way.ends();
}

pub(super) fn the_targets_key_is_lost(server: Kind) {
    let lab = Lab::start(server);
    let (owner, app) = (lab.home("owner"), lab.name("app"));
    let alice = signer(&owner, "alice", &app);
    let first = signed(&alice, &app, "v1");
    let readers = Readers::of(&lab);
    readers.see(&app, "v1", &first);
    lose(&owner, &app, "targets");
    owner.trust("key generate bob").ok();
    let add = format!("signer add --key bob.pub bob {app}");
    owner.trust(&add).exit(1);

    let mut way = Way::of("The targets key is lost");
    way.with("REPOSITORY", &app);
    way.next(&owner).ok();
    way.ends();
    readers.see(&app, "v1", &first);
    readers.see(&app, "v2", &signed(&alice, &app, "v2"));
    owner.trust(&add).ok();
    readers.see(&app, "v1", &first);
}

pub(super) fn the_snapshot_key_is_lost(server: Kind) {
    let lab = Lab::start(server);
    let owner = lab.home("owner");
    let (app, other) = (lab.name("app"), lab.name("other"));
    owner.trust(&format!("repo init {app}")).ok();
    owner.notary(&format!("init -p {other}")).ok();
    let (first, second) = (signed(&owner, &app, "v1"), signed(&owner, &other, "v2"));
    let readers = Readers::of(&lab);
    readers.see(&app, "v1", &first);
    readers.see(&other, "v2", &second);
    for name in [&app, &other] {
        lose(&owner, name, "snapshot");
    }
    lab.push("app", "v3");
    owner.trust(&format!("sign {app}:v3")).exit(1);

    let mut way = Way::of("The snapshot key is lost");
    for (name, tag, digest) in [(&app, "v1", &first), (&other, "v2", &second)] {
        way.with("REPOSITORY", name);
        way.next(&owner).ok();
        readers.see(name, tag, digest);
        readers.see(name, "v3", &signed(&owner, name, "v3"));
        sees(&lab.home("newcomer"), name, tag, digest);
    }
    way.ends();
    let here = id_of(&owner, &key_ids(&owner, &app, "snapshot")[0]);
    assert_eq!([here], key_ids(&owner, &app, "snapshot")[..]);
}
