//! How a server asks who we are, and how a token server is answered (distribution token protocol).

use super::{
    RemoteError,
    reply::reason,
    transport::{Repeat, host_of, read_body, read_some, send},
};
use crate::config::Credentials;
use http_auth::{ChallengeRef, parser::ChallengeParser};
use reqwest::{
    Client, Response, StatusCode, Url,
    header::{HeaderMap, HeaderValue, WWW_AUTHENTICATE},
};
use serde::Deserialize;
use std::time::{Duration, Instant};
use zeroize::Zeroizing;

/// What a server asks for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Challenge {
    /// Name and password with every request.
    Basic,
    /// A token from this server, for this service.
    Bearer { realm: Url, service: String },
}

/// A bearer token and the moment it stops counting.
pub(super) struct Token {
    pub(super) value: Zeroizing<String>,
    pub(super) expires: Instant,
}

impl Challenge {
    /// The challenge we can answer best: a token if offered, else a password.
    pub(super) fn from_headers(headers: &HeaderMap) -> Option<Self> {
        let found: Vec<Self> = headers
            .get_all(WWW_AUTHENTICATE)
            .iter()
            .take(MAX_CHALLENGES)
            .filter_map(|header| {
                header
                    .to_str()
                    .ok()
                    .filter(|text| text.len() <= MAX_CHALLENGE)
            })
            .flat_map(|text| {
                ChallengeParser::new(text)
                    .map_while(Result::ok)
                    .take(MAX_CHALLENGES)
            })
            .filter_map(|challenge| Self::from_parsed(&challenge))
            .collect();
        let bearer = found.iter().find(|challenge| **challenge != Self::Basic);
        bearer.or(found.first()).cloned()
    }

    fn from_parsed(challenge: &ChallengeRef<'_>) -> Option<Self> {
        let parameter = |wanted: &str| {
            let found = challenge
                .params
                .iter()
                .find(|(name, _)| name.eq_ignore_ascii_case(wanted));
            found.map(|(_, value)| value.to_unescaped())
        };
        match challenge.scheme.to_ascii_lowercase().as_str() {
            "basic" => Some(Self::Basic),
            "bearer" => Some(Self::Bearer {
                realm: parameter("realm")?.parse().ok()?,
                service: parameter("service").unwrap_or_default(),
            }),
            _ => None,
        }
    }
}

#[derive(Deserialize)]
struct TokenReply {
    #[serde(default)]
    token: Option<Zeroizing<String>>,
    #[serde(default)]
    access_token: Option<Zeroizing<String>>,
    #[serde(default)]
    expires_in: Option<i64>,
}

/// Asks the realm for a token of this scope.
pub(super) async fn fetch_token(
    http: &Client,
    realm: &Url,
    service: &str,
    scope: &str,
    credentials: &Credentials,
) -> Result<Token, RemoteError> {
    if !matches!(realm.scheme(), "http" | "https") {
        return Err(bad(realm, "the realm is no http URL"));
    }
    if !matches!(credentials, Credentials::Anonymous) && !keeps_secrets(realm) {
        return Err(RemoteError::InsecureRealm {
            realm: realm.to_string(),
        });
    }
    let host = host_of(realm);
    let asked = Instant::now();
    let response = match credentials {
        Credentials::IdentityToken(token) => {
            let form = [
                ("client_id", "docker"),
                ("grant_type", "refresh_token"),
                ("refresh_token", token.as_str()),
                ("scope", scope),
                ("service", service),
            ];
            let build = || http.post(realm.clone()).timeout(LONGEST_WAIT).form(&form);
            send(&build, &host, Repeat::Never).await?
        }
        Credentials::Basic { username, password } => {
            let query = [
                ("account", username.as_str()),
                ("scope", scope),
                ("service", service),
            ];
            let build = || {
                let request = http.get(realm.clone()).timeout(LONGEST_WAIT).query(&query);
                request.basic_auth(username, Some(password.as_str()))
            };
            send(&build, &host, Repeat::Allowed).await?
        }
        Credentials::Anonymous => {
            let query = [("scope", scope), ("service", service)];
            let build = || http.get(realm.clone()).timeout(LONGEST_WAIT).query(&query);
            send(&build, &host, Repeat::Allowed).await?
        }
    };
    read_token(response, realm, asked).await
}

