//! The whole store in one file, and back: an `SQLite` file, whichever database the store is in.

use std::io;
use std::path::{Path, PathBuf};

use futures_util::TryStreamExt;
use sqlx::any::{AnyArguments, AnyTypeInfoKind};
use sqlx::query::Query;
use sqlx::{Any, AnyConnection, AssertSqlSafe, Column, Row, ValueRef};
use tempfile::TempPath;
use tokio::task::spawn_blocking;

use super::database::{AnyRow, Database};
use super::{Store, StoreError};
use crate::atomic::{parent, sync_directory};

impl Store {
    /// The file holds the store as it was at one moment; publishes go on meanwhile.
    ///
    /// A file already there is replaced at the end, in one step. It is readable by its owner only
    /// and can be opened as a store itself.
    pub async fn backup(&self, path: &Path) -> Result<(), StoreError> {
        let unfinished = unfinished_beside(path.to_owned()).await?;
        let target = Database::open_unfinished(&unfinished).await?;
        let copied = copy(&self.database, &target).await;
        target.close().await;
        copied?;
        finish(unfinished, path.to_owned()).await
    }

    /// This store, empty until now, holds exactly what the backup holds, or still nothing.
    ///
    /// # Errors
    /// [`StoreError::NotEmpty`], and [`StoreError::Schema`] for the backup of another version of
    /// this program: opening it as a store there brings it up to date.
    pub async fn restore(&self, path: &Path) -> Result<(), StoreError> {
        let source = Database::open_unchanging(path).await?;
        let copied = copy(&source, &self.database).await;
        source.close().await;
        copied
    }
}

/// Every row of every table is in the other database, which was empty.
async fn copy(from: &Database, to: &Database) -> Result<(), StoreError> {
    let mut source = from.snapshot().await?;
    let mut target = to.write().await?;
    to.unhurried(&mut target).await?;
    refuse_what_is_used(&mut target).await?;
    for table in TABLES {
        copy_table(table, &mut source, &mut target).await?;
    }
    Ok(target.commit().await?)
}

async fn refuse_what_is_used(open: &mut AnyConnection) -> Result<(), StoreError> {
    // Counters and the seal are the only rows that a store has before its first use, and every use
    // of it moves one of the other tables.
    for table in TABLES.iter().filter(|table| !FIRST_ROWS.contains(table)) {
        let query = AssertSqlSafe(format!("SELECT 1 AS one FROM {table} LIMIT 1"));
        if sqlx::query(query)
            .fetch_optional(&mut *open)
            .await?
            .is_some()
        {
            return Err(StoreError::NotEmpty);
        }
    }
    for table in FIRST_ROWS {
        let query = AssertSqlSafe(format!("DELETE FROM {table}"));
        sqlx::query(query).execute(&mut *open).await?;
    }
    Ok(())
}

async fn copy_table(
    table: &str,
    source: &mut AnyConnection,
    target: &mut AnyConnection,
) -> Result<(), StoreError> {
    let everything = AssertSqlSafe(format!("SELECT * FROM {table}"));
    let mut rows = sqlx::query(everything).fetch(source);
    while let Some(row) = rows.try_next().await? {
        let mut insert = sqlx::query(AssertSqlSafe(insert(table, &row)));
        for column in row.columns() {
            insert = bind(insert, &row, column.ordinal())?;
        }
        insert.execute(&mut *target).await?;
    }
    Ok(())
}

fn insert(table: &str, row: &AnyRow) -> String {
    let names: Vec<_> = row.columns().iter().map(Column::name).collect();
    let places: Vec<_> = (1..=names.len()).map(|place| format!("${place}")).collect();
    let (names, places) = (names.join(", "), places.join(", "));
    format!("INSERT INTO {table} ({names}) VALUES ({places})")
}

fn bind<'q>(
    query: Query<'q, Any, AnyArguments>,
    row: &AnyRow,
    place: usize,
) -> Result<Query<'q, Any, AnyArguments>, StoreError> {
    let value = row.try_get_raw(place)?;
    // Only numbers may be missing.
    if value.is_null() {
        return Ok(query.bind(None::<i64>));
    }
    Ok(match value.type_info().kind() {
        AnyTypeInfoKind::Blob => query.bind(row.try_get::<Vec<u8>, _>(place)?),
        AnyTypeInfoKind::Text => query.bind(row.try_get::<String, _>(place)?),
        _ => query.bind(row.try_get::<i64, _>(place)?),
    })
}

/// An empty file beside the one to be, removed unless it is finished.
async fn unfinished_beside(path: PathBuf) -> Result<TempPath, StoreError> {
    let create = move || -> io::Result<TempPath> {
        let file = tempfile::Builder::new()
            .prefix(".")
            .suffix(".tmp")
            .tempfile_in(parent(&path))?;
        Ok(file.into_temp_path())
    };
    blocking(create).await
}

/// The file is on the disk, under its name.
async fn finish(unfinished: TempPath, path: PathBuf) -> Result<(), StoreError> {
    let finish = move || -> io::Result<()> {
        std::fs::File::open(&unfinished)?.sync_all()?;
        unfinished.persist(&path)?;
        sync_directory(parent(&path))
    };
    blocking(finish).await
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, StoreError> {
    spawn_blocking(work)
        .await
        .map_err(io::Error::other)
        .and_then(|done| done)
        .map_err(StoreError::io("write the backup"))
}

/// All tables of the schema.
pub(super) const TABLES: [&str; 9] = [
    "changes",
    "counters",
    "files",
    "heads",
    "keys",
    "repositories",
    "rights",
    "seal",
    "users",
];

/// Tables with rows in a store that was never used.
const FIRST_ROWS: [&str; 2] = ["counters", "seal"];
