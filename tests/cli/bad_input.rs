//! What is wrong is said in one line, and how the program ends follows from it.

use super::{
    Home, openssl,
    server::{Server, Speaks},
};
use snapbox::{IntoData as _, assert_data_eq, file};
use std::{fs, os::unix::fs::PermissionsExt};

#[test]
fn names_options_and_references() {
    let home = Home::with_passphrases().with("DOCKER_CONTENT_TRUST_SERVER", "https://127.0.0.1:1");
    home.trust("key generate there").ends(0);
    let lines = "\
        key generate Bad.Name|key generate ''|key generate -- -a|key generate a/b|\
        key generate ../up|key generate x --dir /nonexistent|key generate there|\
        key generate x --type dsa|key generate|key generate a b|\
        key show nobody|key show ''|key show|key load --name Bad there.pub|\
        signer add nigel localhost:1/app|signer add --key there.pub Nigel localhost:1/app|\
        signer add --key there.pub releases localhost:1/app|\
        signer add --key absent.pub nigel localhost:1/app|\
        signer add --key there.pub nigel BAD other..bad|signer add --key there.pub nigel|\
        signer remove releases localhost:1/app|signer remove nigel Upper/Case|signer remove nigel|\
        sign localhost:1/app|sign localhost:1/app@sha256:00|sign Upper:1|sign ''|sign :1|\
        sign localhost:1/app:-bad|sign --role root localhost:1/app:1|\
        sign --role targets/UPPER localhost:1/app:1|sign --custom '{' localhost:1/app:1|\
        sign --custom '{\"a\":1.5}' localhost:1/app:1|sign --as Bad localhost:1/app:1|\
        sign --local localhost:1/app:1@sha256:0000000000000000000000000000000000000000000000000000000000000000|\
        revoke localhost:1/app@sha256:0000000000000000000000000000000000000000000000000000000000000000|\
        revoke 'a b'|inspect Bad_Name|inspect|inspect --pretty /|verify 'http://x/y'|\
        verify app@sha256:zz|verify app@md5:00|verify --threshold 0 app|verify --threshold x app|\
        verify --format xml app|verify --server http://127.0.0.1:1 app|\
        verify --server nonsense app|verify --tls-ca absent.crt app|verify --tls-ca there.pub app|\
        verify 0000000000000000000000000000000000000000000000000000000000000000|\
        pull -a localhost:1/app:1|pull --platform linux localhost:1/app|\
        pull -a --disable-content-trust localhost:1/app|why Bad|repo init Bad|\
        repo init --root-key nobody localhost:1/app|repo show a b|frobnicate|--nonsense|\
        key list --trust-dir there.pub|verify --passphrase-file";
    let report: String = lines
        .split('|')
        .map(|line| home.trust(line).report(line))
        .collect();
    assert_data_eq!(report, file!["bad_input/words.txt"].raw());
}

#[test]
fn key_files() {
    let home = Home::with_passphrases();
    home.trust("key generate there").ends(0);
    let sec1 = openssl("ecparam -name prime256v1 -genkey -noout");
    home.write("empty.pem", "");
    home.write("binary.pem", [0, 159, 146, 150, 0xff]);
    home.write("truncated.pem", &sec1[..sec1.len() / 2]);
    home.write(
        "damaged.pem",
        "-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----\n",
    );
    home.write(
        "p384.pem",
        openssl("ecparam -name secp384r1 -genkey -noout"),
    );
    home.write("rsa1024.pem", openssl("genrsa 1024"));
    home.write(
        "certificate.pem",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    );
    home.write(
        "other.pem",
        "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n",
    );
    home.write("huge.pem", vec![b'a'; 2 << 20]);
    home.write(
        "other-passphrase.pem",
        openssl("genpkey -algorithm ed25519 -aes-256-cbc -pass pass:wrong"),
    );
    home.write("targets.pem", encrypted_with_role(&sec1));
    let wide = home.write("wide.pem", &sec1);
    fs::set_permissions(&wide, fs::Permissions::from_mode(0o640)).unwrap();
    fs::create_dir(home.path().join("folder")).unwrap();
    fs::set_permissions(
        home.path().join("folder"),
        fs::Permissions::from_mode(0o700),
    )
    .unwrap();
    let mut report = String::new();
    for name in [
        "absent",
        "empty",
        "binary",
        "truncated",
        "damaged",
        "p384",
        "rsa1024",
        "certificate",
        "other",
        "huge",
        "other-passphrase",
        "targets",
        "wide",
    ] {
        for line in [
            format!("key load {name}.pem"),
            format!("signer add --key {name}.pem nigel localhost:1/app"),
        ] {
            report += &home.trust(&line).report(&line);
        }
    }
    for line in [
        "key load folder",
        "key load there.pub",
        "key load /dev/null",
    ] {
        report += &home.trust(line).report(line);
    }
    assert_data_eq!(report, file!["bad_input/key_files.txt"].raw());
}

