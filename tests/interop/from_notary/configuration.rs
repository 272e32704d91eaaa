//! The table "The configuration file".

use std::{fs, path::Path};

use serde_json::{Value, json};

use super::{
    Scenario, everywhere,
    scene::{Data, Scene, certify},
};
use crate::peers::{home::Home, run::Ran};

pub(super) const SCENARIOS: &[Scenario] = &[
    ("trust_dir", everywhere::trust_dir),
    ("remote_server.url", server),
    ("remote_server.root_ca", everywhere::authority),
    (
        "remote_server.tls_client_cert, remote_server.tls_client_key",
        everywhere::client_certificate,
    ),
    ("trust_pinning.certs", pinned_key),
    ("trust_pinning.ca", pinned_authority),
    ("trust_pinning.disable_tofu", no_first_use),
];

fn server(scene: &Scene<'_>) {
    let app = &scene.app;
    let data = signed(scene);
    let home = scene.reader.without(SERVER);
    home.trust(&format!("repo list {app}")).exit(3);
    let home = scene.with(&home, SERVER, &scene.lab.server.url());
    home.trust(&format!("repo list {app}")).ok().says(&data.hex);
    scene.listed("").says(&data.hex);
}

fn pinned_key(scene: &Scene<'_>) {
    let app = &scene.app;
    let data = signed(scene);
    let id = scene.kept("root")["roles"]["root"]["keyids"][0].clone();
    let id = id.as_str().expect("an id");
    for (id, right) in [(id, true), ("ab".repeat(32).as_str(), false)] {
        let home = scene.home(if right { "right" } else { "wrong" });
        let pinned = scene.trust_as(&home, &format!("repo pin --key-id {id} {app}"));
        pinned.exit(i32::from(!right));
        let pins = json!({ "disable_tofu": true, "certs": { app.as_str(): [id] } });
        let theirs = notary_with(&home, "theirs", &pins, &format!("list {app}"));
        if right {
            theirs.ok().says(&data.hex);
            decides_by_what_is_pinned(&home, app);
        } else {
            theirs.exit(1);
        }
    }
}

fn pinned_authority(scene: &Scene<'_>) {
    let (app, owner) = (&scene.app, scene.home("owner"));
    for name in ["ca", "other"] {
        certify(&owner, name, name, "");
    }
    let leaf = "-CA ca.crt -CAkey ca.key -addext basicConstraints=critical,CA:FALSE";
    certify(&owner, "leaf", app, leaf);
    let init = format!("repo init --root-key leaf.key --root-cert leaf.crt {app}");
    owner.trust(&init).ok();
    let Data { hex, size } = Data::of("one");
    let add = format!("addhash -p {app} one {size} --sha256 {hex}");
    owner.notary(&add).ok();
    for (name, right) in [("ca", true), ("other", false)] {
        let (home, file) = (scene.home(name), owner.folder().join(format!("{name}.crt")));
        let line = format!("repo pin --ca {} {app}", file.display());
        scene.trust_as(&home, &line).exit(i32::from(!right));
        let pins = json!({ "disable_tofu": true, "ca": { app.as_str(): file } });
        let theirs = notary_with(&home, "theirs", &pins, &format!("list {app}"));
        if right {
            theirs.ok().says(&hex);
            decides_by_what_is_pinned(&home, app);
        } else {
            theirs.exit(1);
        }
    }
}

fn no_first_use(scene: &Scene<'_>) {
    let app = &scene.app;
    let data = signed(scene);
    for (person, first_use) in [("careful", false), ("trusting", true)] {
        let home = scene.home(person);
        let policy = format!("[default]\nrequire = \"signed\"\nfirst_use = {first_use}\n");
        fs::write(home.folder().join("policy.toml"), policy).expect("a policy");
        let line = format!("verify --policy policy.toml {app}:one");
        let ours = scene.trust_as(&home, &line);
        let pins = json!({ "disable_tofu": !first_use });
        let theirs = notary_with(&home, "theirs", &pins, &format!("list {app}"));
        if first_use {
            ours.ok().says(&data.hex);
            theirs.ok().says(&data.hex);
        } else {
            ours.exit(1).says("[root-mismatch]");
            theirs.exit(1).says("trust pinning");
        }
    }
}

/// Once it is pinned, the root is one that a policy without first use goes by.
fn decides_by_what_is_pinned(home: &Home<'_>, app: &str) {
    let policy = "[default]\nrequire = \"signed\"\n";
    fs::write(home.folder().join("policy.toml"), policy).expect("a policy");
    let line = format!("verify --policy policy.toml {app}:one");
    home.trust(&line).ok();
}

/// Runs notary with these pins and a trust directory of its own.
fn notary_with(home: &Home<'_>, folder: &str, pins: &Value, line: &str) -> Ran {
    let file = home.folder().join("notary.json");
    let config = json!({ "trust_pinning": pins }).to_string();
    fs::write(&file, config).expect("a configuration");
    let folder = Path::new(folder).display();
    home.notary(&format!("-d {folder} -c {} {line}", file.display()))
}

fn signed(scene: &Scene<'_>) -> Data {
    scene.begin();
    scene.sign("one", "targets")
}

const SERVER: &str = "DOCKER_CONTENT_TRUST_SERVER";
