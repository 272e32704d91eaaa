//! A command killed before each thing it does to the disk or the network, one after the other, and
//! then repeated: it finishes, nothing is lost, and no key file was touched.
//!
//! `strace` counts the system calls and kills; every point is tried, none is drawn by lot.

use std::{collections::BTreeMap, path::PathBuf, process::Command};

use crate::peers::{
    home::{Home, files_below},
    image::{Image, hex_of, image},
    lab::Lab,
    program,
    run::{Ran, run},
    server::Kind,
};

/// What changes something outside the process; before the n-th of each it is killed.
const CALLS: [&str; 9] = [
    "fsync",
    "linkat",
    "mkdir",
    "rename",
    "renameat2",
    "sendto",
    "unlink",
    "write",
    "writev",
];

/// More than any command makes of one call: an end, should one never finish.
const MOST: u32 = 2000;

/// One command under test.
struct Scenario<'a> {
    home: &'a Home<'a>,
    /// Sets up what the command of this round needs
    prepare: &'a dyn Fn(u32),
    /// The command of this round
    command: &'a dyn Fn(u32) -> String,
    /// Looks at what the repeated command left
    check: &'a dyn Fn(u32, &Ran),
}

impl Scenario<'_> {
    /// Kills the command at every point, and repeats it; how many points there were.
    fn run(&self) -> u32 {
        let mut round = 0;
        for call in CALLS {
            for point in 1..MOST {
                round += 1;
                (self.prepare)(round);
                let before = key_files(self.home);
                let line = (self.command)(round);
                let finished = run(killed_at(self.home, &line, call, point)).code == 0;
                let context = format!("killed before {call} number {point}: {line}");
                same_keys(&before, self.home, &context);
                if finished {
                    break;
                }
                let again = self.home.trust(&line);
                same_keys(&before, self.home, &context);
                println!("{context}");
                (self.check)(round, &again);
            }
        }
        round
    }
}

/// The command, killed when it is about to make this system call for the `point`-th time.
fn killed_at(home: &Home<'_>, line: &str, call: &str, point: u32) -> Command {
    let trust = program::trust().display();
    let words = format!(
        "-f -qq -o /dev/null -e trace={call} -e inject={call}:signal=SIGKILL:when={point} {trust} {line}"
    );
    home.command(&program::find("strace"), &words)
}

fn key_files(home: &Home<'_>) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = files_below(&home.trust_dir().join("private"));
    files.retain(|path, _| path.extension().is_some_and(|extension| extension == "key"));
    files
}

/// Every key that was there is there, to the byte; and each that came since can be read.
fn same_keys(before: &BTreeMap<PathBuf, Vec<u8>>, home: &Home<'_>, context: &str) {
    let after = key_files(home);
    for (path, bytes) in before {
        assert_eq!(after.get(path), Some(bytes), "{context}");
    }
    for path in after.keys().filter(|path| !before.contains_key(*path)) {
        let id = path.file_stem().and_then(|stem| stem.to_str());
        let id = id.expect("a key id");
        home.trust(&format!("key show {id}")).ok();
    }
}

/// Somebody with a key, who may sign `app`.
fn nigel(lab: &Lab) -> Home<'_> {
    let home = lab.home("nigel");
    home.trust("key generate nigel").ok();
    let app = lab.name("app");
    home.trust(&format!("signer add --key nigel.pub nigel {app}"))
        .ok();
    home
}

fn everyone_reads(home: &Home<'_>, name: &str) {
    home.trust(&format!("inspect {name}")).ok();
    home.docker(&format!("trust inspect {name}")).ok();
    home.notary(&format!("list {name}")).ok();
}

fn no_preparation(_: u32) {}

#[test]
fn a_signature() {
    let lab = Lab::start(Kind::Trust);
    let home = nigel(&lab);
    let image: Image = image("the same under every tag");
    let name = |round: u32| lab.name(&format!("app:t{round}"));
    let points = Scenario {
        home: &home,
        prepare: &|round| lab.registry.push("app", &format!("t{round}"), &image),
        command: &|round| format!("sign {}", name(round)),
        check: &|round, again| {
            again.clone().ok();
            let verified = home.trust(&format!("verify {}", name(round))).ok();
            verified.says(hex_of(&image.digest()));
        },
    }
    .run();
    assert!(points > 20, "only {points} points");
    let listed = home.trust(&format!("inspect {}", lab.name("app"))).ok();
    for round in 1..points {
        let tag = format!("\"t{round}\"");
        assert!(listed.stdout.contains(&tag), "{tag} is lost: {listed}");
    }
    everyone_reads(&home, &lab.name("app"));
}

#[test]
fn a_signer_who_begins_a_repository() {
    let lab = Lab::start(Kind::Trust);
    let home = lab.home("nigel");
    home.trust("key generate nigel").ok();
    let name = |round: u32| lab.name(&format!("new{round}"));
    Scenario {
        home: &home,
        prepare: &no_preparation,
        command: &|round| format!("signer add --key nigel.pub nigel {}", name(round)),
        check: &|round, again| {
            again.clone().ok();
            everyone_reads(&home, &name(round));
        },
    }
    .run();
}

#[test]
fn a_repository_without_signers() {
    let lab = Lab::start(Kind::Trust);
    let home = lab.home("nigel");
    let name = |round: u32| lab.name(&format!("new{round}"));
    Scenario {
        home: &home,
        prepare: &no_preparation,
        command: &|round| format!("repo init {}", name(round)),
        check: &|round, again| {
            // A repository that is begun is not begun again.
            let begun = again.stderr.contains("is initialized already");
            assert!(begun || again.code == 0, "{again}");
            home.trust(&format!("repo show {}", name(round))).ok();
        },
    }
    .run();
}

#[test]
fn a_revocation() {
    let lab = Lab::start(Kind::Trust);
    let home = nigel(&lab);
    let image = image("the same under every tag");
    let name = |round: u32| lab.name(&format!("app:t{round}"));
    Scenario {
        home: &home,
        prepare: &|round| {
            lab.registry.push("app", &format!("t{round}"), &image);
            home.trust(&format!("sign {}", name(round))).ok();
        },
        command: &|round| format!("revoke {}", name(round)),
        check: &|round, again| {
            // What is revoked already cannot be revoked again.
            let revoked = again.stderr.contains("No valid trust data");
            assert!(revoked || again.code == 0, "{again}");
            home.trust(&format!("verify {}", name(round))).exit(1);
        },
    }
    .run();
}

#[test]
fn a_new_key() {
    let lab = Lab::start(Kind::Trust);
    let home = lab.home("nigel");
    Scenario {
        home: &home,
        prepare: &no_preparation,
        command: &|round| format!("key generate key{round}"),
        check: &|round, again| {
            // The public key's file is written last: what it names is here.
            let there = again.stderr.contains("public key file already exists");
            assert!(there || again.code == 0, "{again}");
            home.trust("key list").ok().says(&format!("key{round}"));
            assert!(home.folder().join(format!("key{round}.pub")).exists());
        },
    }
    .run();
}