#[test]
fn servers() {
    let mut report = String::new();
    let mut ask = |what: &str, server: &Server, ca: bool| {
        let home = Home::new();
        let ca = if ca {
            format!("--tls-ca {} ", server.ca.display())
        } else {
            String::new()
        };
        for command in ["verify", "inspect"] {
            let line = format!("{command} --server {} {ca}localhost:1/app:1", server.url);
            let ran = home.trust(&line);
            let text = ran.report(&format!("{command} # {what}"));
            report += &text.replace(server.url.trim_start_matches("https://"), "[SERVER]");
        }
    };
    for (status, body) in [
        (401, ""),
        (403, "forbidden"),
        (404, ""),
        (429, ""),
        (500, "boom"),
        (503, ""),
        (200, "<html>hello</html>"),
        (200, ""),
        (200, "{\"signed\":{},\"signatures\":[]}"),
        (302, ""),
    ] {
        let server = Server::start(Speaks::Tls, status, body);
        ask(&format!("{status} {body}"), &server, true);
    }
    ask(
        "unknown authority",
        &Server::start(Speaks::Tls, 200, ""),
        false,
    );
    let mut server = Server::start(Speaks::Tls, 200, "");
    let other = Server::start(Speaks::Tls, 200, "");
    server.ca.clone_from(&other.ca);
    ask("another authority", &server, true);
    ask(
        "plain http",
        &Server::start(Speaks::PlainHttp, 200, ""),
        false,
    );
    assert_data_eq!(report, file!["bad_input/servers.txt"].raw());
}

#[test]
fn files_that_are_in_the_way() {
    let mut report = String::new();
    let mut ask = |home: &Home, line: &str| report += &home.trust(line).report(line);
    let home = Home::with_passphrases();
    home.write("file", "");
    ask(&home, "key generate nigel --trust-dir file");
    ask(&home, "verify --offline --trust-dir file localhost:1/app");
    ask(&home, "verify --offline localhost:1/app");
    let home = Home::with_passphrases().with("DOCKER_CONFIG", "config");
    fs::create_dir(home.path().join("config")).unwrap();
    home.write("config/config.json", "{\"auths\": [}");
    ask(&home, "verify localhost:1/app");
    let home = Home::with_passphrases().with("DOCKER_AUTH_CONFIG", "{");
    ask(&home, "verify localhost:1/app");
    let home = Home::with_passphrases().with("DOCKER_CONTEXT", "nowhere");
    ask(&home, "pull --disable-content-trust localhost:1/app");
    ask(&home, "sign --local localhost:1/app:1");
    assert_data_eq!(report, file!["bad_input/files.txt"].raw());
}

/// A key file that claims to be a repository's, and names none.
fn encrypted_with_role(sec1: &[u8]) -> Vec<u8> {
    let text = String::from_utf8(sec1.to_vec()).unwrap();
    let begin = "-----BEGIN EC PRIVATE KEY-----\n";
    let labelled = text.replace(begin, &format!("{begin}role: targets\n\n"));
    labelled.into_bytes()
}
