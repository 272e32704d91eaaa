//! The function of shells, in front of the real docker and its engine.

use super::{REFUSAL, Scene};
use crate::peers::{
    home::Home,
    lab::Lab,
    program,
    run::{Ran, run},
    server::Kind,
};
use std::{fs, path::Path};

fn types(home: &Home<'_>, line: &str) -> Ran {
    let script = home.folder().join("typed.sh");
    let text = format!("source {}/.bashrc\n{line}\n", home.folder().display());
    fs::write(&script, text).expect("a script");
    let home = home.with("DOCKER_CONTENT_TRUST", "1");
    run(home.command(&program::find("bash"), &script.display().to_string()))
}

#[test]
fn docker_gets_what_is_signed() {
    let scene = Scene::in_lab(Lab::start(Kind::Trust).with_engine());
    let reader = scene.reader();
    reader.trust("hook install shell -y --shell bash").ok();
    let (signed, unsigned) = (scene.name("signed"), scene.name("unsigned"));

    types(&reader, &format!("docker pull -q {signed}"))
        .ok()
        .says(&scene.signed);
    // As docker did it, the tag names what was pulled by digest.
    reader.docker(&format!("image inspect {signed}")).ok();
    types(&reader, &format!("docker run --rm --network none {signed}"))
        .ok()
        .says("team/app:signed");
    types(&reader, &format!("docker create --network none {signed}")).ok();
    for verb in ["pull", "create", "run --rm --network none"] {
        types(&reader, &format!("docker {verb} {unsigned}"))
            .exit(1)
            .says(REFUSAL)
            .says("[unsigned]");
    }
    reader.docker(&format!("image inspect {unsigned}")).exit(1);
    types(
        &reader,
        &format!("docker pull --disable-content-trust {unsigned}"),
    )
    .ok();

    // A tag that was moved still means what was signed.
    let nigel = scene.lab.home("nigel");
    nigel.copy_image(&unsigned, &signed).ok();
    types(&reader, &format!("docker run --rm --network none {signed}"))
        .ok()
        .says("team/app:signed");

    let context = reader.folder().join("context");
    fs::create_dir(&context).expect("a folder");
    build(&reader, &context, &signed).ok();
    build(&reader, &context, &unsigned).exit(1).says(REFUSAL);

    let proof = format!("hook prove shell {signed} {unsigned}");
    reader.trust(&proof).ok().says(&format!("{signed}: pulled"));
    reader.trust("hook remove shell -y").ok();
    assert_eq!(fs::read(reader.folder().join(".bashrc")).ok(), None);
}

fn build(home: &Home<'_>, context: &Path, image: &str) -> Ran {
    let text = format!("FROM {image}\nLABEL made=here\n");
    fs::write(context.join("Dockerfile"), text).expect("a Dockerfile");
    // The classic builder: the other one needs a plugin of docker's command.
    let line = format!(
        "export DOCKER_BUILDKIT=0\ndocker build {}",
        context.display()
    );
    types(home, &line)
}
