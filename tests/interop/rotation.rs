//! `trust key rotate`: whoever knew the old keys follows, and docker and notary go on signing.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use crate::peers::{
    home::Home,
    image::hex_of,
    lab::Lab,
    run::{Ran, run},
    server::{Kind, on_both_servers},
};

on_both_servers!(
    a_root_that_trust_rotates_is_followed,
    roots_that_notary_and_trust_rotate_in_turn_are_one_chain,
    targets_and_timestamp_get_new_keys,
    the_snapshot_goes_to_the_server_and_back,
    a_root_of_two_out_of_three,
    what_notary_makes_of_thresholds_above_one,
    a_root_key_and_certificate_brought_by_the_user,
    what_is_deleted_is_gone_and_keys_stay,
);

fn a_root_that_trust_rotates_is_followed(server: Kind) {
    let lab = Lab::start(server).with_engine();
    let (nigel, app) = (lab.home("nigel"), lab.name("app"));
    let first = begun(&nigel);
    let readers = [lab.home("docker"), lab.home("notary"), lab.home("trust")];
    let [docker, notary, trust] = &readers;
    let look = |digest: &str| {
        let hex = hex_of(digest);
        docker
            .docker(&format!("trust inspect {app}"))
            .ok()
            .says(hex);
        notary.notary(&format!("list {app}")).ok().says(hex);
        trust.trust(&format!("repo list {app}")).ok().says(hex);
    };
    look(&first);

    let keys = private_keys(&nigel);
    rotate(&nigel, "root -y", "app").says("is still here");
    assert_eq!(private_keys(&nigel), keys + 1, "an old key went");
    assert_eq!(root_of(&nigel, "app")["version"], 2);
    look(&first);
    // Docker and notary go on where they held the old state.
    lab.push("app", "v2");
    nigel.docker(&format!("pull {app}:v2")).ok();
    nigel.docker(&format!("trust sign {app}:v2")).ok();
    for reader in &readers {
        // Docker pushes another manifest than the one it pulled.
        reader.notary(&format!("lookup {app} v2")).ok();
        reader
            .docker(&format!("trust inspect {app}"))
            .ok()
            .says("v2");
        reader.trust(&format!("verify {app}:v2")).ok();
    }
    rotate(&nigel, "root -y", "app");
    let third = add_with_notary(&nigel, "app", "v3");
    look(&third);

    // Nobody who trusts a root outside the chain follows.
    let stranger = lab.home("stranger");
    let cache = stranger.cache_of(&app);
    let other = lab.home("other");
    other
        .trust(&format!("repo init {}", lab.name("other")))
        .ok();
    fs::create_dir_all(&cache).unwrap();
    fs::copy(
        other.cache_of(&lab.name("other")).join("root.json"),
        cache.join("root.json"),
    )
    .unwrap();
    stranger.trust(&format!("repo list {app}")).exit(1);
    stranger.notary(&format!("list {app}")).exit(1);
}

fn roots_that_notary_and_trust_rotate_in_turn_are_one_chain(server: Kind) {
    let lab = Lab::start(server);
    let (nigel, app) = (lab.home("nigel"), lab.name("app"));
    nigel.notary(&format!("init -p {app}")).ok();
    let digest = add_with_notary(&nigel, "app", "v1");
    let readers = [lab.home("docker"), lab.home("notary"), lab.home("trust")];
    let look = |digest: &str| {
        let hex = hex_of(digest);
        let [docker, notary, trust] = &readers;
        docker
            .docker(&format!("trust inspect {app}"))
            .ok()
            .says(hex);
        notary.notary(&format!("list {app}")).ok().says(hex);
        trust.trust(&format!("repo list {app}")).ok().says(hex);
    };
    look(&digest);
    for round in 0..2 {
        nigel
            .notary_with_input(&format!("key rotate {app} root"), "yes\n")
            .ok();
        rotate(&nigel, "root -y", "app");
        assert_eq!(root_of(&nigel, "app")["version"], 3 + 2 * round);
    }
    look(&digest);
    look(&add_with_notary(&nigel, "app", "v2"));
}

