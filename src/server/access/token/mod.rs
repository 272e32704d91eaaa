//! Docker registry token authentication: signed statements of what somebody may do.
//!
//! A token names the key it was signed with in one of three ways (distribution, `auth/token`): by
//! a chain of certificates (`x5c`), by the key itself (`jwk`) or by an id (`kid`). A chain counts
//! if a configured certificate vouches for it, the others only choose among configured keys. The
//! key, never the token, says which signatures are believed.

mod chain;
mod claims;
mod jwt;
mod key;
mod named;

pub(super) use claims::Scopes;

use crate::server::settings::access::TokenSettings;
use chain::Authorities;
use claims::{Claims, Expected};
use jiff::Timestamp;
use jwt::{Header, Jwt};
use key::Key;
use named::KeyFile;
use std::borrow::Cow;
use std::collections::HashMap;
use std::path::PathBuf;

/// Tokens that are believed here.
#[derive(Debug)]
pub(super) struct Tokens {
    issuer: String,
    service: String,
    keys: HashMap<String, Key>,
    authorities: Authorities,
}

/// A token that is believed.
#[derive(Debug)]
pub(super) struct Token {
    /// Whom it was given to; maybe empty
    pub(super) subject: String,
    /// What it allows
    pub(super) scopes: Scopes,
}

/// Why tokens could not be known.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TokenSettingsError {
    /// A file without a key or certificate that can be used
    #[error("{}: {reason}", path.display())]
    BadFile {
        /// The file
        path: PathBuf,
        /// What is wrong with it
        reason: String,
    },
    /// A setting that must be there
    #[error(
        "access.token.{0} is missing: tokens need realm, service, issuer, and keys or certificates"
    )]
    Missing(&'static str),
    /// A file that could not be read
    #[error("could not read {}: {source}", path.display())]
    Unreadable {
        /// The file
        path: PathBuf,
        /// The system's answer
        source: std::io::Error,
    },
}

/// Why a token is not believed.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum TokenError {
    #[error("the chain of certificates does not lead to a configured one: {0}")]
    Chain(String),
    #[error("it is not a token: {0}")]
    Malformed(&'static str),
    #[error("it is not signed, or not by the key it names")]
    Signature,
    #[error("it names no key")]
    NoKey,
    #[error("it expired at {0}")]
    Expired(i64),
    #[error("it does not count before {0}")]
    NotYet(i64),
    #[error("it names the key {0:?}, which is not configured")]
    UnknownKey(String),
    #[error("it is for {0:?}")]
    WrongAudience(Vec<String>),
    #[error("it was made by {0:?}")]
    WrongIssuer(String),
}

impl Tokens {
    /// Tokens by these settings; reads the files of keys and certificates.
    pub(super) fn new(settings: &TokenSettings) -> Result<Self, TokenSettingsError> {
        for (name, value) in [
            ("realm", &settings.realm),
            ("service", &settings.service),
            ("issuer", &settings.issuer),
        ] {
            if value.is_empty() {
                return Err(TokenSettingsError::Missing(name));
            }
        }
        let mut keys = HashMap::new();
        let mut know = |key: Key| keys.extend(key.ids().map(|id| (id, key.clone())));
        let mut roots = Vec::new();
        for path in &settings.certificates {
            for certificate in KeyFile::read(path)?.certificates()? {
                know(certificate.key);
                roots.push(certificate.der);
            }
        }
        for path in &settings.keys {
            KeyFile::read(path)?.keys()?.into_iter().for_each(&mut know);
        }
        if keys.is_empty() {
            return Err(TokenSettingsError::Missing("keys"));
        }
        Ok(Self {
            issuer: settings.issuer.clone(),
            service: settings.service.clone(),
            keys,
            authorities: Authorities::new(roots),
        })
    }

    /// What a token says, if it is ours and counts now.
    pub(super) fn read(&self, token: &str, now: Timestamp) -> Result<Token, TokenError> {
        let jwt = Jwt::split(token)?;
        let header = jwt.header()?;
        let key = self.key_of(&header, now)?;
        if !key.verifies(&header.alg, jwt.signed(), &jwt.signature()?) {
            return Err(TokenError::Signature);
        }
        let claims: Claims = jwt.claims()?;
        claims.check(&Expected {
            issuer: &self.issuer,
            service: &self.service,
            now,
        })?;
        Ok(Token {
            scopes: Scopes::of(&claims),
            subject: claims.sub,
        })
    }

    fn key_of(&self, header: &Header, now: Timestamp) -> Result<Cow<'_, Key>, TokenError> {
        if !header.x5c.is_empty() {
            return self.authorities.key_of(&header.x5c, now).map(Cow::Owned);
        }
        let id = match (&header.jwk, &header.kid) {
            (Some(jwk), _) => jwk.thumbprint()?,
            (None, Some(kid)) => kid.clone(),
            (None, None) => return Err(TokenError::NoKey),
        };
        let key = self.keys.get(&id).map(Cow::Borrowed);
        key.ok_or_else(|| TokenError::UnknownKey(id.chars().take(LONGEST_TOLD).collect()))
    }
}

/// Characters of a foreign name that are repeated.
const LONGEST_TOLD: usize = 100;

#[cfg(test)]
pub(in crate::server::access) mod tests;
