//! Every command killed before each thing it does to the disk or the network, one after the other, and
//! then repeated: it finishes, nothing is lost, and no key file was touched.
//!
//! `strace` counts the system calls and kills; every point is tried, none is drawn by lot. With
//! `TRUST_SOAK_FAULTS` every call is also made to fail.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::peers::{
    home::{Home, files_below},
    image::{Image, hex_of, image},
    lab::Lab,
    program,
    run::{Ran, run},
    server::Kind,
};

/// What changes something outside the process; before the n-th of each it is killed.
const CALLS: [&str; 10] = [
    "fsync",
    "linkat",
    "mkdir",
    "rename",
    "renameat2",
    "sendto",
    "unlink",
    "unlinkat",
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
    /// Puts a file into the home folder first.
    fn preparing(self, name: &str, text: &str) -> Self {
        fs::write(self.home.folder().join(name), text).expect("a file");
        self
    }

    /// Interrupts the command at every point, and repeats it; how many rounds that took.
    fn run(&self) -> u32 {
        let mut round = 0;
        for fault in faults() {
            for call in CALLS {
                for point in 1..MOST {
                    round += 1;
                    let fault = format!("{call}:{fault}:when={point}");
                    if !self.interrupted(round, call, &fault) {
                        break;
                    }
                }
            }
        }
        round
    }

    /// One round; false if the command did not come to that point.
    fn interrupted(&self, round: u32, call: &str, fault: &str) -> bool {
        (self.prepare)(round);
        let before = key_files(self.home);
        let line = (self.command)(round);
        let trace = self.home.folder().join("strace.txt");
        let ran = run(traced(self.home, &line, call, fault, &trace));
        let seen = fs::read_to_string(&trace).expect("what strace saw");
        let context = format!("{fault}: {line}");
        same_keys(&before, self.home, &context);
        if !seen.contains("+++ killed by SIGKILL +++") && !seen.contains("(INJECTED)") {
            assert_eq!(ran.code, 0, "without a fault: {ran}");
            return false;
        }
        let again = self.home.trust(&line);
        same_keys(&before, self.home, &context);
        (self.check)(round, &again);
        true
    }
}

/// Killed; in the long form also told that the call failed.
fn faults() -> &'static [&'static str] {
    match std::env::var_os("TRUST_SOAK_FAULTS") {
        None => &["signal=SIGKILL"],
        Some(_) => &["signal=SIGKILL", "error=EIO"],
    }
}

/// The command with a fault where it makes this system call.
fn traced(home: &Home<'_>, line: &str, call: &str, fault: &str, trace: &Path) -> Command {
    let (trust, trace) = (program::trust().display(), trace.display());
    let words = format!("-f -o {trace} -e trace={call} -e inject={fault} {trust} {line}");
    home.command(&program::find("strace"), &words)
}

fn key_files(home: &Home<'_>) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = files_below(&home.trust_dir().join("private"));
    files.retain(|path, _| path.extension().is_some_and(|extension| extension == "key"));
    files
}

/// The same by the names of the files.
fn by_name(home: &Home<'_>) -> BTreeMap<OsString, Vec<u8>> {
    let named = key_files(home).into_iter();
    named
        .filter_map(|(path, bytes)| Some((path.file_name()?.to_owned(), bytes)))
        .collect()
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

/// A repository that nigel owns with every key, and in which he has signed `v1`.
fn owner(lab: &Lab) -> Home<'_> {
    let home = nigel(lab);
    lab.push("app", "v1");
    home.trust(&format!("sign {}", lab.name("app:v1"))).ok();
    home
}

/// A rotation killed anywhere leaves the old keys or the new ones, and the tag signed.
fn rotation(role: &str) {
    let lab = Lab::start(Kind::Trust);
    let home = owner(&lab);
    let app = lab.name("app");
    Scenario {
        home: &home,
        prepare: &no_preparation,
        command: &|_| format!("key rotate -y {role} {app}"),
        check: &|_, again| {
            again.clone().ok();
            home.trust(&format!("verify {app}:v1")).ok();
        },
    }
    .run();
    everyone_reads(&home, &app);
}

