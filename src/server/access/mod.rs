//! Who may do what with which repository.
//!
//! A request comes with a token, a password, a client certificate or nothing. What may be done is
//! what everybody may and what that somebody may besides. It is decided before anything is looked
//! up, so whoever may not read a repository does not learn whether it exists. Credentials that
//! are wrong are refused even where none are needed.

mod attempts;
mod credentials;
mod denied;
mod login;
mod password;
mod rights;
mod token;
mod who;

#[cfg(test)]
mod tests;

pub use denied::Denied;
pub use password::{UserError, check_user_name, hash_password};
pub use token::TokenSettingsError;
pub use who::Who;

use crate::listen::Peer;
use crate::server::settings::access::{AccessSettings, Everybody};
use credentials::{Password, Shown};
use denied::{Challenge, Fault};
use hyper::header::HeaderValue;
use jiff::Timestamp;
use login::{LoginError, Logins};
use token::Tokens;
use trust_store::server::{Action, Store, StoreError};
use who::Name;
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;

/// Lets in who may, and says to others what would help.
pub struct Access {
    store: Store,
    logins: Logins,
    tokens: Option<Tokens>,
    certificates: bool,
    everybody: Option<Everybody>,
    challenge: Challenge,
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
        let tokens = settings.token.as_ref().map(Tokens::new).transpose()?;
        let challenge = match &settings.token {
            Some(token) => Challenge::Bearer {
                realm: token.realm.clone(),
                service: token.service.clone(),
            },
            None => Challenge::Basic {
                realm: settings.realm.clone(),
            },
        };
        Ok(Self {
            logins: Logins::new(store.clone(), &settings.failures)
                .map_err(|_| AccessError::Randomness)?,
            certificates: settings.certificates,
            everybody: settings.anonymous,
            store,
            tokens,
            challenge,
        })
    }

    /// Who is asking, if they may do what they want.
    pub async fn admit(
        &self,
        authorization: Option<&HeaderValue>,
        peer: &Peer,
        wanted: &Wanted<'_>,
        now: Timestamp,
    ) -> Result<Who, Denied> {
        let name = match authorization.map(Shown::read) {
            Some(Shown::Basic(shown)) => self.by_password(shown, peer, wanted, now).await?,
            Some(Shown::Bearer(token)) => self.by_token(token, wanted, now)?,
            Some(Shown::Unknown) => return Err(self.unauthorized(wanted, None)),
            None => self.by_certificate(peer).await?,
        };
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
        Err(self.unauthorized(wanted, fault))
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

    async fn by_password(
        &self,
        shown: Password,
        peer: &Peer,
        wanted: &Wanted<'_>,
        now: Timestamp,
    ) -> Result<Name, Denied> {
        match self.logins.log_in(shown, peer.address.ip(), now).await {
            Ok(user) => Ok(Name::User(user.name, user.rights)),
            Err(LoginError::Wrong) => Err(self.unauthorized(wanted, None)),
            Err(LoginError::Wait(wait)) => Err(Denied::too_many(wait.seconds())),
            Err(LoginError::Busy) => Err(Denied::unavailable()),
            Err(LoginError::Store(error)) => Err(down(&error)),
        }
    }

    fn by_token(&self, token: &str, wanted: &Wanted<'_>, now: Timestamp) -> Result<Name, Denied> {
        let Some(tokens) = &self.tokens else {
            return Err(self.unauthorized(wanted, None));
        };
        let token = tokens.read(token, now).map_err(|error| {
            tracing::info!(%error, "a token was refused");
            self.unauthorized(wanted, Some(Fault::InvalidToken))
        })?;
        Ok(Name::Token(token.subject, token.scopes))
    }

    async fn by_certificate(&self, peer: &Peer) -> Result<Name, Denied> {
        let shown = peer.certificate.as_deref().filter(|_| self.certificates);
        let Some(name) = shown.and_then(common_name) else {
            return Ok(Name::Anonymous);
        };
        match self.logins.user(&name).await {
            Ok(user) => Ok(Name::Certificate(name, user.map(|user| user.rights))),
            Err(LoginError::Store(error)) => Err(down(&error)),
            Err(_) => Err(Denied::unavailable()),
        }
    }

    fn unauthorized(&self, wanted: &Wanted<'_>, fault: Option<Fault>) -> Denied {
        Denied::unauthorized(&self.challenge, wanted, fault)
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