fn targets_and_timestamp_get_new_keys(server: Kind) {
    let lab = Lab::start(server);
    let (nigel, app) = (lab.home("nigel"), lab.name("app"));
    let first = begun(&nigel);
    let reader = lab.home("reader");
    reader.notary(&format!("list {app}")).ok();
    reader.docker(&format!("trust inspect {app}")).ok();
    for role in ["targets", "timestamp"] {
        let before = keys_of(&nigel, "app", role);
        rotate(&nigel, role, "app");
        assert_ne!(before, keys_of(&nigel, "app", role));
        reader
            .notary(&format!("list {app}"))
            .ok()
            .says(hex_of(&first));
        let inspected = reader.docker(&format!("trust inspect {app}"));
        inspected.ok().says(hex_of(&first));
    }
    let second = add_with_notary(&nigel, "app", "v2");
    nigel.trust("key generate alice").ok();
    nigel
        .trust(&format!("signer add --key alice.pub alice {app}"))
        .ok();
    reader
        .notary(&format!("list {app}"))
        .ok()
        .says(hex_of(&second));
    for (line, words) in [
        (
            "root -y -r",
            "does not permit the server managing the root key",
        ),
        (
            "targets -r",
            "does not permit the server managing the targets key",
        ),
        (
            "timestamp --key alice",
            "does not permit the client managing the timestamp key",
        ),
        (
            "targets/alice",
            "does not currently permit rotating the targets/alice key",
        ),
        ("targets --threshold 2", "a threshold of 2 with 1 key"),
    ] {
        nigel
            .trust(&format!("key rotate {line} {app}"))
            .exit(2)
            .says(words);
    }
}

fn the_snapshot_goes_to_the_server_and_back(server: Kind) {
    let lab = Lab::start(server);
    let (nigel, app) = (lab.home("nigel"), lab.name("app"));
    nigel.notary(&format!("init -p {app}")).ok();
    let reader = lab.home("reader");
    let look = |tag: &str| {
        let digest = add_with_notary(&nigel, "app", tag);
        reader
            .notary(&format!("list {app}"))
            .ok()
            .says(hex_of(&digest));
        let inspected = reader.docker(&format!("trust inspect {app}"));
        inspected.ok().says(hex_of(&digest));
        reader
            .trust(&format!("repo list {app}"))
            .ok()
            .says(hex_of(&digest));
    };
    look("v1");
    let mut before = keys_of(&nigel, "app", "snapshot");
    for (round, line) in [
        "snapshot -r",
        "snapshot",
        "snapshot --server-managed",
        "snapshot -r",
    ]
    .into_iter()
    .enumerate()
    {
        rotate(&nigel, line, "app");
        let after = keys_of(&nigel, "app", "snapshot");
        assert_ne!(before, after, "{line}");
        before = after;
        look(&format!("w{round}"));
    }
    // The same, begun by notary.
    nigel.notary(&format!("key rotate {app} snapshot")).ok();
    rotate(&nigel, "targets", "app");
    look("last");
}

fn a_root_of_two_out_of_three(server: Kind) {
    let lab = Lab::start(server);
    let (nigel, app) = (lab.home("nigel"), lab.name("app"));
    for name in ["a", "b", "c", "d"] {
        root_key(&nigel, name);
    }
    let three = "--root-key a.key --root-key b.key --root-key c.key";
    for threshold in [0, 4] {
        nigel
            .trust(&format!(
                "repo init {three} --root-threshold {threshold} {app}"
            ))
            .exit(2)
            .says("between 1 and the number of keys");
    }
    nigel
        .trust(&format!("repo init {three} --root-threshold 2 {app}"))
        .ok();
    let root = root_of(&nigel, "app");
    assert_eq!(root["roles"]["root"]["threshold"], 2);
    let ids = ids(&nigel, "app", "root");
    assert_eq!(ids.len(), 3);
    let first = add_with_notary(&nigel, "app", "v1");
    let readers = [lab.home("docker"), lab.home("notary"), lab.home("trust")];
    let [docker, notary, trust] = &readers;
    let look = |digest: &str| {
        let hex = hex_of(digest);
        docker
            .docker(&format!("trust inspect {app}"))
            .ok()
            .says(hex);
        notary.notary(&format!("list {app}")).ok().says(hex);
        trust.trust(&format!("repo list {app}")).ok().says(hex);
    };
    look(&first);

    // Two of the three are enough, and the third is named where only one is left.
    let private = nigel.trust_dir().join("private");
    fs::remove_file(private.join(format!("{}.key", ids[0]))).unwrap();
    nigel
        .trust(&format!(
            "key rotate root -y --key d.key --threshold 1 {app}"
        ))
        .ok();
    look(&first);
    let root = root_of(&nigel, "app");
    assert_eq!(
        (
            root["version"].clone(),
            root["roles"]["root"]["threshold"].clone()
        ),
        (2.into(), 1.into())
    );
    look(&add_with_notary(&nigel, "app", "v2"));
    // And what notary does when it rotates the one.
    nigel
        .notary_with_input(&format!("key rotate {app} root"), "yes\n")
        .ok();
    look(&add_with_notary(&nigel, "app", "v3"));

    let again = lab.name("again");
    nigel
        .trust(&format!("repo init {three} --root-threshold 2 {again}"))
        .ok();
    fs::remove_file(private.join(format!("{}.key", ids[0]))).unwrap();
    fs::remove_file(private.join(format!("{}.key", ids[1]))).unwrap();
    nigel
        .trust(&format!("key rotate root -y {again} --key d.key"))
        .exit(1)
        .says("root needs 2 signatures and 1 can be made here")
        .says(&ids[0])
        .says(&ids[1]);
    nigel.trust(&format!("key rotate targets {again}")).exit(1);
}