#[test]
fn a_rotation_of_the_root_key() {
    rotation("root");
}

#[test]
fn a_rotation_of_the_targets_key() {
    rotation("targets");
}

#[test]
fn a_rotation_of_the_snapshot_key() {
    rotation("snapshot");
}

#[test]
fn a_rotation_of_the_timestamp_key() {
    rotation("timestamp");
}

#[test]
fn a_renewal() {
    let lab = Lab::start(Kind::Trust);
    let home = owner(&lab);
    let app = lab.name("app");
    Scenario {
        home: &home,
        prepare: &no_preparation,
        command: &|_| format!("repo renew --expiring-within 99999d {app}"),
        check: &|_, again| {
            again.clone().ok();
            home.trust(&format!("verify {app}:v1")).ok();
        },
    }
    .run();
    everyone_reads(&home, &app);
}

#[test]
fn delegations_given_and_taken() {
    let lab = Lab::start(Kind::Trust);
    let home = owner(&lab);
    home.trust("key generate bob").ok();
    let app = lab.name("app");
    let add = format!("delegation add {app} bob bob.pub --all-paths");
    Scenario {
        home: &home,
        prepare: &|_| drop(home.trust(&format!("delegation remove -y {app} bob"))),
        command: &|_| add.clone(),
        check: &|_, again| {
            again.clone().ok();
            let listed = home.trust(&format!("delegation list {app}")).ok();
            listed.says("targets/bob");
        },
    }
    .run();
    Scenario {
        home: &home,
        prepare: &|_| drop(home.trust(&add).ok()),
        command: &|_| format!("delegation remove -y {app} bob"),
        check: &|_, again| {
            // What is gone already cannot be taken away again.
            assert!(
                again.code == 0 || again.stderr.contains("targets/bob"),
                "{again}"
            );
            let listed = home.trust(&format!("delegation list {app}")).ok();
            listed.does_not_say("targets/bob");
        },
    }
    .run();
    everyone_reads(&home, &app);
}

#[test]
fn a_witness() {
    let lab = Lab::start(Kind::Trust);
    let home = owner(&lab);
    let app = lab.name("app");
    Scenario {
        home: &home,
        prepare: &no_preparation,
        command: &|_| format!("witness {app} targets/nigel"),
        check: &|_, again| {
            again.clone().ok();
            home.trust(&format!("verify {app}:v1")).ok();
        },
    }
    .run();
    everyone_reads(&home, &app);
}

#[test]
fn signers_replaced_and_removed() {
    let lab = Lab::start(Kind::Trust);
    let home = owner(&lab);
    let app = lab.name("app");
    Scenario {
        home: &home,
        prepare: &|round| drop(home.trust(&format!("key generate nigel{round}")).ok()),
        command: &|round| format!("signer replace --key nigel{round}.pub nigel {app}"),
        check: &|_, again| {
            again.clone().ok();
            home.trust(&format!("verify --signer nigel {app}:v1")).ok();
        },
    }
    .run();
    home.trust("key generate bob").ok();
    Scenario {
        home: &home,
        prepare: &|_| {
            let add = format!("signer add --key bob.pub bob {app}");
            home.trust(&add).ok();
        },
        command: &|_| format!("signer remove -f bob {app}"),
        check: &|_, again| {
            // Who is gone already cannot be removed again.
            assert!(
                again.code == 0 || again.stderr.contains("no signer bob"),
                "{again}"
            );
            home.trust(&format!("verify {app}:v1")).ok();
        },
    }
    .run();
    everyone_reads(&home, &app);
}

