//! Who may sign, at any depth and with thresholds; changes staged by one client and published by
//! another: docker and notary read and carry on what trust made.

use crate::peers::{
    home::Home,
    image::hex_of,
    lab::Lab,
    server::{Kind, on_both_servers},
};
use std::fs;

on_both_servers!(
    delegations_three_deep_with_paths_and_a_threshold,
    docker_and_notary_with_a_threshold_of_two,
    a_purged_key_is_gone_and_a_role_is_witnessed,
    a_replaced_signers_tags_stay_signed,
    what_notary_staged_is_published_by_trust,
    what_trust_staged_is_published_by_notary
);

/// A repository of nigel's, in which `first` is signed.
fn begun(nigel: &Home<'_>) -> (String, String) {
    let app = nigel.lab.name("team/app");
    let first = nigel.lab.push("team/app", "first").digest();
    nigel.trust("key generate nigel").ok();
    nigel
        .trust(&format!("signer add --key nigel.pub nigel {app}"))
        .ok();
    nigel.trust(&format!("sign {app}:first")).ok();
    (app, first)
}

/// The path of a public key that was generated in another home.
fn key_of(home: &Home<'_>, name: &str) -> String {
    home.trust(&format!("key generate {name}")).ok();
    let path = home.folder().join(format!("{name}.pub"));
    path.display().to_string()
}

/// The canonical id of a key in a home.
fn id_of(home: &Home<'_>, name: &str) -> String {
    let shown = home
        .trust(&format!("key show {name} --format json"))
        .ok()
        .stdout;
    let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
    shown["id"].as_str().unwrap().to_owned()
}

fn delegations_three_deep_with_paths_and_a_threshold(server: Kind) {
    let lab = Lab::start(server).with_engine();
    let (nigel, lead, qa) = (lab.home("nigel"), lab.home("lead"), lab.home("qa"));
    let (app, first) = begun(&nigel);
    let team = key_of(&lead, "team");
    nigel
        .trust(&format!("delegation add {app} team {team} --path v"))
        .ok()
        .says("Addition of delegation role targets/team with keys [")
        .says("with paths [v], to repository");
    let (one, two) = (key_of(&qa, "one"), key_of(&qa, "two"));
    lead.trust(&format!(
        "delegation add {app} targets/team/qa {one} {two} --path v2 --threshold 2"
    ))
    .ok();
    qa.trust(&format!(
        "delegation add {app} team/qa/nightly {one} --all-paths"
    ))
    .exit(2)
    .says("invalid paths to add to role");
    qa.trust(&format!(
        "delegation add {app} team/qa/nightly {one} --path v2.1"
    ))
    .ok();
    for (tag, role) in [
        ("v2.0", "targets/team/qa"),
        ("v2.1", "targets/team/qa/nightly"),
    ] {
        lab.push("team/app", tag);
        qa.trust(&format!("sign --role {role} {app}:{tag}")).ok();
        for reader in [&nigel, &lab.home("reader")] {
            reader
                .notary(&format!("list {app} -r {role}"))
                .ok()
                .says(tag)
                .says(role);
        }
    }
    let roles = nigel.notary(&format!("delegation list {app}")).ok();
    roles.says("targets/team/qa/nightly").says("v2.1").says("2");
    let shown = nigel
        .trust(&format!("delegation list {app} --format json"))
        .ok();
    let shown: serde_json::Value = serde_json::from_str(&shown.stdout).unwrap();
    let deep = shown.as_array().unwrap().iter();
    let deep = deep
        .clone()
        .find(|it| it["role"] == "targets/team/qa")
        .unwrap();
    assert_eq!(
        (&deep["threshold"], &deep["paths"][0]),
        (&2.into(), &"v2".into())
    );
    nigel
        .docker_trusting(&format!("pull {app}:first"))
        .ok()
        .says(&first);
    nigel
        .docker(&format!("trust inspect {app}"))
        .ok()
        .says("team/qa/nightly");

    // Notary takes the deepest away, and trust the rest.
    qa.notary(&format!(
        "delegation remove {app} targets/team/qa/nightly -y -p"
    ))
    .ok();
    nigel
        .trust(&format!("delegation list {app}"))
        .ok()
        .does_not_say("nightly");
    nigel
        .trust(&format!("delegation remove {app} targets/team -y"))
        .ok()
        .says("Forced removal (including all keys and paths) of delegation role targets/team");
    nigel
        .notary(&format!("delegation list {app}"))
        .ok()
        .does_not_say("team");
    nigel.docker_trusting(&format!("pull {app}:first")).ok();
}

