//! The table "Everywhere".

use std::fs;

use super::{
    Scenario,
    scene::{Data, Scene},
};
use crate::peers::lab::Lab;

pub(super) const SCENARIOS: &[Scenario] = &[
    ("-p, --publish", publish),
    ("-s, --server URL", server),
    ("-d, --trustDir DIR", trust_dir),
    ("--tlscacert FILE", authority),
    ("--tlscert FILE, --tlskey FILE", client_certificate),
    ("-v, --verbose, -D, --debug", verbose),
    ("-h, --help, help COMMAND", help),
    ("--version, version", version),
];

fn publish(scene: &Scene<'_>) {
    let app = &scene.app;
    scene.begin();
    let (hex, two) = (scene.push("one"), Data::of("two"));
    let stage = format!("addhash {app} two {} --sha256 {}", two.size, two.hex);
    scene.nigel.notary(&stage).ok();
    scene.trust(&format!("sign --role targets {app}:one")).ok();
    scene.listed("").says(&hex).does_not_say(&two.hex);
    let staged = scene.nigel.notary(&format!("status {app}"));
    staged.ok().says("two");
}

fn server(scene: &Scene<'_>) {
    let (app, url) = (&scene.app, scene.lab.server.url());
    let data = begun(scene);
    let home = scene.reader.without("DOCKER_CONTENT_TRUST_SERVER");
    home.trust(&format!("repo list {app}")).exit(3);
    let line = format!("--server {url} repo list {app}");
    scene.trust_as(&home, &line).ok().says(&data.hex);
    scene.listed("").says(&data.hex);
}

pub(super) fn trust_dir(scene: &Scene<'_>) {
    let (app, reader) = (&scene.app, &scene.reader);
    let data = begun(scene);
    let line = format!("--trust-dir elsewhere repo list {app}");
    scene.trust_as(reader, &line).ok().says(&data.hex);
    assert!(!reader.trust_dir().exists());
    // Each reads what the other keeps there, the last `-d` counts.
    reader
        .notary(&format!("-d elsewhere list {app}"))
        .ok()
        .says(&data.hex);
    reader
        .notary(&format!("-d theirs list {app}"))
        .ok()
        .says(&data.hex);
    let kept = reader.trust(&format!("--trust-dir theirs --offline repo list {app}"));
    kept.ok().says(&data.hex);
}

pub(super) fn authority(scene: &Scene<'_>) {
    let (app, reader) = (&scene.app, &scene.reader);
    let data = begun(scene);
    fs::remove_dir_all(reader.docker_config().join("tls")).expect("a folder");
    reader.trust(&format!("repo list {app}")).exit(3);
    let ca = scene.lab.ca();
    let line = format!("--tls-ca {} repo list {app}", ca.display());
    scene.trust_as(reader, &line).ok().says(&data.hex);
    scene.listed("").says(&data.hex);
}

/// On a server that speaks only to those who show a certificate.
pub(super) fn client_certificate(scene: &Scene<'_>) {
    let lab = Lab::with_client_certificates(scene.server);
    let (nigel, app) = (lab.home("nigel"), lab.name("app"));
    let files = ["client.crt", "client.key"].map(|name| lab.folder().join(name));
    let [certificate, key] = &files;
    let theirs = format!(
        "--tlscert {} --tlskey {}",
        certificate.display(),
        key.display()
    );
    nigel.notary(&format!("{theirs} init -p {app}")).ok();
    let hex = "ab".repeat(32);
    let add = format!("{theirs} addhash -p {app} one 3 --sha256 {hex}");
    nigel.notary(&add).ok();
    let list = format!("repo list {app}");
    let stranger = lab.home("stranger");
    stranger.trust(&list).exit(3);
    stranger.notary(&format!("list {app}")).exit(1);
    let tls = stranger.docker_config().join("tls").join(&lab.server.host);
    fs::copy(certificate, tls.join("client.cert")).expect("a certificate");
    fs::copy(key, tls.join("client.key")).expect("a key");
    scene.trust_as(&stranger, &list).ok().says(&hex);
}

fn verbose(scene: &Scene<'_>) {
    let (app, reader) = (&scene.app, &scene.reader);
    let data = begun(scene);
    let plain = reader.trust(&format!("repo list {app}")).ok();
    let said = scene.trust_as(reader, &format!("-v repo list {app}")).ok();
    assert_eq!(said.stdout, plain.stdout);
    assert!(said.stderr.len() > plain.stderr.len(), "{said}");
    reader
        .notary(&format!("-v list {app}"))
        .ok()
        .says(&data.hex);
}

fn help(scene: &Scene<'_>) {
    let shown = scene.trust("help repo list").ok();
    shown.says("List the signed tags of a repository");
    let theirs = scene.nigel.notary("help list").ok();
    theirs.says("Lists all targets");
}

fn version(scene: &Scene<'_>) {
    let shown = scene.trust("--version").ok();
    shown.says(concat!("trust ", env!("CARGO_PKG_VERSION")));
    scene.nigel.notary("--version").ok().says("Version:");
}

fn begun(scene: &Scene<'_>) -> Data {
    scene.begin();
    scene.sign("one", "targets")
}