#[test]
fn staged_changes_published() {
    let lab = Lab::start(Kind::Trust);
    let home = owner(&lab);
    let (app, image) = (lab.name("app"), image("the same under every tag"));
    let stage = |round: u32| {
        let size = image.manifest.bytes.len();
        let tag = format!("{app}:s{round}@{}", image.digest());
        format!("sign --stage --size {size} {tag}")
    };
    Scenario {
        home: &home,
        prepare: &no_preparation,
        command: &|round| stage(round),
        check: &|round, again| {
            again.clone().ok();
            let listed = home.trust(&format!("repo status {app}")).ok();
            listed.says(&format!("s{round}"));
        },
    }
    .run();
    home.trust(&format!("repo reset --all {app}")).ok();
    Scenario {
        home: &home,
        prepare: &|round| drop(home.trust(&stage(1000 + round)).ok()),
        command: &|_| format!("repo publish {app}"),
        check: &|round, again| {
            again.clone().ok();
            home.trust(&format!("verify {app}:s{}", 1000 + round)).ok();
            let listed = home.trust(&format!("repo status {app}")).ok();
            listed.says("No unpublished changes");
        },
    }
    .run();
    everyone_reads(&home, &app);
}

#[test]
fn a_request_made_and_approved() {
    let lab = Lab::start(Kind::Trust);
    let home = owner(&lab);
    let app = lab.name("app");
    let image = image("the same under every tag");
    let tag = |round: u32| format!("r{round}");
    Scenario {
        home: &home,
        prepare: &|round| lab.registry.push("app", &tag(round), &image),
        command: &|round| format!("sign --request {0}.json {app}:{0}", tag(round)),
        check: &|round, again| {
            // The request is the last thing that is written.
            let there = again.stderr.contains("is there already");
            assert!(there || again.code == 0, "{again}");
            assert!(home.folder().join(format!("{}.json", tag(round))).exists());
        },
    }
    .run();
    let tag = |round: u32| format!("a{round}");
    Scenario {
        home: &home,
        prepare: &|round| {
            lab.registry.push("app", &tag(round), &image);
            let request = format!("sign --request {0}.json {app}:{0}", tag(round));
            home.trust(&request).ok();
        },
        command: &|round| format!("sign -y --approve {}.json", tag(round)),
        check: &|round, again| {
            // What is published already is stale.
            assert!(again.code == 0 || again.stderr.contains("stale"), "{again}");
            home.trust(&format!("verify {app}:{}", tag(round))).ok();
        },
    }
    .run();
    everyone_reads(&home, &app);
}

#[test]
fn a_deletion() {
    let lab = Lab::start(Kind::Trust);
    let home = nigel(&lab);
    let name = |round: u32| lab.name(&format!("gone{round}"));
    Scenario {
        home: &home,
        prepare: &|round| {
            let add = format!("signer add --key nigel.pub nigel {}", name(round));
            home.trust(&add).ok();
        },
        command: &|round| format!("repo delete -y --remote {}", name(round)),
        check: &|round, again| {
            again.clone().ok();
            home.trust(&format!("repo show {}", name(round))).exit(1);
        },
    }
    .run();
}

/// What the files of keys go through on one machine; every key there before is there afterwards.
#[test]
fn keys_moved_and_kept() {
    let lab = Lab::start(Kind::Trust);
    let home = nigel(&lab);
    let other = lab.home("other");
    let backup = |round: u32| home.folder().join(format!("b{round}.keys"));
    Scenario {
        home: &home,
        prepare: &no_preparation,
        command: &|round| format!("key backup --passphrase-file backup.pass -o b{round}.keys"),
        check: &|round, again| {
            let there = again.stderr.contains("is there already");
            assert!(there || again.code == 0, "{again}");
            assert!(backup(round).exists());
        },
    }
    .preparing("backup.pass", "a long passphrase")
    .run();
    Scenario {
        home: &home,
        prepare: &no_preparation,
        command: &|round| format!("key export nigel -o x{round}.pem"),
        check: &|round, again| {
            let there = again.stderr.contains("is there already");
            assert!(there || again.code == 0, "{again}");
            assert!(home.folder().join(format!("x{round}.pem")).exists());
        },
    }
    .run();
    let full = backup(999);
    home.trust(&format!(
        "key backup --passphrase-file backup.pass -o {}",
        full.display()
    ))
    .ok();
    fs::write(other.folder().join("backup.pass"), "a long passphrase").expect("a file");
    Scenario {
        home: &other,
        prepare: &|_| drop(fs::remove_dir_all(other.trust_dir().join("private"))),
        command: &|_| {
            let file = full.display();
            format!("key restore --passphrase-file backup.pass {file}")
        },
        check: &|_, again| {
            again.clone().ok();
            assert_eq!(by_name(&other), by_name(&home));
        },
    }
    .run();
}

