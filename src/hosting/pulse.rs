//! Nobody reads what is older than an answered publish, also with several servers on one database.
//!
//! Every publish and deletion has a number in the store's change feed. Before a reader is
//! answered from memory, the latest number is asked for, after the reader asked: one question for
//! all who wait, so that it costs little however many they are.

use super::error::HostingError;
use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use trust_store::server::{Pulse, Store, StoreError};

/// Knows which repositories changed lately.
pub(super) struct Heartbeat {
    store: Store,
    recent: Mutex<Recent>,
    /// How many questions were begun
    begun: AtomicU64,
    /// Whoever has it asks for all who wait for it
    asking: tokio::sync::Mutex<Asking>,
}

struct Asking {
    /// None once the server stops
    pulse: Option<Pulse>,
    last: Answer,
}

/// The answer to the question of this number.
struct Answer {
    number: u64,
    latest: Result<i64, String>,
}

impl Heartbeat {
    /// Nothing is known yet.
    pub(super) fn new(store: Store) -> Self {
        let last = Answer {
            number: 0,
            latest: Ok(0),
        };
        Self {
            recent: Mutex::default(),
            begun: AtomicU64::new(0),
            asking: tokio::sync::Mutex::new(Asking {
                pulse: Some(store.pulse()),
                last,
            }),
            store,
        }
    }

    /// Nobody is answered any more, and the connection that was used goes back to the store.
    pub(super) async fn stop(&self) {
        self.asking.lock().await.pulse = None;
    }

    /// The number of the latest change, asked for after this was called.
    pub(super) async fn latest(&self) -> Result<i64, HostingError> {
        let before = self.begun.load(Ordering::SeqCst);
        let mut asking = self.asking.lock().await;
        if asking.last.number <= before {
            let mut number = self.begun.fetch_add(1, Ordering::SeqCst) + 1;
            let pulse = asking.pulse.as_mut().ok_or(HostingError::GivenUp)?;
            let latest = self.look(pulse).await;
            if latest.is_err() {
                // Whoever came meanwhile would only wait as long again.
                number = self.begun.fetch_add(1, Ordering::SeqCst) + 1;
            }
            asking.last = Answer {
                number,
                latest: latest.map_err(|error| error.to_string()),
            };
        }
        asking.last.told()
    }

    /// Asks for the latest change, and learns of those since the last time.
    async fn look(&self, pulse: &mut Pulse) -> Result<i64, StoreError> {
        let latest = pulse.latest().await?;
        let known = self.recent().latest;
        if latest == known {
            return Ok(latest);
        }
        if known == 0 || latest < known || latest - known > CAUGHT_UP_WITH {
            self.recent().begin_at(latest);
            return Ok(latest);
        }
        let changes = self.store.changes(None, known, latest - known).await?;
        let mut recent = self.recent();
        for change in changes {
            recent.add(change.id, &change.gun);
        }
        if recent.latest < latest {
            recent.begin_at(latest);
        }
        Ok(latest)
    }

    /// Whether the repository was changed after that number, or may have been.
    pub(super) fn changed_since(&self, gun: &str, seen: i64) -> bool {
        self.recent().changed_since(gun, seen)
    }

    fn recent(&self) -> MutexGuard<'_, Recent> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Answer {
    /// An error has no copies: everybody is told the same in words.
    fn told(&self) -> Result<i64, HostingError> {
        let away = |words: &String| StoreError::Unavailable {
            source: words.clone().into(),
        };
        Ok(self.latest.as_ref().copied().map_err(away)?)
    }
}

/// The last changes, by repository.
#[derive(Default)]
struct Recent {
    /// Up to this number all changes were seen
    latest: i64,
    /// Changes after this number are known
    from: i64,
    in_order: VecDeque<(i64, Arc<str>)>,
    last: HashMap<Arc<str>, i64>,
}

impl Recent {
    fn changed_since(&self, gun: &str, seen: i64) -> bool {
        seen < self.from || self.last.get(gun).is_some_and(|last| *last > seen)
    }

    /// Nothing is known but the number of the latest change.
    fn begin_at(&mut self, latest: i64) {
        *self = Self {
            latest,
            from: latest,
            ..Self::default()
        };
    }

    fn add(&mut self, number: i64, gun: &str) {
        let gun: Arc<str> = gun.into();
        self.latest = number;
        self.last.insert(Arc::clone(&gun), number);
        self.in_order.push_back((number, gun));
        while self.in_order.len() > REMEMBERED {
            let Some((old, gun)) = self.in_order.pop_front() else {
                break;
            };
            self.from = old;
            if self.last.get(&gun) == Some(&old) {
                self.last.remove(&gun);
            }
        }
    }
}

/// Changes remembered by name.
const REMEMBERED: usize = 4096;
/// More changes than this at once are not looked at one by one.
const CAUGHT_UP_WITH: i64 = 1000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_forgotten_counts_as_changed() {
        let mut recent = Recent::default();
        recent.begin_at(10);
        assert!(recent.changed_since("a", 9), "before all that is known");
        assert!(!recent.changed_since("a", 10));
        recent.add(11, "a");
        assert!(recent.changed_since("a", 10));
        assert!(!recent.changed_since("a", 11));
        assert!(!recent.changed_since("b", 10));
        for number in (12..).take(REMEMBERED + 1) {
            recent.add(number, "c");
        }
        assert!(recent.changed_since("a", 10), "forgotten");
        assert!(recent.last.len() <= 2);
    }
}
