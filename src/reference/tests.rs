//! Names as Docker reads and refuses them.

use super::*;
use proptest::prelude::*;

fn hex(length: usize) -> String {
    "a".repeat(length)
}

#[test]
fn names_are_normalised_as_docker_does() {
    // typed, gun, familiar, tag
    let table = [
        ("alpine", "docker.io/library/alpine", "alpine", None),
        ("alpine:3", "docker.io/library/alpine", "alpine", Some("3")),
        ("foo/bar", "docker.io/foo/bar", "foo/bar", None),
        ("index.docker.io/x/y", "docker.io/x/y", "x/y", None),
        ("index.docker.io/x", "docker.io/library/x", "x", None),
        (
            "docker.io/library",
            "docker.io/library/library",
            "library",
            None,
        ),
        ("library/a/b", "docker.io/library/a/b", "library/a/b", None),
        ("localhost/x", "localhost/x", "localhost/x", None),
        (
            "localhost:5000/x:T",
            "localhost:5000/x",
            "localhost:5000/x",
            Some("T"),
        ),
        (
            "localhost:5000",
            "docker.io/library/localhost",
            "localhost",
            Some("5000"),
        ),
        (
            "docker.io",
            "docker.io/library/docker.io",
            "docker.io",
            None,
        ),
        ("Host/x", "Host/x", "Host/x", None),
        ("A/x", "A/x", "A/x", None),
        ("[::1]:5000/x", "[::1]:5000/x", "[::1]:5000/x", None),
        ("[::1]/x", "[::1]/x", "[::1]/x", None),
        (
            "localhost:99999999/x",
            "localhost:99999999/x",
            "localhost:99999999/x",
            None,
        ),
        ("a__b", "docker.io/library/a__b", "a__b", None),
        ("a--b", "docker.io/library/a--b", "a--b", None),
    ];
    for (typed, gun, familiar, tag) in table {
        let image = ImageReference::parse(typed).unwrap_or_else(|error| panic!("{typed}: {error}"));
        assert_eq!(
            (image.gun(), image.familiar(), image.tag()),
            (gun, familiar, tag),
            "{typed}"
        );
        assert_eq!(image.typed(), typed);
        assert_eq!(format!("{}/{}", image.registry(), image.path()), gun);
    }
}

#[test]
fn refusals_use_dockers_words() {
    let format = "invalid reference format";
    let table: Vec<(String, String)> = [
        ("", format),
        (":", format),
        ("a:b:c", format),
        ("a@sha256:abc", format),
        ("a:.x", format),
        ("-a", format),
        ("a-", format),
        ("a___b", format),
        ("a..b", format),
        ("a/", format),
        ("/a", format),
        ("a//b", format),
        ("a b", format),
        ("ä", format),
        ("a:", format),
        ("a@", format),
        ("a\n", format),
        ("a\0b", format),
        ("../a", format),
        ("https://x/y", format),
        ("docker.io/", format),
        ("localhost:/x", format),
        ("[]/x", format),
        ("[fe80::1%eth0]/x", format),
        ("foo.com./x", format),
        ("foo_bar.com/x", format),
        (
            "UPPER",
            "invalid reference format: repository name (library/UPPER) must be lowercase",
        ),
        (
            "UPPER:tag",
            "invalid reference format: repository name (library/UPPER) must be lowercase",
        ),
        (
            "x/UPPER",
            "invalid reference format: repository name (x/UPPER) must be lowercase",
        ),
        (
            "localhost/UP",
            "invalid reference format: repository name (UP) must be lowercase",
        ),
        (
            "http://x/UP",
            "invalid reference format: repository name (/x/UP) must be lowercase",
        ),
        (
            "docker.io/UP",
            "invalid reference format: repository name (library/UP) must be lowercase",
        ),
    ]
    .into_iter()
    .map(|(typed, words)| (typed.to_owned(), words.to_owned()))
    .chain([
        (format!("a:{}", "t".repeat(129)), format.to_owned()),
        (
            hex(64),
            format!(
                "invalid repository name ({}), cannot specify 64-byte hexadecimal strings",
                hex(64)
            ),
        ),
        (
            hex(260),
            "repository name must not be more than 255 characters".to_owned(),
        ),
        (
            format!("host.com/{}", hex(256)),
            "repository name must not be more than 255 characters".to_owned(),
        ),
        (
            format!("a@md5:{}", hex(32)),
            "unsupported digest algorithm".to_owned(),
        ),
        (
            format!("a@x+y.z:{}", hex(64)),
            "unsupported digest algorithm".to_owned(),
        ),
        (
            format!("a@sha256:{}", "A".repeat(64)),
            "invalid checksum digest format".to_owned(),
        ),
        (
            format!("a@sha256:{}", hex(63)),
            "invalid checksum digest length".to_owned(),
        ),
    ])
    .collect();
    for (typed, words) in table {
        let error = ImageReference::parse(&typed).expect_err(&typed);
        assert_eq!(error.to_string(), words, "{typed:?}");
    }
}

#[test]
fn tags_and_digests_go_together() {
    let image = ImageReference::parse(&format!("app:1@sha256:{}", hex(64))).unwrap();
    assert_eq!(
        (image.tag(), image.digest().and_then(Digest::sha256_hex)),
        (Some("1"), Some(&*hex(64)))
    );
    assert_eq!(
        image.to_string(),
        format!("docker.io/library/app:1@sha256:{}", hex(64))
    );
    assert_eq!(image.with_tag("2").unwrap().familiar_reference(), "app:2");
    assert!(image.with_tag("a/b").is_err());
    assert_eq!(image.clone().or_latest(), image);
    assert_eq!(
        ImageReference::parse("app").unwrap().or_latest().tag(),
        Some("latest")
    );
}

#[test]
fn digests_of_other_lengths_are_named_but_not_sha256() {
    let digest = Digest::parse(&format!("sha512:{}", hex(128))).unwrap();
    assert_eq!(digest.sha256_hex(), None);
    assert_eq!(
        Digest::of(b"").as_str(),
        "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    );
    assert!(Digest::of(b"x").matches(b"x") && !Digest::of(b"x").matches(b"y"));
}

proptest! {
    #[test]
    fn anything_is_answered_without_panic(typed in ".{0,300}") {
        let _ = ImageReference::parse(&typed);
    }

    #[test]
    fn what_is_printed_reads_back_the_same(typed in "([a-z]{1,4}\\.[a-z]{1,3}(:[0-9]{1,4})?/)?[a-z]{1,5}([._-][a-z]{1,5})?(/[a-z]{1,5}){0,2}(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,5})?(@sha256:[0-9a-f]{64})?") {
        let image = ImageReference::parse(&typed).unwrap();
        let whole = ImageReference::parse(&image.to_string()).unwrap();
        let short = ImageReference::parse(&image.familiar_reference()).unwrap();
        prop_assert_eq!(whole.to_string(), image.to_string());
        prop_assert_eq!(short.to_string(), image.to_string());
    }

    #[test]
    fn a_gun_never_escapes_its_folder(typed in "[a-zA-Z0-9./:@_-]{1,40}") {
        if let Ok(image) = ImageReference::parse(&typed) {
            prop_assert!(image.gun().split('/').all(|part| !part.is_empty() && part != "." && part != ".."));
        }
    }
}
