//! Nobody reads what is older than an answered publish, also with several servers on one database.
//!
//! Every publish and deletion has a number in the store's change feed. Before a reader is
//! answered from memory, the latest number is asked for, after the reader asked: one question for
//! all who wait, so that it costs little however many they are.

use super::error::HostingError;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{mpsc, oneshot};
use tokio::task::AbortHandle;
use trust_store::server::{Pulse, Store, StoreError};

/// Knows which repositories changed lately.
pub(super) struct Heartbeat {
    ask: mpsc::UnboundedSender<oneshot::Sender<Result<i64, StoreError>>>,
    recent: Arc<Mutex<Recent>>,
    watching: AbortHandle,
}

impl Heartbeat {
    /// Begins to watch.
    pub(super) fn start(pulse: Pulse, store: Store) -> Self {
        let (ask, asked) = mpsc::unbounded_channel();
        let recent = Arc::new(Mutex::new(Recent::default()));
        let watching = tokio::spawn(watch(pulse, store, asked, Arc::clone(&recent)));
        Self {
            ask,
            recent,
            watching: watching.abort_handle(),
        }
    }

    /// Nobody watches any more, and the connection it took goes back to the store.
    pub(super) fn stop(&self) {
        self.watching.abort();
    }

    /// The number of the latest change, asked for after this was called.
    pub(super) async fn latest(&self) -> Result<i64, HostingError> {
        let (answer, wait) = oneshot::channel();
        self.ask.send(answer).map_err(|_| HostingError::GivenUp)?;
        Ok(wait.await.map_err(|_| HostingError::GivenUp)??)
    }

    /// Whether the repository was changed after that number, or may have been.
    pub(super) fn changed_since(&self, gun: &str, seen: i64) -> bool {
        let recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        recent.changed_since(gun, seen)
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

async fn watch(
    mut pulse: Pulse,
    store: Store,
    mut asked: mpsc::UnboundedReceiver<oneshot::Sender<Result<i64, StoreError>>>,
    recent: Arc<Mutex<Recent>>,
) {
    let mut waiting = Vec::new();
    while asked.recv_many(&mut waiting, MOST_AT_ONCE).await > 0 {
        let mut answer = look(&mut pulse, &store, &recent).await;
        // Whoever came meanwhile would only wait as long again.
        while answer.is_err()
            && let Ok(asker) = asked.try_recv()
        {
            waiting.push(asker);
        }
        for (left, asker) in waiting.drain(..).enumerate() {
            // An error has no copies: all but the first are told the same in other words.
            let told = match &answer {
                Ok(latest) => Ok(*latest),
                Err(_) if left == 0 => std::mem::replace(&mut answer, Err(again())),
                Err(_) => Err(again()),
            };
            // Whoever asked may have left.
            drop(asker.send(told));
        }
    }
}

/// Asks for the latest change, and learns of those since the last time.
async fn look(pulse: &mut Pulse, store: &Store, recent: &Mutex<Recent>) -> Result<i64, StoreError> {
    let latest = pulse.latest().await?;
    let lock = || recent.lock().unwrap_or_else(PoisonError::into_inner);
    let known = lock().latest;
    if latest == known {
        return Ok(latest);
    }
    if known == 0 || latest < known || latest - known > CAUGHT_UP_WITH {
        lock().begin_at(latest);
        return Ok(latest);
    }
    let changes = store.changes(None, known, latest - known).await?;
    let mut recent = lock();
    for change in changes {
        recent.add(change.id, &change.gun);
    }
    if recent.latest < latest {
        recent.begin_at(latest);
    }
    Ok(latest)
}

fn again() -> StoreError {
    StoreError::Unavailable {
        source: "it did not answer the question before".into(),
    }
}

/// Changes remembered by name.
const REMEMBERED: usize = 4096;
/// More changes than this at once are not looked at one by one.
const CAUGHT_UP_WITH: i64 = 1000;
/// Readers answered by one question.
const MOST_AT_ONCE: usize = 1024;

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
