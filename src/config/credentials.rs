//! Who we are to a registry, and how Docker stores it.

use super::ConfigError;
use base64::{Engine, prelude::BASE64_STANDARD};
use serde::Deserialize;
use std::{collections::BTreeMap, fmt};
use zeroize::Zeroizing;

/// What is shown to a registry, its token server and its trust server.
#[derive(Clone, Default)]
#[non_exhaustive]
pub enum Credentials {
    /// Nothing.
    #[default]
    Anonymous,
    /// A name and a password.
    Basic {
        /// The user.
        username: String,
        /// The password.
        password: Zeroizing<String>,
    },
    /// A refresh token that token servers exchange for short-lived ones.
    IdentityToken(Zeroizing<String>),
}

/// Names the kind and the user, never a secret.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Anonymous => f.write_str("Anonymous"),
            Self::Basic { username, .. } => write!(f, "Basic({username})"),
            Self::IdentityToken(_) => f.write_str("IdentityToken"),
        }
    }
}

/// One entry of `auths` in Docker's configuration.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct AuthEntry {
    auth: Option<Zeroizing<String>>,
    username: Option<String>,
    password: Option<Zeroizing<String>>,
    identitytoken: Option<Zeroizing<String>>,
}

impl fmt::Debug for AuthEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AuthEntry")
    }
}

impl AuthEntry {
    /// The identity token if there is one, else name and password, else nothing.
    pub(super) fn credentials(&self, registry: &str) -> Result<Credentials, ConfigError> {
        if let Some(token) = self
            .identitytoken
            .as_ref()
            .filter(|token| !token.is_empty())
        {
            return Ok(Credentials::IdentityToken(token.clone()));
        }
        let (username, password) = match self.auth.as_ref().filter(|auth| !auth.is_empty()) {
            Some(auth) => decode(registry, auth)?,
            None => (
                self.username.clone().unwrap_or_default(),
                self.password.clone().unwrap_or_default(),
            ),
        };
        Ok(Credentials::from_pair(username, password))
    }
}

impl Credentials {
    /// A pair with an empty half is no credential, as for Docker.
    pub(super) fn from_pair(username: String, password: Zeroizing<String>) -> Self {
        if username.is_empty() || password.is_empty() {
            return Self::Anonymous;
        }
        Self::Basic { username, password }
    }
}

/// The entry for a key; old files carry scheme and path in front of and behind the host.
pub(super) fn find<'a>(auths: &'a BTreeMap<String, AuthEntry>, key: &str) -> Option<&'a AuthEntry> {
    auths.get(key).or_else(|| {
        auths
            .iter()
            .find(|(stored, _)| host_of(stored) == key)
            .map(|(_, entry)| entry)
    })
}

fn host_of(stored: &str) -> &str {
    let bare = stored
        .strip_prefix("https://")
        .or_else(|| stored.strip_prefix("http://"));
    let bare = bare.unwrap_or(stored);
    bare.split_once('/').map_or(bare, |(host, _)| host)
}

/// `user:password` in base64; trailing zero bytes are padding of old versions.
fn decode(registry: &str, auth: &str) -> Result<(String, Zeroizing<String>), ConfigError> {
    let fault = |reason| ConfigError::Credentials {
        registry: registry.to_owned(),
        reason,
    };
    let bytes = Zeroizing::new(
        BASE64_STANDARD
            .decode(auth)
            .map_err(|_| fault("the auth field is not base64"))?,
    );
    let text = str::from_utf8(&bytes).map_err(|_| fault("the auth field is not UTF-8"))?;
    let (username, password) = text
        .split_once(':')
        .ok_or_else(|| fault("the auth field is not user:password"))?;
    Ok((
        username.to_owned(),
        Zeroizing::new(password.trim_matches('\0').to_owned()),
    ))
}
