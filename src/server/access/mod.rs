//! Who may do what with which repository.
//!
//! A request comes with a token, a password, a client certificate or nothing. What may be done is
//! what everybody may and what that somebody may besides. It is decided before anything is looked
//! up, so whoever may not read a repository does not learn whether it exists. Credentials that
//! are wrong are refused even where none are needed.

mod asked;
mod attempts;
mod credentials;
mod denied;
mod login;
mod own_tokens;
mod password;
mod rights;
mod token;
mod who;

#[cfg(test)]
mod tests;

pub use asked::Asked;
pub use denied::Denied;
pub use password::{UserError, check_user_name, hash_password};
pub use token::TokenSettingsError;
pub use who::Who;

use crate::listen::Peer;
use crate::server::settings::access::{AccessSettings, Everybody};
use credentials::{Password, Shown};
use denied::{Challenge, Fault};
use jiff::Timestamp;
use login::{LoginError, Logins};
use own_tokens::{OwnToken, OwnTokens};
use serde_json::Value;
use token::Tokens;
use trust_store::server::{Action, Store, StoreError};
use who::Name;
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;

/// Lets in who may, and says to others what would help.
pub struct Access {
    store: Store,
    logins: Logins,
    certificates: bool,
    everybody: Option<Everybody>,
    realm: String,
    tokens: Option<(Tokens, Challenge)>,
    own_tokens: OwnTokens,
    tls: bool,
}

/// What somebody wants to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted<'a> {
    /// All of these things with one repository.
    Repository {
        /// Its name.
        gun: &'a str,
        /// The things.
        actions: &'a [Action],
    },
    /// To be known here, and to see the list of what they may read; Docker's clients find out so
    /// whether they need credentials.
    Catalog,
    /// To look at the pages, and see there of what they may read.
    Pages,
}

/// Why access control cannot be set up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AccessError {
    /// The system gave no random numbers
    #[error("the system gave no random numbers")]
    Randomness,
    /// Tokens could not be known by these settings
    #[error(transparent)]
    Token(#[from] TokenSettingsError),
}

impl Access {
    /// Access control by these settings, for the users in this store; reads the files of keys.
    pub fn new(settings: &AccessSettings, store: Store) -> Result<Self, AccessError> {
        let tokens = settings.token.as_ref().map(|token| {
            let challenge = Challenge::Bearer {
                realm: token.realm.clone(),
                service: token.service.clone(),
            };
            Tokens::new(token).map(|tokens| (tokens, challenge))
        });
        let no_randomness = |_| AccessError::Randomness;
        Ok(Self {
            logins: Logins::new(store.clone(), &settings.failures).map_err(no_randomness)?,
            certificates: settings.certificates,
            everybody: settings.anonymous,
            realm: settings.realm.clone(),
            store,
            tokens: tokens.transpose()?,
            own_tokens: OwnTokens::new().map_err(no_randomness)?,
            tls: true,
        })
    }

    /// Servers with the same secret believe the tokens that each gives out.
    #[must_use]
    pub fn sharing(mut self, secret: &[u8]) -> Self {
        self.own_tokens = OwnTokens::by(secret);
        self
    }

    /// Clients reach this server without TLS, unless a proxy says otherwise.
    #[must_use]
    pub fn without_tls(mut self) -> Self {
        self.tls = false;
        self
    }

    /// Who is asking, if they may do what they want.
    pub async fn admit(
        &self,
        asked: &Asked<'_>,
        peer: &Peer,
        wanted: &Wanted<'_>,
        now: Timestamp,
    ) -> Result<Who, Denied> {
        let denied = |fault| Denied::unauthorized(&self.challenge(asked), wanted, fault);
        let name = match asked.authorization.map(Shown::read) {
            Some(Shown::Basic(shown)) => self.by_password(shown, peer, now).await,
            Some(Shown::Bearer(token)) => self.by_token(token, now).await,
            Some(Shown::Unknown) => Err(Refused::Unknown(None)),
            None => self.by_certificate(peer).await,
        };
        let name = name.map_err(|refused| match refused {
            Refused::Unknown(fault) => denied(fault),
            Refused::Otherwise(denied) => denied,
        })?;
        let everybody = match (self.everybody, wanted) {
            (Some(everybody), _) => everybody,
            // Read, whatever it is: the store need not be asked.
            (None, Wanted::Repository { actions, .. }) if *actions == [Action::Pull] => {
                Everybody::Pull
            }
            (None, _) => self.everybody_by_default().await.map_err(|e| down(&e))?,
        };
        let who = Who::new(name, everybody);
        if who.may_do(wanted) {
            return Ok(who);
        }
        let fault = who.has_token().then_some(Fault::InsufficientScope);
        Err(denied(fault))
    }

