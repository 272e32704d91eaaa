//! What a token says: who made it for whom, until when, and what may be done with it.

use super::TokenError;
use jiff::Timestamp;
use serde::Deserialize;
use std::collections::HashMap;
use trust_store::server::Action;

/// The members that count here (distribution, `auth/token`); others are ignored.
#[derive(Debug, Deserialize)]
pub(super) struct Claims {
    iss: String,
    #[serde(default)]
    pub(super) sub: String,
    aud: Audience,
    exp: i64,
    #[serde(default)]
    nbf: Option<i64>,
    #[serde(default)]
    access: Option<Vec<Access>>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

#[derive(Debug, Deserialize)]
struct Access {
    r#type: String,
    name: String,
    #[serde(default)]
    actions: Option<Vec<String>>,
}

/// What a token has to say.
pub(super) struct Expected<'a> {
    pub(super) issuer: &'a str,
    pub(super) service: &'a str,
    pub(super) now: Timestamp,
}

impl Claims {
    /// The token was made by the issuer for this service, and counts now.
    pub(super) fn check(&self, expected: &Expected<'_>) -> Result<(), TokenError> {
        if self.iss != expected.issuer {
            return Err(TokenError::WrongIssuer(self.iss.clone()));
        }
        let for_us = match &self.aud {
            Audience::One(service) => service == expected.service,
            Audience::Several(services) => services.iter().any(|s| s == expected.service),
        };
        if !for_us {
            return Err(TokenError::WrongAudience(match &self.aud {
                Audience::One(service) => vec![service.clone()],
                Audience::Several(services) => services.clone(),
            }));
        }
        let now = expected.now.as_second();
        if now.saturating_sub(LEEWAY) > self.exp {
            return Err(TokenError::Expired(self.exp));
        }
        match self.nbf {
            Some(begin) if now.saturating_add(LEEWAY) < begin => Err(TokenError::NotYet(begin)),
            _ => Ok(()),
        }
    }
}

/// What a token allows.
#[derive(Clone, Debug, Default)]
pub(in crate::server::access) struct Scopes {
    repositories: HashMap<String, Vec<Action>>,
    catalog: bool,
}

impl Scopes {
    pub(super) fn of(claims: &Claims) -> Self {
        let mut scopes = Self::default();
        for access in claims.access.iter().flatten() {
            let words = access.actions.iter().flatten();
            let actions = words.filter_map(|word| Action::parse(word));
            match (access.r#type.as_str(), access.name.as_str()) {
                ("repository", name) => {
                    let known = scopes.repositories.entry(name.to_owned()).or_default();
                    known.extend(actions);
                }
                ("registry", "catalog") => {
                    scopes.catalog |= actions.into_iter().any(|action| action == Action::All);
                }
                _ => {}
            }
        }
        scopes
    }

    /// The actions that are allowed with this repository.
    pub(in crate::server::access) fn of_repository(&self, gun: &str) -> &[Action] {
        self.repositories.get(gun).map_or(&[], Vec::as_slice)
    }

    /// Whether the list of repositories may be asked for.
    pub(in crate::server::access) fn of_catalog(&self) -> bool {
        self.catalog
    }
}

/// Seconds by which clocks may differ (distribution, `Leeway`).
const LEEWAY: i64 = 60;