fn what_notary_makes_of_thresholds_above_one(server: Kind) {
    let lab = Lab::start(server);
    let (nigel, app) = (lab.home("nigel"), lab.name("app"));
    for name in ["a", "b", "c", "t", "u"] {
        root_key(&nigel, name);
    }
    let three = "--root-key a.key --root-key b.key --root-key c.key --root-threshold 2";
    nigel.trust(&format!("repo init {three} {app}")).ok();
    let reader = lab.home("reader");
    let look = |tag: &str| {
        let digest = add_with_notary(&nigel, "app", tag);
        reader
            .notary(&format!("list {app}"))
            .ok()
            .says(hex_of(&digest));
        let inspected = reader.docker(&format!("trust inspect {app}"));
        inspected.ok().says(hex_of(&digest));
        reader
            .trust(&format!("repo list {app}"))
            .ok()
            .says(hex_of(&digest));
    };
    look("v1");
    let threshold = |role: &str| root_of(&nigel, "app")["roles"][role]["threshold"].clone();
    let two = "targets --key t.key --key u.key --threshold 2";
    rotate(&nigel, two, "app");
    assert_eq!(threshold("targets"), 2);
    look("v2");
    // Notary keeps a threshold, and so cannot give such a role the one key it makes.
    nigel.notary(&format!("key rotate {app} snapshot -r")).ok();
    assert_eq!(threshold("root"), 2);
    look("v3");
    let too_few = "not enough signing keys: found 1 of 2 needed keys";
    nigel
        .notary_with_input(&format!("key rotate {app} root"), "yes\n")
        .exit(1)
        .says(too_few);
    look("v4");
    // It has thrown the old keys of targets away by then.
    let keys = private_keys(&nigel);
    nigel
        .notary(&format!("key rotate {app} targets"))
        .exit(1)
        .says(too_few);
    assert_eq!(private_keys(&nigel), keys - 2 + 1);
    nigel
        .trust(&format!("key rotate {two} {app}"))
        .ok()
        .says("are these already");
    look("v5");
}

fn a_root_key_and_certificate_brought_by_the_user(server: Kind) {
    let lab = Lab::start(server);
    let (nigel, app) = (lab.home("nigel"), lab.name("app"));
    let first = begun(&nigel);
    let reader = lab.home("reader");
    reader.notary(&format!("list {app}")).ok();
    for name in ["mine", "hers"] {
        root_key(&nigel, name);
        certificate(&nigel, name, &app);
    }
    let rotate = |line: &str| nigel.trust(&format!("key rotate root -y {line} {app}"));
    rotate("--key mine.key --cert hers.crt")
        .exit(2)
        .says("the certificate is of another key");
    rotate("--key mine.key --cert mine.crt").ok();
    reader
        .notary(&format!("list {app}"))
        .ok()
        .says(hex_of(&first));
    // Somebody else's key is known by its certificate alone; one of the two is enough.
    rotate("--key mine.key --cert mine.crt --cert hers.crt --threshold 1").ok();
    assert_eq!(ids(&nigel, "app", "root").len(), 2);
    reader
        .notary(&format!("list {app}"))
        .ok()
        .says(hex_of(&first));
    rotate("--key mine.key --cert hers.crt --threshold 2")
        .exit(1)
        .says("root needs 2 signatures and 1 can be made here");
    add_with_notary(&nigel, "app", "v2");
}

