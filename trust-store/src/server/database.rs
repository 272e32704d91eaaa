//! The two databases behind one door: pools, transactions, time limits, schema.
//!
//! Queries are written once, in what `SQLite` and `PostgreSQL` agree on; what differs is here.

use std::fs::OpenOptions;
use std::io::ErrorKind;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Once;
use std::time::Duration;

use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::pool::PoolConnection;
use sqlx::{Any, AnyConnection, AnyPool, AssertSqlSafe, Connection, Row, SqlSafeStr, Transaction};
use tokio::time::timeout;

use super::StoreError;
use super::at_hand::{AtHand, Loan};

/// What a row is read as.
pub(super) use sqlx::any::AnyRow;

/// How long a request waits for a connection, or for a word, before the database counts as down.
pub(super) const PATIENCE: Duration = Duration::from_secs(3);

/// How long one writer waits for another process that writes to the same `SQLite` file.
const SQLITE_BUSY: Duration = Duration::from_secs(10);

/// How long the database may take for one piece of work: whoever waits for it should hear soon that
/// it hangs. Only what a client may ask for counts; commands that read everything take their time.
const LONGEST: Duration = Duration::from_secs(5);

/// Connections of one process: enough to keep a database busy, few enough for several processes.
const CONNECTIONS: u32 = 16;

/// Which database it is, where it matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    Postgres,
    Sqlite,
}

/// An open database of ours.
#[derive(Clone, Debug)]
pub(super) struct Database {
    dialect: Dialect,
    readers: AnyPool,
    /// For `SQLite` a pool of one: it has one writer at a time, and waiting here is fair.
    writer: AnyPool,
    at_hand: AtHand,
}

impl Database {
    /// The database at this address, created if it is a file, with the present schema.
    pub(super) async fn open(url: &str) -> Result<Self, StoreError> {
        install_drivers();
        match url.split_once(':') {
            Some(("sqlite", path)) => {
                let path = path.strip_prefix("//").unwrap_or(path);
                Self::open_sqlite(Path::new(path)).await
            }
            Some(("postgres" | "postgresql", _)) => Self::open_postgres(url).await,
            _ => Err(StoreError::BadUrl {
                why: format!("{:?} is no database here", scheme(url)),
            }),
        }
    }

    /// An empty file becomes a database that is quick to fill and must be closed to be whole.
    pub(super) async fn open_unfinished(path: &Path) -> Result<Self, StoreError> {
        install_drivers();
        let options = sqlite_options(path, "")?;
        connects(&options, UNFINISHED_SETTINGS).await?;
        let database = Self::sqlite(options, UNFINISHED_SETTINGS);
        database.migrate().await?;
        Ok(database)
    }

    /// The database in a file that is not touched, if it has the present schema.
    pub(super) async fn open_unchanging(path: &Path) -> Result<Self, StoreError> {
        install_drivers();
        let options = sqlite_options(path, "?mode=ro&immutable=true")?;
        let database = Self::sqlite(options, "");
        let mut open = database.read().await?;
        let row = sqlx::query("SELECT MAX(version) AS version FROM _sqlx_migrations")
            .fetch_one(&mut *open)
            .await?;
        match row.try_get("version")? {
            SCHEMA => Ok(database),
            other => Err(StoreError::Schema {
                source: format!("it has version {other}, not {SCHEMA}").into(),
            }),
        }
    }

    async fn open_sqlite(path: &Path) -> Result<Self, StoreError> {
        create_private(path)?;
        let options = sqlite_options(path, "")?;
        patiently(|| begins(&options)).await?;
        let database = Self::sqlite(options, SQLITE_SETTINGS);
        patiently(|| database.migrate()).await?;
        Ok(database)
    }

    fn sqlite(options: AnyConnectOptions, settings: &'static str) -> Self {
        let writer = pool(1, settings, PATIENCE + SQLITE_BUSY).connect_lazy_with(options.clone());
        Self {
            dialect: Dialect::Sqlite,
            readers: pool(CONNECTIONS, settings, PATIENCE).connect_lazy_with(options),
            writer,
            at_hand: AtHand::default(),
        }
    }

    async fn open_postgres(url: &str) -> Result<Self, StoreError> {
        let options = url.parse::<AnyConnectOptions>().map_err(bad_url)?;
        let readers = pool(CONNECTIONS, POSTGRES_SETTINGS, PATIENCE).connect_lazy_with(options);
        let database = Self {
            dialect: Dialect::Postgres,
            writer: readers.clone(),
            readers,
            at_hand: AtHand::default(),
        };
        database.migrate().await?;
        Ok(database)
    }

    /// A connection for a quick question; it is at hand for the next if it is kept.
    pub(super) async fn quick(&self) -> Result<Loan, StoreError> {
        self.at_hand.lend(&self.readers).await
    }

