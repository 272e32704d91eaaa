//! Verified state in memory: at most one refresh at a time for each repository.

use super::errand::Errand;
use super::evidence::Known;
use super::{Error, Event, OpenError, Repository, Watch};
use crate::policy::RootTrust;
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use quick_cache::sync::Cache;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Mutex as Turn;

/// What this process knows of repositories.
pub(super) struct Memory {
    places: Cache<String, Arc<Place>>,
}

/// What is known of one repository.
#[derive(Default)]
struct Place {
    /// Whoever has it looks; what is open stays so while looks succeed
    turn: Arc<Turn<Option<Repository>>>,
    last: Mutex<Last>,
}

/// How the last look ended.
#[derive(Clone, Debug, Default)]
struct Last {
    /// How many looks there were
    looks: u64,
    state: Option<Held>,
    /// Why the last look brought nothing
    fault: Option<Arc<Error>>,
    /// What people want to hear of it
    events: Arc<[Event]>,
}

/// Verified state, and when the server last confirmed it.
#[derive(Clone, Debug)]
pub(super) struct Held {
    pub(super) known: Arc<Known>,
    /// Nothing, if it comes from what was kept by an earlier process
    pub(super) confirmed: Option<Timestamp>,
}

impl Held {
    /// How long ago the server confirmed it; nothing, if the clock contradicts itself.
    pub(super) fn age(&self, now: Timestamp) -> Option<Duration> {
        Duration::try_from(now.duration_since(self.confirmed?)).ok()
    }

    fn is_fresh(&self, refresh: Duration, now: Timestamp) -> bool {
        let young = self.age(now).is_some_and(|age| age < refresh);
        young && now < self.known.current().unchanged_until()
    }
}

/// What a look brought.
pub(super) type Look = Result<Held, Arc<Error>>;

/// How fresh state has to be, and which root may be the first.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    pub(super) refresh: Duration,
    pub(super) root: RootTrust,
    pub(super) now: Timestamp,
}

impl Memory {
    /// Room for so many repositories.
    pub(super) fn of(repositories: usize) -> Self {
        Self {
            places: Cache::new(repositories),
        }
    }

    /// The state of a repository: from memory while it is fresh, else by one look that all share.
    ///
    /// A look that has begun goes on, even if nobody waits for it any more.
    pub(super) async fn state(
        &self,
        name: &str,
        wanted: &Wanted,
        open: impl FnOnce() -> BoxFuture<'static, Result<Repository, OpenError>>,
        watch: Watch<'_>,
    ) -> Result<Look, OpenError> {
        let place = self.place(name);
        let before = place.last();
        if let Some(held) = before.fresh(wanted) {
            return Ok(Ok(held));
        }
        let mut turn = Arc::clone(&place.turn).lock_owned().await;
        let meanwhile = place.last();
        if let Some(held) = meanwhile.fresh(wanted) {
            return Ok(Ok(held));
        }
        if meanwhile.looks > before.looks {
            return Ok(meanwhile.outcome(wanted.now));
        }
        let repository = match turn.take() {
            Some(open) => open,
            None => open().await?,
        };
        let (looking, wanted) = (Arc::clone(&place), wanted.clone());
        let look = tokio::spawn(async move {
            if looking.look(&repository, &wanted).await {
                *turn = Some(repository);
            }
            wanted.now
        });
        let now = look.await.unwrap_or(Timestamp::MAX);
        let last = place.last();
        last.events.iter().cloned().for_each(watch);
        Ok(last.outcome(now))
    }

    /// What the last look brought, without another; nothing if that failed, or is valid no more.
    pub(super) fn at_hand(&self, name: &str, now: Timestamp) -> Option<Held> {
        self.places.get(name)?.last().outcome(now).ok()
    }

    fn place(&self, name: &str) -> Arc<Place> {
        let made = self
            .places
            .get_or_insert_with(name, || Ok::<_, std::convert::Infallible>(Arc::default()));
        match made {
            Ok(place) => place,
            Err(never) => match never {},
        }
    }
}

impl Place {
    /// Looks, and says whether that brought anything.
    async fn look(&self, repository: &Repository, wanted: &Wanted) -> bool {
        let (mut events, mut confirmed) = (Vec::new(), Some(wanted.now));
        let mut watch = |event| {
            if matches!(event, Event::KeptTimestamp { .. }) {
                confirmed = None;
            }
            events.push(event);
        };
        let errand = Errand::read_pinned(wanted.now, &wanted.root);
        let result = repository.refresh(&errand, &mut watch).await;
        if repository.is_offline() {
            confirmed = None;
        }
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.looks += 1;
        last.events = events.into();
        match result {
            Ok(current) => {
                // What the server confirmed before is as old as that, and not of unknown age.
                let confirmed = confirmed.or_else(|| last.state.as_ref()?.confirmed);
                let known = Arc::new(Known::new(current));
                last.state = Some(Held { known, confirmed });
                last.fault = None;
            }
            Err(error) => last.fault = Some(Arc::new(error)),
        }
        last.fault.is_none()
    }

    fn last(&self) -> Last {
        self.last
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl Last {
    fn fresh(&self, wanted: &Wanted) -> Option<Held> {
        let held = self.state.as_ref()?;
        let fresh = self.fault.is_none() && held.is_fresh(wanted.refresh, wanted.now);
        fresh.then(|| held.clone())
    }

    /// What the last look brought, if that is valid still.
    fn outcome(self, now: Timestamp) -> Look {
        match (self.fault, self.state) {
            (Some(fault), _) => Err(fault),
            (None, Some(held)) if now < held.known.current().unchanged_until() => Ok(held),
            _ => Err(Arc::new(Error::Interrupted)),
        }
    }
}
