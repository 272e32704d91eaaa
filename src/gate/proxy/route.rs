//! What a request asks for: the reading half of the registry protocol (OCI distribution), no more.

use super::name::{self, NameError};
use crate::reference::{Digest, ImageReference};
use hyper::{Method, Uri};
use percent_encoding::percent_decode_str;

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Route {
    /// A part of an image
    Blob(ImageReference, Digest),
    /// An image or an index, by tag or by digest
    Manifest(ImageReference),
    /// Whether a registry is here
    Ping,
    /// What says to be about a manifest
    Referrers(ImageReference, Digest),
    /// The tags of a repository
    Tags(ImageReference, Page),
}

/// Which tags of a repository.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Page {
    /// At most so many
    pub(super) most: Option<usize>,
    /// Those after this one
    pub(super) after: Option<String>,
}

/// Why nothing is asked for that is given here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum RouteError {
    /// Neither a tag nor a digest
    #[error("{given:?} is neither a tag nor a digest")]
    Manifest { given: String },
    /// No digest
    #[error("{given:?} is no digest: {reason}")]
    Digest { given: String, reason: String },
    /// Whatever else
    #[error("a gate only lets images out: {method} is not for it")]
    Method { method: String },
    /// No name of a repository
    #[error(transparent)]
    Name(#[from] NameError),
    /// A parameter twice, or one that means nothing
    #[error("the parameter {name} of the query is wrong")]
    Query { name: &'static str },
    /// An address that a gate does not have
    #[error("a gate only lets images out: it has no such address")]
    Unknown,
}

impl Route {
    /// What a request asks for; images that name no registry are those of `default`.
    pub(super) fn of(method: &Method, uri: &Uri, default: &str) -> Result<Self, RouteError> {
        if method != Method::GET && method != Method::HEAD {
            let method = method.as_str().chars().take(MAX_REPEATED).collect();
            return Err(RouteError::Method { method });
        }
        let rest = match uri.path() {
            "/v2" | "/v2/" => return Ok(Self::Ping),
            path => path.strip_prefix("/v2/").ok_or(RouteError::Unknown)?,
        };
        let query = uri.query().unwrap_or_default();
        let named = parameter(query, "ns")?;
        let repository = |path| name::repository(path, named.as_deref(), default);
        let (path, last) = rest.rsplit_once('/').ok_or(RouteError::Unknown)?;
        let (path, kind) = path.rsplit_once('/').ok_or(RouteError::Unknown)?;
        match (kind, last) {
            ("manifests", last) => manifest(&repository(path)?, last).map(Self::Manifest),
            ("blobs", "uploads" | "") | ("uploads", _) => Err(RouteError::Unknown),
            ("blobs", last) => Ok(Self::Blob(repository(path)?, digest(last)?)),
            ("referrers", last) => Ok(Self::Referrers(repository(path)?, digest(last)?)),
            ("tags", "list") => Ok(Self::Tags(repository(path)?, Page::of(query)?)),
            _ => Err(RouteError::Unknown),
        }
    }
}

impl Page {
    fn of(query: &str) -> Result<Self, RouteError> {
        let most = parameter(query, "n")?.map(|most| {
            let most = most.parse().ok();
            most.ok_or(RouteError::Query { name: "n" })
        });
        let after = parameter(query, "last")?;
        if after.as_ref().is_some_and(|after| after.len() > MAX_TAG) {
            return Err(RouteError::Query { name: "last" });
        }
        Ok(Self {
            most: most.transpose()?,
            after,
        })
    }
}

/// The value of a parameter that is there at most once.
pub(super) fn parameter(query: &str, name: &'static str) -> Result<Option<String>, RouteError> {
    let wrong = || RouteError::Query { name };
    let mut found = None;
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        // A name that is written in another way would be read by some and not by others.
        let key = percent_decode_str(key).decode_utf8().map_err(|_| wrong())?;
        if key != name {
            continue;
        }
        let value = percent_decode_str(value)
            .decode_utf8()
            .map_err(|_| wrong())?;
        if found.replace(value.into_owned()).is_some() {
            return Err(wrong());
        }
    }
    Ok(found)
}

fn manifest(repository: &ImageReference, last: &str) -> Result<ImageReference, RouteError> {
    if last.contains(':') {
        return Ok(repository.with_digest(&digest(last)?));
    }
    repository.with_tag(last).map_err(|_| RouteError::Manifest {
        given: shortened(last),
    })
}

fn digest(given: &str) -> Result<Digest, RouteError> {
    Digest::parse(given).map_err(|error| RouteError::Digest {
        given: shortened(given),
        reason: error.to_string(),
    })
}

fn shortened(text: &str) -> String {
    text.chars().take(MAX_REPEATED).collect()
}