fn what_is_deleted_is_gone_and_keys_stay(server: Kind) {
    let lab = Lab::start(server);
    let (nigel, app) = (lab.home("nigel"), lab.name("app"));
    begun(&nigel);
    nigel
        .notary(&format!("witness {app} targets/releases"))
        .ok();
    let keys = private_keys(&nigel);
    for _again in 0..2 {
        nigel
            .trust(&format!("repo delete {app}"))
            .ok()
            .says("Successfully deleted local trust data");
    }
    assert!(!nigel.cache_of(&app).exists());
    nigel
        .notary(&format!("status {app}"))
        .ok()
        .says("No unpublished changes");
    nigel.trust(&format!("verify {app}:v1")).ok();
    nigel
        .trust(&format!("repo delete --remote {app}"))
        .exit(2)
        .says("-y");
    for _again in 0..2 {
        nigel
            .trust(&format!("repo delete -y --remote {app}"))
            .ok()
            .says("local and remote");
    }
    nigel.trust(&format!("verify {app}:v1")).exit(1);
    nigel.notary(&format!("list {app}")).exit(1);
    assert_eq!(private_keys(&nigel), keys);

    // Begun again with the same signer, whose tags nobody takes for older ones.
    nigel
        .trust(&format!("signer add --key nigel.pub nigel {app}"))
        .ok();
    let again = nigel.trust(&format!("sign {app}:v1")).ok();
    again.does_not_say("not read back");
    nigel.trust(&format!("verify {app}:v1")).ok();
    let newcomer = lab.home("newcomer");
    newcomer
        .docker(&format!("trust inspect {app}"))
        .ok()
        .says("v1");
}

/// A repository with a signer and the tag v1; its digest.
fn begun(home: &Home<'_>) -> String {
    let app = home.lab.name("app");
    let digest = home.lab.push("app", "v1").digest();
    home.trust("key generate nigel").ok();
    home.trust(&format!("signer add --key nigel.pub nigel {app}"))
        .ok();
    home.trust(&format!("sign {app}:v1")).ok();
    digest
}

#[track_caller]
fn rotate(home: &Home<'_>, line: &str, path: &str) -> Ran {
    home.trust(&format!("key rotate {line} {}", home.lab.name(path)))
        .ok()
        .says("Successfully rotated")
}

/// Has notary sign a tag into `targets`; its digest.
#[track_caller]
fn add_with_notary(home: &Home<'_>, path: &str, tag: &str) -> String {
    let name = home.lab.name(path);
    let image = home.lab.push(path, tag);
    let (digest, size) = (image.digest(), image.manifest.bytes.len());
    let hex = hex_of(&digest);
    home.notary(&format!("addhash -p {name} {tag} {size} --sha256 {hex}"))
        .ok();
    digest
}

fn private_keys(home: &Home<'_>) -> usize {
    fs::read_dir(home.trust_dir().join("private"))
        .unwrap()
        .count()
}

/// What the root says that this home keeps, after a look at the server.
fn root_of(home: &Home<'_>, path: &str) -> serde_json::Value {
    let name = home.lab.name(path);
    home.trust(&format!("repo show {name}")).ok();
    let file = fs::read(home.cache_of(&name).join("root.json")).unwrap();
    serde_json::from_slice::<serde_json::Value>(&file).unwrap()["signed"].clone()
}

fn keys_of(home: &Home<'_>, path: &str, role: &str) -> serde_json::Value {
    root_of(home, path)["roles"][role]["keyids"].clone()
}

/// Canonical ids of a role's keys.
fn ids(home: &Home<'_>, path: &str, role: &str) -> Vec<String> {
    let line = format!("repo show --format json {}", home.lab.name(path));
    let rows: serde_json::Value = serde_json::from_str(&home.trust(&line).ok().stdout).unwrap();
    let row = rows
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["role"] == role);
    let ids = row.unwrap()["key_ids"].as_array().unwrap().iter();
    ids.map(|id| id.as_str().unwrap().to_owned()).collect()
}

fn root_key(home: &Home<'_>, name: &str) {
    let line = format!("ecparam -name prime256v1 -genkey -noout -out {name}.key");
    run(home.command(Path::new("openssl"), &line)).ok();
    let key = home.folder().join(format!("{name}.key"));
    fs::set_permissions(key, fs::Permissions::from_mode(0o600)).unwrap();
}

fn certificate(home: &Home<'_>, name: &str, gun: &str) {
    let subject = gun.replace('/', "\\/");
    let leaf = "-addext basicConstraints=critical,CA:FALSE";
    let line =
        format!("req -x509 -days 30 {leaf} -key {name}.key -subj /CN={subject} -out {name}.crt");
    run(home.command(Path::new("openssl"), &line)).ok();
}
