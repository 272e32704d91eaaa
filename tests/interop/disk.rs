//! Disks that are full or may not be written: said so, nothing damaged, and all goes on afterwards.
//!
//! Mounting needs root, as dockerd does.

use std::{
    collections::BTreeMap,
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::Command,
};

use crate::peers::{
    home::{Home, files_below},
    lab::Lab,
    run::Ran,
    server::{Kind, on_both_servers},
};

on_both_servers!(
    a_full_disk_is_said_and_damages_nothing,
    a_read_only_disk_is_said_and_damages_nothing,
    a_disk_that_was_full_from_the_start_holds_nothing_half
);

fn a_full_disk_is_said_and_damages_nothing(server: Kind) {
    let lab = Lab::start(server);
    let nigel = lab.home("nigel");
    let app = lab.name("app");
    let disk = Mount::small(&nigel.trust_dir());
    prepare(&lab, &nigel, &app);

    let filler = Filler::until_full(disk.place());
    nothing_works_and_nothing_changes(&nigel, &app, "No space left on device");

    drop(filler);
    all_goes_on(&nigel, &app);
}

fn a_read_only_disk_is_said_and_damages_nothing(server: Kind) {
    let lab = Lab::start(server);
    let nigel = lab.home("nigel");
    let app = lab.name("app");
    prepare(&lab, &nigel, &app);

    let disk = Mount::read_only(&nigel.trust_dir());
    nothing_works_and_nothing_changes(&nigel, &app, "Read-only file system");

    drop(disk);
    all_goes_on(&nigel, &app);
}

fn a_disk_that_was_full_from_the_start_holds_nothing_half(server: Kind) {
    let lab = Lab::start(server);
    let nigel = lab.home("nigel");
    let app = lab.name("app");
    let disk = Mount::small(&nigel.trust_dir());
    nigel.trust("key generate --trust-dir elsewhere nigel").ok();
    lab.push("app", "v1");

    let filler = Filler::until_full(disk.place());
    let line = format!("signer add --key nigel.pub nigel {app}");
    refused(&nigel.trust(&line), "No space left on device");
    // The keys come before the repository: without them nobody has heard of it.
    nigel.notary(&format!("list {app}")).exit(1);
    let left = kept(&nigel);
    assert!(left.is_empty(), "left behind: {:?}", left.keys());

    drop(filler);
    nigel.trust(&line).ok();
}

/// Nigel has signed v1; Bob signs v2, of which Nigel's machine has not heard.
fn prepare(lab: &Lab, nigel: &Home<'_>, app: &str) {
    let bob = lab.home("bob");
    lab.push("app", "v1");
    lab.push("app", "v2");
    bob.trust("key generate bob").ok();
    nigel.trust("key generate nigel").ok();
    let other = bob.folder().join("bob.pub").display().to_string();
    nigel
        .trust(&format!("signer add --key nigel.pub nigel {app}"))
        .ok();
    nigel
        .trust(&format!("signer add --key {other} bob {app}"))
        .ok();
    nigel.trust(&format!("sign {app}:v1")).ok();
    nigel.trust(&format!("verify {app}:v1")).ok();
    bob.trust(&format!("sign {app}:v2")).ok();
}

fn nothing_works_and_nothing_changes(nigel: &Home<'_>, app: &str, why: &str) {
    let before = kept(nigel);
    let key = nigel.folder().join("other.key");
    fs::copy(openssl("ec-pkcs8"), &key).expect("a key file");
    private(&key);
    for line in [
        "key generate alice".to_owned(),
        "key load other.key".to_owned(),
        format!("sign {app}:v2"),
        format!("verify {app}:v2"),
        format!("inspect {app}"),
    ] {
        let ran = nigel.trust(&line);
        refused(&ran, why);
        assert!(kept(nigel) == before, "changed what was kept:\n{ran}");
    }
    assert!(
        !nigel.folder().join("alice.pub").exists(),
        "a public key without its private key"
    );
    // What needs no writing still works.
    nigel.trust("key list").ok().says("nigel");
    nigel.trust(&format!("verify --offline {app}:v1")).ok();
}

/// One line that says what could not be written and why, and exit code 3.
#[track_caller]
fn refused(ran: &Ran, why: &str) {
    let ran = ran.clone().exit(3).says(why);
    let told = ran
        .stderr
        .lines()
        .filter(|line| line.starts_with("trust: "));
    assert!(told.count() >= 1, "nobody speaks in\n{ran}");
    for innards in ["panicked", ".tmp", "(os error"] {
        assert!(!ran.stderr.contains(innards), "{innards} in\n{ran}");
    }
}

fn all_goes_on(nigel: &Home<'_>, app: &str) {
    nigel.trust(&format!("verify {app}:v1 {app}:v2")).ok();
    nigel.trust(&format!("sign {app}:v2")).ok();
    nigel.trust("key load other.key").ok();
    nigel.trust("key generate alice").ok();
    nigel
        .docker(&format!("trust inspect --pretty {app}"))
        .ok()
        .says("bob, nigel");
    nigel
        .notary(&format!("list {app} -r targets/releases"))
        .ok()
        .says("v2");
}

/// Every file below the trust directory; locks, which hold nothing, and the filler aside.
fn kept(home: &Home<'_>) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = files_below(&home.trust_dir());
    files.retain(|path, _| !path.ends_with(".trust.lock") && !path.ends_with(FILLER));
    files
}

/// A mount that is gone when dropped.
struct Mount(PathBuf);

impl Mount {
    /// A small disk of its own.
    fn small(folder: &Path) -> Self {
        fs::create_dir_all(folder).expect("a folder");
        mount(
            &["-t", "tmpfs", "-o", "size=512k,mode=700", "tmpfs"],
            folder,
        );
        Self(folder.to_owned())
    }

    /// What is there already, not to be written.
    fn read_only(folder: &Path) -> Self {
        let place = folder.to_str().expect("a UTF-8 path");
        mount(&["--bind", place], folder);
        let mounted = Self(folder.to_owned());
        mount(&["-o", "remount,ro,bind"], folder);
        mounted
    }

    fn place(&self) -> &Path {
        &self.0
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        // Lazily, so that nothing half open keeps it.
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

fn mount(options: &[&str], folder: &Path) {
    let ran = Command::new("mount").args(options).arg(folder).output();
    let ran = ran.expect("mount");
    let said = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{said}(mounting needs root)");
}

/// A file that takes all the room there is, until dropped.
struct Filler(PathBuf);

impl Filler {
    fn until_full(disk: &Path) -> Self {
        let path = disk.join(FILLER);
        let mut file = fs::File::create(&path).expect("a file");
        while file.write_all(&[b'x'; 512]).is_ok() {}
        Self(path)
    }
}

impl Drop for Filler {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

fn openssl(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("trust-store/tests/fixtures/openssl")
        .join(format!("{name}.pem"))
}

fn private(file: &Path) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(file, fs::Permissions::from_mode(0o600)).expect("a mode");
}

const FILLER: &str = "filler";
