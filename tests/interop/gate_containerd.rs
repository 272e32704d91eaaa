//! The image verifier with a real registry and trust server; containerd itself is played.

use crate::peers::{
    home::Home,
    lab::Lab,
    program,
    run::{Ran, run_with_input},
    server::{Kind, on_both_servers},
};
use std::{fs, os::unix::fs::symlink};

on_both_servers!(what_is_signed_passes_and_nothing_else);

fn what_is_signed_passes_and_nothing_else(server: Kind) {
    let lab = Lab::start(server);
    let nigel = lab.home("nigel");
    nigel.trust("key generate nigel").ok();
    let app = lab.name("team/app");
    nigel
        .trust(&format!("signer add --key nigel.pub nigel {app}"))
        .ok();
    let image = lab.push("team/app", "signed");
    let signed = (image.digest(), image.manifest.bytes.len());
    nigel.trust(&format!("sign {app}:signed")).ok();
    let image = lab.push("team/app", "other");
    let other = (image.digest(), image.manifest.bytes.len());

    let node = lab.home("node");
    let rule = "[default]\nrequire = \"signed\"\nfirst_use = true\n";
    fs::create_dir_all(node.trust_dir()).unwrap();
    fs::write(node.trust_dir().join("policy.toml"), rule).unwrap();
    let verify = |name: &str, (digest, size): &(String, usize)| verify(&node, name, digest, *size);

    verify(&format!("{app}:signed"), &signed)
        .ok()
        .says("is signed");
    verify(&app, &signed).ok();
    verify(&format!("{app}@{}", signed.0), &signed).ok();
    verify(&format!("{app}:signed@{}", signed.0), &signed).ok();
    // Bypass 5: a digest nobody signed.
    verify(&app, &other).exit(1).says("[digest-not-signed]");
    verify(&format!("{app}:other"), &other)
        .exit(1)
        .says("No valid trust data for other");
    // The tag was moved; what it was signed for is another digest.
    verify(&format!("{app}:signed"), &other)
        .exit(1)
        .says("[digest-not-signed]");
    // Bypass 8: the signed digest with another length.
    verify(&format!("{app}:signed"), &(signed.0.clone(), 1))
        .exit(1)
        .says("[digest-not-signed]");
    verify(&lab.name("nobody/app:1"), &other)
        .exit(1)
        .says("[unsigned]");
}

/// What containerd runs for a name that it has resolved.
fn verify(node: &Home<'_>, name: &str, digest: &str, size: usize) -> Ran {
    let verifier = node.folder().join("trust-containerd-verifier");
    if !verifier.exists() {
        symlink(program::trust(), &verifier).expect("a link");
    }
    let line = format!(
        "-name {name} -digest {digest} -stdin-media-type application/vnd.oci.descriptor.v1+json"
    );
    let input = serde_json::json!({
        "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
        "digest": digest,
        "size": size,
    });
    run_with_input(node.command(&verifier, &line), &input.to_string())
}
