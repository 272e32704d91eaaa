//! Publishing and deleting: one transaction each, on the disk when answered.

use std::collections::BTreeMap;
use std::io;

use bytes::Bytes;
use jiff::Timestamp;
use ring::digest;
use sqlx::{AnyConnection, AssertSqlSafe, Connection, Row};
use tokio::task::spawn_blocking;

use super::changes::{Category, record};
use super::codec::{MAX_FILE, difference, whole, worth_comparing};
use super::database::bounded;
use super::files::by_version;
use super::names::{checked, stored_time, stored_version};
use super::{Store, StoreError};

/// A file to publish.
#[derive(Clone, Debug)]
pub struct NewFile {
    /// Its role.
    pub role: String,
    /// Its version, above all that the role had.
    pub version: u64,
    /// The bytes as clients will get them.
    pub bytes: Bytes,
}

/// A publish that is on the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Published {
    /// The repository's revision from now on.
    pub revision: i64,
    /// The number in the change feed, if a timestamp was published.
    pub change: Option<i64>,
}

impl Store {
    /// The files are the newest of their roles, all of them, also after a power failure.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if the repository is no longer at `expected_revision` or a version
    /// is not above all of its role; then, as with any other error, nothing has changed. The
    /// exception is [`StoreError::Unavailable`]: a connection lost during the commit leaves open
    /// whether it happened.
    pub async fn publish(
        &self,
        gun: &str,
        expected_revision: i64,
        files: Vec<NewFile>,
        now: Timestamp,
    ) -> Result<Published, StoreError> {
        let gun = checked(gun)?;
        // Packing takes as long as it takes: the database has no part in that.
        let bases = bounded(self.bases(gun, expected_revision, &files)).await?;
        let size: usize = files.iter().map(|file| file.bytes.len()).sum();
        let packed = if size < QUICK {
            pack(gun, files, bases)?
        } else {
            let gun = gun.to_owned();
            let packed = spawn_blocking(move || pack(&gun, files, bases)).await;
            packed.map_err(|_| StoreError::unavailable("packing was given up"))??
        };
        bounded(self.insert(gun, expected_revision, &packed, now)).await
    }

    /// Nothing of the repository is left but its online keys; true if there was something.
    pub async fn delete(&self, gun: &str, now: Timestamp) -> Result<bool, StoreError> {
        let gun = checked(gun)?;
        bounded(async {
            let mut open = self.database.write().await?;
            // First the row that publishes change too, so that one waits for the other.
            run(
                &mut open,
                "UPDATE repositories SET revision = revision + 1 WHERE gun = $1",
                gun,
            )
            .await?;
            if run(&mut open, "DELETE FROM heads WHERE gun = $1", gun).await? == 0 {
                return Ok(false);
            }
            run(&mut open, "DELETE FROM files WHERE gun = $1", gun).await?;
            record(&mut open, gun, Category::Deletion, 0, "", now).await?;
            open.commit().await?;
            Ok(true)
        })
        .await
    }

    /// What the files are compared with, before the transaction that others have to wait for.
    ///
    /// What is seen here still holds there: every change of it changes the revision, and a prune
    /// keeps what the newest files refer to.
    async fn bases(
        &self,
        gun: &str,
        expected_revision: i64,
        files: &[NewFile],
    ) -> Result<Bases, StoreError> {
        let mut open = self.database.quick().await?;
        let (revision, heads) = heads(&mut open, gun).await?;
        if revision != expected_revision {
            return Err(StoreError::conflict(gun));
        }
        let mut wholes = BTreeMap::new();
        for file in files {
            checked(&file.role)?;
            if let Some(head) = heads.get(&file.role)
                && worth_comparing(file.bytes.len())
                && let Some(whole) = by_version(&mut open, gun, &file.role, head.whole).await?
            {
                wholes.insert((file.role.clone(), head.whole), whole.bytes);
            }
        }
        open.keep();
        Ok(Bases { heads, wholes })
    }

