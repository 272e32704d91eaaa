//! What is said to those who are not let in.

use super::Wanted;
use hyper::StatusCode;
use hyper::header::HeaderValue;
use serde_json::{Value, json};
use trust_store::server::Action;

/// Why a request is not done.
#[derive(Clone, Debug)]
pub struct Denied {
    /// 401, 429 or 503.
    pub status: StatusCode,
    /// `WWW-Authenticate`: what would help, if anything does.
    pub challenge: Option<HeaderValue>,
    /// `Retry-After`, in seconds.
    pub retry_after: Option<u64>,
    /// The detail in an error of Notary's form.
    pub detail: Value,
}

/// What is asked of those who may not do something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Challenge {
    /// A name and a password
    Basic { realm: String },
    /// A token from there, for this service
    Bearer { realm: String, service: String },
}

/// What is wrong with a token that was shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// It is none of ours, or not any more
    InvalidToken,
    /// It does not say that this may be done
    InsufficientScope,
}

impl Denied {
    /// Come back with something better.
    pub(super) fn unauthorized(
        challenge: &Challenge,
        wanted: &Wanted<'_>,
        fault: Option<Fault>,
    ) -> Self {
        Self {
            status: StatusCode::UNAUTHORIZED,
            challenge: Some(challenge.header(wanted, fault)),
            retry_after: None,
            detail: detail(wanted),
        }
    }

    /// Wait.
    pub(super) fn too_many(seconds: u64) -> Self {
        Self {
            status: StatusCode::TOO_MANY_REQUESTS,
            challenge: None,
            retry_after: Some(seconds),
            detail: "too many failed logins".into(),
        }
    }

    /// It is not known who you are.
    pub(super) fn unavailable() -> Self {
        Self {
            status: StatusCode::SERVICE_UNAVAILABLE,
            challenge: None,
            retry_after: Some(1),
            detail: "it could not be found out who is asking".into(),
        }
    }
}

impl Challenge {
    /// The header (distribution, `auth/token/accesscontroller.go` and `auth/htpasswd`).
    fn header(&self, wanted: &Wanted<'_>, fault: Option<Fault>) -> HeaderValue {
        let text = match self {
            Self::Basic { realm } => format!("Basic realm={}", quoted(realm)),
            Self::Bearer { realm, service } => {
                let (realm, service) = (quoted(realm), quoted(service));
                let mut text = format!("Bearer realm={realm},service={service}");
                if let Some(scope) = scope(wanted) {
                    text.push_str(",scope=");
                    text.push_str(&quoted(&scope));
                }
                text.push_str(match fault {
                    None => "",
                    Some(Fault::InvalidToken) => ",error=\"invalid_token\"",
                    Some(Fault::InsufficientScope) => ",error=\"insufficient_scope\"",
                });
                text
            }
        };
        // Whatever a header cannot hold was escaped.
        HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static("Basic"))
    }
}

fn scope(wanted: &Wanted<'_>) -> Option<String> {
    match wanted {
        Wanted::Repository { gun, .. } if gun.len() > LONGEST_NAME => None,
        Wanted::Repository { gun, actions } => {
            let words: Vec<_> = actions.iter().map(|action| action.as_str()).collect();
            Some(format!("repository:{gun}:{}", words.join(",")))
        }
        Wanted::Catalog => Some("registry:catalog:*".to_owned()),
        Wanted::Pages => None,
    }
}

/// The accesses that were missing (distribution, `auth.Access`).
fn detail(wanted: &Wanted<'_>) -> Value {
    let access = |kind: &str, name: &str, action: Action| json!({"Type": kind, "Class": "", "Name": name, "Action": action.as_str()});
    match wanted {
        Wanted::Repository { gun, actions } => {
            let all = actions
                .iter()
                .map(|action| access("repository", gun, *action));
            all.collect()
        }
        Wanted::Catalog | Wanted::Pages => {
            json!([access("registry", "catalog", Action::All)])
        }
    }
}

/// A quoted string as Go writes one, of visible ASCII only.
fn quoted(text: &str) -> String {
    let escaped = text.chars().map(|letter| match letter {
        '"' | '\\' => format!("\\{letter}"),
        ' '..='~' => letter.to_string(),
        other => format!("\\u{:04x}", u32::from(other)),
    });
    format!("\"{}\"", escaped.collect::<String>())
}

/// Bytes; no repository here has a longer name.
const LONGEST_NAME: usize = 255;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn bearer() -> Challenge {
        Challenge::Bearer {
            realm: "https://auth.example/token".into(),
            service: "trust.example".into(),
        }
    }

    #[test]
    fn challenges_are_dockers() {
        let basic = Challenge::Basic {
            realm: "the \"trust\" server".into(),
        };
        let push = Wanted::Repository {
            gun: "docker.io/library/alpine",
            actions: &[Action::Pull, Action::Push],
        };
        let start = r#"Bearer realm="https://auth.example/token",service="trust.example""#;
        for (challenge, wanted, fault, expected) in [
            (
                &basic,
                push,
                None,
                r#"Basic realm="the \"trust\" server""#.to_owned(),
            ),
            (
                &bearer(),
                push,
                None,
                format!(r#"{start},scope="repository:docker.io/library/alpine:pull,push""#),
            ),
            (
                &bearer(),
                Wanted::Catalog,
                Some(Fault::InvalidToken),
                format!(r#"{start},scope="registry:catalog:*",error="invalid_token""#),
            ),
            (
                &bearer(),
                Wanted::Catalog,
                Some(Fault::InsufficientScope),
                format!(r#"{start},scope="registry:catalog:*",error="insufficient_scope""#),
            ),
            (&bearer(), Wanted::Pages, None, start.to_owned()),
        ] {
            assert_eq!(challenge.header(&wanted, fault), expected);
        }
    }

    #[test]
    fn the_detail_lists_what_was_missing() {
        let push = Wanted::Repository {
            gun: "a/b",
            actions: &[Action::Pull, Action::Push],
        };
        let denied = Denied::unauthorized(&bearer(), &push, None);
        let entry =
            |action| json!({"Type": "repository", "Class": "", "Name": "a/b", "Action": action});
        assert_eq!(denied.detail, json!([entry("pull"), entry("push")]));
        assert_eq!(denied.status, 401);
    }

    proptest! {
        #[test]
        fn any_name_makes_a_challenge(gun in "\\PC{0,300}|.{0,20}") {
            let wanted = Wanted::Repository { gun: &gun, actions: &[Action::Pull] };
            let header = bearer().header(&wanted, None);
            prop_assert!(header.to_str().unwrap().starts_with("Bearer "));
        }
    }
}
