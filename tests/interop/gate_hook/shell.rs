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

/// Every flag that docker shows takes a value here exactly if it does there.
#[test]
fn the_flags_are_dockers() {
    use trust::gate::install::shell::{Call, Mention, read};
    let scene = Lab::start(Kind::Trust);
    let home = scene.home("reader");
    let mut seen = 0;
    for (verb, image_behind) in [
        ("run", "image"),
        ("create", "image"),
        ("pull", "image"),
        ("build", "folder"),
    ] {
        let help = home
            .with("DOCKER_BUILDKIT", "0")
            .docker(&format!("{verb} --help"))
            .ok()
            .stdout;
        for (letter, name, takes_value) in flags(&help) {
            seen += 1;
            if ["all-tags", "disable-content-trust", "help"].contains(&name.as_str()) {
                continue;
            }
            for flag in letter.into_iter().chain([format!("--{name}")]) {
                let value = takes_value.then_some(if name == "build-arg" { "A=b" } else { "1" });
                let words = [Some(verb), Some(&flag), value, Some(image_behind)];
                let words: Vec<String> = words.into_iter().flatten().map(str::to_owned).collect();
                let at = words.len() - 1;
                let expected = Mention {
                    at,
                    command: 0,
                    image: image_behind.into(),
                };
                let good = match read(&words, true) {
                    Call::Run(mention) | Call::Pull(mention) => mention == expected,
                    Call::Build(build) => build.context == image_behind,
                    _ => false,
                };
                assert!(good, "{words:?}: {:?}", read(&words, true));
            }
        }
    }
    assert!(seen > 200, "only {seen} flags were seen");
}

/// Letter, name, and whether a value follows, of each flag in docker's help.
fn flags(help: &str) -> Vec<(Option<String>, String, bool)> {
    // Other lines that begin with a dash stand further right, in descriptions.
    let is_flag = |line: &&str| line.starts_with("  -") || line.starts_with("      --");
    let lines = help.lines().filter(is_flag).map(str::trim_start);
    lines
        .map(|line| {
            let (letter, rest) = match line.split_once(", --") {
                Some((letter, rest)) if letter.len() == 2 => (Some(letter.to_owned()), rest),
                _ => (None, line.trim_start_matches('-')),
            };
            let (name, rest) = rest.split_once(' ').unwrap_or((rest, ""));
            // What a flag takes stands one space behind it, its description further right.
            (letter, name.to_owned(), !rest.starts_with(' '))
        })
        .collect()
}
