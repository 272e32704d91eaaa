//! What one client made, the others accept and carry on with: keys,
//! repositories, signers and tags of docker, notary and trust.

use crate::peers::{
    home::{Home, files_below},
    image::hex_of,
    lab::Lab,
    server::{Kind, on_both_servers},
};

on_both_servers!(
    trust_carries_on_what_docker_made,
    trust_carries_on_what_docker_push_made,
    trust_carries_on_what_notary_made,
    docker_carries_on_what_trust_made,
    docker_signs_into_a_repository_that_trust_initialised,
    notary_carries_on_what_trust_made,
    a_repository_that_trust_made_with_its_own_snapshot_key_is_notarys_too
);

fn trust_carries_on_what_docker_made(server: Kind) {
    let lab = Lab::start(server).with_engine();
    let nigel = lab.home("nigel");
    let app = lab.name("team/app");
    nigel.docker("trust key generate nigel").ok();
    nigel
        .docker(&format!("trust signer add --key nigel.pub nigel {app}"))
        .ok();
    let first = sign_with_docker(&nigel, "first");
    let keys = files_below(&nigel.trust_dir().join("private"));

    // Reads it.
    nigel
        .trust(&format!("inspect {app}"))
        .ok()
        .says(hex_of(&first))
        .says("nigel");
    nigel
        .trust(&format!("repo list {app}"))
        .ok()
        .says("first")
        .says(hex_of(&first));
    verifies(&nigel, &format!("{app}:first"), &first);

    // Signs further with the same key files.
    let second = lab.push("team/app", "second").digest();
    nigel
        .trust(&format!("sign {app}:second"))
        .ok()
        .says(&second);
    assert_eq!(
        keys,
        files_below(&nigel.trust_dir().join("private")),
        "key files changed"
    );

    // Adds a signer, lets it sign elsewhere, removes it.
    let alice = lab.home("alice");
    alice.trust("key generate alice").ok();
    let key = alice.folder().join("alice.pub");
    nigel
        .trust(&format!("signer add --key {} alice {app}", key.display()))
        .ok();
    alice.trust(&format!("sign {app}:second")).ok();
    nigel
        .docker(&format!("trust inspect {app}:second"))
        .ok()
        .says("alice")
        .says("nigel");
    nigel.trust(&format!("signer remove alice {app}")).ok();

    // Everybody still agrees, and docker goes on.
    nigel
        .docker(&format!("trust inspect {app}"))
        .ok()
        .says("second")
        .does_not_say("alice");
    nigel
        .notary(&format!("list {app}"))
        .ok()
        .says(hex_of(&first))
        .says(hex_of(&second));
    nigel
        .notary(&format!("delegation list {app}"))
        .ok()
        .does_not_say("targets/alice");
    let third = sign_with_docker(&nigel, "third");
    verifies(&nigel, &format!("{app}:third"), &third);
    nigel.trust(&format!("revoke {app}:first")).ok();
    nigel.docker_trusting(&format!("pull {app}:first")).exit(1);
    nigel
        .docker_trusting(&format!("pull {app}:second"))
        .ok()
        .says(&second);
}

fn trust_carries_on_what_docker_push_made(server: Kind) {
    let lab = Lab::start(server).with_engine();
    let nigel = lab.home("nigel");
    let app = lab.name("team/app");
    lab.push("team/app", "first");
    nigel.docker(&format!("pull {app}:first")).ok();
    nigel
        .docker_trusting(&format!("push {app}:first"))
        .ok()
        .says("Finished initializing");
    let first = nigel.served_digest(&format!("{app}:first"));

    verifies(&nigel, &format!("{app}:first"), &first);
    let second = lab.push("team/app", "second").digest();
    nigel.trust(&format!("sign {app}:second")).ok();
    nigel
        .docker(&format!("trust inspect {app}"))
        .ok()
        .says(hex_of(&second))
        .says("Repo Admin");
    nigel.docker_trusting(&format!("pull {app}:second")).ok();
    nigel.trust(&format!("revoke {app}:first")).ok();
    nigel
        .docker_trusting(&format!("pull {app}:first"))
        .exit(1)
        .says("No valid trust data for");
    nigel.docker_trusting(&format!("push {app}:first")).ok();
    verifies(&nigel, &format!("{app}:first"), &first);
}

