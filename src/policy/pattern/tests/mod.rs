//! What a pattern matches, and what is no pattern.

mod order;

use super::*;

fn pattern(text: &str) -> Pattern {
    Pattern::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn matches(text: &str, image: &str) -> bool {
    pattern(text).matches(&ImageReference::parse(image).unwrap())
}

#[test]
fn matches_within_parts_only() {
    for (text, yes, no) in [
        (
            "reg.example.com/team/app",
            &[
                "reg.example.com/team/app",
                "reg.example.com/team/app:1",
                "reg.example.com:443/team/app",
            ][..],
            &[
                "reg.example.com/team/app2",
                "reg.example.com/team",
                "reg.example.com:5000/team/app",
            ][..],
        ),
        (
            "reg.example.com/team/*",
            &["reg.example.com/team/app"],
            &[
                "reg.example.com/team/a/b",
                "reg.example.com/team",
                "reg.example.com/teams/app",
            ],
        ),
        (
            "reg.example.com/team/app-*",
            &["reg.example.com/team/app-x", "reg.example.com/team/app-x-y"],
            &["reg.example.com/team/app", "reg.example.com/team/app-x/y"],
        ),
        (
            "reg.example.com/team/**",
            &["reg.example.com/team/a", "reg.example.com/team/a/b/c"],
            &["reg.example.com/team", "reg.example.com/teams/a"],
        ),
        (
            "reg.example.com/**",
            &["reg.example.com/a", "reg.example.com/a/b"],
            &["example.com/a"],
        ),
        (
            "reg.example.com/*/app/**",
            &["reg.example.com/a/app/b", "reg.example.com/a/app/b/c"],
            &["reg.example.com/a/app", "reg.example.com/app/b"],
        ),
        (
            "*.example.com/**",
            &["a.example.com/x", "A.Example.COM/x/y"],
            &[
                "example.com/x",
                "a.b.example.com/x",
                "a.example.com:5000/x",
                "aexample.com/x",
            ],
        ),
        (
            "reg-*.example.com:5000/a",
            &["reg-1.example.com:5000/a"],
            &[
                "reg-1.example.com/a",
                "reg-1.example.com:5001/a",
                "reg.example.com:5000/a",
            ],
        ),
        (
            "localhost:*/a",
            &["localhost:1/a", "localhost:65000/a"],
            &["localhost/a", "localhos:1/a"],
        ),
        (
            "[::1]:5000/**",
            &["[::1]:5000/a"],
            &["[::2]:5000/a", "[::1]/a"],
        ),
    ] {
        for image in yes {
            assert!(matches(text, image), "{text} does not match {image}");
        }
        for image in no {
            assert!(!matches(text, image), "{text} matches {image}");
        }
    }
}

/// The same registry by another name: with `default` accepting, it would slip past its rule.
#[test]
fn the_port_that_is_meant_without_one_is_no_other_registry() {
    for (text, image) in [
        ("reg.example.com/team/*", "reg.example.com:443/team/app"),
        ("reg.example.com/**", "REG.example.com:0443/team/app"),
        ("reg.example.com:443/a", "reg.example.com/a"),
        ("reg.example.com:5000/**", "reg.example.com:05000/team/app"),
        ("alpine", "registry-1.docker.io:443/library/alpine"),
        ("docker.io/*", "docker.io:443/alpine"),
        ("[::1]/**", "[::1]:443/a"),
    ] {
        assert!(matches(text, image), "{text} does not match {image}");
    }
    assert!(!matches("reg.example.com:*/a", "reg.example.com/a"));
    assert!(!matches("reg.example.com/a", "reg.example.com:0/a"));
}

/// Bypass 21: a hostile registry with a trusted host in its path.
#[test]
fn a_trusted_host_in_a_hostile_path_is_a_path() {
    for (text, image) in [
        (
            "*.trusted.example.com/**",
            "evil.test/x.trusted.example.com/y",
        ),
        (
            "*.trusted.example.com/**",
            "evil.test/x.trusted.example.com/y/z",
        ),
        ("trusted.example.com/**", "evil.test/trusted.example.com/y"),
        ("*.example.com/**", "evil.test:443/a.example.com/y"),
        ("*.com/**", "evil.test/a.com/y"),
        ("docker.io/**", "evil.test/docker.io/library/alpine"),
        ("docker.io/library/*", "library/alpine/x"),
    ] {
        assert!(!matches(text, image), "{text} matches {image}");
    }
}

#[test]
fn names_of_docker_hub_have_many_forms() {
    for text in [
        "alpine",
        "library/alpine",
        "docker.io/alpine",
        "docker.io/library/alpine",
        "index.docker.io/alpine",
        "registry-1.docker.io/library/alpine",
        "Docker.io/alpine",
    ] {
        assert_eq!(
            pattern(text).to_string(),
            "docker.io/library/alpine",
            "{text}"
        );
        for image in [
            "alpine",
            "alpine:3",
            "index.docker.io/alpine",
            "DOCKER.io/library/alpine",
        ] {
            assert!(matches(text, image), "{text} does not match {image}");
        }
        assert!(matches(text, "registry-1.docker.io/library/alpine"));
        assert!(matches(text, "registry-1.docker.io/alpine"));
    }
    assert_eq!(pattern("team/*").to_string(), "docker.io/team/*");
    assert_eq!(pattern("docker.io/*").to_string(), "docker.io/library/*");
    assert_eq!(pattern("docker.io/**").to_string(), "docker.io/**");
    assert_eq!(pattern("localhost/*").to_string(), "localhost/*");
}

#[test]
fn says_why_a_text_is_no_pattern() {
    for (text, words) in [
        (
            "",
            "`` is every image: what no rule matches is for [default]",
        ),
        (
            "**",
            "`**` is every image: what no rule matches is for [default]",
        ),
        (
            "*/app",
            "`*/app` names no host: write `docker.io/*/app`, or a host such as `*.example.com`",
        ),
        (
            "reg.example.com",
            "`reg.example.com` may be a host or a repository: write `reg.example.com/**`, or \
             `docker.io/library/reg.example.com`",
        ),
        (
            "localhost:5000",
            "`localhost:5000` may be a host or a repository: write `localhost:5000/**`, or \
             `docker.io/library/localhost:5000`",
        ),
        (
            "alpine:3",
            "a pattern is for repositories: it has no tag and no digest",
        ),
        (
            "reg.test/a:1",
            "a pattern is for repositories: it has no tag and no digest",
        ),
        (
            "alpine@sha256:0000000000000000000000000000000000000000000000000000000000000000",
            "a pattern is for repositories: it has no tag and no digest",
        ),
        ("reg.test/**/a", "`**` stands at the end only, after a `/`"),
        ("reg.test/a**", "`**` stands at the end only, after a `/`"),
        ("**.test/a", "`**` stands at the end only, after a `/`"),
        (
            "reg.test/*a*",
            "`*a*` has more than one `*` between two separators",
        ),
        (
            "reg.test/Team/*",
            "invalid reference format: repository name (Team/x) must be lowercase",
        ),
        ("reg.test//**", "invalid reference format"),
        ("reg.test/", "invalid reference format"),
        ("reg.test/a/", "invalid reference format"),
        ("reg..test/a", "invalid reference format"),
        ("reg.test/-*", "invalid reference format"),
        ("reg.test:x/a", "invalid reference format"),
        ("https://reg.test/a", "invalid reference format"),
        ("reg.test/a b", "invalid reference format"),
    ] {
        let found = Pattern::parse(text).map_err(|error| error.to_string());
        assert_eq!(found, Err(words.to_owned()), "{text}");
    }
}

#[test]
fn a_name_is_carried_to_another_place() {
    for (from, to, image, expected) in [
        (
            "reg.local/docker.io/**",
            "docker.io/**",
            "reg.local/docker.io/library/alpine:3",
            Some("docker.io/library/alpine"),
        ),
        (
            "reg.local/hub/*",
            "docker.io/library/*",
            "reg.local/hub/alpine",
            Some("docker.io/library/alpine"),
        ),
        (
            "reg.local/hub-*",
            "docker.io/team/*",
            "reg.local/hub-app",
            Some("docker.io/team/app"),
        ),
        (
            "reg.local/app",
            "docker.io/team/app",
            "reg.local/app",
            Some("docker.io/team/app"),
        ),
        (
            "*.local/q/**",
            "quay.io/**",
            "m1.local/q/a/b",
            Some("quay.io/a/b"),
        ),
        (
            "reg.local/docker.io/**",
            "docker.io/**",
            "reg.local/other/a",
            None,
        ),
    ] {
        let (from, to) = (pattern(from), pattern(to));
        assert_eq!(from.carries_to(&to), Ok(()), "{from} {to}");
        let image = ImageReference::parse(image).unwrap();
        assert_eq!(from.carry(&image, &to).as_deref(), expected, "{from} {to}");
    }
    for (from, to, words) in [
        ("reg.local/**", "*.io/**", "`*.io/**` names no single host"),
        (
            "reg.local/**",
            "quay.io/a",
            "`reg.local/**` ends with `**`, `quay.io/a` with no `*`",
        ),
        (
            "reg.local/a",
            "quay.io/*",
            "`reg.local/a` ends with no `*`, `quay.io/*` with `*`",
        ),
        (
            "reg.local/*/b",
            "quay.io/b",
            "a `*` before the end of the path cannot be carried over",
        ),
        (
            "reg.local/*/**",
            "quay.io/**",
            "a `*` before the end of the path cannot be carried over",
        ),
    ] {
        assert_eq!(
            pattern(from).carries_to(&pattern(to)),
            Err(words.to_owned())
        );
    }
}
