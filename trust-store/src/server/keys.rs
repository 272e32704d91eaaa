//! Online keys, sealed: this room never sees a private key.

use jiff::Timestamp;
use sqlx::{AnyConnection, Row};

use super::database::{AnyRow, bounded};
use super::names::{checked, read_time, stored_time};
use super::seal::{SealRow, replace_seal};
use super::{Store, StoreError};
use crate::keys::PublicKey;

/// Columns are named wherever rows are read: a newer process may add some while this one runs.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, gun, role, algorithm, public, sealed, created, used FROM keys ",
            $rest
        )
    };
}

/// A key to keep.
#[derive(Clone, Debug)]
pub struct NewKey {
    /// Its canonical id.
    pub id: String,
    /// The repository it signs for.
    pub gun: String,
    /// The role it signs for.
    pub role: String,
    /// Its algorithm, e.g. `ecdsa`.
    pub algorithm: String,
    /// The public part.
    pub public: Vec<u8>,
    /// The private part, sealed.
    pub sealed: Vec<u8>,
}

/// A key that is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedKey {
    /// Its canonical id.
    pub id: String,
    /// The repository it signs for.
    pub gun: String,
    /// The role it signs for.
    pub role: String,
    /// Its algorithm, e.g. `ecdsa`.
    pub algorithm: String,
    /// The public part.
    pub public: Vec<u8>,
    /// The private part, sealed.
    pub sealed: Vec<u8>,
    /// When it was made.
    pub created: Timestamp,
    /// When it first signed; until then it is pending.
    pub used: Option<Timestamp>,
}

impl SealedKey {
    /// The public part, in the words of the metadata.
    pub fn public_key(&self) -> PublicKey {
        PublicKey {
            key_type: self.algorithm.clone(),
            bytes: self.public.clone(),
        }
    }
}

impl Store {
    /// The key with this id.
    pub async fn key(&self, id: &str) -> Result<Option<SealedKey>, StoreError> {
        let id = checked(id)?;
        bounded(async {
            let mut open = self.database.read().await?;
            let query = sqlx::query(select!("WHERE id = $1")).bind(id);
            let row = query.fetch_optional(&mut *open).await?;
            row.as_ref().map(read).transpose()
        })
        .await
    }

    /// All keys of this role, the latest first.
    pub async fn keys_of(&self, gun: &str, role: &str) -> Result<Vec<SealedKey>, StoreError> {
        let (gun, role) = (checked(gun)?, checked(role)?);
        bounded(async {
            let mut open = self.database.read().await?;
            let rows = sqlx::query(select!(
                "WHERE gun = $1 AND role = $2 ORDER BY created DESC, id"
            ))
            .bind(gun)
            .bind(role)
            .fetch_all(&mut *open)
            .await?;
            rows.iter().map(read).collect()
        })
        .await
    }

    /// The key of this role and algorithm that has not signed yet.
    pub async fn pending_key(
        &self,
        gun: &str,
        role: &str,
        algorithm: &str,
    ) -> Result<Option<SealedKey>, StoreError> {
        let (gun, role, algorithm) = (checked(gun)?, checked(role)?, checked(algorithm)?);
        bounded(async {
            let mut open = self.database.read().await?;
            pending(&mut open, gun, role, algorithm).await
        })
        .await
    }

    /// The role's pending key: this one, or the one that was there already.
    ///
    /// One key per repository, role and algorithm waits for its first use, whoever asks how often
    /// and through whichever process. `seal` is [`Store::seal`] as it was when the key was sealed.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if all keys were sealed anew since then: nobody could open this one.
    pub async fn put_key(
        &self,
        key: &NewKey,
        seal: i64,
        now: Timestamp,
    ) -> Result<SealedKey, StoreError> {
        for name in [&key.id, &key.gun, &key.role, &key.algorithm] {
            checked(name)?;
        }
        bounded(async {
            let mut open = self.database.write().await?;
            hold_seal(&mut open, seal).await?;
            insert(&mut open, key, now).await?;
            let kept = pending(&mut open, &key.gun, &key.role, &key.algorithm).await?;
            open.commit().await?;
            kept.ok_or_else(|| StoreError::conflict("the pending key"))
        })
        .await
    }

