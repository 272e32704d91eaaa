//! notary-server's file.

use super::*;
use crate::server::settings::access::Everybody;

/// Notary's own example, with everything else that it can hold.
const WHOLE: &str = r#"{
    "server": {
        "http_addr": ":4443",
        "tls_key_file": "./notary-server.key",
        "tls_cert_file": "/certs/notary-server.crt",
        "client_ca_file": "ca.crt"
    },
    "trust_service": {
        "type": "remote", "hostname": "notarysigner", "port": "7899", "tls_ca_file": "./root-ca.crt",
        "key_algorithm": "ecdsa", "tls_client_cert": "./c.crt", "tls_client_key": "./c.key"
    },
    "logging": { "level": "warning" },
    "storage": {
        "backend": "postgres",
        "db_url": "postgres://server@postgresql:5432/notaryserver?sslmode=disable",
        "username": "x"
    },
    "auth": {
        "type": "token",
        "options": {
            "realm": "https://auth.example/token", "service": "notary", "issuer": "auth.example",
            "rootcertbundle": "bundle.pem", "autoredirect": true
        }
    },
    "caching": { "max_age": { "current_metadata": 60, "consistent_metadata": 31536000 } },
    "repositories": { "gun_prefixes": ["docker.io/", "my-own-registry.com/"] },
    "reporting": { "bugsnag": { "api_key": "k", "release_stage": "production" } },
    "Serrver": { "http_addr": 1 }
}"#;

#[test]
fn what_has_a_meaning_keeps_it() {
    let (folder, read) = read_as("server-config.json", WHOLE, &[]);
    let (settings, _) = read.unwrap();
    let here = folder.path();
    assert_eq!(settings.listen, ":4443");
    assert_eq!(settings.tls.key, Some(here.join("./notary-server.key")));
    assert_eq!(
        settings.tls.certificate,
        Some("/certs/notary-server.crt".into())
    );
    assert_eq!(settings.tls.client_ca, Some(here.join("ca.crt")));
    assert!(settings.tls.enabled);
    let url = "postgres://server@postgresql:5432/notaryserver?sslmode=disable";
    assert_eq!(settings.store.url, url);
    let token = settings.access.token.unwrap();
    assert_eq!(token.realm, "https://auth.example/token");
    assert_eq!(
        (&*token.service, &*token.issuer),
        ("notary", "auth.example")
    );
    assert_eq!(token.certificates, [here.join("bundle.pem")]);
    assert_eq!(settings.access.anonymous, Some(Everybody::None));
    assert_eq!(settings.cache.current_max_age, Period::seconds(60));
    assert_eq!(settings.cache.consistent_max_age, Period::days(365));
    assert_eq!(
        settings.repositories.prefixes,
        ["docker.io/", "my-own-registry.com/"]
    );
    assert_eq!(settings.log.level, LogLevel::Warn);
}

#[test]
fn each_key_without_a_meaning_is_named_once() {
    let (_, read) = read_as("server-config.json", WHOLE, &[]);
    let (_, warnings) = read.unwrap();
    let named: Vec<_> = warnings
        .iter()
        .map(|warning| warning.split_once(" means nothing here: ").unwrap().0)
        .collect();
    assert_eq!(
        named,
        [
            "reporting.bugsnag.api_key",
            "reporting.bugsnag.release_stage",
            "serrver.http_addr",
            "storage.username",
            "trust_service.hostname",
            "trust_service.key_algorithm",
            "trust_service.port",
            "trust_service.tls_ca_file",
            "trust_service.tls_client_cert",
            "trust_service.tls_client_key",
            "trust_service.type",
            "auth.options.autoredirect",
        ]
    );
}

