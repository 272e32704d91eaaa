//! Logging in with a password, which costs time on purpose: bounded in what it may take.
//!
//! A password that was right lately is known again without that cost, by a digest that is worth
//! nothing outside of this process. The user's row is read each time: a changed password or right
//! counts at once, in every process.

use super::attempts::{Attempts, Network, Wait};
use super::credentials::Password;
use super::password::is_password;
use crate::server::settings::access::FailureSettings;
use jiff::{SignedDuration, Timestamp};
use quick_cache::sync::Cache;
use ring::rand::SystemRandom;
use ring::{error::Unspecified, hmac};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tokio::time::timeout;
use trust_store::server::{Store, StoreError, User};

/// Where passwords are checked.
pub(super) struct Logins {
    store: Store,
    secret: hmac::Key,
    recent: Cache<Digest, Recent>,
    networks: Attempts<Network>,
    names: Attempts<Digest>,
    room: Arc<Semaphore>,
}

/// Why somebody was not logged in.
#[derive(Debug)]
pub(super) enum LoginError {
    /// Too many are being checked
    Busy,
    /// The store could not be asked
    Store(StoreError),
    /// Too many wrong ones before
    Wait(Wait),
    /// No such user, or not that password
    Wrong,
}

type Digest = [u8; 32];

/// A password that was right.
#[derive(Clone)]
struct Recent {
    hash: Arc<str>,
    until: Timestamp,
}

impl Logins {
    pub(super) fn new(store: Store, failures: &FailureSettings) -> Result<Self, Unspecified> {
        let attempts = (failures.burst, failures.every.into());
        Ok(Self {
            store,
            secret: hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new())?,
            recent: Cache::new(REMEMBERED),
            networks: Attempts::new(attempts.0, attempts.1),
            names: Attempts::new(attempts.0, attempts.1),
            room: Arc::new(Semaphore::new(AT_ONCE)),
        })
    }

    /// The user whose password this is.
    pub(super) async fn log_in(
        &self,
        shown: Password,
        address: IpAddr,
        now: Timestamp,
    ) -> Result<User, LoginError> {
        let network = Network::from(address);
        // Before anything else: a right password waits like a wrong one, so nobody learns which.
        self.networks.check(&network, now)?;
        let user = self.user(shown.name()).await?;
        let digest = self.digest(b"password", shown.as_bytes());
        let hash: Option<Arc<str>> = user.as_ref().map(|user| user.hash.as_str().into());
        let outdated = |recent: &Recent| !recent.counts(hash.as_deref(), now);
        self.recent.remove_if(&digest, outdated);
        // Of several that show the same, one is checked and the others wait for it.
        let first = match self.recent.get_value_or_guard_async(&digest).await {
            Ok(recent) if recent.counts(hash.as_deref(), now) => None,
            // The user changed meanwhile.
            Ok(_) => return Err(LoginError::Wrong),
            Err(guard) => Some(guard),
        };
        if let Some(guard) = first {
            let name = self.digest(b"name", shown.name().as_bytes());
            self.networks.begin(&network, now)?;
            self.names.begin(&name, now).inspect_err(|_| {
                self.networks.succeeded(&network, now);
            })?;
            let checked = self.check(shown, hash.clone()).await;
            if !matches!(checked, Ok(false)) {
                self.networks.succeeded(&network, now);
                self.names.succeeded(&name, now);
            }
            if !checked? {
                return Err(LoginError::Wrong);
            }
            if let Some(hash) = hash {
                // Fails only if it was forgotten again already.
                let _ = guard.insert(Recent::since(now, hash));
            }
        }
        user.ok_or(LoginError::Wrong)
    }

    /// The user of this name; a name that cannot be kept is nobody's.
    pub(super) async fn user(&self, name: &str) -> Result<Option<User>, LoginError> {
        match self.store.user(name).await {
            Err(StoreError::BadName { .. }) => Ok(None),
            other => other.map_err(LoginError::Store),
        }
    }

    /// Checks a password on a thread that may take its time.
    async fn check(&self, shown: Password, hash: Option<Arc<str>>) -> Result<bool, LoginError> {
        let room = Arc::clone(&self.room).acquire_owned();
        let Ok(Ok(room)) = timeout(LONGEST_WAIT, room).await else {
            return Err(LoginError::Busy);
        };
        let work = move || {
            let right = is_password(shown.password(), hash.as_deref());
            // Kept to the end, also when nobody waits for it any more.
            drop(room);
            right
        };
        spawn_blocking(work).await.map_err(|_| LoginError::Busy)
    }

    fn digest(&self, kind: &[u8], bytes: &[u8]) -> Digest {
        let mut context = hmac::Context::with_key(&self.secret);
        context.update(kind);
        context.update(&[0]);
        context.update(bytes);
        let mut digest = [0; 32];
        for (to, from) in digest.iter_mut().zip(context.sign().as_ref()) {
            *to = *from;
        }
        digest
    }
}

impl Recent {
    fn since(now: Timestamp, hash: Arc<str>) -> Self {
        let until = now.saturating_add(REMEMBERED_FOR).unwrap_or(now);
        Self { hash, until }
    }

    /// Whether it is still that of the user, and not too long ago, nor after now.
    fn counts(&self, hash: Option<&str>, now: Timestamp) -> bool {
        let latest = now.saturating_add(REMEMBERED_FOR).unwrap_or(now);
        hash == Some(&*self.hash) && now < self.until && self.until <= latest
    }
}

impl From<Wait> for LoginError {
    fn from(wait: Wait) -> Self {
        Self::Wait(wait)
    }
}

/// Passwords that were right lately.
const REMEMBERED: usize = 1024;
/// For how long.
const REMEMBERED_FOR: SignedDuration = SignedDuration::from_mins(5);
/// Passwords being checked, 19 MiB each.
const AT_ONCE: usize = 4;
/// How long one waits for its turn.
const LONGEST_WAIT: Duration = Duration::from_secs(10);