    /// The key counts as used, since now at the latest, and is never given as pending again.
    pub async fn mark_used(&self, id: &str, now: Timestamp) -> Result<(), StoreError> {
        let id = checked(id)?;
        bounded(async {
            let mut open = self.database.write().await?;
            sqlx::query("UPDATE keys SET used = $2 WHERE id = $1 AND used IS NULL")
                .bind(id)
                .bind(stored_time(now))
                .execute(&mut *open)
                .await?;
            Ok(open.commit().await?)
        })
        .await
    }

    /// The number of the seal that is on all keys; another one each time they are sealed anew.
    pub async fn seal(&self) -> Result<i64, StoreError> {
        bounded(async {
            let mut open = self.database.read().await?;
            let row = sqlx::query("SELECT value FROM counters WHERE name = 'seal'")
                .fetch_one(&mut *open)
                .await?;
            Ok(row.try_get("value")?)
        })
        .await
    }

    /// Every key there is, also those of deleted repositories, by id.
    pub async fn all_sealed_keys(&self) -> Result<Vec<SealedKey>, StoreError> {
        bounded(async {
            let mut open = self.database.read().await?;
            all(&mut open).await
        })
        .await
    }

    /// Every key is sealed as `seal` says, or, if that fails for one, none is; gives their number.
    ///
    /// No key can be added meanwhile. `seal` runs between two statements: it must not wait.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if somebody else did so since the seal had the number `expected`.
    pub(super) async fn reseal<E>(
        &self,
        expected: i64,
        next: &SealRow,
        mut seal: impl FnMut(&SealedKey) -> Result<Vec<u8>, E>,
    ) -> Result<usize, E>
    where
        E: From<StoreError>,
    {
        let mut open = self.database.write().await?;
        self.database.unhurried(&mut open).await?;
        replace_seal(&mut open, expected, next).await?;
        let keys = all(&mut open).await?;
        for key in &keys {
            sqlx::query("UPDATE keys SET sealed = $2 WHERE id = $1")
                .bind(&key.id)
                .bind(seal(key)?)
                .execute(&mut *open)
                .await
                .map_err(StoreError::from)?;
        }
        open.commit().await.map_err(StoreError::from)?;
        Ok(keys.len())
    }
}

/// Nobody seals all keys anew until the commit.
async fn hold_seal(open: &mut AnyConnection, seal: i64) -> Result<(), StoreError> {
    let held = sqlx::query("UPDATE counters SET value = value WHERE name = 'seal' AND value = $1")
        .bind(seal)
        .execute(open)
        .await?;
    match held.rows_affected() {
        1 => Ok(()),
        _ => Err(StoreError::conflict("the seal of all keys")),
    }
}

async fn insert(open: &mut AnyConnection, key: &NewKey, now: Timestamp) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO keys (id, gun, role, algorithm, public, sealed, created) \
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING",
    )
    .bind(&key.id)
    .bind(&key.gun)
    .bind(&key.role)
    .bind(&key.algorithm)
    .bind(key.public.as_slice())
    .bind(key.sealed.as_slice())
    .bind(stored_time(now))
    .execute(open)
    .await?;
    Ok(())
}

async fn pending(
    open: &mut AnyConnection,
    gun: &str,
    role: &str,
    algorithm: &str,
) -> Result<Option<SealedKey>, StoreError> {
    let row = sqlx::query(select!(
        "WHERE gun = $1 AND role = $2 AND algorithm = $3 AND used IS NULL"
    ))
    .bind(gun)
    .bind(role)
    .bind(algorithm)
    .fetch_optional(open)
    .await?;
    row.as_ref().map(read).transpose()
}

async fn all(open: &mut AnyConnection) -> Result<Vec<SealedKey>, StoreError> {
    let rows = sqlx::query(select!("ORDER BY id")).fetch_all(open).await?;
    rows.iter().map(read).collect()
}

fn read(row: &AnyRow) -> Result<SealedKey, StoreError> {
    Ok(SealedKey {
        id: row.try_get("id")?,
        gun: row.try_get("gun")?,
        role: row.try_get("role")?,
        algorithm: row.try_get("algorithm")?,
        public: row.try_get("public")?,
        sealed: row.try_get("sealed")?,
        created: read_time(row.try_get("created")?)?,
        used: row
            .try_get::<Option<i64>, _>("used")?
            .map(read_time)
            .transpose()?,
    })
}
