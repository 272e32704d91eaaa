//! What a trust server does with repositories: serve, accept, renew, hold online keys.
//!
//! The rules are those of [`crate::tuf::accept`]; here they meet the store, the keys and the
//! clock that is handed in. What readers ask for most is kept in memory, and never older than a
//! publish that was answered, through whichever process.

mod delete;
mod error;
mod kept;
mod keys;
mod prune;
mod publish;
mod pulse;
mod renew;
mod serve;

pub use error::HostingError;
pub use kept::{Held, Kept};
pub use prune::named_hashes;
pub use renew::Renewal;

use crate::tuf::accept::{Bounds, Margins};
use kept::Memory;
use keys::Opened;
use pulse::Heartbeat;
use std::sync::Arc;
use tokio::sync::Mutex;
use trust_store::server::{Sealer, Store};

/// The repositories of a trust server. Clones share everything.
#[derive(Clone)]
pub struct Hosting {
    inner: Arc<Inner>,
}

struct Inner {
    store: Store,
    sealer: Sealer,
    bounds: Bounds,
    margins: Margins,
    heartbeat: Heartbeat,
    memory: Memory,
    opened: Opened,
    /// One publish after the other to a repository: the second would only be refused and try again.
    turns: [Mutex<()>; TURNS],
}

/// What an operator decides about [`Hosting`].
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// How much a repository may hold
    pub bounds: Bounds,
    /// How early online roles are signed anew
    pub margins: Margins,
    /// Bytes of metadata kept in memory
    pub memory: u64,
}

impl Hosting {
    /// Serves what is in `store`, signing with the keys that `sealer` opens.
    pub fn new(store: Store, sealer: Sealer, options: Options) -> Self {
        let inner = Inner {
            heartbeat: Heartbeat::new(store.clone()),
            store,
            sealer,
            bounds: options.bounds,
            margins: options.margins,
            memory: Memory::of(options.memory),
            opened: Opened::new(),
            turns: std::array::from_fn(|_| Mutex::default()),
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    /// The store behind it.
    pub fn store(&self) -> &Store {
        &self.inner.store
    }

    /// Nothing is open any more; what is asked of it from now on fails.
    pub async fn close(&self) {
        self.inner.heartbeat.stop().await;
        self.inner.store.close().await;
    }
}

/// Enough that two busy repositories seldom wait for each other.
const TURNS: usize = 64;