    async fn insert(
        &self,
        gun: &str,
        expected_revision: i64,
        files: &[PackedFile],
        now: Timestamp,
    ) -> Result<Published, StoreError> {
        let mut loan = self.database.writer().await?;
        let mut open = loan.begin_with(self.database.begin()).await?;
        claim(&mut open, gun, expected_revision).await?;
        for some in files.chunks(AT_ONCE) {
            insert_files(&mut open, gun, some, now).await?;
            move_heads(&mut open, gun, some).await?;
        }
        // Last, because all repositories share the counter, and whoever has it keeps it until the
        // commit.
        let change = match files.iter().find(|file| file.role == "timestamp") {
            Some(file) => {
                let hash = hex::encode(&file.sha256);
                let version = file.head.version;
                Some(record(&mut open, gun, Category::Update, version, &hash, now).await?)
            }
            None => None,
        };
        open.commit().await?;
        loan.keep();
        Ok(Published {
            revision: expected_revision.saturating_add(1),
            change,
        })
    }
}

/// What new files are compared with.
#[derive(Debug)]
struct Bases {
    heads: BTreeMap<String, Head>,
    /// By role and version
    wholes: BTreeMap<(String, i64), Bytes>,
}

/// The files in the form in which they are stored: all that takes time.
fn pack(gun: &str, files: Vec<NewFile>, mut bases: Bases) -> Result<Vec<PackedFile>, StoreError> {
    let mut packed = Vec::with_capacity(files.len());
    for file in files {
        let head = bases.heads.get(&file.role).copied();
        let version = accepted(gun, &file, head)?;
        let base = head.and_then(|head| {
            let whole = bases.wholes.get(&(file.role.clone(), head.whole));
            whole.map(|whole| (head, whole.clone()))
        });
        let file = PackedFile::new(file, version, base).map_err(StoreError::io("pack a file"))?;
        // A role that comes twice has to grow as well.
        bases.heads.insert(file.role.clone(), file.head);
        packed.push(file);
    }
    Ok(packed)
}

/// Where a role stands: its newest version, its last whole copy and the room that one has.
#[derive(Clone, Copy, Debug)]
struct Head {
    version: i64,
    whole: i64,
    room: i64,
}

/// A file in the form in which it is stored, and where its role stands with it.
#[derive(Debug)]
struct PackedFile {
    role: String,
    head: Head,
    sha256: Vec<u8>,
    size: i64,
    base: Option<i64>,
    data: Vec<u8>,
}

impl PackedFile {
    fn new(file: NewFile, version: i64, base: Option<(Head, Bytes)>) -> io::Result<Self> {
        let (head, base, data) = Self::packed(&file.bytes, version, base)?;
        Ok(Self {
            role: file.role,
            head,
            sha256: digest::digest(&digest::SHA256, &file.bytes)
                .as_ref()
                .to_vec(),
            size: stored_size(&file.bytes),
            base,
            data,
        })
    }

    fn packed(
        bytes: &[u8],
        version: i64,
        base: Option<(Head, Bytes)>,
    ) -> io::Result<(Head, Option<i64>, Vec<u8>)> {
        if let Some((before, base)) = base
            && let Some(data) = difference(bytes, &base, read_room(before.room))?
        {
            let head = Head {
                version,
                whole: before.whole,
                room: before.room.saturating_sub(stored_size(&data)),
            };
            return Ok((head, Some(before.whole), data));
        }
        let data = whole(bytes)?;
        let head = Head {
            version,
            whole: version,
            room: stored_size(&data),
        };
        Ok((head, None, data))
    }
}

async fn insert_files(
    open: &mut AnyConnection,
    gun: &str,
    files: &[PackedFile],
    now: Timestamp,
) -> Result<(), StoreError> {
    let statement = format!(
        "INSERT INTO files (gun, role, version, sha256, size, created, base, data) VALUES {}",
        places(files.len(), 8)
    );
    let mut query = sqlx::query(AssertSqlSafe(statement));
    for file in files {
        query = query
            .bind(gun)
            .bind(&file.role)
            .bind(file.head.version)
            .bind(file.sha256.as_slice())
            .bind(file.size)
            .bind(stored_time(now))
            .bind(file.base)
            .bind(file.data.as_slice());
    }
    query.execute(open).await?;
    Ok(())
}

