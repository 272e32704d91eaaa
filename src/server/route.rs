//! From method and path to what is asked for. Pure: the order is that of Notary's server
//! (`server.go`), in which everything unknown is answered alike.

use super::access::TOKEN_PATH;
use crate::tuf::role::RoleName;
use hyper::Method;
use percent_encoding::percent_decode_str;
use std::borrow::Cow;

/// What a request asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Route<'p> {
    /// Whether this is a server of Docker's kind, and who is asking
    Base,
    /// The change feed of one repository, or of all
    Changes(Option<Cow<'p, str>>),
    /// The newest file of a role
    Current(Cow<'p, str>, RoleName),
    /// A file by its SHA-256
    Hash(Cow<'p, str>, RoleName, Cow<'p, str>),
    /// A file by its version
    Version(Cow<'p, str>, RoleName, u64),
    /// A new state of a repository
    Publish(Cow<'p, str>),
    /// No state at all
    Delete(Cow<'p, str>),
    /// The public key the server signs a role with
    Key(Cow<'p, str>, RoleName),
    /// A new one
    NewKey(Cow<'p, str>, RoleName),
    /// Notary's question whether all is well
    Health,
    /// Whether the process lives
    Alive,
    /// Whether it can serve
    Ready,
    /// Numbers for Prometheus
    Metrics,
    /// A token that says who is asking
    Token,
    /// A page for people
    Page,
    /// Nothing that is here
    Unknown,
    /// A method that nothing here has
    NoMethod,
}

impl<'p> Route<'p> {
    /// The route of a request.
    pub(super) fn of(method: &Method, path: &'p str) -> Self {
        if !METHODS.contains(method) {
            return Self::NoMethod;
        }
        match (path, method == Method::GET) {
            ("/v2/", true) => return Self::Base,
            ("/v2/_trust/changefeed", true) => return Self::Changes(None),
            (TOKEN_PATH, true) => return Self::Token,
            ("/_notary_server/health", true) => return Self::Health,
            ("/healthz", true) => return Self::Alive,
            ("/readyz", true) => return Self::Ready,
            ("/metrics", true) => return Self::Metrics,
            _ => {}
        }
        let found = match path.strip_prefix("/v2/") {
            Some(inside) => in_repository(method, inside),
            None => page(method, path),
        };
        found.unwrap_or(Self::Unknown)
    }

    /// The repository it is about.
    pub(super) fn gun(&self) -> Option<&str> {
        match self {
            Self::Current(gun, _)
            | Self::Delete(gun)
            | Self::Hash(gun, ..)
            | Self::Key(gun, _)
            | Self::NewKey(gun, _)
            | Self::Publish(gun)
            | Self::Version(gun, ..)
            | Self::Changes(Some(gun)) => Some(gun),
            _ => None,
        }
    }

    /// Notary's name for it, in logs and metrics.
    pub(super) fn operation(&self) -> &'static str {
        match self {
            Self::Base => "Base",
            Self::Changes(_) => "Changefeed",
            Self::Current(..) => "GetRole",
            Self::Hash(..) => "GetRoleByHash",
            Self::Version(..) => "GetRoleByVersion",
            Self::Publish(_) => "UpdateTUF",
            Self::Delete(_) => "DeleteTUF",
            Self::Key(..) => "GetKey",
            Self::NewKey(..) => "RotateKey",
            Self::Health | Self::Alive | Self::Ready => "Health",
            Self::Metrics => "Metrics",
            Self::Token => "Token",
            Self::Page => "Page",
            Self::Unknown | Self::NoMethod => "NotFound",
        }
    }
}

fn page<'p>(method: &Method, path: &str) -> Option<Route<'p>> {
    let ours = path == "/" || ["/r/", "/h/", "/-/"].iter().any(|p| path.starts_with(p));
    (ours && (method == Method::GET || method == Method::HEAD)).then_some(Route::Page)
}

/// `<gun>/_trust/…`: the last such mark counts, as the longest match does in Notary.
fn in_repository<'p>(method: &Method, inside: &'p str) -> Option<Route<'p>> {
    let (gun, rest) = inside.rsplit_once("/_trust/")?;
    let gun = repository(gun)?;
    if rest == "changefeed" {
        return (method == Method::GET).then_some(Route::Changes(Some(gun)));
    }
    let file = decoded(rest.strip_prefix("tuf/")?)?;
    match (method, file.as_ref()) {
        (&Method::POST, "") => Some(Route::Publish(gun)),
        (&Method::DELETE, "") => Some(Route::Delete(gun)),
        (&Method::GET, file) => get(gun, file),
        (&Method::POST, file) => Some(Route::NewKey(gun, key_role(file)?)),
        _ => None,
    }
}

fn get<'p>(gun: Cow<'p, str>, file: &str) -> Option<Route<'p>> {
    if let Some(role) = key_role(file) {
        return Some(Route::Key(gun, role));
    }
    let file = file.strip_suffix(".json")?;
    if let Some((role, hash)) = file.rsplit_once('.')
        && is_hash(hash)
        && let Some(role) = RoleName::parse(role)
    {
        return Some(Route::Hash(gun, role, hash.to_owned().into()));
    }
    if let Some((version, role)) = file.split_once('.')
        && let Some(version) = number(version)
        && let Some(role) = RoleName::parse(role)
    {
        return Some(Route::Version(gun, role, version));
    }
    Some(Route::Current(gun, RoleName::parse(file)?))
}

fn key_role(file: &str) -> Option<RoleName> {
    match file {
        "snapshot.key" => Some(RoleName::snapshot()),
        "timestamp.key" => Some(RoleName::timestamp()),
        _ => None,
    }
}

/// A repository's name in a path. In Notary it may hold anything but `*`; what would lead elsewhere
/// as a folder of a reader's cache is no name here.
fn repository(path: &str) -> Option<Cow<'_, str>> {
    let name = decoded(path)?;
    let odd = |letter: char| letter == '*' || letter == '\\' || letter.is_control();
    let unnamed = |part: &str| matches!(part, "" | "." | "..");
    (!name.contains(odd) && !name.split('/').any(unnamed)).then_some(name)
}

