//! A multi-architecture image is signed, verified and pulled by its index.

use crate::peers::{
    home::Home,
    image::{DOCKER_INDEX, Image, OCI_INDEX, hex_of, image_for, index},
    lab::Lab,
    server::{Kind, on_both_servers},
};

on_both_servers!(docker_manifest_list, oci_image_index);

fn docker_manifest_list(server: Kind) {
    signed_and_pulled_by_index(server, DOCKER_INDEX);
}

fn oci_image_index(server: Kind) {
    signed_and_pulled_by_index(server, OCI_INDEX);
}

fn signed_and_pulled_by_index(server: Kind, media_type: &'static str) {
    let lab = Lab::start(server).with_engine();
    let nigel = lab.home("nigel");
    let app = lab.name("team/app");
    let digest = push_index(&lab, media_type, "1.0");
    nigel.trust("key generate nigel").ok();
    nigel
        .trust(&format!("signer add --key nigel.pub nigel {app}"))
        .ok();
    nigel.trust(&format!("sign {app}:1.0")).ok().says(&digest);

    // The index is what is signed, for us and for the others.
    nigel
        .trust(&format!("inspect {app}:1.0"))
        .ok()
        .says(hex_of(&digest));
    nigel
        .docker(&format!("trust inspect {app}:1.0"))
        .ok()
        .says(hex_of(&digest));
    let index = nigel.raw_manifest(&format!("{app}:1.0"));
    nigel
        .notary_with_input(&format!("verify -q {app} 1.0"), &index)
        .ok();
    let verified = nigel.trust(&format!("verify -q {app}:1.0")).ok();
    assert_eq!(verified.stdout, format!("{app}:1.0@{digest}\n"));

    let image = format!("{app}:1.0");
    let by_digest = format!("{app}@{digest}");
    for architecture in ["arm64", "amd64"] {
        let line = format!("pull --platform linux/{architecture} {image}");
        nigel.trust(&line).ok().says(&digest);
        assert_eq!(architecture_of(&nigel, &image), architecture);
        assert_eq!(architecture_of(&nigel, &by_digest), architecture);
        // The engine keeps one platform under an index digest and refuses the next.
        nigel.docker(&format!("rmi {image}")).ok();
    }
    let absent = nigel.trust(&format!("pull --platform linux/s390x {app}:1.0"));
    assert_ne!(absent.code, 0, "{absent}");
}

/// Pushes an index of two architectures under the tag; its digest.
fn push_index(lab: &Lab, media_type: &'static str, tag: &str) -> String {
    let parts = ["amd64", "arm64"].map(|it| (it, image_for(it, "multi")));
    for (_, image) in &parts {
        lab.registry.push("team/app", &image.digest(), image);
    }
    let parts: Vec<(&str, &Image)> = parts.iter().map(|(name, image)| (*name, image)).collect();
    let index = index(media_type, &parts);
    lab.registry.put_manifest("team/app", tag, &index);
    index.digest()
}

fn architecture_of(home: &Home<'_>, image: &str) -> String {
    let line = format!("image inspect --format {{{{.Architecture}}}} {image}");
    home.docker(&line).ok().stdout.trim().to_owned()
}
