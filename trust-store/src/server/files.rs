//! Reading metadata files: the newest, by hash, by version.

use std::collections::BTreeMap;

use bytes::Bytes;
use jiff::Timestamp;
use sqlx::{AnyConnection, Row};
use tokio::task::spawn_blocking;

use super::database::{AnyRow, bounded};
use super::names::{checked, read_number, read_time, stored_version};
use super::{Store, StoreError, codec};

/// A file as it was published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredFile {
    /// Its role.
    pub role: String,
    /// Its version.
    pub version: u64,
    /// SHA-256 of the bytes, in lower-case hex; checked when they were read.
    pub sha256: String,
    /// When it was published.
    pub created: Timestamp,
    /// The bytes as published.
    pub bytes: Bytes,
}

/// What is known of a file without reading it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileFacts {
    /// Its version.
    pub version: u64,
    /// SHA-256 of the bytes, in lower-case hex.
    pub sha256: String,
    /// Size of the bytes as published.
    pub size: usize,
    /// When it was published.
    pub created: Timestamp,
}

/// The present state of a repository.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Newest {
    /// Grows with every publish and deletion; 0 for a repository nobody has heard of.
    pub revision: i64,
    /// The newest file of each role; empty after a deletion.
    pub files: BTreeMap<String, FileFacts>,
}

impl Store {
    /// Which file of each role is the newest, and the revision that a publish has to name.
    pub async fn newest(&self, gun: &str) -> Result<Newest, StoreError> {
        let gun = checked(gun)?;
        bounded(async {
            let mut open = self.database.read().await?;
            newest(&mut open, gun).await
        })
        .await
    }

    /// The newest file of every role, all as of one moment, and the revision they belong to.
    pub async fn newest_files(&self, gun: &str) -> Result<(i64, Vec<StoredFile>), StoreError> {
        let gun = checked(gun)?;
        bounded(async {
            let rows = {
                let mut open = self.database.read().await?;
                let query = sqlx::query(NEWEST_FILES).bind(gun);
                query.fetch_all(&mut *open).await?
            };
            let (mut revision, mut files) = (0, Vec::with_capacity(rows.len()));
            for row in rows {
                revision = row.try_get("revision")?;
                if row.try_get::<Option<&str>, _>("role")?.is_some() {
                    files.push(read_file(row, gun).await?);
                }
            }
            Ok((revision, files))
        })
        .await
    }

    /// The newest file of this role.
    pub async fn newest_of(&self, gun: &str, role: &str) -> Result<Option<StoredFile>, StoreError> {
        let (gun, role) = (checked(gun)?, checked(role)?);
        let query = sqlx::query(NEWEST_OF).bind(gun).bind(role);
        bounded(async { self.one_file(query, gun).await }).await
    }

    /// The file of this role with this SHA-256, as 64 lower-case hex digits.
    pub async fn by_hash(
        &self,
        gun: &str,
        role: &str,
        sha256: &str,
    ) -> Result<Option<StoredFile>, StoreError> {
        let (gun, role) = (checked(gun)?, checked(role)?);
        let Some(hash) = read_hash(sha256) else {
            return Ok(None);
        };
        let query = sqlx::query(BY_HASH).bind(gun).bind(role).bind(hash);
        bounded(async { self.one_file(query, gun).await }).await
    }

    /// The file of this role with this version.
    pub async fn by_version(
        &self,
        gun: &str,
        role: &str,
        version: u64,
    ) -> Result<Option<StoredFile>, StoreError> {
        let (gun, role) = (checked(gun)?, checked(role)?);
        let Some(version) = stored_version(version) else {
            return Ok(None);
        };
        let query = sqlx::query(BY_VERSION).bind(gun).bind(role).bind(version);
        bounded(async { self.one_file(query, gun).await }).await
    }

    async fn one_file(
        &self,
        query: Query<'_>,
        gun: &str,
    ) -> Result<Option<StoredFile>, StoreError> {
        let row = {
            let mut open = self.database.read().await?;
            query.fetch_optional(&mut *open).await?
        };
        match row {
            Some(row) => read_file(row, gun).await.map(Some),
            None => Ok(None),
        }
    }
}

/// The newest files of a repository, as this connection sees them.
pub(super) async fn newest(open: &mut AnyConnection, gun: &str) -> Result<Newest, StoreError> {
    let rows = sqlx::query(NEWEST).bind(gun).fetch_all(open).await?;
    let mut newest = Newest::default();
    for row in rows {
        newest.revision = row.try_get("revision")?;
        if let Some(role) = row.try_get("role")? {
            newest.files.insert(role, facts(&row)?);
        }
    }
    Ok(newest)
}

