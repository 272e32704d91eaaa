//! The table "Keys".

use std::fs;

use serde_json::Value;

use super::{
    Scenario,
    scene::{Scene, certify, id_of, ids, private},
};
use crate::peers::home::Home;

pub(super) const SCENARIOS: &[Scenario] = &[
    ("key list", list),
    ("key generate", generate),
    ("key generate -r, --role ROLE", generate_for_a_role),
    ("key generate -o, --output FILE", generate_into_a_file),
    ("key export", export_all),
    (
        "key export -o, --output FILE, key export --key KEYID",
        export,
    ),
    ("key import FILE", import),
    ("key import -r, --role ROLE", import_for_a_role),
    ("key passwd KEYID", passwd),
    ("key remove KEYID", remove),
    ("key rotate GUN ROLE", rotate),
    ("key rotate -k, --key FILE", rotate_to_a_key),
    ("key rotate -r, --server-managed", rotate_to_the_server),
];

fn list(scene: &Scene<'_>) {
    scene.begin();
    let theirs = ids(scene.nigel);
    let ours = scene.trust("key list").ok().stdout;
    assert!(theirs.len() >= 4, "{theirs:?}");
    for id in &theirs {
        assert!(ours.contains(&id[..12]), "{id} is missing from\n{ours}");
    }
}

fn generate(scene: &Scene<'_>) {
    let (app, owner) = (&scene.app, scene.home("owner"));
    scene.trust_as(&owner, "key generate root").ok();
    let id = id_of(&owner, "root");
    let begun = owner.notary(&format!("init -p {app}")).ok();
    begun.says(&format!("Root key found, using: {id}"));
    scene.listed("");
}

fn generate_for_a_role(scene: &Scene<'_>) {
    let (app, alice) = (&scene.app, scene.home("alice"));
    scene.begin();
    scene.trust_as(&alice, "key generate alice").ok();
    alice.notary("key list").ok().says(&id_of(&alice, "alice"));
    let key = alice.folder().join("alice.pub");
    let add = format!(
        "delegation add -p {app} targets/qa {} --all-paths",
        key.display()
    );
    scene.nigel.notary(&add).ok();
    let hex = "ab".repeat(32);
    // The snapshot is the owner's to sign; so it goes to the server first.
    scene
        .nigel
        .notary(&format!("key rotate {app} snapshot -r"))
        .ok();
    let line = format!("addhash -p {app} one 3 --sha256 {hex} -r targets/qa");
    alice.notary(&line).ok();
    scene.listed("-r targets/qa").says(&hex);
}

fn generate_into_a_file(scene: &Scene<'_>) {
    let (bob, other) = (scene.home("bob"), scene.home("other"));
    scene.trust_as(&bob, "key generate bob").ok();
    scene.trust_as(&bob, "key export -o bob.pem bob").ok();
    let file = bob.folder().join("bob.pem");
    imported_by_notary(&other, &file.display().to_string());
    assert_eq!(ids(&other), [id_of(&bob, "bob")]);
}

fn export_all(scene: &Scene<'_>) {
    let secret = ("TRUST_BACKUP_PASSPHRASE", "backup words");
    let nigel = scene.nigel.with(secret.0, secret.1);
    let other = scene.home("other").with(secret.0, secret.1);
    let file = other.folder().join("keys.backup");
    let line = format!("key backup -o {}", file.display());
    scene.trust_as(&nigel, &line).ok();
    other.trust("key restore keys.backup").ok();
    assert_eq!(ids(&other), ids(&nigel));
}

fn export(scene: &Scene<'_>) {
    let (id, other) = (id_of(scene.nigel, "root"), scene.home("other"));
    let file = other.folder().join("one.pem");
    let file = file.display().to_string();
    scene.trust(&format!("key export -o {file} {id}")).ok();
    imported_by_notary(&other, &file);
    assert_eq!(ids(&other), [id]);
}

