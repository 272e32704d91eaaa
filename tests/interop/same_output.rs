//! `trust inspect` and `docker trust inspect` print the same bytes.

use crate::peers::{
    docker_cli,
    home::{Home, files_below},
    image::image,
    lab::Lab,
    server::{Kind, on_both_servers},
};

on_both_servers!(
    for_no_signer_one_signer_and_three,
    for_tags_signed_by_some_and_revoked_tags,
    for_a_signer_with_two_keys_and_a_repository_without_tags,
    for_a_repository_that_is_not_there
);

fn for_no_signer_one_signer_and_three(server: Kind) {
    let lab = Lab::start(server);
    let nigel = lab.home("nigel");
    let (zero, one, three) = (lab.name("zero"), lab.name("one"), lab.name("team/three"));
    repository(&nigel, "zero", &[]);
    repository(&nigel, "one", &["nigel"]);
    repository(&nigel, "team/three", &["zoe", "nigel", "al-1ce"]);
    for images in [
        zero.clone(),
        format!("{zero}:v1"),
        one.clone(),
        format!("{one}:v1"),
        three.clone(),
        format!("{three}:v10"),
        format!("{three}:unknown"),
        format!("{one} {three}"),
        format!("{one}:v1 {one}:v2 {zero}"),
    ] {
        let ran = same(&nigel, &images);
        assert_eq!(ran, 0, "{images}");
    }
}

fn for_tags_signed_by_some_and_revoked_tags(server: Kind) {
    let lab = Lab::start(server);
    let nigel = lab.home("nigel");
    let app = lab.name("app");
    repository(&nigel, "app", &["nigel"]);
    let alice = lab.home("alice");
    alice.docker("trust key generate alice").ok();
    let key = alice.folder().join("alice.pub");
    nigel
        .docker(&format!(
            "trust signer add --key {} alice {app}",
            key.display()
        ))
        .ok();
    same(&nigel, &app);
    alice.docker(&format!("trust sign {app}:v2")).ok();
    same(&nigel, &app);
    same(&alice, &format!("{app}:v2"));
    nigel.docker(&format!("trust revoke {app}:v1")).ok();
    same(&nigel, &app);
    same(&nigel, &format!("{app}:v1"));
    nigel.docker(&format!("trust revoke -y {app}")).ok();
    same(&nigel, &app);
    same(&alice, &app);
}

fn for_a_signer_with_two_keys_and_a_repository_without_tags(server: Kind) {
    let lab = Lab::start(server);
    let nigel = lab.home("nigel");
    let app = lab.name("app");
    for key in ["one", "two"] {
        nigel.docker(&format!("trust key generate {key}")).ok();
    }
    nigel
        .docker(&format!(
            "trust signer add --key one.pub --key two.pub pair {app}"
        ))
        .ok();
    assert_eq!(same(&nigel, &app), 0);
}

fn for_a_repository_that_is_not_there(server: Kind) {
    let lab = Lab::start(server);
    let nigel = lab.home("nigel");
    repository(&nigel, "one", &["nigel"]);
    let (one, absent) = (lab.name("one"), lab.name("absent"));
    for images in [
        absent.clone(),
        format!("{absent}:v1"),
        format!("{one} {absent}"),
        format!("{absent} {one}"),
        format!("{one} {absent} {one}:v2"),
    ] {
        assert_eq!(same(&nigel, &images), 1, "{images}");
    }
}

/// Compares stdout in both forms and whether it is a success; trust's own exit code.
#[track_caller]
fn same(home: &Home<'_>, images: &str) -> i32 {
    let mut code = 0;
    for form in ["", "--pretty"] {
        let docker = home.docker(&format!("trust inspect {form} {images}"));
        let trust = home.trust(&format!("inspect {form} {images}"));
        let with = docker_cli::version();
        assert!(
            trust.stdout == docker.stdout,
            "not the output of {with}\n{docker}\n{trust}"
        );
        assert_eq!(
            trust.code == 0,
            docker.code == 0,
            "not the end of {with}\n{docker}\n{trust}"
        );
        if docker.code != 0 {
            // Docker 20.10 began this line with a capital letter.
            let words = docker.stderr.trim().trim_start_matches(['N', 'n']);
            assert!(
                trust.stderr.contains(words),
                "not the words of {with}\n{docker}\n{trust}"
            );
        }
        code = trust.code;
    }
    code
}

/// Has docker and notary make a repository with tags v1, v2 and v10, signed by all `signers`.
fn repository(home: &Home<'_>, path: &str, signers: &[&str]) {
    let name = home.lab.name(path);
    if signers.is_empty() {
        home.notary(&format!("init -p {name}")).ok();
    }
    for signer in signers {
        if !home.folder().join(format!("{signer}.pub")).exists() {
            home.docker(&format!("trust key generate {signer}")).ok();
        }
        home.docker(&format!(
            "trust signer add --key {signer}.pub {signer} {name}"
        ))
        .ok();
    }
    let roles: Vec<String> = match signers {
        [] => vec!["targets".to_owned()],
        some => some
            .iter()
            .copied()
            .chain(["releases"])
            .map(|it| format!("targets/{it}"))
            .collect(),
    };
    for tag in ["v1", "v10", "v2"] {
        let image = image(&format!("{path}:{tag}"));
        let (hex, size) = (
            image.digest().replace("sha256:", ""),
            image.manifest.bytes.len(),
        );
        let roles = roles.join(",");
        home.notary(&format!(
            "addhash {name} {tag} {size} --sha256 {hex} -r {roles}"
        ))
        .ok();
    }
    home.notary(&format!("publish {name}")).ok();
    assert!(
        !files_below(&home.cache_of(&name)).is_empty(),
        "notary keeps its cache elsewhere"
    );
}
