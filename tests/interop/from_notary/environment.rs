//! The table "The environment".

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::json;

use super::{
    Scenario,
    scene::{Data, Scene},
};
use crate::peers::lab::Lab;

pub(super) const SCENARIOS: &[Scenario] = &[
    ("NOTARY_ROOT_PASSPHRASE", root_passphrase),
    (
        "NOTARY_TARGETS_PASSPHRASE, NOTARY_SNAPSHOT_PASSPHRASE, NOTARY_DELEGATION_PASSPHRASE",
        other_passphrases,
    ),
    ("NOTARY_AUTH", credentials),
];

fn root_passphrase(scene: &Scene<'_>) {
    let (app, owner) = (&scene.app, scene.home("owner"));
    let owner = scene.with(&owner, "DOCKER_CONTENT_TRUST_ROOT_PASSPHRASE", WORDS);
    owner.trust(&format!("repo init {app}")).ok();
    let rotate = format!("key rotate {app} root");
    owner.notary_with_input(&rotate, "yes\n").exit(1);
    let owner = owner.with("NOTARY_ROOT_PASSPHRASE", WORDS);
    owner.notary_with_input(&rotate, "yes\n").ok();
    assert_eq!(scene.kept("root")["version"], 2);
}

fn other_passphrases(scene: &Scene<'_>) {
    let (app, owner) = (&scene.app, scene.home("owner"));
    let owner = scene.with(&owner, "DOCKER_CONTENT_TRUST_REPOSITORY_PASSPHRASE", WORDS);
    owner.trust(&format!("repo init {app}")).ok();
    owner.trust("key generate qa").ok();
    owner
        .trust(&format!(
            "delegation add --all-paths {app} targets/qa qa.pub"
        ))
        .ok();
    let Data { hex, size } = Data::of("one");
    let add = format!("addhash -p {app} one {size} --sha256 {hex} -r targets,targets/qa");
    owner.notary(&add).exit(1);
    let variables = ["TARGETS", "SNAPSHOT", "DELEGATION"];
    let owner = variables.into_iter().fold(owner, |home, role| {
        home.with(&format!("NOTARY_{role}_PASSPHRASE"), WORDS)
    });
    owner.notary(&add).ok();
    scene.listed("-r targets/qa").says(&hex);
}

/// On a server that lets in whom a token server vouches for.
fn credentials(scene: &Scene<'_>) {
    let lab = Lab::with_tokens(scene.server);
    let (nigel, app) = (lab.home("nigel"), lab.name("team/app"));
    let pair = BASE64_STANDARD.encode("nigel:horse: battery");
    let auths = json!({ "auths": { &lab.registry.host: { "auth": pair } } });
    nigel.trust(&format!("repo init {app}")).exit(3);
    let nigel = nigel.with("DOCKER_AUTH_CONFIG", &auths.to_string());
    scene.ran_with("DOCKER_AUTH_CONFIG");
    nigel.trust(&format!("repo init {app}")).ok();
    let Data { hex, size } = Data::of("one");
    let line = format!("sign --stage --role targets --size {size} {app}:one@sha256:{hex}");
    nigel.trust(&line).ok();
    nigel.trust(&format!("repo publish {app}")).ok();
    let reader = lab.home("reader");
    reader.notary(&format!("list {app}")).exit(1);
    let reader = reader.with("NOTARY_AUTH", &pair);
    reader.notary(&format!("list {app}")).ok().says(&hex);
}

const WORDS: &str = "other words";