/// In a trust directory beside the home's own, whose key files are to change.
#[test]
fn a_passphrase_changed_and_an_old_key_migrated() {
    let lab = Lab::start(Kind::Trust);
    let home = lab.home("nigel");
    for (name, text) in [
        ("old.pass", "the old passphrase"),
        ("new.pass", "the new passphrase"),
    ] {
        fs::write(home.folder().join(name), text).expect("a file");
    }
    let generate = "--trust-dir beside --passphrase-file old.pass key generate nigel";
    home.trust(generate).ok();
    let change = |from: &str, to: &str| {
        format!(
            "--trust-dir beside --passphrase-file {from} key passwd nigel --new-passphrase-file {to}"
        )
    };
    Scenario {
        home: &home,
        prepare: &|_| drop(home.trust(&change("new.pass", "old.pass"))),
        command: &|_| change("old.pass", "new.pass"),
        check: &|_, again| {
            // Changed already, the old one opens it no more.
            assert!(
                again.code == 0 || again.stderr.contains("password invalid"),
                "{again}"
            );
            home.trust(&change("new.pass", "new.pass")).ok();
        },
    }
    .run();
    drop(home.trust(&change("new.pass", "old.pass")));

    let private = home.folder().join("beside/private");
    // A write that failed may have left a hidden file beside it.
    let files = files_below(&private).into_keys();
    let mut keys = files.filter(|path| path.extension().is_some_and(|it| it == "key"));
    let key = keys.next().expect("a key");
    let text = fs::read(&key).expect("its file");
    let id = key
        .file_stem()
        .and_then(|stem| stem.to_str())
        .expect("its id");
    let old = home.folder().join("legacy/private/root_keys");
    Scenario {
        home: &home,
        prepare: &|_| {
            drop(fs::remove_dir_all(home.folder().join("legacy")));
            fs::create_dir_all(&old).expect("a folder");
            fs::write(old.join(format!("{id}_root.key")), &text).expect("an old key");
        },
        command: &|_| "--trust-dir legacy --passphrase-file old.pass key migrate".to_owned(),
        check: &|_, again| {
            again.clone().ok();
            let show = format!("--trust-dir legacy --passphrase-file old.pass key show {id}");
            home.trust(&show).ok();
            let kept = fs::read(old.join(format!("{id}_root.key")));
            assert_eq!(kept.expect("the old file"), text);
        },
    }
    .run();
}

/// Beside the home's own trust directory, too.
#[test]
fn a_key_loaded_and_one_removed() {
    let lab = Lab::start(Kind::Trust);
    let home = nigel(&lab);
    home.trust("key export nigel -o nigel.pem").ok();
    Scenario {
        home: &home,
        prepare: &|_| drop(fs::remove_dir_all(home.folder().join("beside"))),
        command: &|_| "--trust-dir beside key load nigel.pem".to_owned(),
        check: &|_, again| {
            let there = again.stderr.contains("is already in");
            assert!(there || again.code == 0, "{again}");
            home.trust("--trust-dir beside key show nigel").ok();
        },
    }
    .run();
    Scenario {
        home: &home,
        prepare: &|round| {
            let generate = format!("--trust-dir beside key generate gone{round}");
            home.trust(&generate).ok();
        },
        command: &|round| format!("--trust-dir beside key remove -f gone{round}"),
        check: &|round, again| {
            let gone = again.stderr.contains("no key here has the name");
            assert!(gone || again.code == 0, "{again}");
            let listed = home.trust("--trust-dir beside key list").ok();
            listed.does_not_say(&format!("gone{round} "));
        },
    }
    .run();
}