fn trust_carries_on_what_notary_made(server: Kind) {
    let lab = Lab::start(server);
    let nigel = lab.home("nigel");
    let app = lab.name("team/app");
    let first = lab.push("team/app", "first");
    // Unlike docker, notary keeps the snapshot key to itself.
    nigel.notary(&format!("init -p {app}")).ok();
    add_hash(
        &nigel,
        "first",
        &first.digest(),
        first.manifest.bytes.len(),
        "targets",
    );
    verifies(&nigel, &format!("{app}:first"), &first.digest());

    let second = lab.push("team/app", "second").digest();
    nigel.trust(&format!("sign {app}:second")).ok();
    nigel
        .notary(&format!("lookup {app} second"))
        .ok()
        .says(hex_of(&second));

    nigel.docker("trust key generate nigel").ok();
    nigel
        .trust(&format!("signer add --key nigel.pub nigel {app}"))
        .ok();
    let third = lab.push("team/app", "third").digest();
    nigel.trust(&format!("sign {app}:third")).ok();
    let roles = nigel.notary(&format!("delegation list {app}")).ok();
    roles.says("targets/nigel").says("targets/releases");
    nigel
        .notary(&format!("list {app}"))
        .ok()
        .says(hex_of(&third))
        .says(hex_of(&second));
    nigel
        .docker(&format!("trust inspect {app}"))
        .ok()
        .says(hex_of(&third));

    // notary goes on, in the role that trust made, and trust believes it.
    let fourth = lab.push("team/app", "fourth");
    let size = fourth.manifest.bytes.len();
    add_hash(&nigel, "fourth", &fourth.digest(), size, "targets/releases");
    verifies(&nigel, &format!("{app}:fourth"), &fourth.digest());
    nigel.trust(&format!("signer remove -f nigel {app}")).ok();
    nigel
        .notary(&format!("delegation list {app}"))
        .ok()
        .does_not_say("targets/nigel");
    nigel
        .notary(&format!("list {app}"))
        .ok()
        .says(hex_of(&second));
}

fn docker_carries_on_what_trust_made(server: Kind) {
    let lab = Lab::start(server).with_engine();
    let nigel = lab.home("nigel");
    let app = lab.name("team/app");
    let first = lab.push("team/app", "first").digest();
    nigel.trust("key generate nigel").ok();
    nigel
        .trust(&format!("signer add --key nigel.pub nigel {app}"))
        .ok();
    nigel.trust(&format!("sign {app}:first")).ok();

    nigel
        .docker(&format!("trust inspect {app}"))
        .ok()
        .says(hex_of(&first))
        .says("nigel");
    nigel
        .docker_trusting(&format!("pull {app}:first"))
        .ok()
        .says(&first);
    let second = sign_with_docker(&nigel, "second");
    verifies(&nigel, &format!("{app}:second"), &second);

    let alice = lab.home("alice");
    alice.docker("trust key generate alice").ok();
    let key = alice.folder().join("alice.pub");
    nigel
        .docker(&format!(
            "trust signer add --key {} alice {app}",
            key.display()
        ))
        .ok();
    alice.docker(&format!("trust sign {app}:first")).ok();
    nigel
        .trust(&format!("inspect {app}:first"))
        .ok()
        .says("alice")
        .says("nigel");

    nigel.docker(&format!("tag {app}:second {app}:third")).ok();
    nigel
        .docker_trusting(&format!("push {app}:third"))
        .ok()
        .says("Successfully signed");
    verifies(
        &nigel,
        &format!("{app}:third"),
        &nigel.served_digest(&format!("{app}:third")),
    );

    nigel.docker(&format!("trust revoke {app}:second")).ok();
    nigel
        .trust(&format!("verify {app}:second"))
        .exit(1)
        .says("No valid trust data for second");
    verifies(&nigel, &format!("{app}:first"), &first);
}

fn docker_signs_into_a_repository_that_trust_initialised(server: Kind) {
    let lab = Lab::start(server).with_engine();
    let nigel = lab.home("nigel");
    let app = lab.name("team/app");
    nigel
        .trust(&format!("repo init --server-managed-snapshot {app}"))
        .ok();
    nigel
        .docker(&format!("trust inspect {app}"))
        .ok()
        .says("\"Signers\": []");
    lab.push("team/app", "first");
    nigel.docker(&format!("pull {app}:first")).ok();
    nigel
        .docker_trusting(&format!("push {app}:first"))
        .ok()
        .says("Successfully signed");
    verifies(
        &nigel,
        &format!("{app}:first"),
        &nigel.served_digest(&format!("{app}:first")),
    );
}

