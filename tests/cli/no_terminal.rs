//! Without a terminal nobody is asked: a command that lacks a passphrase says so and ends.

use super::{Home, PASSPHRASE, Ran, openssl};
use std::{process::Stdio, time::Duration};

#[test]
fn a_missing_passphrase_is_named_and_never_waited_for() {
    let plain = openssl("ecparam -name prime256v1 -genkey -noout");
    for line in [
        "key generate nigel",
        "key load plain.pem",
        "key load nigel.key",
        "key show nigel",
    ] {
        let home = Home::new();
        home.write("plain.pem", &plain);
        let key = a_key_of_nigel(&home);
        home.write("nigel.key", super::read(&key));
        for open in [false, true] {
            let ran = ended_at_once(&home, line, open).ends(2);
            for words in [
                "hint: set DOCKER_CONTENT_TRUST_REPOSITORY_PASSPHRASE,",
                "DOCKER_CONTENT_TRUST_REPOSITORY_PASSPHRASE_FILE",
                "--passphrase-file",
            ] {
                assert!(ran.stderr.contains(words), "{}", ran.report(line));
            }
        }
    }
}

#[test]
fn every_other_command_ends_too() {
    for line in [
        "key list",
        "signer add --key nigel.pub nigel localhost:1/app",
        "signer remove nigel localhost:1/app",
        "key rotate root localhost:1/app",
        "key rotate -y root localhost:1/app",
        "key rotate targets localhost:1/app",
        "key rotate snapshot localhost:1/app",
        "key rotate timestamp localhost:1/app",
        "repo init localhost:1/app",
        "repo renew localhost:1/app",
        "repo renew --all",
        "repo delete localhost:1/app",
        "repo delete --remote localhost:1/app",
        "repo delete -y --remote localhost:1/app",
        "repo list localhost:1/app",
        "repo show localhost:1/app",
        "sign localhost:1/app:1",
        "sign --local localhost:1/app:1",
        "revoke localhost:1/app",
        "revoke -y localhost:1/app",
        "inspect localhost:1/app",
        "inspect --pretty localhost:1/app",
        "verify localhost:1/app",
        "pull localhost:1/app",
        "pull -a localhost:1/app",
        "why localhost:1/app",
    ] {
        let home = Home::new()
            .with("DOCKER_CONTENT_TRUST_SERVER", "https://127.0.0.1:1")
            .with("DOCKER_HOST", "unix:///nonexistent/docker.sock");
        home.write("nigel.pub", openssl_public());
        let ran = ended_at_once(&home, line, false);
        let expected = match line {
            "key list" | "repo renew --all" | "repo delete localhost:1/app" => 0,
            // Asks first, and nobody says yes.
            "revoke localhost:1/app"
            | "key rotate root localhost:1/app"
            | "repo delete --remote localhost:1/app" => 2,
            _ => 3,
        };
        assert_eq!(ran.code, expected, "{}", ran.report(line));
    }
}

#[test]
fn a_wrong_passphrase_is_tried_once() {
    let home = Home::new();
    a_key_of_nigel(&home);
    let home = home.with("DOCKER_CONTENT_TRUST_REPOSITORY_PASSPHRASE", "wrong one");
    let ran = home.trust("key show nigel").ends(2);
    assert_eq!(
        ran.stderr,
        "trust: key show nigel: password invalid, operation has failed.\n"
    );
}

#[test]
fn passphrases_come_from_files_too() {
    let home = Home::new();
    a_key_of_nigel(&home);
    let file = home.write("passphrase", format!("{PASSPHRASE}\n"));
    home.trust("key show --passphrase-file passphrase nigel")
        .ends(0);
    let home = home.with(
        "DOCKER_CONTENT_TRUST_REPOSITORY_PASSPHRASE_FILE",
        file.to_str().unwrap(),
    );
    home.trust("key show nigel").ends(0);
    // What the command line says comes first.
    home.write("other", "something else");
    home.trust("key show --passphrase-file other nigel").ends(2);
    home.trust("key show --passphrase-file absent nigel")
        .ends(2);
}

/// Makes a key with the passphrase; its file.
fn a_key_of_nigel(home: &Home) -> std::path::PathBuf {
    let mut command = home.command("key generate nigel");
    command.env("DOCKER_CONTENT_TRUST_REPOSITORY_PASSPHRASE", PASSPHRASE);
    home.run(command.stdin(Stdio::null())).ends(0);
    std::fs::remove_file(home.path().join("nigel.pub")).unwrap();
    let folder = home.path().join(".docker/trust/private");
    let entry = std::fs::read_dir(folder).unwrap().next().unwrap();
    entry.unwrap().path()
}

/// Runs with closed stdin, or with one that stays open and silent.
fn ended_at_once(home: &Home, line: &str, open: bool) -> Ran {
    let stdin = if open { Stdio::piped() } else { Stdio::null() };
    let mut child = home
        .command(line)
        .stdin(stdin)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let _silent = child.stdin.take();
    home.wait(child, Duration::from_secs(2))
}

fn openssl_public() -> Vec<u8> {
    let home = Home::new();
    home.write("k", openssl("ecparam -name prime256v1 -genkey -noout"));
    openssl(&format!(
        "ec -pubout -in {}",
        home.path().join("k").display()
    ))
}