    /// A connection on which [`Self::begin`] begins a transaction.
    pub(super) async fn writer(&self) -> Result<Loan, StoreError> {
        match self.dialect {
            // There is only one, and others wait for it in the pool.
            Dialect::Sqlite => Loan::once(&self.writer).await,
            Dialect::Postgres => self.at_hand.lend(&self.writer).await,
        }
    }

    /// The statement that begins a transaction that may write.
    pub(super) fn begin(&self) -> &'static str {
        match self.dialect {
            // Anything else would find out too late that another process writes as well.
            Dialect::Sqlite => "BEGIN IMMEDIATE",
            Dialect::Postgres => "BEGIN",
        }
    }

    /// A connection for reading.
    pub(super) async fn read(&self) -> Result<PoolConnection<Any>, StoreError> {
        Ok(self.readers.acquire().await?)
    }

    /// A transaction that may write; it is undone unless committed.
    pub(super) async fn write(&self) -> Result<Transaction<'static, Any>, StoreError> {
        Ok(self.writer.begin_with(self.begin()).await?)
    }

    /// A transaction that sees the store as it is now, however long it takes.
    pub(super) async fn snapshot(&self) -> Result<Transaction<'static, Any>, StoreError> {
        let begin = match self.dialect {
            Dialect::Sqlite => "BEGIN",
            Dialect::Postgres => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        };
        let mut transaction = self.readers.begin_with(begin).await?;
        self.unhurried(&mut transaction).await?;
        Ok(transaction)
    }

    /// No limit of time for the statements of this transaction.
    pub(super) async fn unhurried(&self, open: &mut AnyConnection) -> Result<(), StoreError> {
        if self.dialect == Dialect::Postgres {
            let settings = "SET LOCAL statement_timeout = 0; \
                            SET LOCAL idle_in_transaction_session_timeout = 0";
            sqlx::raw_sql(settings).execute(open).await?;
        }
        Ok(())
    }

    /// Room that was freed goes back to the system, as far as that is cheap.
    pub(super) async fn give_back(&self) -> Result<(), StoreError> {
        if self.dialect == Dialect::Sqlite {
            let settings = "PRAGMA incremental_vacuum; PRAGMA wal_checkpoint(TRUNCATE)";
            sqlx::raw_sql(settings).execute(&self.writer).await?;
        }
        Ok(())
    }

    /// All connections are closed; of an `SQLite` store one file is left.
    pub(super) async fn close(&self) {
        self.at_hand.let_go();
        self.readers.close().await;
        self.writer.close().await;
    }

    async fn migrate(&self) -> Result<(), StoreError> {
        match self.dialect {
            // One transaction around all of it: two processes that start at once take turns.
            Dialect::Sqlite => {
                let mut transaction = self.write().await?;
                migrate(self.dialect, &mut transaction).await?;
                transaction.commit().await?;
            }
            // Taking turns is done by an advisory lock.
            Dialect::Postgres => {
                let mut connection = self.writer.acquire().await?;
                migrate(self.dialect, &mut connection).await?;
            }
        }
        Ok(())
    }
}

/// The version of the schema.
const SCHEMA: i64 = 1;

/// What `work` gives, or that the database is down if that takes too long.
pub(super) async fn bounded<T>(
    work: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, StoreError> {
    within(LONGEST, work).await
}

/// What `work` gives within this time, or that the database is down.
pub(super) async fn within<T>(
    limit: Duration,
    work: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, StoreError> {
    timeout(limit, work)
        .await
        .unwrap_or_else(|_| Err(StoreError::unavailable("it did not answer in time")))
}

fn install_drivers() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(sqlx::any::install_default_drivers);
}

/// Pruning can return freed pages. Only for an empty file: a full disk has no room to say it again.
const SQLITE_EMPTY: &str = "PRAGMA auto_vacuum = INCREMENTAL";

/// The write-ahead log with a sync at each commit survives kill and power failure, and lets
/// readers read while one writes.
const SQLITE_SETTINGS: &str = "PRAGMA busy_timeout = 10000; PRAGMA journal_mode = WAL; \
                               PRAGMA synchronous = FULL";

/// Nothing is kept for an accident half way: the file is thrown away then.
const UNFINISHED_SETTINGS: &str = "PRAGMA auto_vacuum = INCREMENTAL; \
                                   PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF";

/// A commit that was answered is on the disk, even where the server's default says otherwise;
/// stronger settings of the operator stay.
const POSTGRES_SETTINGS: &str = "SELECT set_config('synchronous_commit', 'on', false) \
     WHERE current_setting('synchronous_commit') = 'off'; \
     SET statement_timeout = '10s'; SET lock_timeout = '10s'; \
     SET idle_in_transaction_session_timeout = '10s'";

fn pool(connections: u32, settings: &'static str, patience: Duration) -> AnyPoolOptions {
    AnyPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(patience)
        // On a full disk SQLite itself undoes a transaction, and the driver goes on counting it:
        // such a connection could never begin another one.
        .before_acquire(|connection, _| {
            let idle = !connection.is_in_transaction();
            Box::pin(async move { Ok(idle) })
        })
        // The pool tests a connection whose request was given up, and would wait for ever for an
        // answer from a machine that is gone.
        .after_release(|connection, _| {
            Box::pin(async move {
                let answer = timeout(PATIENCE, connection.ping()).await;
                answer
                    .unwrap_or(Err(sqlx::Error::PoolTimedOut))
                    .map(|()| true)
            })
        })
        .after_connect(move |connection, _| {
            Box::pin(async move {
                sqlx::raw_sql(settings).execute(connection).await?;
                Ok(())
            })
        })
}

/// The file is there, readable by its owner only: it holds sealed keys and password hashes.
fn create_private(path: &Path) -> Result<(), StoreError> {
    if path.as_os_str().is_empty() {
        return Err(StoreError::BadUrl {
            why: "the address has no path".into(),
        });
    }
    let created = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path);
    match created {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => {
            Err(StoreError::io("create the store")(error))
        }
        _ => Ok(()),
    }
}