#[test]
fn variables_win_over_the_file() {
    let text = r#"{"server": {"http_addr": ":1"}, "storage": {"backend": "memory"}}"#;
    let (folder, read) = read_as(
        "config",
        text,
        &[
            ("SERVER_HTTP_ADDR", ":4443"),
            ("SERVER_TLS_CERT_FILE", "a.crt"),
            ("SERVER_TLS_KEY_FILE", "a.key"),
            ("STORAGE_BACKEND", "postgres"),
            ("STORAGE_DB_URL", "postgresql://db/x"),
            ("REPOSITORIES_GUN_PREFIXES", "a/ b/"),
            ("CACHING_MAX_AGE_CURRENT_METADATA", "0"),
            ("LOGGING_LEVEL", ""),
            ("TRUST_SERVICE_TYPE", "local"),
            ("PORT", "tcp://10.0.0.1:4443"),
            ("SERVICE_HOST", "10.0.0.1"),
            ("SERVER_COLOR", "blue"),
        ],
    );
    let (settings, warnings) = read.unwrap();
    assert_eq!(settings.listen, ":4443");
    assert_eq!(settings.tls.certificate, Some(folder.path().join("a.crt")));
    assert_eq!(settings.store.url, "postgresql://db/x");
    assert_eq!(settings.repositories.prefixes, ["a/", "b/"]);
    assert_eq!(settings.cache.current_max_age, Period::seconds(0));
    assert_eq!(settings.log.level, LogLevel::Info);
    assert_eq!(warnings.len(), 2, "{warnings:?}");
    assert!(
        warnings[0].starts_with("NOTARY_SERVER_SERVER_COLOR "),
        "{warnings:?}"
    );
    assert!(
        warnings[1].starts_with("trust_service.type "),
        "{warnings:?}"
    );
}

#[test]
fn without_certificates_and_tokens_it_is_as_open_as_notary_is() {
    let (folder, read) = read_as("c.json", r#"{"server": {"http_addr": "[::1]:80"}}"#, &[]);
    let (settings, warnings) = read.unwrap();
    assert!(!settings.tls.enabled && warnings.is_empty());
    assert_eq!(settings.access.anonymous, Some(Everybody::All));
    assert_eq!(settings.store, Settings::in_folder(folder.path()).store);
}

#[test]
fn databases_that_are_not_there_are_refused_or_replaced_aloud() {
    let with = |backend: &str| {
        let text = r#"{"server": {"http_addr": ":1"}, "storage": {"backend": "X", "db_url": "u"}}"#;
        text.replace('X', backend)
    };
    for backend in ["memory", "sqlite3"] {
        let (folder, read) = read_as("c.json", &with(backend), &[]);
        let (settings, warnings) = read.unwrap();
        assert_eq!(settings.store, Settings::in_folder(folder.path()).store);
        assert!(warnings[0].starts_with(&format!("storage.backend {backend}: ")));
    }
    for backend in ["mysql", "rethinkdb", "oracle"] {
        let expected = format!("c.json: storage.backend {backend} does not exist here: choose");
        assert!(problem("c.json", &with(backend)).starts_with(&expected));
    }
    assert!(problem("c.json", &with("postgres")).contains("must be written postgres://"));
}

#[test]
fn mistakes_are_notarys_mistakes() {
    let table = [
        ("{}", "c.json: http listen address required for server"),
        (
            "{\n  \"server\": {,}\n}",
            "c.json, line 2, column 14: key must be a string",
        ),
        (
            r#"{"server": {"http_addr": ":1", "tls_cert_file": "a"}}"#,
            "c.json: either include both a cert and key file",
        ),
        (
            r#"{"server": {"http_addr": ":1", "client_ca_file": "a"}}"#,
            "c.json: either include both a cert and key file",
        ),
        (
            r#"{"server": {"http_addr": ":1"}, "auth": {"type": "token"}}"#,
            "c.json: token auth requires a valid option string: \"realm\"",
        ),
        (
            r#"{"server": {"http_addr": ":1"}, "caching": {"max_age": {"current_metadata": -1}}}"#,
            "c.json: caching.max_age.current_metadata: must specify a cache-control max-age",
        ),
        (
            r#"{"server": {"http_addr": ":1"}, "repositories": {"gun_prefixes": ["/a/"]}}"#,
            "c.json: invalid GUN prefix /a/",
        ),
        (
            r#"{"server": {"http_addr": ":1"}, "storage": {"backend": "postgres"}}"#,
            "c.json: must provide a non-empty database source for postgres",
        ),
        (
            r#"{"server": {"http_addr": ":1"}, "logging": {"level": "loud"}}"#,
            "c.json: logging.level: not a valid log level: \"loud\"",
        ),
        (
            r#"{"server": {"http_addr": [1]}}"#,
            "c.json: server.http_addr must be text",
        ),
    ];
    for (text, expected) in table {
        let words = problem("c.json", text);
        assert!(words.starts_with(expected), "{words}");
    }
    let deep = format!("{{\"a\":{}", "[".repeat(10_000));
    assert!(problem("c.json", &deep).contains("recursion limit"));
}