/// The text of which this is the escaped form, if it is one.
fn decoded(path: &str) -> Option<Cow<'_, str>> {
    let mut escapes = path.split('%').skip(1);
    let whole = |escape: &str| escape.len() >= 2 && escape.bytes().take(2).all(is_hex);
    escapes
        .all(whole)
        .then(|| percent_decode_str(path).decode_utf8().ok())?
}

fn is_hex(byte: u8) -> bool {
    byte.is_ascii_hexdigit()
}

fn is_hash(text: &str) -> bool {
    [64, 96, 128].contains(&text.len()) && text.bytes().all(|b| b.is_ascii_hexdigit())
}

/// `[1-9]*[0-9]+`: leading zeros do not matter.
fn number(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.len() <= 19 && text.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

const METHODS: [Method; 5] = [
    Method::GET,
    Method::POST,
    Method::PUT,
    Method::HEAD,
    Method::DELETE,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_routed_as_by_notary() {
        let role = |name| RoleName::parse(name).unwrap();
        let gun = || Cow::Borrowed("docker.io/library/alpine");
        let hash = "ab".repeat(32);
        for (method, path, expected) in [
            ("GET", "/v2/", Route::Base),
            ("HEAD", "/v2/", Route::Unknown),
            ("GET", "/v2", Route::Unknown),
            ("PATCH", "/v2/", Route::NoMethod),
            ("GET", "/v2/_trust/changefeed", Route::Changes(None)),
            ("GET", "/v2/_trust/token", Route::Token),
            ("GET", "/", Route::Page),
            ("GET", "/r/a/b", Route::Page),
            ("HEAD", "/h/a/b", Route::Page),
            ("GET", "/x", Route::Unknown),
            ("POST", "/", Route::Unknown),
            ("GET", "/v2//_trust/changefeed", Route::Unknown),
            ("GET", "/v2/a//b/_trust/changefeed", Route::Unknown),
            ("GET", "/v2/a/../b/_trust/changefeed", Route::Unknown),
            ("GET", "/v2/%2e%2e/_trust/changefeed", Route::Unknown),
            ("GET", "/v2/a%zz/_trust/changefeed", Route::Unknown),
            ("GET", "/v2/a%2/_trust/changefeed", Route::Unknown),
            ("GET", "/v2/a%5Cb/_trust/changefeed", Route::Unknown),
            (
                "GET",
                "/v2/a%2Fb/_trust/changefeed",
                Route::Changes(Some("a/b".into())),
            ),
        ] {
            let method = method.parse().unwrap();
            assert_eq!(Route::of(&method, path), expected, "{method} {path}");
        }
        let base = "/v2/docker.io/library/alpine/_trust/tuf/";
        for (method, file, expected) in [
            (
                "GET",
                "root.json".to_owned(),
                Route::Current(gun(), role("root")),
            ),
            (
                "GET",
                "targets/releases.json".to_owned(),
                Route::Current(gun(), role("targets/releases")),
            ),
            (
                "GET",
                "timestamp.key".to_owned(),
                Route::Key(gun(), role("timestamp")),
            ),
            (
                "POST",
                "snapshot.key".to_owned(),
                Route::NewKey(gun(), role("snapshot")),
            ),
            ("GET", "root.key".to_owned(), Route::Unknown),
            (
                "GET",
                "01.root.json".to_owned(),
                Route::Version(gun(), role("root"), 1),
            ),
            (
                "GET",
                "2.targets/a.json".to_owned(),
                Route::Version(gun(), role("targets/a"), 2),
            ),
            (
                "GET",
                format!("root.{hash}.json"),
                Route::Hash(gun(), role("root"), hash.clone().into()),
            ),
            ("GET", format!("nobody.{hash}.json"), Route::Unknown),
            ("GET", "targets/../root.json".to_owned(), Route::Unknown),
            ("POST", String::new(), Route::Publish(gun())),
            ("DELETE", String::new(), Route::Delete(gun())),
            ("PUT", String::new(), Route::Unknown),
            ("GET", String::new(), Route::Unknown),
        ] {
            let (method, path) = (method.parse().unwrap(), format!("{base}{file}"));
            assert_eq!(Route::of(&method, &path), expected, "{method} {path}");
        }
    }
}
