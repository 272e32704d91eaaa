//! Connections kept at hand between two requests.
//!
//! The pool asks a connection whether it still lives when it is taken and when it is given back:
//! three questions around each answer. A connection that answered a moment ago need not be asked.

use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use sqlx::pool::PoolConnection;
use sqlx::{Any, AnyPool};

use super::StoreError;

/// Connections that answered last, the latest on top. Clones are the same.
#[derive(Clone, Debug, Default)]
pub(super) struct AtHand {
    idle: Arc<Mutex<Vec<Idle>>>,
}

#[derive(Debug)]
struct Idle {
    open: PoolConnection<Any>,
    since: Instant,
}

/// A connection on loan; back to the pool when dropped, unless [`Self::keep`] says that all is well.
#[derive(Debug)]
pub(super) struct Loan {
    open: PoolConnection<Any>,
    from: Option<AtHand>,
}

impl AtHand {
    /// A connection that answered just now, else one from the pool.
    pub(super) async fn lend(&self, pool: &AnyPool) -> Result<Loan, StoreError> {
        let open = match self.fresh() {
            Some(open) => open,
            None => pool.acquire().await?,
        };
        let from = Some(self.clone());
        Ok(Loan { open, from })
    }

    /// None is kept any more.
    pub(super) fn let_go(&self) {
        self.idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }

    fn fresh(&self) -> Option<PoolConnection<Any>> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let Idle { open, since } = idle.pop()?;
        if since.elapsed() < FRESH {
            return Some(open);
        }
        // Those below were there before it.
        idle.clear();
        None
    }
}

impl Loan {
    /// A connection that goes back to the pool in any case.
    pub(super) async fn once(pool: &AnyPool) -> Result<Self, StoreError> {
        let open = pool.acquire().await?;
        Ok(Self { open, from: None })
    }

    /// The connection answered, and nothing is open on it: the next may have it as it is.
    pub(super) fn keep(self) {
        let Some(from) = self.from else { return };
        let mut idle = from.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < KEPT {
            let since = Instant::now();
            idle.push(Idle {
                open: self.open,
                since,
            });
        }
    }
}

impl Deref for Loan {
    type Target = PoolConnection<Any>;

    fn deref(&self) -> &Self::Target {
        &self.open
    }
}

impl DerefMut for Loan {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.open
    }
}

/// A database that goes away is noticed by the pool after this time at the latest.
const FRESH: Duration = Duration::from_secs(1);
/// Enough for what small servers do at a time, and some are left for everything else.
const KEPT: usize = 6;