/// What docker 28 and notary 0.7 do with a role that two keys have to sign.
fn docker_and_notary_with_a_threshold_of_two(server: Kind) {
    let lab = Lab::start(server).with_engine();
    let nigel = lab.home("nigel");
    let (app, first) = begun(&nigel);
    nigel.trust("key generate second").ok();
    nigel
        .trust(&format!(
            "delegation add {app} releases second.pub --threshold 2"
        ))
        .ok()
        .says("targets/releases loses its valid signatures");
    let reader = lab.home("reader");
    // With one signature the role is left out: docker does not pull, notary warns.
    reader
        .docker_trusting(&format!("pull {app}:first"))
        .exit(1)
        .says("valid signatures did not meet threshold for targets/releases")
        .says("No trust data for first");
    reader
        .notary(&format!("list {app}"))
        .ok()
        .says("valid signatures did not meet threshold")
        .says("targets/nigel");
    nigel
        .trust(&format!("witness {app} releases"))
        .ok()
        .says("you vouch for it: first sha256:");
    reader
        .docker_trusting(&format!("pull {app}:first"))
        .ok()
        .says(&first);
    reader
        .docker(&format!("trust inspect {app}"))
        .ok()
        .says(hex_of(&first));

    // With both keys docker signs, and keeps the threshold.
    let second = lab.push("team/app", "second");
    nigel.docker(&format!("pull {app}:second")).ok();
    nigel
        .docker(&format!("trust sign --local {app}:second"))
        .ok();
    reader.docker_trusting(&format!("pull {app}:second")).ok();
    reader
        .trust(&format!("delegation list {app}"))
        .ok()
        .says("2");

    // With one key docker and notary publish nothing; what is there stays.
    let id = id_of(&nigel, "second");
    let file = nigel.trust_dir().join("private").join(format!("{id}.key"));
    fs::rename(&file, nigel.folder().join("elsewhere.key")).unwrap();
    lab.push("team/app", "third");
    nigel.docker(&format!("pull {app}:third")).ok();
    let refusal = "not enough signing keys: found 1 of 2 needed keys";
    nigel
        .docker(&format!("trust sign --local {app}:third"))
        .exit(1)
        .says(refusal);
    let (hex, size) = (second.digest(), second.manifest.bytes.len());
    nigel
        .notary(&format!(
            "addhash -p {app} n {size} --sha256 {} -r targets/releases",
            hex_of(&hex)
        ))
        .exit(1)
        .says(refusal);
    nigel.trust(&format!("sign {app}:third")).exit(1);
    reader.docker_trusting(&format!("pull {app}:first")).ok();
}

fn a_purged_key_is_gone_and_a_role_is_witnessed(server: Kind) {
    let lab = Lab::start(server).with_engine();
    let (nigel, alice) = (lab.home("nigel"), lab.home("alice"));
    let (app, first) = begun(&nigel);
    let key = key_of(&alice, "alice");
    nigel
        .trust(&format!("signer add --key {key} alice {app}"))
        .ok();
    alice.trust(&format!("sign {app}:first")).ok();
    let second = lab.push("team/app", "second").digest();
    alice.trust(&format!("sign {app}:second")).ok();

    // Alice alone signed the released set last: without her key nobody did.
    let id = id_of(&alice, "alice");
    nigel
        .trust(&format!("delegation purge {app} --key {id}"))
        .ok()
        .says("Removal of the following keys from all delegations in")
        .says("targets/releases loses its valid signatures");
    let reader = lab.home("reader");
    reader
        .notary(&format!("delegation list {app}"))
        .ok()
        .does_not_say(&id);
    reader
        .docker_trusting(&format!("pull {app}:second"))
        .exit(1);
    nigel
        .trust(&format!("delegation purge {app} --key {id}"))
        .exit(2)
        .says("no delegation lists");
    alice
        .trust(&format!("witness {app} releases"))
        .exit(1)
        .says("could not find necessary signing keys");
    nigel
        .trust(&format!("witness {app} targets/releases"))
        .ok()
        .says("nobody who may had signed what targets/releases says");
    for (tag, digest) in [("first", &first), ("second", &second)] {
        reader
            .docker_trusting(&format!("pull {app}:{tag}"))
            .ok()
            .says(digest);
        reader
            .notary(&format!("lookup {app} {tag}"))
            .ok()
            .says(hex_of(digest));
    }

    // The same with notary: it takes a key, trust witnesses; trust takes one, notary witnesses.
    let (one, other) = (id_of(&nigel, "nigel"), key_of(&nigel, "other"));
    nigel
        .trust(&format!("delegation add {app} releases {other}"))
        .ok();
    nigel
        .notary(&format!(
            "delegation remove {app} targets/releases {one} -p"
        ))
        .ok();
    reader
        .docker_trusting(&format!("pull {app}:second"))
        .exit(1);
    nigel.trust(&format!("witness {app} releases")).ok();
    reader.docker_trusting(&format!("pull {app}:second")).ok();
    let third = key_of(&nigel, "third");
    nigel
        .trust(&format!("delegation add {app} releases {third}"))
        .ok();
    let other = id_of(&nigel, "other");
    nigel
        .trust(&format!("delegation remove {app} releases {}", &other[..8]))
        .ok();
    nigel
        .notary(&format!("witness {app} targets/releases -p"))
        .ok();
    reader
        .docker_trusting(&format!("pull {app}:second"))
        .ok()
        .says(&second);
    let verified = reader.trust(&format!("verify -q {app}:second")).ok();
    assert_eq!(verified.stdout, format!("{app}:second@{second}\n"));
}

