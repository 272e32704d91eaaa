//! A pull brings what was signed, by digest, or nothing.

use crate::peers::{
    home::Home,
    image::image,
    lab::Lab,
    server::{Kind, on_both_servers},
};

on_both_servers!(
    a_signed_tag_is_pulled_by_digest_and_tagged,
    an_unsigned_tag_is_not_pulled,
    a_tag_that_was_moved_still_brings_what_was_signed,
    all_signed_tags_are_pulled_and_no_other,
    a_local_image_is_pushed_and_signed
);

fn a_signed_tag_is_pulled_by_digest_and_tagged(server: Kind) {
    let lab = Lab::start(server).with_engine();
    let nigel = signer(&lab);
    let app = lab.name("team/app");
    let digest = sign(&nigel, "signed");

    let reader = lab.home("reader").without_passphrases();
    reader
        .trust(&format!("pull {app}:signed"))
        .ok()
        .says(&digest);
    assert_eq!(
        marks(&reader, &format!("{app}:signed")),
        marks(&reader, &format!("{app}@{digest}"))
    );
    // Again, and by digest in the reference: nothing left to do is no failure.
    reader.trust(&format!("pull -q {app}:signed")).ok();
}

fn an_unsigned_tag_is_not_pulled(server: Kind) {
    let lab = Lab::start(server).with_engine();
    let nigel = signer(&lab);
    sign(&nigel, "signed");
    lab.push("team/app", "unsigned");
    lab.push("nobody/signed", "this");

    let reader = lab.home("reader");
    let unsigned = lab.name("team/app:unsigned");
    let ran = reader.trust(&format!("pull {unsigned}")).exit(1);
    assert!(
        ran.stderr.contains("No valid trust data for unsigned"),
        "{ran}"
    );
    ran.says("unsigned");
    is_absent(&reader, &unsigned);
    let nobody = lab.name("nobody/signed:this");
    reader.trust(&format!("pull {nobody}")).exit(1);
    is_absent(&reader, &nobody);
    // Without content trust it is an ordinary pull.
    reader
        .trust(&format!("pull --disable-content-trust {unsigned}"))
        .ok();
    reader.docker(&format!("image inspect {unsigned}")).ok();
}

fn a_tag_that_was_moved_still_brings_what_was_signed(server: Kind) {
    let lab = Lab::start(server).with_engine();
    let nigel = signer(&lab);
    let signed = sign(&nigel, "latest");
    let moved = lab.push("team/app", "other").digest();
    let app = lab.name("team/app");
    nigel
        .copy_image(&format!("{app}:other"), &format!("{app}:latest"))
        .ok();
    assert_eq!(nigel.served_digest(&format!("{app}:latest")), moved);

    let reader = lab.home("reader");
    reader
        .trust(&format!("pull {app}"))
        .ok()
        .says(&signed)
        .does_not_say(&moved);
    let pulled = marks(&reader, &format!("{app}:latest"));
    assert!(
        pulled.contains(&signed) && !pulled.contains(&moved),
        "{pulled}"
    );
    // Neither does the moved image pass as the signed one.
    reader
        .trust(&format!("verify {app}@{moved}"))
        .exit(1)
        .says("digest-not-signed");
}

fn all_signed_tags_are_pulled_and_no_other(server: Kind) {
    let lab = Lab::start(server).with_engine();
    let nigel = signer(&lab);
    let digests = ["one", "two"].map(|tag| sign(&nigel, tag));
    lab.push("team/app", "unsigned");
    let reader = lab.home("reader");
    let ran = reader
        .trust(&format!("pull -a {}", lab.name("team/app")))
        .ok();
    ran.says(&digests[0]).says(&digests[1]);
    for tag in ["one", "two"] {
        reader
            .docker(&format!(
                "image inspect {}",
                lab.name(&format!("team/app:{tag}"))
            ))
            .ok();
    }
    is_absent(&reader, &lab.name("team/app:unsigned"));
}

fn a_local_image_is_pushed_and_signed(server: Kind) {
    let lab = Lab::start(server).with_engine();
    let nigel = signer(&lab);
    let app = lab.name("team/app");
    lab.registry
        .push("elsewhere", "base", &image("only in the engine"));
    nigel
        .docker(&format!("pull {}", lab.name("elsewhere:base")))
        .ok();
    nigel
        .docker(&format!("tag {} {app}:local", lab.name("elsewhere:base")))
        .ok();

    // The registry lacks the tag, so the engine's image is pushed first.
    nigel
        .trust(&format!("sign {app}:local"))
        .ok()
        .says("Successfully signed");
    let digest = nigel.served_digest(&format!("{app}:local"));
    nigel
        .trust(&format!("verify {app}:local"))
        .ok()
        .says(&digest);
    nigel
        .docker(&format!("tag {} {app}:again", lab.name("elsewhere:base")))
        .ok();
    nigel
        .trust(&format!("sign --local {app}:again"))
        .ok()
        .says("Successfully signed");
    nigel.docker_trusting(&format!("pull {app}:again")).ok();
}

/// A person who may sign `team/app`.
fn signer(lab: &Lab) -> Home<'_> {
    let nigel = lab.home("nigel");
    nigel.trust("key generate nigel").ok();
    nigel
        .trust(&format!(
            "signer add --key nigel.pub nigel {}",
            lab.name("team/app")
        ))
        .ok();
    nigel
}

/// Pushes an image under the tag and signs it; its digest.
fn sign(home: &Home<'_>, tag: &str) -> String {
    let image = home.lab.push("team/app", tag);
    home.trust(&format!(
        "sign {}",
        home.lab.name(&format!("team/app:{tag}"))
    ))
    .ok();
    image.digest()
}

#[track_caller]
fn is_absent(home: &Home<'_>, image: &str) {
    home.docker(&format!("image inspect {image}")).exit(1);
}

/// The id and the registry digests of an image in the engine.
fn marks(home: &Home<'_>, image: &str) -> String {
    let line = format!("image inspect --format {{{{.Id}}}}{{{{.RepoDigests}}}} {image}");
    home.docker(&line).ok().stdout
}