/// One version of one file, as this connection sees it.
pub(super) async fn by_version(
    open: &mut AnyConnection,
    gun: &str,
    role: &str,
    version: i64,
) -> Result<Option<StoredFile>, StoreError> {
    let query = sqlx::query(BY_VERSION).bind(gun).bind(role).bind(version);
    match query.fetch_optional(open).await? {
        Some(row) => read_file(row, gun).await.map(Some),
        None => Ok(None),
    }
}

/// What a row says about its file.
pub(super) fn facts(row: &AnyRow) -> Result<FileFacts, StoreError> {
    Ok(FileFacts {
        version: read_number(row.try_get("version")?)?,
        sha256: hex::encode(row.try_get::<&[u8], _>("sha256")?),
        size: read_number(row.try_get("size")?)?,
        created: read_time(row.try_get("created")?)?,
    })
}

/// The file in a row of [`BY_VERSION`] and its like.
async fn read_file(row: AnyRow, gun: &str) -> Result<StoredFile, StoreError> {
    let facts = facts(&row)?;
    let role: String = row.try_get("role")?;
    let place = format!("{gun} {role} version {}", facts.version);
    let bytes = if facts.size < QUICK {
        unpack(&row, facts.size)
    } else {
        spawn_blocking(move || unpack(&row, facts.size))
            .await
            .unwrap_or_else(|_| Err(StoreError::damaged("reading it failed")))
    };
    Ok(StoredFile {
        role,
        version: facts.version,
        sha256: facts.sha256,
        created: facts.created,
        bytes: bytes.map_err(|error| error.found_in(&place))?.into(),
    })
}

fn unpack(row: &AnyRow, size: usize) -> Result<Vec<u8>, StoreError> {
    let whole = match row.try_get::<Option<i64>, _>("base")? {
        Some(_) => Some((
            row.try_get::<Option<&[u8]>, _>("base_data")?
                .ok_or_else(|| StoreError::damaged("the copy it refers to is gone"))?,
            read_number(row.try_get("base_size")?)?,
        )),
        None => None,
    };
    codec::unpack(row.try_get("data")?, size, row.try_get("sha256")?, whole)
}

/// The bytes of a hash in lower-case hex; servers do not fold case.
pub(super) fn read_hash(sha256: &str) -> Option<Vec<u8>> {
    let lower = sha256.len() == 64 && !sha256.bytes().any(|b| b.is_ascii_uppercase());
    lower.then(|| hex::decode(sha256).ok()).flatten()
}

type Query<'a> = sqlx::query::Query<'a, sqlx::Any, sqlx::any::AnyArguments>;

/// Below this size, in bytes, unpacking is too quick to be worth another thread.
const QUICK: usize = 32 << 10;

const NEWEST: &str = "SELECT r.revision, h.role, f.version, f.sha256, f.size, f.created \
    FROM repositories r LEFT JOIN heads h ON h.gun = r.gun \
    LEFT JOIN files f ON f.gun = h.gun AND f.role = h.role AND f.version = h.version \
    WHERE r.gun = $1 ORDER BY h.role";

const NEWEST_FILES: &str = "SELECT r.revision, f.role, f.version, f.sha256, f.size, f.created, \
    f.base, f.data, b.size AS base_size, b.data AS base_data \
    FROM repositories r LEFT JOIN heads h ON h.gun = r.gun \
    LEFT JOIN files f ON f.gun = h.gun AND f.role = h.role AND f.version = h.version \
    LEFT JOIN files b ON b.gun = f.gun AND b.role = f.role AND b.version = f.base \
    WHERE r.gun = $1 ORDER BY f.role";

const NEWEST_OF: &str = "SELECT f.role, f.version, f.sha256, f.size, f.created, f.base, f.data, \
    b.size AS base_size, b.data AS base_data \
    FROM heads h JOIN files f ON f.gun = h.gun AND f.role = h.role AND f.version = h.version \
    LEFT JOIN files b ON b.gun = f.gun AND b.role = f.role AND b.version = f.base \
    WHERE h.gun = $1 AND h.role = $2";

const BY_HASH: &str = "SELECT f.role, f.version, f.sha256, f.size, f.created, f.base, f.data, \
    b.size AS base_size, b.data AS base_data FROM files f \
    LEFT JOIN files b ON b.gun = f.gun AND b.role = f.role AND b.version = f.base \
    WHERE f.gun = $1 AND f.role = $2 AND f.sha256 = $3 ORDER BY f.version DESC LIMIT 1";

const BY_VERSION: &str = "SELECT f.role, f.version, f.sha256, f.size, f.created, f.base, f.data, \
    b.size AS base_size, b.data AS base_data FROM files f \
    LEFT JOIN files b ON b.gun = f.gun AND b.role = f.role AND b.version = f.base \
    WHERE f.gun = $1 AND f.role = $2 AND f.version = $3";
