//! Our own file.

use super::*;
use std::time::Duration;

#[test]
fn an_empty_file_says_nothing() {
    let (folder, read) = read_as("server.toml", "# nothing\n", &[]);
    let (settings, warnings) = read.unwrap();
    assert_eq!(settings, Settings::in_folder(folder.path()));
    assert!(warnings.is_empty());
}

#[test]
fn values_are_read_and_files_are_found_beside_the_file() {
    let (folder, read) = read_as(
        "server.toml",
        r#"
            listen = ":8443"
            store = { url = "sqlite:data/my.db" }
            seal.passphrase_file = "pass"
            [tls]
            certificate = "a.crt"
            key = "/etc/a.key"
            client_ca = "ca.crt"
            [access]
            certificates = true
            [access.token]
            certificates = ["bundle.pem"]
            [repositories]
            prefixes = ["docker.io/team/", "reg:5000/"]
            [limits]
            body = "1MiB"
            grace = "0s"
            header_timeout = "300ms"
            connections = 7
            [log]
            format = "json"
            level = "debug"
        "#,
        &[("SERVER_HTTP_ADDR", ":1")],
    );
    let (settings, warnings) = read.unwrap();
    let here = folder.path();
    assert!(warnings.is_empty());
    assert_eq!(settings.listen, ":8443");
    let url = format!("sqlite:{}", here.join("data/my.db").display());
    assert_eq!(settings.store.url, url);
    assert_eq!(settings.seal.passphrase_file, Some(here.join("pass")));
    assert_eq!(settings.tls.certificate, Some(here.join("a.crt")));
    assert_eq!(settings.tls.key, Some("/etc/a.key".into()));
    let token = settings.access.token.unwrap();
    assert_eq!(token.certificates, [here.join("bundle.pem")]);
    assert_eq!(settings.limits.body.bytes(), 1 << 20);
    let sockets = settings.limits.of_connections();
    assert_eq!(sockets.header_timeout, Duration::from_millis(300));
    assert_eq!((sockets.connections, sockets.grace), (7, Duration::ZERO));
    assert_eq!(settings.log.level.as_str(), "debug");
}

#[test]
fn mistakes_are_named_with_their_place() {
    let table = [
        (
            "listen = \"x:1\"\nlsten = 1",
            "server.toml, line 2, column 1: unknown field `lsten`, expected one of `listen`,",
        ),
        (
            "[pages]\n  enable = true",
            "server.toml, line 2, column 3: unknown field `enable`, expected `enabled`",
        ),
        (
            "[limits]\nbody_timeout = \"10\"",
            "server.toml, line 2, column 16: \"10\" is no time such as",
        ),
        (
            "[limits]\nbody = \"2GiB\"",
            "server.toml, line 2, column 8: 2GiB is not between 1KiB and 1GiB",
        ),
        (
            "[limits]\nheaders = -1",
            "server.toml, line 2, column 11: -1 is not between 8 and 1000",
        ),
        (
            "[renew]\ntimestamp = \"14d\"",
            "server.toml, line 2, column 13: 14d is not between 0s and 13d",
        ),
        (
            "[log]\nlevel = \"loud\"",
            "server.toml, line 2, column 9: unknown variant `loud`",
        ),
        (
            "listen = 4443",
            "server.toml, line 1, column 10: invalid type",
        ),
        (
            "listen = \"a:1\"\nlisten = \"b:1\"",
            "server.toml, line 2, column 1: duplicate key",
        ),
        ("[limits\n", "server.toml, line 1, column 8: "),
        (
            "listen = \"x\"",
            "server.toml: listen: \"x\" is no ADDRESS:PORT",
        ),
        (
            "listen = \"x:70000\"",
            "server.toml: listen: \"x:70000\" is no ADDRESS:PORT",
        ),
        (
            "seal = { key_file = \"a\", passphrase_file = \"b\" }",
            "server.toml: seal.key_file and",
        ),
        (
            "tls.certificate = \"a\"",
            "server.toml: tls.certificate and tls.key go together",
        ),
        (
            "tls = { enabled = false, client_ca = \"a\" }",
            "server.toml: tls.enabled is false",
        ),
        (
            "access.certificates = true",
            "server.toml: access.certificates needs tls.client_ca",
        ),
        (
            "repositories.prefixes = [\"a\"]",
            "server.toml: invalid GUN prefix a",
        ),
    ];
    for (text, expected) in table {
        let words = problem("server.toml", text);
        assert!(words.starts_with(expected), "{words}");
    }
}

#[test]
fn a_wrong_store_is_refused_without_its_password() {
    let words = problem("server.toml", "store.url = \"mysql://me:secret@db/x\"");
    assert!(!words.contains("secret"), "{words}");
    for url in ["postgres://u:p@db/x", "postgresql://db/x"] {
        let (_, read) = read_as("server.toml", &format!("store.url = \"{url}\""), &[]);
        assert_eq!(read.unwrap().0.store.url, url);
    }
}

#[test]
fn prefixes_are_folders_of_repositories() {
    for right in ["a/", "docker.io/a/", "reg:5000/team/", "..a/"] {
        assert_eq!(check_prefix(right), Ok(()), "{right}");
    }
    for wrong in [
        "", "/", "a", "/a/", "a//", "a//b/", "./a/", "a/../", "a/./b/", " a/", "a /",
    ] {
        let words = format!("invalid GUN prefix {wrong}");
        assert_eq!(check_prefix(wrong), Err(words));
    }
}

#[test]
fn files_that_are_no_configuration_are_named() {
    let large = "#".repeat(2_000_000);
    assert!(problem("server.toml", &large).starts_with("server.toml is larger than"));
    let absent = Settings::read(Path::new("/absent/server.toml"), &BTreeMap::new());
    let words = absent.unwrap_err().to_string();
    assert!(
        words.starts_with("cannot read /absent/server.toml: "),
        "{words}"
    );
}
