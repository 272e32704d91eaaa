//! The table "Targets".

use std::fs;

use super::{
    Scenario,
    scene::{Data, Scene},
};

pub(super) const SCENARIOS: &[Scenario] = &[
    ("add GUN TAG FILE", add),
    ("addhash GUN TAG SIZE, addhash --sha256 HEX", add_a_digest),
    (
        "add -r, --roles ROLE, addhash -r, --roles ROLE",
        into_a_role,
    ),
    ("add --custom FILE, addhash --custom FILE", custom_data),
    ("remove GUN TAG", remove),
    ("remove -r, --roles ROLE", remove_from_a_role),
    ("witness GUN ROLE", witness),
];

fn add(scene: &Scene<'_>) {
    let (app, reader) = (&scene.app, &scene.reader);
    scene.begin();
    let text = "the data themselves";
    let Data { hex, size } = Data::of(text);
    scene
        .trust(&format!(
            "sign --stage --role targets --size {size} {app}:data@sha256:{hex}"
        ))
        .ok();
    scene.publish();
    fs::write(reader.folder().join("data"), text).expect("a file");
    let verified = reader.notary(&format!("verify {app} data -i data"));
    verified.ok().says(text);
}

fn add_a_digest(scene: &Scene<'_>) {
    let app = &scene.app;
    scene.begin();
    let Data { hex, size } = Data::of("one");
    let longer = "cd".repeat(64);
    let both = format!("addhash -p {app} both 3 --sha256 {hex} --sha512 {longer}");
    scene.nigel.notary(&both).ok();
    scene
        .trust(&format!(
            "sign --stage --role targets --size {size} {app}:one@sha256:{hex}"
        ))
        .ok();
    let status = scene.nigel.notary(&format!("status {app}")).ok();
    status.says("create").says("one");
    scene.publish();
    let found = scene.reader.notary(&format!("lookup {app} one")).ok();
    assert_eq!(found.stdout.trim(), format!("one sha256:{hex} {size}"));
    // Signed by us in between, what is ours to pass on stays whole.
    let more = format!("sign --stage --role targets --size {size} {app}:two@sha256:{hex}");
    scene.nigel.trust(&more).ok();
    let publish = format!("repo publish {app}");
    scene.nigel.trust(&publish).ok();
    let hashes = &scene.kept("targets")["targets"]["both"]["hashes"];
    assert!(hashes["sha512"].is_string(), "{hashes}");
}

fn into_a_role(scene: &Scene<'_>) {
    let app = &scene.app;
    scene.begin();
    scene.delegate();
    let Data { hex, size } = Data::of("one");
    scene
        .trust(&format!(
            "sign --stage --role targets/qa --size {size} {app}:one@sha256:{hex}"
        ))
        .ok();
    scene.publish();
    scene.listed("-r targets/qa").says(&hex).says("targets/qa");
    assert_eq!(scene.kept("targets")["targets"], serde_json::json!({}));
}

fn custom_data(scene: &Scene<'_>) {
    let app = &scene.app;
    scene.begin();
    let Data { hex, size } = Data::of("one");
    scene
        .trust(&format!(
            "sign --stage --role targets --custom {{\"b\":[1,\"x\"]}} --size {size} {app}:one@sha256:{hex}"
        ))
        .ok();
    scene.publish();
    let custom = &scene.kept("targets")["targets"]["one"]["custom"];
    assert_eq!(*custom, serde_json::json!({"b": [1, "x"]}));
}

fn remove(scene: &Scene<'_>) {
    let app = &scene.app;
    scene.begin();
    let (one, two) = (scene.sign("one", "targets"), scene.sign("two", "targets"));
    scene
        .trust(&format!("revoke --stage --role targets {app}:one"))
        .ok()
        .says("staged for next publish");
    scene.publish();
    scene.listed("").says(&two.hex).does_not_say(&one.hex);
}

fn remove_from_a_role(scene: &Scene<'_>) {
    let app = &scene.app;
    scene.begin();
    scene.delegate();
    let data = scene.sign("one", "targets,targets/qa");
    let revoke = |options: &str| scene.trust(&format!("revoke {options} {app}:one"));
    revoke("--stage --role targets/qa").ok();
    scene.publish();
    scene.listed("-r targets/qa").does_not_say(&data.hex);
    scene.listed("").says(&data.hex);
    // At once, too; and what is not there cannot be taken.
    scene.sign("one", "targets/qa");
    scene.listed("-r targets/qa").says(&data.hex);
    revoke("--role qa").ok().says("from targets/qa");
    scene.listed("-r targets/qa").does_not_say(&data.hex);
    revoke("--role qa")
        .exit(2)
        .says("targets/qa lists no tag one");
    let unknown = revoke("--role nobody").exit(2);
    unknown.says("this role is not known");
    let whole = scene.trust(&format!("revoke --role qa {app}"));
    whole.exit(2).says("--role needs a tag");
}

fn witness(scene: &Scene<'_>) {
    let app = &scene.app;
    scene.begin();
    scene.sign("one", "targets");
    let before = scene.kept("targets");
    scene.trust(&format!("witness --stage {app} targets")).ok();
    scene.publish();
    let after = scene.kept("targets");
    assert_eq!(before["targets"], after["targets"]);
    let version = |file: &serde_json::Value| file["version"].as_u64().expect("a version");
    assert_eq!(version(&after), version(&before) + 1);
}