async fn move_heads(
    open: &mut AnyConnection,
    gun: &str,
    files: &[PackedFile],
) -> Result<(), StoreError> {
    // Of a role that comes twice only the last counts: one statement changes a row once.
    let heads: BTreeMap<_, _> = files.iter().map(|f| (&f.role, f.head)).collect();
    let statement = format!(
        "INSERT INTO heads (gun, role, version, whole, room) VALUES {} \
         ON CONFLICT (gun, role) DO UPDATE \
         SET version = excluded.version, whole = excluded.whole, room = excluded.room",
        places(heads.len(), 5)
    );
    let mut query = sqlx::query(AssertSqlSafe(statement));
    for (role, head) in heads {
        query = query
            .bind(gun)
            .bind(role)
            .bind(head.version)
            .bind(head.whole)
            .bind(head.room);
    }
    query.execute(open).await?;
    Ok(())
}

/// `($1, $2), ($3, $4)`: the places of so many rows.
fn places(rows: usize, columns: usize) -> String {
    let row = |row: usize| {
        let places = (1..=columns).map(|column| format!("${}", row * columns + column));
        format!("({})", places.collect::<Vec<_>>().join(", "))
    };
    (0..rows).map(row).collect::<Vec<_>>().join(", ")
}

/// The version in its stored form, if it is above what the role has and not larger than allowed.
fn accepted(gun: &str, file: &NewFile, head: Option<Head>) -> Result<i64, StoreError> {
    if file.bytes.len() > MAX_FILE {
        return Err(StoreError::TooLarge {
            role: file.role.clone(),
            size: file.bytes.len(),
            limit: MAX_FILE,
        });
    }
    stored_version(file.version)
        .filter(|version| head.is_none_or(|head| *version > head.version))
        .ok_or_else(|| StoreError::conflict(gun))
}

/// The revision of a repository and where its roles stand, both at the same moment.
async fn heads(
    open: &mut AnyConnection,
    gun: &str,
) -> Result<(i64, BTreeMap<String, Head>), StoreError> {
    let rows = sqlx::query(
        "SELECT r.revision, h.role, h.version, h.whole, h.room \
         FROM repositories r LEFT JOIN heads h ON h.gun = r.gun WHERE r.gun = $1",
    )
    .bind(gun)
    .fetch_all(open)
    .await?;
    let mut revision = 0;
    let mut heads = BTreeMap::new();
    for row in rows {
        revision = row.try_get("revision")?;
        if let Some(role) = row.try_get("role")? {
            let head = Head {
                version: row.try_get("version")?,
                whole: row.try_get("whole")?,
                room: row.try_get("room")?,
            };
            heads.insert(role, head);
        }
    }
    Ok((revision, heads))
}

/// The repository is ours until the commit, one revision further.
///
/// A second writer waits here, and then finds the revision gone.
async fn claim(open: &mut AnyConnection, gun: &str, expected: i64) -> Result<(), StoreError> {
    let claim = if expected == 0 {
        "INSERT INTO repositories (gun, revision) VALUES ($1, $2 + 1) ON CONFLICT DO NOTHING"
    } else {
        "UPDATE repositories SET revision = $2 + 1 WHERE gun = $1 AND revision = $2"
    };
    let query = sqlx::query(claim).bind(gun).bind(expected);
    match query.execute(open).await?.rows_affected() {
        1 => Ok(()),
        _ => Err(StoreError::conflict(gun)),
    }
}

async fn run(
    open: &mut AnyConnection,
    statement: &'static str,
    gun: &str,
) -> Result<u64, StoreError> {
    let done = sqlx::query(statement).bind(gun).execute(open).await?;
    Ok(done.rows_affected())
}

fn stored_size(bytes: &[u8]) -> i64 {
    i64::try_from(bytes.len()).unwrap_or(i64::MAX)
}

fn read_room(room: i64) -> usize {
    usize::try_from(room).unwrap_or(0)
}

/// Rows of one statement: both databases take some 32,000 values at least.
const AT_ONCE: usize = 500;

/// Below this size, in bytes, packing is too quick to be worth another thread.
const QUICK: usize = 32 << 10;