async fn read_token(response: Response, realm: &Url, asked: Instant) -> Result<Token, RemoteError> {
    let status = response.status();
    if !status.is_success() {
        return Err(refused(response, realm).await);
    }
    let body = Zeroizing::new(read_body(response, MAX_TOKEN).await?);
    let reply: TokenReply = serde_json::from_slice(&body)
        .map_err(|_| bad(realm, "the authorization server did not answer in JSON"))?;
    let given = [reply.access_token, reply.token]
        .into_iter()
        .flatten()
        .find(|t| !t.is_empty());
    let value = given.ok_or_else(|| {
        bad(
            realm,
            "authorization server did not include a token in the response",
        )
    })?;
    let seconds = reply
        .expires_in
        .and_then(|s| u64::try_from(s).ok())
        .unwrap_or_default();
    let lifetime = Duration::from_secs(seconds.clamp(SHORTEST_LIFE, LONGEST_LIFE));
    Ok(Token {
        value,
        expires: asked + lifetime,
    })
}

async fn refused(response: Response, realm: &Url) -> RemoteError {
    let status = response.status();
    let host = host_of(realm);
    let said = reason(&read_some(response, MAX_EXPLANATION).await);
    match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::BAD_REQUEST => {
            let reason = said.unwrap_or_else(|| format!("{host} refused to give a token"));
            RemoteError::Unauthorized {
                status: 401,
                reason,
            }
        }
        status if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS => {
            let reason = format!("{host} returned {}", status.as_u16());
            RemoteError::Unreachable {
                host,
                status: Some(status.as_u16()),
                reason,
            }
        }
        status => bad(
            realm,
            &format!("the authorization server returned {}", status.as_u16()),
        ),
    }
}

/// The value of an `Authorization` header, kept out of logs.
pub(super) fn secret_header(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// Over plain http only this very machine may see a password.
pub(super) fn keeps_secrets(url: &Url) -> bool {
    url.scheme() == "https" || is_loopback(url)
}

/// Whether the host is this machine by its very name; nothing is resolved.
pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

fn bad(realm: &Url, reason: &str) -> RemoteError {
    RemoteError::BadResponse {
        url: realm.to_string(),
        reason: reason.to_owned(),
    }
}

/// As long as Docker waits for a token.
const LONGEST_WAIT: Duration = Duration::from_secs(15);
/// Seconds; shorter lifetimes count as this (distribution, `minimumTokenLifetimeSeconds`).
const SHORTEST_LIFE: u64 = 60;
/// Seconds; nothing here runs longer on one token.
const LONGEST_LIFE: u64 = 24 * 60 * 60;
/// Bytes of a token reply.
const MAX_TOKEN: u64 = 1024 * 1024;
/// Bytes of an error that are read.
const MAX_EXPLANATION: usize = 64 * 1024;
/// Headers, and challenges in each, that are looked at.
const MAX_CHALLENGES: usize = 8;
/// Bytes of one header.
const MAX_CHALLENGE: usize = 8 * 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn challenge(headers: &[&str]) -> Option<Challenge> {
        let mut map = HeaderMap::new();
        for header in headers {
            map.append(WWW_AUTHENTICATE, header.parse().unwrap());
        }
        Challenge::from_headers(&map)
    }

    #[test]
    fn challenges_are_read_however_they_are_written() {
        let bearer = |service: &str| {
            Some(Challenge::Bearer {
                realm: "https://a/t".parse().unwrap(),
                service: service.to_owned(),
            })
        };
        let table = [
            (
                vec![r#"Bearer realm="https://a/t",service="s",scope="repository:x:push,pull""#],
                bearer("s"),
            ),
            (
                vec![r#"bearer Realm="https://a/t" , SERVICE="a \"b\"""#],
                bearer("a \"b\""),
            ),
            (
                vec![r#"Basic realm="x", Bearer realm="https://a/t",service="s""#],
                bearer("s"),
            ),
            (
                vec![r#"Basic realm="x""#, r#"Bearer realm="https://a/t""#],
                bearer(""),
            ),
            (vec![r#"Basic realm="x""#], Some(Challenge::Basic)),
            (vec![r#"Bearer service="s""#], None),
            (vec![r#"Bearer realm="not a url""#], None),
            (vec!["Negotiate"], None),
            (vec![r#"Bearer realm="https://a/t"#], None),
            (vec![], None),
        ];
        for (headers, expected) in table {
            assert_eq!(challenge(&headers), expected, "{headers:?}");
        }
        assert_eq!(
            challenge(&[&format!("Basic realm=\"{}\"", "x".repeat(9000))]),
            None
        );
    }

    #[test]
    fn secrets_travel_in_the_clear_only_on_this_machine() {
        for (url, safe) in [
            ("https://x/t", true),
            ("http://localhost:1/t", true),
            ("http://127.0.0.9/t", true),
            ("http://[::1]/t", true),
            ("http://x/t", false),
            ("http://localhost.evil/t", false),
        ] {
            assert_eq!(keeps_secrets(&url.parse().unwrap()), safe, "{url}");
        }
    }

    proptest! {
        #[test]
        fn any_header_is_answered_without_panic(header in "[ -~]{0,200}") {
            let _ = challenge(&[&header]);
        }
    }
}