const MAX_REPEATED: usize = 100;
/// Bytes of the longest tag.
const MAX_TAG: usize = 128;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HEX: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

    fn route(target: &str) -> Result<Route, RouteError> {
        Route::of(&Method::GET, &target.parse().unwrap(), "docker.io")
    }

    fn image(text: &str) -> ImageReference {
        // As the gate makes them: from the repository on.
        let image = ImageReference::parse(text).unwrap();
        match (image.tag(), image.digest()) {
            (Some(tag), _) => image.with_tag(tag).unwrap(),
            (_, Some(digest)) => image.with_digest(digest),
            _ => image,
        }
    }

    fn name(route: &Route) -> String {
        match route {
            Route::Manifest(image) => image.to_string(),
            Route::Blob(image, digest) => format!("{} blob {digest}", image.gun()),
            Route::Referrers(image, digest) => format!("{} about {digest}", image.gun()),
            Route::Tags(image, _) => format!("{} tags", image.gun()),
            Route::Ping => "ping".to_owned(),
        }
    }

    #[test]
    fn the_reading_half_of_the_protocol() {
        let digest = format!("sha256:{HEX}");
        for (target, expected) in [
            ("/v2/".to_owned(), "ping".to_owned()),
            ("/v2".to_owned(), "ping".to_owned()),
            (
                "/v2/alpine/manifests/3".to_owned(),
                "docker.io/library/alpine:3".to_owned(),
            ),
            (
                "/v2/a/b/manifests/latest?ns=quay.test%3A5000".to_owned(),
                "quay.test:5000/a/b:latest".to_owned(),
            ),
            (
                format!("/v2/quay.test/a/manifests/{digest}"),
                format!("quay.test/a@{digest}"),
            ),
            (
                format!("/v2/quay.test/a/blobs/{digest}"),
                format!("quay.test/a blob {digest}"),
            ),
            (
                format!("/v2/quay.test/a/referrers/{digest}"),
                format!("quay.test/a about {digest}"),
            ),
            (
                "/v2/quay.test/a/tags/list".to_owned(),
                "quay.test/a tags".to_owned(),
            ),
            // Names of routes are names of repositories as well.
            (
                "/v2/quay.test/manifests/manifests/1".to_owned(),
                "quay.test/manifests:1".to_owned(),
            ),
            (
                "/v2/quay.test/tags/list/tags/list".to_owned(),
                "quay.test/tags/list tags".to_owned(),
            ),
        ] {
            assert_eq!(
                route(&target).map(|found| name(&found)),
                Ok(expected),
                "{target}"
            );
        }
        let page = Page {
            most: Some(2),
            after: Some("a".to_owned()),
        };
        assert_eq!(
            route("/v2/q.test/a/tags/list?n=2&last=a").unwrap(),
            Route::Tags(image("q.test/a"), page)
        );
    }

    #[test]
    fn everything_else_is_refused() {
        let digest = format!("sha256:{HEX}");
        for target in [
            "/".to_owned(),
            "/v1/".to_owned(),
            "/v2/_catalog".to_owned(),
            "/v2//".to_owned(),
            "/v2/a/blobs/uploads/".to_owned(),
            "/v2/a/blobs/uploads/some-id".to_owned(),
            "/v2/manifests/1".to_owned(),
            "/v2//a/manifests/1".to_owned(),
            "/v2/a/manifests/".to_owned(),
            "/v2/a/manifests/1/".to_owned(),
            "/v2/a/manifests/%31".to_owned(),
            "/v2/a/manifests/..".to_owned(),
            "/v2/a/manifests/sha256:aa".to_owned(),
            "/v2/%61/manifests/1".to_owned(),
            "/v2/a%2fb/manifests/1".to_owned(),
            "/v2/../a/manifests/1".to_owned(),
            "/V2/a/manifests/1".to_owned(),
            format!("/v2/a/blobs/{}", digest.to_uppercase()),
            format!("/v2/a/blobs/{HEX}"),
            "/v2/a/referrers/1".to_owned(),
            "/v2/a/tags/list/".to_owned(),
            "/v2/a/tags/list?n=-1".to_owned(),
            "/v2/a/tags/list?n=1&n=2".to_owned(),
            "/v2/a/manifests/1?ns=a.test&ns=b.test".to_owned(),
            "/v2/a/manifests/1?ns=a.test&%6es=b.test".to_owned(),
            "/v2/a/manifests/1?ns=%ff".to_owned(),
            format!("/v2/a/manifests/{}", "x".repeat(129)),
        ] {
            assert!(route(&target).is_err(), "{target}");
        }
        for method in [
            "PUT", "POST", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE", "BREW",
        ] {
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            let uri = "/v2/a/manifests/1".parse().unwrap();
            let refused = Route::of(&method, &uri, "docker.io");
            assert!(
                matches!(refused, Err(RouteError::Method { .. })),
                "{method}"
            );
        }
    }

    proptest! {
        #[test]
        fn whatever_is_asked_names_one_repository_or_none(
            path in "(/v2)?/[a-zA-Z0-9.:/_%@-]{0,40}(/manifests/|/blobs/|/tags/list|/referrers/)?[a-z0-9:%.]{0,20}",
            query in "[a-zA-Z0-9.:/_%&=+-]{0,30}",
        ) {
            let Ok(uri) = format!("{path}?{query}").parse() else { return Ok(()) };
            if let Ok(Route::Manifest(image) | Route::Blob(image, _) | Route::Tags(image, _)) =
                Route::of(&Method::GET, &uri, "docker.io")
            {
                let again = ImageReference::parse(&image.to_string()).unwrap();
                prop_assert_eq!(again.to_string(), image.to_string());
                prop_assert!(!image.gun().contains(['%', '@', '\\']) && !image.gun().contains(".."));
            }
        }
    }
}