fn a_replaced_signers_tags_stay_signed(server: Kind) {
    let lab = Lab::start(server).with_engine();
    let (nigel, reader) = (lab.home("nigel"), lab.home("reader"));
    let (app, first) = begun(&nigel);
    reader.docker_trusting(&format!("pull {app}:first")).ok();
    let old = id_of(&nigel, "nigel");
    nigel.trust("key generate next").ok();
    nigel
        .trust(&format!("signer replace --key next.pub nigel {app}"))
        .ok()
        .says("Successfully replaced nigel in");
    for client in [&reader, &lab.home("newcomer")] {
        client
            .docker_trusting(&format!("pull {app}:first"))
            .ok()
            .says(&first);
        client
            .docker(&format!("trust inspect {app}"))
            .ok()
            .says("\"nigel\"")
            .says(&id_of(&nigel, "next"))
            .does_not_say(&old);
        client
            .notary(&format!("list {app} -r targets/nigel"))
            .ok()
            .says(hex_of(&first));
    }

    // Where the new key is elsewhere, it is refused; then its holder witnesses.
    let away = lab.home("away");
    let key = key_of(&away, "third");
    nigel
        .trust(&format!("signer replace --key {key} nigel {app}"))
        .exit(1)
        .says("targets/nigel loses its signature on first")
        .says("trust witness");
    reader.docker_trusting(&format!("pull {app}:first")).ok();
    nigel
        .trust(&format!("signer replace -f --key {key} nigel {app}"))
        .ok();
    reader.docker_trusting(&format!("pull {app}:first")).exit(1);
    away.trust(&format!("witness {app} nigel releases")).ok();
    reader
        .docker_trusting(&format!("pull {app}:first"))
        .ok()
        .says(&first);
    reader
        .notary(&format!("list {app} -r targets/nigel"))
        .ok()
        .says(hex_of(&first));

    // The last signer goes only if that is wanted, and it is said what goes with them.
    let shown = nigel.trust(&format!("signer remove nigel {app}")).exit(2);
    shown.says("lose their last signature: first").says("-f");
    reader.docker_trusting(&format!("pull {app}:first")).ok();
}

fn what_notary_staged_is_published_by_trust(server: Kind) {
    let lab = Lab::start(server);
    let (nigel, alice) = (lab.home("nigel"), lab.home("alice"));
    let (app, first) = begun(&nigel);
    let second = lab.push("team/app", "second");
    let (hex, size) = (second.digest(), second.manifest.bytes.len());
    let (key, hex) = (key_of(&alice, "alice"), hex_of(&hex));
    let before = nigel.notary(&format!("status {app}")).ok();
    before.says("No unpublished changes for");
    for line in [
        format!("delegation add {app} targets/alice {key} --paths s,t"),
        format!("addhash {app} second {size} --sha256 {hex} -r targets/releases,targets/nigel"),
        format!("remove {app} first -r targets/nigel"),
        format!("witness {app} targets/releases"),
        format!("delegation add {app} targets/gone {key} --all-paths"),
        format!("delegation remove {app} targets/alice --paths t"),
        format!("delegation remove {app} targets/gone -y"),
    ] {
        nigel.notary(&line).ok();
    }
    let status = nigel.trust(&format!("--offline repo status {app}")).ok();
    status
        .says(&format!("Unpublished changes for {app}:"))
        .says("#         ACTION    SCOPE              TYPE         PATH")
        .says("4         delete    targets/nigel      target       first");
    nigel
        .trust(&format!("repo publish {app}"))
        .ok()
        .says(&format!("Pushing changes to {app}"))
        .says(&format!(
            "Successfully published changes for repository {app}"
        ));
    nigel
        .notary(&format!("status {app}"))
        .ok()
        .says("No unpublished changes");
    let reader = lab.home("reader");
    reader
        .notary(&format!("list {app} -r targets/nigel"))
        .ok()
        .says(hex)
        .does_not_say(hex_of(&first));
    reader
        .notary(&format!("list {app} -r targets/releases"))
        .ok()
        .says(hex)
        .says(hex_of(&first));
    let roles = reader
        .trust(&format!("delegation list {app} --format json"))
        .ok();
    let roles: serde_json::Value = serde_json::from_str(&roles.stdout).unwrap();
    assert_eq!(roles[0]["role"], "targets/alice");
    assert_eq!(roles[0]["paths"], serde_json::json!(["s"]));
    assert!(!roles.to_string().contains("targets/gone"));

    // One that cannot be made is named, and nothing is lost.
    nigel
        .notary(&format!(
            "addhash {app} second {size} --sha256 {hex} -r targets/nobody"
        ))
        .ok();
    nigel
        .trust(&format!("repo publish {app}"))
        .exit(2)
        .says("change 0 (create target targets/nobody second) cannot be made")
        .says("trust repo reset");
    nigel
        .notary(&format!("status {app}"))
        .ok()
        .says("targets/nobody");
    nigel
        .trust(&format!("--offline repo reset {app} -n 0"))
        .ok()
        .says(&format!(
            "Successfully reset specified changes for repository {app}"
        ));
    nigel
        .notary(&format!("status {app}"))
        .ok()
        .says("No unpublished changes");
}

