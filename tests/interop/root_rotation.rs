//! A client follows a root key that was rotated with the old one's consent,
//! and no other.

use std::fs;

use crate::peers::{
    home::{Home, files_below},
    image::hex_of,
    lab::Lab,
    server::{Kind, on_both_servers},
};

on_both_servers!(
    a_client_with_the_old_root_follows_the_chain,
    a_root_outside_the_chain_is_refused,
    a_repository_made_anew_under_a_known_name_is_refused
);

fn a_client_with_the_old_root_follows_the_chain(server: Kind) {
    let lab = Lab::start(server);
    let nigel = lab.home("nigel");
    let digest = signed_by_notary(&nigel, "app");
    let reader = lab.home("reader");
    let image = lab.name("app:v1");
    reader.trust(&format!("verify {image}")).ok();
    let before = root_ids(&reader, &image);

    for _ in 0..3 {
        rotate_root(&nigel, "app");
    }
    reader.trust(&format!("verify {image}")).ok().says(&digest);
    let after = root_ids(&reader, &image);
    assert_ne!(before, after, "the reader stayed with the old root");
    assert_eq!(after, root_ids(&lab.home("newcomer"), &image));
    reader
        .docker(&format!("trust inspect {image}"))
        .ok()
        .says(hex_of(&digest))
        .says(&after);

    // The owner, too, goes on signing after the rotation.
    let second = lab.push("app", "v2").digest();
    nigel.trust(&format!("sign {}", lab.name("app:v2"))).ok();
    reader
        .trust(&format!("verify {}", lab.name("app:v2")))
        .ok()
        .says(&second);
    nigel
        .notary(&format!("list {}", lab.name("app")))
        .ok()
        .says(hex_of(&second));
}

fn a_root_outside_the_chain_is_refused(server: Kind) {
    let lab = Lab::start(server);
    let nigel = lab.home("nigel");
    signed_by_notary(&nigel, "app");
    // Another owner with a root key of its own made a repository elsewhere.
    let mallory = lab.home("mallory");
    signed_by_notary(&mallory, "other");

    // The reader knows the name `app` by mallory's root, and the server serves nigel's.
    let reader = lab.home("reader");
    let image = lab.name("app:v1");
    reader.trust(&format!("verify {image}")).ok();
    let cache = reader.cache_of(&lab.name("app"));
    let foreign = mallory.cache_of(&lab.name("other")).join("root.json");
    fs::copy(foreign, cache.join("root.json")).expect("another root");
    let before = files_below(&cache);

    refused(&reader, &format!("verify {image}"));
    refused(&reader, &format!("verify --format json {image}"));
    reader.trust(&format!("inspect {image}")).exit(1);
    assert_eq!(
        before,
        files_below(&cache),
        "a refused root changed the cache"
    );
}

fn a_repository_made_anew_under_a_known_name_is_refused(server: Kind) {
    let lab = Lab::start(server);
    let nigel = lab.home("nigel");
    let image = lab.name("app:v1");
    signed_by_notary(&nigel, "app");
    let reader = lab.home("reader");
    reader.trust(&format!("verify {image}")).ok();
    let before = files_below(&reader.cache_of(&lab.name("app")));

    // Somebody deletes the trust data on the server and begins again with another root.
    nigel
        .notary(&format!("delete --remote {}", lab.name("app")))
        .ok();
    let mallory = lab.home("mallory");
    signed_by_notary(&mallory, "app");

    refused(&reader, &format!("verify {image}"));
    let after = files_below(&reader.cache_of(&lab.name("app")));
    assert_eq!(before, after, "a refused root changed the cache");
    lab.home("newcomer").trust(&format!("verify {image}")).ok();
}

#[track_caller]
fn refused(home: &Home<'_>, line: &str) {
    home.trust(line).exit(1).says("root-mismatch");
}

/// Has notary make a repository whose tag v1 is signed; the tag's digest.
fn signed_by_notary(home: &Home<'_>, path: &str) -> String {
    let name = home.lab.name(path);
    let image = home.lab.push(path, "v1");
    let (digest, size) = (image.digest(), image.manifest.bytes.len());
    home.notary(&format!("init -p {name}")).ok();
    home.notary(&format!(
        "addhash -p {name} v1 {size} --sha256 {}",
        hex_of(&digest)
    ))
    .ok();
    digest
}

fn rotate_root(home: &Home<'_>, path: &str) {
    let line = format!("key rotate {} root", home.lab.name(path));
    home.notary_with_input(&line, "yes\n")
        .ok()
        .says("Successfully rotated root key");
}

/// The ids of the root key as `trust inspect` names them.
fn root_ids(home: &Home<'_>, image: &str) -> String {
    let output = home.trust(&format!("inspect {image}")).ok().stdout;
    let json: serde_json::Value = serde_json::from_str(&output).expect("JSON");
    let root = &json[0]["AdministrativeKeys"][0];
    assert_eq!(root["Name"], "Root", "{output}");
    root["Keys"][0]["ID"].as_str().expect("a key id").to_owned()
}
