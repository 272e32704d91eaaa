//! The table "Delegations".

use super::{
    Scenario,
    scene::{Data, Scene, certify, id_of},
};
use crate::peers::run::Ran;

pub(super) const SCENARIOS: &[Scenario] = &[
    ("delegation add GUN ROLE FILE", add),
    ("delegation add --paths PATH", add_paths),
    ("delegation add --all-paths", add_all_paths),
    ("delegation list GUN", list),
    ("delegation remove GUN ROLE KEYID", remove_a_key),
    ("delegation remove --paths PATH", remove_a_path),
    ("delegation remove --all-paths", remove_all_paths),
    ("delegation remove -y, --yes", remove),
    ("delegation purge GUN, delegation purge --key KEYID", purge),
];

/// Changes the delegation with our command, which notary publishes, and shows what notary lists then.
fn change(scene: &Scene<'_>, line: &str) -> Ran {
    scene.trust(&format!("delegation {line}")).ok();
    let status = scene.nigel.notary(&format!("status {}", scene.app));
    status.ok().says("delegation");
    scene.publish();
    listed(scene)
}

fn listed(scene: &Scene<'_>) -> Ran {
    let line = format!("delegation list {}", scene.app);
    scene.reader.notary(&line).ok()
}

/// The repository with `targets/qa`, as notary adds it: two keys and two paths.
fn with_two_keys(scene: &Scene<'_>) -> [String; 2] {
    let app = &scene.app;
    scene.begin();
    let qa = scene.home("qa");
    qa.trust("key generate qa").ok();
    let file = qa.folder().join("qa.pub");
    let add = format!(
        "delegation add -p {app} targets/qa nigel.pub {} --paths v1,v2",
        file.display()
    );
    scene.nigel.notary(&add).ok();
    [id_of(scene.nigel, "nigel"), id_of(&qa, "qa")]
}

fn add(scene: &Scene<'_>) {
    let (app, dev) = (&scene.app, scene.home("dev"));
    scene.begin();
    // As OpenSSL makes it, it is the certificate of an authority.
    let certificate = certify(&dev, "dev", "dev", "").with_extension("crt");
    let certificate = certificate.display();
    let line = format!("add --stage {app} targets/qa nigel.pub {certificate} --path v");
    let shown = change(scene, &line);
    dev.trust("key load --name dev dev.key").ok();
    let keys = [id_of(scene.nigel, "nigel"), id_of(&dev, "dev")];
    shown.says("targets/qa").says(&keys[0]).says(&keys[1]);
    // The same of notary's own making; both sign with its key.
    let add = format!("delegation add -p {app} targets/theirs {certificate} --all-paths");
    scene.nigel.notary(&add).ok();
    let to_server = format!("key rotate {app} snapshot -r");
    scene.nigel.notary(&to_server).ok();
    for role in ["targets/qa", "targets/theirs"] {
        let Data { hex, size } = Data::of(role);
        let sign = format!("sign --stage --role {role} --size {size} {app}:v1@sha256:{hex}");
        dev.trust(&sign).ok();
        dev.trust(&format!("repo publish {app}")).ok();
        scene.listed(&format!("-r {role}")).says(&hex);
        let other = Data::of("other").hex;
        let line = format!("addhash -p {app} v2 5 --sha256 {other} -r {role}");
        dev.notary(&line).ok();
        let ours = scene.nigel.trust(&format!("repo list --role {role} {app}"));
        ours.ok().says(&hex).says(&other);
    }
}

fn add_paths(scene: &Scene<'_>) {
    let app = &scene.app;
    scene.begin();
    let line = format!("add --stage --path v1 --path v2 {app} targets/qa nigel.pub");
    change(scene, &line).says("v1").says("v2");
}

fn add_all_paths(scene: &Scene<'_>) {
    let app = &scene.app;
    scene.begin();
    let line = format!("add --stage --all-paths {app} targets/qa nigel.pub");
    change(scene, &line).says("\"\" <all paths>");
}

fn list(scene: &Scene<'_>) {
    let app = &scene.app;
    let keys = with_two_keys(scene);
    let ours = scene.trust_as(&scene.reader, &format!("delegation list {app}"));
    let words = |text: &str| {
        let words = text.split_whitespace().filter(|word| !word.contains("--"));
        let mut words: Vec<String> = words
            .map(|word| word.trim_matches(',').to_owned())
            .collect();
        words.sort();
        words
    };
    let (ours, theirs) = (ours.ok().says(&keys[0]).says(&keys[1]), listed(scene));
    assert_eq!(words(&ours.stdout), words(&theirs.stdout));
}

fn remove_a_key(scene: &Scene<'_>) {
    let (app, [nigel, qa]) = (&scene.app, with_two_keys(scene));
    let line = format!("remove --stage {app} targets/qa {qa}");
    change(scene, &line).says(&nigel).does_not_say(&qa);
}

fn remove_a_path(scene: &Scene<'_>) {
    let app = &scene.app;
    with_two_keys(scene);
    let line = format!("remove --stage --path v1 {app} targets/qa");
    change(scene, &line).says("v2").does_not_say("v1");
}

fn remove_all_paths(scene: &Scene<'_>) {
    let (app, [nigel, qa]) = (&scene.app, with_two_keys(scene));
    let line = format!("remove --stage --all-paths {app} targets/qa");
    let shown = change(scene, &line).says(&nigel).says(&qa);
    shown.does_not_say("v1").does_not_say("v2");
}

fn remove(scene: &Scene<'_>) {
    let app = &scene.app;
    with_two_keys(scene);
    let line = format!("remove --stage -y {app} targets/qa");
    change(scene, &line).says("No delegations present");
}

fn purge(scene: &Scene<'_>) {
    let (app, [nigel, qa]) = (&scene.app, with_two_keys(scene));
    let more = format!("delegation add -p {app} targets/other nigel.pub --all-paths");
    scene.nigel.notary(&more).ok();
    let shown = change(scene, &format!("purge --stage --key {nigel} {app}"));
    shown.says(&qa).says("targets/other").does_not_say(&nigel);
}