fn what_trust_staged_is_published_by_notary(server: Kind) {
    let lab = Lab::start(server);
    let (nigel, alice) = (lab.home("nigel"), lab.home("alice"));
    let (app, first) = begun(&nigel);
    let (key, qa) = (key_of(&alice, "alice"), key_of(&alice, "qa"));
    let second = lab.push("team/app", "second");
    let (digest, size) = (second.digest(), second.manifest.bytes.len());
    nigel
        .trust(&format!("--offline sign --stage {app}:second"))
        .exit(2)
        .says("offline, the digest and the size of the manifest have to be named");
    for line in [
        format!("delegation add --stage {app} two {key} {qa} --path s --threshold 2"),
        format!("delegation add --stage {app} targets/gone {key} --all-paths"),
        format!(
            "sign --stage {app}:second@{digest} --size {size} --custom {{\"b\":[1,\"x\"],\"a\":null}}"
        ),
        format!("revoke --stage {app}:first"),
        format!("witness --stage {app} targets/nigel targets"),
        format!("delegation remove --stage {app} gone -y"),
        format!(
            "delegation purge --stage {app} --key {}",
            id_of(&alice, "qa")
        ),
    ] {
        nigel.trust(&format!("--offline {line}")).ok();
    }
    let status = nigel.notary(&format!("status {app}")).ok();
    for line in [
        "0     create    targets/two         delegation    ",
        "update    targets/two         delegation    ",
        "create    targets/nigel       target        second",
        "create    targets/releases    target        second",
        "delete    targets/releases    target        first",
        "delete    targets/gone        delegation    ",
        "update    targets/*           delegation    ",
    ] {
        assert!(
            status.stdout.contains(line),
            "`{line}` is missing from\n{status}"
        );
    }
    nigel.notary(&format!("publish {app}")).ok();
    nigel
        .trust(&format!("repo status {app}"))
        .ok()
        .says("No unpublished changes for");
    let reader = lab.home("reader");
    reader
        .notary(&format!("list {app}"))
        .ok()
        .says(hex_of(&digest))
        .does_not_say(hex_of(&first));
    let roles = reader
        .trust(&format!("delegation list {app} --format json"))
        .ok();
    let roles: serde_json::Value = serde_json::from_str(&roles.stdout).unwrap();
    let roles = roles.as_array().unwrap();
    let two = roles.iter().find(|it| it["role"] == "targets/two").unwrap();
    assert_eq!(two["threshold"], 2);
    assert_eq!(
        two["key_ids"].as_array().unwrap().len(),
        1,
        "one was purged"
    );
    let verified = reader.trust(&format!("verify -q {app}:second")).ok();
    assert_eq!(verified.stdout, format!("{app}:second@{digest}\n"));

    // A machine that keeps nothing stages by role.
    let empty = lab.home("empty");
    empty
        .trust(&format!("--offline sign --stage {app}:x@{digest} --size 5"))
        .exit(3)
        .says("--role");
    empty
        .trust(&format!(
            "--offline sign --stage --role targets/releases {app}:x@{digest} --size 5"
        ))
        .ok();
    empty
        .notary(&format!("status {app}"))
        .ok()
        .says("targets/releases");
    empty
        .trust(&format!("--offline repo publish {app}"))
        .exit(3)
        .says("client is offline");
    empty.trust(&format!("repo reset {app}")).exit(2);
    empty.trust(&format!("repo reset {app} --all")).ok();
}