fn notary_carries_on_what_trust_made(server: Kind) {
    let lab = Lab::start(server);
    let nigel = lab.home("nigel");
    let app = lab.name("team/app");
    let first = lab.push("team/app", "first").digest();
    nigel.trust("key generate nigel").ok();
    nigel
        .trust(&format!("signer add --key nigel.pub nigel {app}"))
        .ok();
    nigel.trust(&format!("sign {app}:first")).ok();

    nigel
        .notary(&format!("list {app}"))
        .ok()
        .says("first")
        .says(hex_of(&first));
    nigel
        .notary(&format!("lookup {app} first"))
        .ok()
        .says(hex_of(&first));
    let manifest = nigel.raw_manifest(&format!("{app}:first"));
    nigel
        .notary_with_input(&format!("verify -q {app} first"), &manifest)
        .ok();
    nigel
        .notary_with_input(&format!("verify -q {app} first"), "other")
        .exit(1);
    let roles = nigel.notary(&format!("delegation list {app}")).ok();
    roles
        .says("targets/nigel")
        .says("targets/releases")
        .says("\"\" <all paths>");
    nigel
        .notary("key list")
        .ok()
        .says("root")
        .says("nigel")
        .says("targets");
    nigel
        .notary(&format!("status {app}"))
        .ok()
        .says("No unpublished changes");

    let second = lab.push("team/app", "second");
    let size = second.manifest.bytes.len();
    add_hash(&nigel, "second", &second.digest(), size, "targets/releases");
    verifies(&nigel, &format!("{app}:second"), &second.digest());
    nigel
        .notary_with_input(&format!("key rotate {app} targets"), "yes\n")
        .ok();
    nigel
        .notary_with_input(&format!("key rotate {app} snapshot -r"), "yes\n")
        .ok();
    let third = lab.push("team/app", "third").digest();
    nigel.trust(&format!("sign {app}:third")).ok();
    nigel
        .notary(&format!("list {app}"))
        .ok()
        .says(hex_of(&third))
        .says(hex_of(&first));
}

fn a_repository_that_trust_made_with_its_own_snapshot_key_is_notarys_too(server: Kind) {
    let lab = Lab::start(server);
    let nigel = lab.home("nigel");
    let app = lab.name("team/app");
    let first = lab.push("team/app", "first").digest();
    nigel.trust(&format!("repo init {app}")).ok();
    nigel.trust(&format!("sign {app}:first")).ok();
    nigel
        .notary(&format!("lookup {app} first"))
        .ok()
        .says(hex_of(&first));
    nigel
        .docker(&format!("trust inspect {app}"))
        .ok()
        .says(hex_of(&first))
        .says("Repo Admin");
    let second = lab.push("team/app", "second");
    add_hash(
        &nigel,
        "second",
        &second.digest(),
        second.manifest.bytes.len(),
        "targets",
    );
    verifies(&nigel, &format!("{app}:second"), &second.digest());
    // A signer chosen among the keys at hand does not keep the snapshot from being signed.
    nigel.trust("key generate nigel").ok();
    nigel
        .trust(&format!("signer add --key nigel.pub nigel {app}"))
        .ok();
    let third = lab.push("team/app", "third").digest();
    nigel.trust(&format!("sign --as nigel {app}:third")).ok();
    nigel
        .notary(&format!("lookup {app} third"))
        .ok()
        .says(hex_of(&third));
}

/// Pulls an image of its own for the tag, lets docker sign it; its digest.
fn sign_with_docker(home: &Home<'_>, tag: &str) -> String {
    let image = home.lab.name(&format!("team/app:{tag}"));
    home.lab.push("team/app", tag);
    home.docker(&format!("pull {image}")).ok();
    home.docker(&format!("trust sign --local {image}"))
        .ok()
        .says("Successfully signed");
    home.served_digest(&image)
}

fn add_hash(home: &Home<'_>, tag: &str, digest: &str, size: usize, role: &str) {
    let app = home.lab.name("team/app");
    let hex = hex_of(digest);
    home.notary(&format!(
        "addhash -p {app} {tag} {size} --sha256 {hex} -r {role}"
    ))
    .ok();
}

#[track_caller]
fn verifies(home: &Home<'_>, image: &str, digest: &str) {
    let ran = home.trust(&format!("verify -q {image}")).ok();
    assert_eq!(ran.stdout, format!("{image}@{digest}\n"));
}
