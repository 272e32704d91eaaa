//! The table "Repositories".

use std::fs;

use super::{
    Scenario,
    scene::{Data, Scene, certify, id_of, ids},
};

pub(super) const SCENARIOS: &[Scenario] = &[
    ("init GUN", init),
    ("init --rootkey FILE", root_key),
    ("init --rootcert FILE", root_certificate),
    ("list GUN", list),
    ("list -r, --roles ROLE", list_of_a_role),
    ("lookup GUN TAG", lookup),
    ("verify GUN TAG", verify),
    ("verify -i, --input FILE", verify_a_file),
    ("verify -q, --quiet", verify_quietly),
    ("status GUN", status),
    ("publish GUN", publish),
    ("reset --all", reset_all),
    ("reset -n, --number NUMBER", reset_some),
    ("delete GUN", delete),
    ("delete --remote", delete_everywhere),
];

fn init(scene: &Scene<'_>) {
    let app = &scene.app;
    scene.trust(&format!("repo init {app}")).ok();
    scene.listed("").says("No targets present");
    scene
        .trust(&format!("repo init {app}"))
        .exit(2)
        .says("initialized already");
    let data = scene.sign("one", "targets");
    scene.listed("").says(&data.hex);
}

fn root_key(scene: &Scene<'_>) {
    let (app, owner) = (&scene.app, scene.home("owner"));
    owner.trust("key generate root").ok();
    let other = id_of(&owner, "root");
    certify(&owner, "mine", "mine", "");
    let line = format!("repo init --root-key mine.key {app}");
    scene.trust_as(&owner, &line).ok();
    scene.listed("");
    // Notary finds the key that was named behind the root, not the other one.
    let shown = owner.trust(&format!("repo show --format json {app}")).ok();
    let shown: serde_json::Value = serde_json::from_str(&shown.stdout).expect("JSON");
    let id = shown[0]["key_ids"][0].as_str().expect("an id");
    owner.notary("key list").ok().says(id);
    assert_ne!(id, other);
}

fn root_certificate(scene: &Scene<'_>) {
    let (app, owner) = (&scene.app, scene.home("owner"));
    let leaf = "-addext basicConstraints=critical,CA:FALSE";
    certify(&owner, "mine", app, leaf);
    let line = format!("repo init --root-key mine.key --root-cert mine.crt {app}");
    scene.trust_as(&owner, &line).ok();
    let certificate = fs::read(owner.folder().join("mine.crt")).expect("a certificate");
    let root = scene.kept("root").to_string();
    assert!(root.contains(&base64(&certificate)), "{root}");
}

fn list(scene: &Scene<'_>) {
    let app = &scene.app;
    scene.begin();
    let (one, two) = (scene.sign("one", "targets"), scene.sign("two", "targets"));
    let shown = scene.trust_as(&scene.reader, &format!("repo list {app}"));
    shown.ok().says(&one.hex).says(&two.hex);
    scene.listed("").says(&one.hex).says(&two.hex);
}

fn list_of_a_role(scene: &Scene<'_>) {
    let app = &scene.app;
    scene.begin();
    scene.delegate();
    let (of_qa, of_all) = (
        scene.sign("one", "targets/qa"),
        scene.sign("two", "targets"),
    );
    let list = |options: &str| scene.trust_as(&scene.reader, &format!("repo list {options} {app}"));
    list("").ok().says(&of_all.hex).does_not_say(&of_qa.hex);
    scene.listed("-r targets/qa").says(&of_qa.hex);
    let shown = list("--role targets/qa").ok().says(&of_qa.hex);
    shown.says("targets/qa").does_not_say(&of_all.hex);
    list("-r qa,targets")
        .ok()
        .says(&of_qa.hex)
        .says(&of_all.hex);
    let rows = list("--role qa --format json").ok().stdout;
    let rows: serde_json::Value = serde_json::from_str(&rows).expect("JSON");
    let digest = format!("sha256:{}", of_qa.hex);
    let row = serde_json::json!([
        {"tag": "one", "digest": digest, "size": of_qa.size, "role": "targets/qa"}
    ]);
    assert_eq!(rows, row);
    list("--role nobody").exit(2).says("this role is not known");
}

fn lookup(scene: &Scene<'_>) {
    let app = &scene.app;
    scene.begin();
    let data = scene.sign("one", "targets");
    let verified = scene.trust_as(&scene.reader, &format!("verify {app}:one"));
    assert_eq!(
        verified.ok().stdout,
        format!("{app}:one@sha256:{}\n", data.hex)
    );
    let lookup = |tag: &str| scene.reader.notary(&format!("lookup {app} {tag}"));
    lookup("one").ok().says(&data.hex);
    let refused = scene.trust_as(&scene.reader, &format!("verify {app}:two"));
    refused.exit(1).says("No valid trust data for two");
    lookup("two").exit(1).says("No valid trust data for two");
}

