//! Signatures and keys survive two writers at once and a writer that is killed.

use std::{
    collections::BTreeMap,
    env,
    path::PathBuf,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use crate::peers::{
    home::{Home, files_below},
    image::{Image, hex_of, image},
    lab::Lab,
    run::run,
    server::{Kind, on_both_servers},
};

on_both_servers!(
    two_processes_on_one_machine_sign_different_tags,
    two_machines_sign_different_tags,
    a_sign_killed_at_any_point_leaves_everything_usable,
    a_repository_killed_while_it_is_made_can_be_made_again
);

fn two_processes_on_one_machine_sign_different_tags(server: Kind) {
    let lab = Lab::start(server);
    let nigel = signer(&lab, "nigel");
    let image = image("same content under every tag");
    for round in 0..rounds(30) {
        sign_at_once(
            &image,
            [
                (&nigel, &format!("a{round}")),
                (&nigel, &format!("b{round}")),
            ],
        );
    }
    everyone_still_works(&nigel);
}

fn two_machines_sign_different_tags(server: Kind) {
    let lab = Lab::start(server);
    let nigel = signer(&lab, "nigel");
    let alice = signer(&lab, "alice");
    let key = alice.folder().join("alice.pub");
    let app = lab.name("app");
    nigel
        .trust(&format!("signer add --key {} alice {app}", key.display()))
        .ok();
    let image = image("same content under every tag");
    for round in 0..rounds(15) {
        sign_at_once(
            &image,
            [
                (&nigel, &format!("a{round}")),
                (&alice, &format!("b{round}")),
            ],
        );
    }
    everyone_still_works(&nigel);
    everyone_still_works(&alice);
}

fn a_sign_killed_at_any_point_leaves_everything_usable(server: Kind) {
    let lab = Lab::start(server);
    let nigel = signer(&lab, "nigel");
    let image = image("same content under every tag");
    let keys = private_keys(&nigel);
    push_and_sign(&nigel, &image, "whole");
    let whole = time(|| push_and_sign(&nigel, &image, "timed"));
    let rounds = rounds(15);
    for round in 0..rounds {
        let name = lab.name(&format!("app:killed{round}"));
        lab.registry.push("app", &format!("killed{round}"), &image);
        let delay = moment(round, whole);
        kill_after(nigel.trust_command(&format!("sign {name}")), delay);

        let context = format!("killed after {delay:?} of {whole:?}");
        assert_eq!(keys, private_keys(&nigel), "a key file changed: {context}");
        nigel
            .trust(&format!("verify {}", lab.name("app:whole")))
            .ok()
            .says(&image.digest());
        everyone_still_works(&nigel);
    }
    // What was cut short can be done again, in the same trust directory.
    for round in 0..rounds {
        push_and_sign(&nigel, &image, &format!("killed{round}"));
    }
    everyone_still_works(&nigel);
}

fn a_repository_killed_while_it_is_made_can_be_made_again(server: Kind) {
    let lab = Lab::start(server);
    let nigel = lab.home("nigel");
    nigel.trust("key generate nigel").ok();
    let add = |path: &str| format!("signer add --key nigel.pub nigel {}", lab.name(path));
    let whole = time(|| {
        nigel.trust(&add("timed")).ok();
    });
    let image = image("new repository");
    for round in 0..rounds(15) {
        let path = format!("new{round}");
        kill_after(nigel.trust_command(&add(&path)), moment(round, whole));
        nigel.notary("key list").ok();
        nigel.trust("key list").ok();
        // A server may go on with what the killed one had sent, and be done when it is asked again.
        if nigel.trust(&add(&path)).code != 0 {
            nigel.trust(&add(&path)).ok();
        }
        lab.registry.push(&path, "v1", &image);
        let name = lab.name(&path);
        nigel.trust(&format!("sign {name}:v1")).ok();
        nigel
            .docker(&format!("trust inspect {name}:v1"))
            .ok()
            .says(hex_of(&image.digest()));
    }
    no_key_is_damaged(&nigel);
}

/// A machine whose person may sign `app`, if it is the first one here.
fn signer<'lab>(lab: &'lab Lab, person: &str) -> Home<'lab> {
    let home = lab.home(person);
    home.trust(&format!("key generate {person}")).ok();
    if person == "nigel" {
        home.trust(&format!(
            "signer add --key nigel.pub nigel {}",
            lab.name("app")
        ))
        .ok();
    }
    home
}

/// Both start before either is waited for; both must succeed and both tags be there.
fn sign_at_once(image: &Image, pair: [(&Home<'_>, &str); 2]) {
    let lab = pair[0].0.lab;
    for (_, tag) in pair {
        lab.registry.push("app", tag, image);
    }
    thread::scope(|scope| {
        let running = pair.map(|(home, tag)| {
            let command = home.trust_command(&format!("sign {}", lab.name(&format!("app:{tag}"))));
            scope.spawn(move || run(command))
        });
        for ran in running {
            ran.join().expect("a finished thread").ok();
        }
    });
    let listed = pair[0]
        .0
        .docker(&format!("trust inspect {}", lab.name("app")))
        .ok()
        .stdout;
    for (_, tag) in pair {
        assert!(
            listed.contains(&format!("\"SignedTag\": \"{tag}\"")),
            "{tag} is lost:\n{listed}"
        );
    }
}

fn push_and_sign(home: &Home<'_>, image: &Image, tag: &str) {
    home.lab.registry.push("app", tag, image);
    home.trust(&format!("sign {}", home.lab.name(&format!("app:{tag}"))))
        .ok();
}

fn kill_after(mut command: Command, delay: Duration) {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("trust");
    thread::sleep(delay);
    // It may have finished before.
    let _ = child.kill();
    child.wait().expect("a child to wait for");
}

/// A point of the whole duration, spread evenly over the rounds and never twice the same.
fn moment(round: u32, whole: Duration) -> Duration {
    const GOLDEN: f64 = 0.618_033_988_749_894_9;
    whole.mul_f64((f64::from(round) * GOLDEN).fract() * 1.1)
}

fn everyone_still_works(home: &Home<'_>) {
    let app = home.lab.name("app");
    home.trust(&format!("inspect {app}")).ok();
    home.docker(&format!("trust inspect {app}")).ok();
    home.notary(&format!("list {app}")).ok();
    no_key_is_damaged(home);
}

/// Both key lists name as many keys as there are files.
fn no_key_is_damaged(home: &Home<'_>) {
    let listed = home.notary("key list").ok().stdout;
    let files = private_keys(home);
    assert!(!files.is_empty());
    for file in files.keys() {
        let id = file
            .file_stem()
            .and_then(|stem| stem.to_str())
            .expect("a key id");
        assert!(
            listed.contains(id),
            "notary does not know {}:\n{listed}",
            file.display()
        );
        home.trust(&format!("key show {id}")).ok();
    }
}

/// Every key file; what a killed writer had not yet given its name is none.
fn private_keys(home: &Home<'_>) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = files_below(&home.trust_dir().join("private"));
    files.retain(|path, _| path.extension().is_some_and(|extension| extension == "key"));
    files
}

/// `TRUST_SOAK_ROUNDS`, or a number that suits every day.
fn rounds(everyday: u32) -> u32 {
    let asked = env::var("TRUST_SOAK_ROUNDS").ok();
    asked.map_or(everyday, |it| {
        it.parse().expect("TRUST_SOAK_ROUNDS is a number")
    })
}

fn time(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}
