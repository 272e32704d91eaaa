//! The change feed: one entry for each new timestamp and each deletion.

use jiff::Timestamp;
use sqlx::pool::PoolConnection;
use sqlx::{Any, AnyConnection, Row};

use super::database::{AnyRow, PATIENCE, bounded, within};
use super::names::{checked, read_number, read_time, stored_time};
use super::{Store, StoreError};

/// What happened to a repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Category {
    /// It was deleted.
    Deletion,
    /// It has a new timestamp.
    Update,
}

impl Category {
    /// The word in the feed.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Deletion => "deletion",
            Self::Update => "update",
        }
    }

    fn read(word: &str) -> Result<Self, StoreError> {
        [Self::Deletion, Self::Update]
            .into_iter()
            .find(|category| category.as_str() == word)
            .ok_or_else(|| StoreError::damaged(&format!("{word:?} is no kind of change")))
    }
}

/// An entry of the change feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Its number: without gaps, in the order in which readers can see the entries.
    pub id: i64,
    /// When it happened.
    pub created: Timestamp,
    /// The repository.
    pub gun: String,
    /// The timestamp's version; 0 for a deletion.
    pub version: u64,
    /// The timestamp's SHA-256 in hex; empty for a deletion.
    pub sha256: String,
    /// What happened.
    pub category: Category,
}

impl Store {
    /// At most `records` entries after number `after`, oldest first, of one repository or all.
    ///
    /// As Notary's feed: 0 records means 100, a negative number as many *before* `after`. A
    /// negative `after` means before the end, and so does 0 with a negative number of records.
    pub async fn changes(
        &self,
        gun: Option<&str>,
        after: i64,
        records: i64,
    ) -> Result<Vec<Change>, StoreError> {
        if let Some(gun) = gun {
            checked(gun)?;
        }
        let limit = match records.unsigned_abs() {
            0 => USUAL,
            some => i64::try_from(some).unwrap_or(i64::MAX).min(MOST),
        };
        let backwards = after < 0 || records < 0;
        let from = if backwards && after <= 0 {
            i64::MAX
        } else {
            after
        };
        bounded(async {
            let mut open = self.database.read().await?;
            let query = sqlx::query(statement(backwards, gun.is_some()))
                .bind(from)
                .bind(limit);
            let query = match gun {
                Some(gun) => query.bind(gun),
                None => query,
            };
            let rows = query.fetch_all(&mut *open).await?;
            let mut changes = rows.iter().map(read).collect::<Result<Vec<_>, _>>()?;
            if backwards {
                changes.reverse();
            }
            Ok(changes)
        })
        .await
    }
}

/// A connection kept to ask over and over which change is the latest.
#[derive(Debug)]
pub struct Pulse {
    store: Store,
    open: Option<PoolConnection<Any>>,
}

impl Store {
    /// Asks which change is the latest, on a connection of its own.
    pub fn pulse(&self) -> Pulse {
        Pulse {
            store: self.clone(),
            open: None,
        }
    }
}

impl Pulse {
    /// The number of the latest change; every change that was answered before is counted.
    ///
    /// All readers wait for this: it gives up soon.
    pub async fn latest(&mut self) -> Result<i64, StoreError> {
        within(PATIENCE, async {
            // A connection that was kept may have died with the database it led to.
            if let Some(mut kept) = self.open.take()
                && let Ok(latest) = latest(&mut kept).await
            {
                self.open = Some(kept);
                return Ok(latest);
            }
            let mut new = self.store.database.read().await?;
            let latest = latest(&mut new).await?;
            self.open = Some(new);
            Ok(latest)
        })
        .await
    }
}

async fn latest(open: &mut AnyConnection) -> Result<i64, StoreError> {
    let row = sqlx::query("SELECT value FROM counters WHERE name = 'changes'")
        .fetch_one(open)
        .await?;
    Ok(row.try_get("value")?)
}

/// The feed has a new entry once the transaction is committed; gives its number.
///
/// Whoever counts keeps the counter until the commit: so entries become visible in their order.
pub(super) async fn record(
    open: &mut AnyConnection,
    gun: &str,
    category: Category,
    version: i64,
    sha256: &str,
    now: Timestamp,
) -> Result<i64, StoreError> {
    let id: i64 =
        sqlx::query("UPDATE counters SET value = value + 1 WHERE name = 'changes' RETURNING value")
            .fetch_one(&mut *open)
            .await?
            .try_get("value")?;
    sqlx::query(
        "INSERT INTO changes (id, created, gun, version, sha256, category) \
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(id)
    .bind(stored_time(now))
    .bind(gun)
    .bind(version)
    .bind(sha256)
    .bind(category.as_str())
    .execute(open)
    .await?;
    Ok(id)
}

/// Columns are named wherever rows are read: a newer process may add some while this one runs.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, created, gun, version, sha256, category FROM changes WHERE ",
            $rest
        )
    };
}

fn statement(backwards: bool, one: bool) -> &'static str {
    match (backwards, one) {
        (false, false) => select!("id > $1 ORDER BY id LIMIT $2"),
        (false, true) => select!("id > $1 AND gun = $3 ORDER BY id LIMIT $2"),
        (true, false) => select!("id < $1 ORDER BY id DESC LIMIT $2"),
        (true, true) => select!("id < $1 AND gun = $3 ORDER BY id DESC LIMIT $2"),
    }
}

fn read(row: &AnyRow) -> Result<Change, StoreError> {
    Ok(Change {
        id: row.try_get("id")?,
        created: read_time(row.try_get("created")?)?,
        gun: row.try_get("gun")?,
        version: read_number(row.try_get("version")?)?,
        sha256: row.try_get("sha256")?,
        category: Category::read(row.try_get("category")?)?,
    })
}

/// Entries given to those who do not say how many (Notary server, `changefeed.go`).
const USUAL: i64 = 100;

/// Entries given at most.
const MOST: i64 = 10_000;
