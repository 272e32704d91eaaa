//! Which repository of which registry a request means: one way to write it, or it is refused.
//!
//! A gate judges by name what it fetches by address. Whatever could make these two differ (encoded
//! characters, capitals, other spellings of an address) is not understood but refused.

use crate::reference::ImageReference;
use url::Url;

/// Why a name means nothing here.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub(super) enum NameError {
    /// Two registries in one request
    #[error("the request names two registries: {named} and, in its path, {path}")]
    Disagreement { named: String, path: String },
    /// What is no host
    #[error("{given:?} is no host of a registry")]
    Host { given: String },
    /// What is no name of a repository
    #[error("{given:?} is no name of a repository: {reason}")]
    Repository { given: String, reason: String },
}

/// The repository that `path` names, of the registry in the query, in the path, or of the default.
///
/// `named` is what the query says (containerd sends the registry it wants as `ns`).
///
/// # Errors
/// Names that Docker would refuse, and those it would read in two ways.
pub(super) fn repository(
    path: &str,
    named: Option<&str>,
    default: &str,
) -> Result<ImageReference, NameError> {
    let named = named.map(registry).transpose()?;
    let (in_path, rest) = match path.split_once('/') {
        Some((first, rest)) if is_host_like(first) => (Some(registry(first)?), rest),
        _ => (None, path),
    };
    let host = match (named, in_path) {
        (Some(named), Some(path)) if named != path => {
            return Err(NameError::Disagreement { named, path });
        }
        (Some(named), _) => named,
        (None, Some(path)) => path,
        (None, None) => default.to_owned(),
    };
    let wrong = |reason: String| NameError::Repository {
        given: shortened(path),
        reason,
    };
    let image = ImageReference::parse(&format!("{host}/{rest}"))
        .map_err(|error| wrong(error.to_string()))?;
    if image.registry() != host || image.tag().is_some() || image.digest().is_some() {
        return Err(wrong("it is read as another name".to_owned()));
    }
    Ok(image)
}

/// A registry by the only name under which it is judged.
///
/// # Errors
/// [`NameError::Host`]
pub(super) fn registry(given: &str) -> Result<String, NameError> {
    let refused = || NameError::Host {
        given: shortened(given),
    };
    if given.len() > MAX_HOST {
        return Err(refused());
    }
    let lower = given.to_ascii_lowercase();
    let bare = lower.strip_suffix(":443").unwrap_or(&lower);
    if DOCKER_HUB.contains(&bare) {
        return Ok(DEFAULT.to_owned());
    }
    // Another spelling of an address (`127.1`, `[::0:1]`) is the same machine under another name.
    let url = Url::parse(&format!("https://{bare}/")).map_err(|_| refused())?;
    let host = url.host_str().unwrap_or_default();
    let spelled = match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    };
    let is_name = ImageReference::parse(&format!("{bare}/x"))
        .is_ok_and(|image| image.registry() == bare && image.path() == "x");
    if spelled != bare || !is_name {
        return Err(refused());
    }
    Ok(spelled)
}

/// As Docker tells the registry of a name from the rest of it.
fn is_host_like(first: &str) -> bool {
    first.contains(['.', ':'])
        || first == "localhost"
        || first.bytes().any(|byte| byte.is_ascii_uppercase())
}

/// Foreign words that are repeated: not endless.
fn shortened(text: &str) -> String {
    text.chars().take(MAX_REPEATED).collect()
}

/// Where images live that name no registry.
pub(super) const DEFAULT: &str = "docker.io";
/// Docker Hub's names.
const DOCKER_HUB: [&str; 3] = [DEFAULT, "index.docker.io", "registry-1.docker.io"];
/// Bytes of the longest name of a host and a port.
const MAX_HOST: usize = 253 + 6;
const MAX_REPEATED: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn gun(path: &str, named: Option<&str>) -> Result<String, NameError> {
        repository(path, named, "default.test:5000").map(|image| image.gun().to_owned())
    }

    #[test]
    fn the_registry_is_named_in_one_of_three_ways() {
        for (path, named, expected) in [
            ("team/app", None, "default.test:5000/team/app"),
            ("app", None, "default.test:5000/app"),
            ("docker.io/library/alpine", None, "docker.io/library/alpine"),
            ("docker.io/alpine", None, "docker.io/library/alpine"),
            ("index.docker.io/alpine", None, "docker.io/library/alpine"),
            ("registry-1.docker.io/a/b", None, "docker.io/a/b"),
            ("alpine", Some("docker.io"), "docker.io/library/alpine"),
            (
                "team/app",
                Some("registry-1.docker.io"),
                "docker.io/team/app",
            ),
            ("localhost:5000/team/app", None, "localhost:5000/team/app"),
            ("localhost/team/app", None, "localhost/team/app"),
            ("quay.test/a/b/c", Some("quay.test"), "quay.test/a/b/c"),
            ("a/b", Some("[::1]:5000"), "[::1]:5000/a/b"),
            ("127.0.0.1:5000/a", None, "127.0.0.1:5000/a"),
        ] {
            assert_eq!(
                gun(path, named).as_deref(),
                Ok(expected),
                "{path} {named:?}"
            );
        }
    }

    #[test]
    fn one_registry_has_one_name() {
        for (path, expected) in [
            ("DOCKER.IO/alpine", "docker.io/library/alpine"),
            ("docker.io:443/alpine", "docker.io/library/alpine"),
            ("Quay.Test/a", "quay.test/a"),
            ("quay.test:443/a", "quay.test/a"),
        ] {
            assert_eq!(gun(path, None).as_deref(), Ok(expected), "{path}");
        }
        for path in [
            "127.1:5000/a",
            "0x7f.0.0.1/a",
            "[::0:1]:5000/a",
            "quay.test:0443/a",
        ] {
            assert!(
                matches!(gun(path, None), Err(NameError::Host { .. })),
                "{path}"
            );
        }
    }

    #[test]
    fn two_registries_in_one_request_are_refused() {
        let refused = gun("quay.test/a", Some("docker.io")).unwrap_err();
        let words = "the request names two registries: docker.io and, in its path, quay.test";
        assert_eq!(refused.to_string(), words);
        assert!(gun("docker.io/a", Some("index.docker.io")).is_ok());
    }

    #[test]
    fn names_are_strict() {
        let long = "a/".repeat(200) + "a";
        for path in [
            "",
            "/",
            "a//b",
            "../a",
            "a/../b",
            "a/./b",
            "a/%2e%2e/b",
            "a%2fb",
            "a b",
            "A/b",
            "a/B",
            "a\\b",
            "-a",
            "a_",
            "a:1",
            "quay.test/a:1",
            "quay.test/",
            "quay.test//a",
            "evil.test@quay.test/a",
            "quay.test#/a",
            "quay.test?x/a",
            "a/b\0",
            "bücher/a",
            &long,
            "http://a/b",
        ] {
            assert!(gun(path, None).is_err(), "{path}");
        }
        for named in [
            "",
            "a/b",
            "user@host.test",
            "host.test:",
            "host.test:x",
            "..",
            "a b",
            "*.test",
        ] {
            assert!(gun("a", Some(named)).is_err(), "{named}");
        }
    }

    proptest! {
        #[test]
        fn what_is_understood_is_read_the_same_again(path in "[a-zA-Z0-9.:/_%@-]{0,40}") {
            if let Ok(image) = repository(&path, None, DEFAULT) {
                let again = ImageReference::parse(image.gun()).unwrap();
                prop_assert_eq!(again.gun(), image.gun());
                prop_assert_eq!(registry(image.registry()).unwrap(), image.registry());
            }
        }
    }
}
