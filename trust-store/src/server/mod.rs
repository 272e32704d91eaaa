//! What a trust server keeps: published metadata with their history, online keys, users.
//!
//! One [`Store`] over an `SQLite` file or a `PostgreSQL` database. Metadata are bytes and are
//! never interpreted; private keys arrive sealed and leave sealed. A publish is one transaction
//! and is on the disk when it is answered; several processes may use one database.

mod at_hand;
mod backup;
mod changes;
mod codec;
mod database;
mod error;
mod files;
mod keys;
mod listing;
mod names;
mod prune;
mod publish;
mod seal;
mod users;

use std::time::Duration;

pub use changes::{Category, Change, Pulse};
pub use codec::MAX_FILE;
pub use error::StoreError;
pub use files::{FileFacts, Newest, StoredFile};
pub use keys::{NewKey, SealedKey};
pub use listing::{Listed, Listing, Past};
pub use prune::Pruned;
pub use publish::{NewFile, Published};
pub use seal::{SealError, SealSource, Sealer};
pub use users::{Action, Right, User};

use database::{Database, within};

/// A trust server's store. Clones share one set of connections.
#[derive(Clone, Debug)]
pub struct Store {
    database: Database,
}

impl Store {
    /// The store at `sqlite:PATH` or `postgres://…`, made or brought up to date if needed.
    ///
    /// A new `SQLite` file is readable by its owner only.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        Ok(Self {
            database: Database::open(url).await?,
        })
    }

    /// The store answers a small query within two seconds.
    pub async fn ready(&self) -> Result<(), StoreError> {
        let query = async {
            let mut open = self.database.read().await?;
            sqlx::query("SELECT value FROM counters WHERE name = 'changes'")
                .fetch_one(&mut *open)
                .await?;
            Ok(())
        };
        within(READY, query).await
    }

    /// Nothing is open any more; of an `SQLite` store one file is left.
    pub async fn close(&self) {
        self.database.close().await;
    }
}

/// Shorter than what load balancers wait for a readiness probe.
const READY: Duration = Duration::from_secs(2);
