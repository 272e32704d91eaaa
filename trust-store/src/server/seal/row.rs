//! What the store keeps about the seal.

use sqlx::{AnyConnection, Row};

use super::source::Method;
use crate::seal_key::Cost;
use crate::server::database::{AnyRow, bounded};
use crate::server::names::read_number;
use crate::server::{Store, StoreError};

/// How the key of the seal is made, and how to know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::server) struct SealRow {
    pub(super) method: Method,
    pub(super) salt: Vec<u8>,
    pub(super) proof: Vec<u8>,
}

/// The seal that is on all keys.
#[derive(Debug)]
pub(super) struct KeptSeal {
    pub(super) row: SealRow,
    pub(super) number: i64,
}

impl Store {
    /// The seal of this store, if it has one.
    pub(super) async fn kept_seal(&self) -> Result<Option<KeptSeal>, StoreError> {
        bounded(async {
            let mut open = self.database.read().await?;
            kept(&mut open).await
        })
        .await
    }

    /// The store has a seal: this one, or the one that was there already.
    pub(super) async fn put_first_seal(
        &self,
        row: &SealRow,
        number: i64,
    ) -> Result<KeptSeal, StoreError> {
        bounded(async {
            let mut open = self.database.write().await?;
            if insert(&mut open, row).await? {
                refuse_keys(&mut open).await?;
                sqlx::query("UPDATE counters SET value = $1 WHERE name = 'seal'")
                    .bind(number)
                    .execute(&mut *open)
                    .await?;
            }
            let kept = kept(&mut open).await?;
            open.commit().await?;
            kept.ok_or_else(|| StoreError::conflict("the seal of all keys"))
        })
        .await
    }
}

/// The seal is this one until the commit, with the next number, if nobody else changed it.
pub(in crate::server) async fn replace_seal(
    open: &mut AnyConnection,
    expected: i64,
    row: &SealRow,
) -> Result<(), StoreError> {
    let counted =
        sqlx::query("UPDATE counters SET value = value + 1 WHERE name = 'seal' AND value = $1")
            .bind(expected)
            .execute(&mut *open)
            .await?;
    if counted.rows_affected() != 1 {
        return Err(StoreError::conflict("the seal of all keys"));
    }
    sqlx::query("DELETE FROM seal").execute(&mut *open).await?;
    insert(open, row).await?;
    Ok(())
}

/// True unless there is a seal already.
async fn insert(open: &mut AnyConnection, row: &SealRow) -> Result<bool, StoreError> {
    let (method, cost) = match row.method {
        Method::Argon2id(cost) => (ARGON2ID, cost),
        Method::Hkdf => (HKDF, NO_COST),
    };
    let inserted = sqlx::query(
        "INSERT INTO seal (one, method, salt, memory, passes, lanes, proof) \
         VALUES (1, $1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
    )
    .bind(method)
    .bind(row.salt.as_slice())
    .bind(i64::from(cost.memory))
    .bind(i64::from(cost.passes))
    .bind(i64::from(cost.lanes))
    .bind(row.proof.as_slice())
    .execute(open)
    .await?;
    Ok(inserted.rows_affected() == 1)
}

/// A new seal would hide that nobody can open the keys any more.
async fn refuse_keys(open: &mut AnyConnection) -> Result<(), StoreError> {
    let query = sqlx::query("SELECT 1 AS one FROM keys LIMIT 1");
    match query.fetch_optional(open).await? {
        Some(_) => Err(StoreError::damaged(
            "it has online keys and lost their seal",
        )),
        None => Ok(()),
    }
}

async fn kept(open: &mut AnyConnection) -> Result<Option<KeptSeal>, StoreError> {
    let row = sqlx::query(
        "SELECT s.method, s.salt, s.memory, s.passes, s.lanes, s.proof, c.value \
         FROM seal s, counters c WHERE c.name = 'seal'",
    )
    .fetch_optional(open)
    .await?;
    row.as_ref().map(read).transpose()
}

fn read(row: &AnyRow) -> Result<KeptSeal, StoreError> {
    let method = match row.try_get("method")? {
        ARGON2ID => Method::Argon2id(Cost {
            memory: read_number(row.try_get("memory")?)?,
            passes: read_number(row.try_get("passes")?)?,
            lanes: read_number(row.try_get("lanes")?)?,
        }),
        HKDF => Method::Hkdf,
        other => {
            let what = format!("{other:?} is no way to make the key of a seal");
            return Err(StoreError::damaged(&what));
        }
    };
    let row_of_seal = SealRow {
        method,
        salt: row.try_get("salt")?,
        proof: row.try_get("proof")?,
    };
    Ok(KeptSeal {
        row: row_of_seal,
        number: row.try_get("value")?,
    })
}

const ARGON2ID: &str = "argon2id";
const HKDF: &str = "hkdf-sha256";
const NO_COST: Cost = Cost {
    memory: 0,
    passes: 0,
    lanes: 0,
};
