//! `trust repo pin`: a root is trusted because its key is known.

use std::fs;

use crate::peers::{
    lab::Lab,
    server::{Kind, on_both_servers},
};

on_both_servers!(a_root_is_trusted_because_its_key_is_known);

fn a_root_is_trusted_because_its_key_is_known(server: Kind) {
    let lab = Lab::start(server);
    let nigel = lab.home("nigel");
    let (gun, image) = (lab.name("app"), lab.name("app:v1"));
    lab.push("app", "v1");
    nigel.trust("key generate nigel").ok();
    nigel
        .trust(&format!("signer add --key nigel.pub nigel {gun}"))
        .ok();
    nigel.trust(&format!("sign {image}")).ok();
    let shown = nigel.trust(&format!("inspect {image}")).ok().stdout;
    let shown: serde_json::Value = serde_json::from_str(&shown).expect("JSON");
    let id = shown[0]["AdministrativeKeys"][0]["Keys"][0]["ID"]
        .as_str()
        .expect("the root key's id");

    let reader = lab.home("reader");
    let policy = reader.folder().join("policy.toml");
    fs::write(policy, "[default]\nrequire = \"signed\"\n").expect("a policy");
    let verify = format!("verify --policy policy.toml {image}");
    let refused = || {
        reader
            .trust(&verify)
            .exit(1)
            .says("[root-mismatch]")
            .says(id)
    };
    refused();
    let pin = |option: &str| reader.trust(&format!("repo pin {option} {gun}"));
    pin("").exit(2).says(id);
    let other = format!("--key-id {}", "0".repeat(64));
    pin(&other).exit(1);
    refused();
    pin(&format!("--key-id {id}")).ok().says(id);
    reader.trust(&verify).ok();
    pin(&other).exit(1).says("[root-mismatch]");
    pin("").exit(2);
}