    /// A token for whoever is asking, as JSON; its scope is all that they may do.
    pub async fn token(
        &self,
        asked: &Asked<'_>,
        peer: &Peer,
        now: Timestamp,
    ) -> Result<Value, Denied> {
        let login = Challenge::Basic {
            realm: self.realm.clone(),
        };
        let denied = || Denied::unauthorized(&login, &Wanted::Catalog, None);
        if !self.gives_tokens() {
            return Err(denied());
        }
        let user = match asked.authorization.map(Shown::read) {
            None => None,
            Some(Shown::Basic(shown)) => {
                let user = self.logins.log_in(shown, peer.address.ip(), now).await;
                Some(user.map_err(|error| match Refused::from(error) {
                    Refused::Unknown(_) => denied(),
                    Refused::Otherwise(denied) => denied,
                })?)
            }
            Some(_) => return Err(denied()),
        };
        Ok(self.own_tokens.give(user.as_ref(), now))
    }

    /// Whether everybody may do everything here, right now.
    pub async fn is_open(&self) -> Result<bool, StoreError> {
        let everybody = match self.everybody {
            Some(everybody) => everybody,
            None => self.everybody_by_default().await?,
        };
        Ok(everybody == Everybody::All)
    }

    /// Everything, as long as nobody set up anything else.
    async fn everybody_by_default(&self) -> Result<Everybody, StoreError> {
        let closed = self.tokens.is_some() || self.certificates || self.store.has_users().await?;
        Ok(if closed {
            Everybody::Pull
        } else {
            Everybody::All
        })
    }

    /// What would help; where everybody may read, nobody is asked for a password right away.
    fn challenge(&self, asked: &Asked<'_>) -> Challenge {
        if let Some((_, challenge)) = &self.tokens {
            return challenge.clone();
        }
        let realm = self.realm.clone();
        match asked.address(self.tls) {
            Some(address) if self.gives_tokens() => Challenge::Bearer {
                realm: address + TOKEN_PATH,
                service: realm,
            },
            _ => Challenge::Basic { realm },
        }
    }

    fn gives_tokens(&self) -> bool {
        self.tokens.is_none() && matches!(self.everybody, None | Some(Everybody::Pull))
    }

    async fn by_password(
        &self,
        shown: Password,
        peer: &Peer,
        now: Timestamp,
    ) -> Result<Name, Refused> {
        let user = self.logins.log_in(shown, peer.address.ip(), now).await?;
        Ok(Name::User(user.name, user.rights))
    }

    async fn by_token(&self, token: &str, now: Timestamp) -> Result<Name, Refused> {
        let invalid = || Refused::Unknown(Some(Fault::InvalidToken));
        if let Some((tokens, _)) = &self.tokens {
            let token = tokens.read(token, now).map_err(|error| {
                tracing::info!(%error, "a token was refused");
                invalid()
            })?;
            return Ok(Name::Token(token.subject, token.scopes));
        }
        let token = OwnToken::read(token).ok_or_else(invalid)?;
        let user = match token.name.as_str() {
            "" => None,
            name => Some(self.logins.user(name).await?.ok_or_else(invalid)?),
        };
        if !self.own_tokens.is_ours(&token, user.as_ref(), now) {
            return Err(invalid());
        }
        Ok(user.map_or(Name::Anonymous, |user| Name::User(user.name, user.rights)))
    }

    async fn by_certificate(&self, peer: &Peer) -> Result<Name, Refused> {
        let shown = peer.certificate.as_deref().filter(|_| self.certificates);
        let Some(name) = shown.and_then(common_name) else {
            return Ok(Name::Anonymous);
        };
        let user = self.logins.user(&name).await?;
        Ok(Name::Certificate(name, user.map(|user| user.rights)))
    }
}

/// Why it is not known who is asking.
enum Refused {
    /// It was not shown, or wrongly
    Unknown(Option<Fault>),
    Otherwise(Denied),
}

impl From<LoginError> for Refused {
    fn from(error: LoginError) -> Self {
        match error {
            LoginError::Wrong => Self::Unknown(None),
            LoginError::Wait(wait) => Self::Otherwise(Denied::too_many(wait.seconds())),
            LoginError::Busy => Self::Otherwise(Denied::unavailable()),
            LoginError::Store(error) => Self::Otherwise(down(&error)),
        }
    }
}

fn down(error: &StoreError) -> Denied {
    tracing::error!(%error, "it could not be found out who is asking");
    Denied::unavailable()
}

/// The only common name in the certificate's subject.
fn common_name(certificate: &[u8]) -> Option<String> {
    let (_, certificate) = X509Certificate::from_der(certificate).ok()?;
    let mut names = certificate.subject().iter_common_name();
    let name = names.next()?.as_str().ok()?.to_owned();
    names.next().is_none().then_some(name)
}

/// Where tokens are given out.
pub const TOKEN_PATH: &str = "/v2/_trust/token";