fn import(scene: &Scene<'_>) {
    let other = scene.home("other");
    let file = other.folder().join("all.pem");
    let dump = format!("key export -o {}", file.display());
    scene.nigel.notary(&dump).ok();
    private(&file);
    scene.trust_as(&other, "key load all.pem").ok();
    assert_eq!(ids(&other), ids(scene.nigel));
}

fn import_for_a_role(scene: &Scene<'_>) {
    let other = scene.home("other");
    for (name, file) in [("root", "one"), ("carol", "two")] {
        certify(&other, file, name, "");
        let line = format!("key load --name {name} {file}.key");
        scene.trust_as(&other, &line).ok();
        let id = id_of(&other, name);
        let listed = other.notary("key list").ok().stdout;
        let line = listed.lines().find(|line| line.contains(&id));
        assert!(line.is_some_and(|line| line.starts_with(name)), "{listed}");
    }
}

fn passwd(scene: &Scene<'_>) {
    let (app, owner) = (&scene.app, scene.home("owner"));
    owner.trust(&format!("repo init {app}")).ok();
    fs::write(owner.folder().join("new"), "other words\n").expect("a file");
    let id = targets_key(&owner, app);
    let line = format!("key passwd {id} --new-passphrase-file new");
    scene.trust_as(&owner, &line).ok();
    let hex = "ab".repeat(32);
    let add = format!("addhash -p {app} one 3 --sha256 {hex}");
    owner.notary(&add).exit(1);
    owner
        .with("NOTARY_TARGETS_PASSPHRASE", "other words")
        .notary(&add)
        .ok();
    scene.listed("").says(&hex);
}

fn remove(scene: &Scene<'_>) {
    let owner = scene.home("owner");
    for name in ["one", "two"] {
        owner.trust(&format!("key generate {name}")).ok();
    }
    let (one, two) = (id_of(&owner, "one"), id_of(&owner, "two"));
    scene.trust_as(&owner, &format!("key remove -f {one}")).ok();
    assert_eq!(ids(&owner), [two]);
}

fn rotate(scene: &Scene<'_>) {
    let app = &scene.app;
    scene.begin();
    for role in ["targets", "snapshot", "timestamp", "root -y"] {
        rotated(
            scene,
            role.split(' ').next().unwrap_or_default(),
            &format!("{role} {app}"),
        );
    }
}

fn rotate_to_a_key(scene: &Scene<'_>) {
    let app = &scene.app;
    scene.begin();
    certify(scene.nigel, "next", "next", "");
    rotated(scene, "targets", &format!("targets --key next.key {app}"));
}

fn rotate_to_the_server(scene: &Scene<'_>) {
    let app = &scene.app;
    scene.begin();
    rotated(
        scene,
        "snapshot",
        &format!("snapshot --server-managed {app}"),
    );
}

/// Rotates; whoever knew the old key follows, and notary goes on signing.
fn rotated(scene: &Scene<'_>, role: &str, line: &str) {
    let key = |root: &Value| root["roles"][role]["keyids"].clone();
    let before = scene.kept("root");
    scene.trust(&format!("key rotate {line}")).ok();
    let data = scene.sign(role, "targets");
    let after = scene.kept("root");
    assert_ne!(key(&before), key(&after), "{line}");
    let list = format!("list {}", scene.app);
    scene.reader.notary(&list).ok().says(&data.hex);
}

/// Notary takes a key file.
fn imported_by_notary(home: &Home<'_>, file: &str) {
    // What it has looked at once it has folders for.
    let _ = home.notary("key list");
    home.notary(&format!("key import {file}"))
        .ok()
        .does_not_say("failed");
}

fn targets_key(home: &Home<'_>, app: &str) -> String {
    let shown = home.trust(&format!("repo show --format json {app}")).ok();
    let shown: Value = serde_json::from_str(&shown.stdout).expect("JSON");
    let roles = shown.as_array().expect("a list").iter();
    let targets = roles.clone().find(|role| role["role"] == "targets");
    let id = targets.expect("a role")["key_ids"][0].as_str();
    id.expect("an id").to_owned()
}