/// The driver wants an address, in which some letters of a path would mean something else.
fn sqlite_options(path: &Path, parameters: &str) -> Result<AnyConnectOptions, StoreError> {
    let absolute: PathBuf = std::path::absolute(path).map_err(StoreError::io("find the store"))?;
    let text = absolute.to_str().ok_or_else(|| StoreError::BadUrl {
        why: "the path is not UTF-8".into(),
    })?;
    let mut url = String::from("sqlite:");
    for letter in text.chars() {
        match letter {
            '%' => url.push_str("%25"),
            '?' => url.push_str("%3F"),
            '#' => url.push_str("%23"),
            other => url.push(other),
        }
    }
    url.push_str(parameters);
    url.parse().map_err(bad_url)
}

/// Never the address itself: it may hold a password.
fn bad_url(error: sqlx::Error) -> StoreError {
    let why = match error {
        sqlx::Error::Configuration(source) => source.to_string(),
        other => other.to_string(),
    };
    StoreError::BadUrl { why }
}

fn scheme(url: &str) -> &str {
    url.split_once(':').map_or("", |(scheme, _)| scheme)
}

/// A connection can be made. A pool would try until its time is up, and not say what was wrong.
async fn connects(options: &AnyConnectOptions, settings: &'static str) -> Result<(), StoreError> {
    let mut open = AnyConnection::connect_with(options).await?;
    sqlx::raw_sql(settings).execute(&mut open).await?;
    Ok(open.close().await?)
}

/// The file is a database with our settings, if it was empty.
async fn begins(options: &AnyConnectOptions) -> Result<(), StoreError> {
    let mut open = AnyConnection::connect_with(options).await?;
    let pages = sqlx::query("SELECT page_count FROM pragma_page_count");
    let row = pages.fetch_one(&mut open).await?;
    if row.try_get::<i64, _>("page_count")? == 0 {
        sqlx::raw_sql(SQLITE_EMPTY).execute(&mut open).await?;
    }
    sqlx::raw_sql(SQLITE_SETTINGS).execute(&mut open).await?;
    Ok(open.close().await?)
}

/// Tries again while another process is switching the file to its write-ahead log.
async fn patiently<F>(work: impl Fn() -> F) -> Result<(), StoreError>
where
    F: Future<Output = Result<(), StoreError>>,
{
    for _ in 0..20 {
        match work().await {
            Err(StoreError::Unavailable { .. }) => tokio::time::sleep(PATIENCE / 30).await,
            other => return other,
        }
    }
    work().await
}

async fn migrate(dialect: Dialect, open: &mut AnyConnection) -> Result<(), StoreError> {
    Migrator::with_migrations(vec![Migration::new(
        SCHEMA,
        "tables".into(),
        MigrationType::Simple,
        AssertSqlSafe(schema(dialect)).into_sql_str(),
        false,
    )])
    .run_direct(None, open, false)
    .await
    .map_err(|error| match error {
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => error.into(),
        other => StoreError::Schema {
            source: Box::new(other),
        },
    })
}

fn schema(dialect: Dialect) -> String {
    let (bytes, name) = match dialect {
        Dialect::Postgres => ("BYTEA ", "TEXT COLLATE \"C\""),
        Dialect::Sqlite => ("BLOB  ", "TEXT  "),
    };
    include_str!("schema.sql")
        .replace(" BYTES ", &format!(" {bytes}"))
        .replace(" NAME ", &format!(" {name} "))
}