fn verify(scene: &Scene<'_>) {
    let app = &scene.app;
    scene.begin();
    let data = scene.sign("one", "targets");
    let (signed, other) = (format!("{app} one"), "something else");
    let check = |text: &str| {
        let hex = Data::of(text).hex;
        scene.trust_as(&scene.reader, &format!("verify {app}:one@sha256:{hex}"))
    };
    let line = format!("verify {app} one");
    check(&signed).ok().says(&data.hex);
    scene.reader.notary_with_input(&line, &signed).ok();
    check(other).exit(1).says("[digest-not-signed]");
    scene.reader.notary_with_input(&line, other).exit(1);
}

fn verify_a_file(scene: &Scene<'_>) {
    let (app, reader) = (&scene.app, &scene.reader);
    scene.begin();
    let Data { hex, .. } = scene.sign("one", "targets");
    let file = reader.folder().join("data");
    fs::write(file, format!("{app} one")).expect("a file");
    let line = format!("verify {app}:one@sha256:{hex}");
    scene.trust_as(reader, &line).ok();
    reader.notary(&format!("verify {app} one -i data")).ok();
}

fn verify_quietly(scene: &Scene<'_>) {
    let (app, reader) = (&scene.app, &scene.reader);
    scene.begin();
    let Data { hex, .. } = scene.sign("one", "targets");
    let verified = scene.trust_as(reader, &format!("verify -q {app}:one")).ok();
    assert_eq!(verified.stdout, format!("{app}:one@sha256:{hex}\n"));
    assert_eq!(verified.stderr, "");
    let input = format!("{app} one");
    let theirs = reader.notary_with_input(&format!("verify -q {app} one"), &input);
    assert_eq!(theirs.ok().stdout.trim(), "");
}

fn status(scene: &Scene<'_>) {
    let app = &scene.app;
    scene.begin();
    let status = || scene.trust(&format!("repo status {app}")).ok().stdout;
    assert!(status().starts_with("No unpublished changes for"));
    let hex = Data::of("one").hex;
    for tag in ["one", "two"] {
        let line = format!("addhash {app} {tag} 3 --sha256 {hex}");
        scene.nigel.notary(&line).ok();
    }
    let theirs = scene.nigel.notary(&format!("status {app}")).ok().stdout;
    let words = |text: &str| {
        let lines = text.lines().filter(|line| line.contains("target"));
        let lines = lines.map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
        lines.collect::<Vec<_>>()
    };
    assert_eq!(words(&status()), words(&theirs));
    assert!(words(&theirs).contains(&"1 create targets target two".to_owned()));
}

fn publish(scene: &Scene<'_>) {
    let app = &scene.app;
    scene.begin();
    let hex = Data::of("one").hex;
    let line = format!("addhash {app} one 3 --sha256 {hex}");
    scene.nigel.notary(&line).ok();
    scene.trust(&format!("repo publish {app}")).ok();
    scene.listed("").says(&hex);
    let left = scene.nigel.notary(&format!("status {app}"));
    left.ok().says("No unpublished changes");
}

fn reset_all(scene: &Scene<'_>) {
    reset(scene, "--all", "No unpublished changes");
}

fn reset_some(scene: &Scene<'_>) {
    let left = reset(scene, "-n 0", "second");
    assert!(!left.contains("first"), "{left}");
}

fn reset(scene: &Scene<'_>, options: &str, left: &str) -> String {
    let app = &scene.app;
    scene.begin();
    let hex = Data::of("one").hex;
    for tag in ["first", "second"] {
        let line = format!("addhash {app} {tag} 3 --sha256 {hex}");
        scene.nigel.notary(&line).ok();
    }
    scene.trust(&format!("repo reset {options} {app}")).ok();
    let status = scene.nigel.notary(&format!("status {app}"));
    status.ok().says(left).stdout
}

fn delete(scene: &Scene<'_>) {
    let (app, reader) = (&scene.app, &scene.reader);
    scene.begin();
    let data = scene.sign("one", "targets");
    reader.notary(&format!("list {app}")).ok();
    scene.trust_as(reader, &format!("repo delete {app}")).ok();
    assert!(!reader.cache_of(app).join("root.json").exists());
    reader.notary(&format!("list {app}")).ok().says(&data.hex);
}

fn delete_everywhere(scene: &Scene<'_>) {
    let app = &scene.app;
    scene.begin();
    scene.sign("one", "targets");
    let keys = ids(scene.nigel);
    let line = format!("repo delete --remote -y {app}");
    scene.trust(&line).ok();
    let gone = scene.reader.notary(&format!("list {app}"));
    gone.exit(1).says("does not have trust data");
    assert_eq!(ids(scene.nigel), keys);
}

fn base64(bytes: &[u8]) -> String {
    use base64::{Engine as _, prelude::BASE64_STANDARD};
    BASE64_STANDARD.encode(bytes)
}
