//! Results on standard output, all else on standard error, and what happens when one is gone.

use super::Home;
use std::{
    fs::File,
    process::{Command, Stdio},
};

#[test]
fn a_reader_that_has_gone_is_no_crash() {
    let home = Home::with_passphrases();
    home.trust("key generate nigel").ends(0);
    for line in [
        "key list",
        "key list --format json",
        "--help",
        "key show nigel",
    ] {
        let mut command = home.command(line);
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(stderr, "", "{line}");
        assert!(output.status.code().is_some(), "{line}: {}", output.status);
    }
}

#[test]
fn a_full_disk_under_the_results_is_an_error() {
    let Ok(full) = File::options().write(true).open("/dev/full") else {
        return;
    };
    let home = Home::with_passphrases();
    home.trust("key generate nigel").ends(0);
    let mut command = home.command("key list");
    let output = command.stdout(full).output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(3));
    assert!(
        stderr.starts_with("trust: could not write to standard output: "),
        "{stderr}"
    );
}

#[test]
fn colors_are_for_terminals_only() {
    let home = Home::new();
    let plain = home.trust("key show x").ends(2).stderr;
    assert!(plain.starts_with("trust: "), "{plain:?}");
    let painted = home.trust("key show --color always x").ends(2).stderr;
    assert!(
        painted.starts_with("\u{1b}[1;31mtrust:\u{1b}[0m "),
        "{painted:?}"
    );
}

#[test]
fn the_plugin_says_who_it_is_and_speaks_dockers_words() {
    let home = Home::new();
    let plugin = home.path().join("docker-trust");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_trust"), &plugin).unwrap();
    let call = |line: &str| {
        let mut command = Command::new(&plugin);
        command
            .args(line.split_whitespace())
            .env("HOME", home.path());
        home.run(command.stdin(Stdio::null()))
    };
    let metadata = call("docker-cli-plugin-metadata").ends(0).stdout;
    let metadata: serde_json::Value = serde_json::from_str(&metadata).unwrap();
    assert_eq!(metadata["SchemaVersion"], "0.1.0");
    assert_eq!(metadata["Version"], env!("CARGO_PKG_VERSION"));
    let help = call("trust --help").ends(0).stdout;
    assert!(help.contains("Usage: docker trust "), "{help}");
    let bad = call("--config /nonexistent trust key generate Bad").ends(2);
    assert_eq!(
        bad.stderr,
        "key name \"Bad\" must start with lowercase alphanumeric characters and can include \"-\" \
         or \"_\" after the first character\n"
    );
    // Docker counts help that nobody asked for as a success.
    call("trust key").ends(0);
    call("trust").ends(0);
    call("trust frobnicate").ends(2);
    call("--nonsense=1 trust key list").ends(2);
}
