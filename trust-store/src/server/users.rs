//! Users: password hashes, and what each may do below which prefix.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use jiff::Timestamp;
use sqlx::{AnyConnection, Row};

use super::database::bounded;
use super::names::{checked, read_time, stored_time};
use super::{Store, StoreError};

/// What somebody may do with a repository (Docker's words).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Action {
    /// Everything.
    All,
    /// Read.
    Pull,
    /// Publish.
    Push,
}

impl Action {
    /// The word in tokens and in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::All => "*",
            Self::Pull => "pull",
            Self::Push => "push",
        }
    }

    /// The action with this word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::All, Self::Pull, Self::Push]
            .into_iter()
            .find(|action| action.as_str() == word)
    }
}

/// What a user may do with the repositories whose names begin so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Right {
    /// The beginning of the names; empty for all.
    pub prefix: String,
    /// What is allowed.
    pub actions: Vec<Action>,
}

/// Somebody who logs in with a password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The name.
    pub name: String,
    /// The password's hash, in the text form of `argon2`; never interpreted here.
    pub hash: String,
    /// When the user was made.
    pub created: Timestamp,
    /// What the user may do, by prefix.
    pub rights: Vec<Right>,
}

impl Store {
    /// The user has this hash and exactly these rights; `created` of one already there stays.
    pub async fn put_user(
        &self,
        name: &str,
        hash: &str,
        rights: &[Right],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let name = checked(name)?;
        bounded(async {
            let mut open = self.database.write().await?;
            sqlx::query(
                "INSERT INTO users (name, hash, created) VALUES ($1, $2, $3) \
                 ON CONFLICT (name) DO UPDATE SET hash = excluded.hash",
            )
            .bind(name)
            .bind(hash)
            .bind(stored_time(now))
            .execute(&mut *open)
            .await?;
            replace_rights(&mut open, name, rights).await?;
            Ok(open.commit().await?)
        })
        .await
    }

    /// The user of this name.
    pub async fn user(&self, name: &str) -> Result<Option<User>, StoreError> {
        let name = checked(name)?;
        let users = bounded(async {
            let mut open = self.database.read().await?;
            read(&mut open, Some(name)).await
        });
        Ok(users.await?.into_iter().next())
    }

    /// Whether there is any user.
    pub async fn has_users(&self) -> Result<bool, StoreError> {
        bounded(async {
            let mut open = self.database.quick().await?;
            let query = sqlx::query("SELECT 1 AS one FROM users LIMIT 1");
            let found = query.fetch_optional(&mut **open).await?;
            open.keep();
            Ok(found.is_some())
        })
        .await
    }

    /// All users, by name.
    pub async fn list_users(&self) -> Result<Vec<User>, StoreError> {
        bounded(async {
            let mut open = self.database.read().await?;
            read(&mut open, None).await
        })
        .await
    }

    /// There is no user of this name; true if there was one.
    pub async fn remove_user(&self, name: &str) -> Result<bool, StoreError> {
        let name = checked(name)?;
        bounded(async {
            let mut open = self.database.write().await?;
            let gone = sqlx::query("DELETE FROM users WHERE name = $1")
                .bind(name)
                .execute(&mut *open)
                .await?;
            replace_rights(&mut open, name, &[]).await?;
            open.commit().await?;
            Ok(gone.rows_affected() > 0)
        })
        .await
    }
}

async fn replace_rights(
    open: &mut AnyConnection,
    name: &str,
    rights: &[Right],
) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM rights WHERE name = $1")
        .bind(name)
        .execute(&mut *open)
        .await?;
    for right in rights {
        let words: Vec<_> = right.actions.iter().map(|action| action.as_str()).collect();
        sqlx::query("INSERT INTO rights (name, prefix, actions) VALUES ($1, $2, $3)")
            .bind(name)
            .bind(&right.prefix)
            .bind(words.join(","))
            .execute(&mut *open)
            .await?;
    }
    Ok(())
}

async fn read(open: &mut AnyConnection, name: Option<&str>) -> Result<Vec<User>, StoreError> {
    let query = match name {
        Some(name) => sqlx::query(ONE).bind(name),
        None => sqlx::query(EVERY),
    };
    let mut users = BTreeMap::new();
    for row in query.fetch_all(open).await? {
        let name: String = row.try_get("name")?;
        let user = match users.entry(name.clone()) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => entry.insert(User {
                name,
                hash: row.try_get("hash")?,
                created: read_time(row.try_get("created")?)?,
                rights: Vec::new(),
            }),
        };
        if let Some(prefix) = row.try_get("prefix")? {
            let actions = read_actions(row.try_get("actions")?)?;
            user.rights.push(Right { prefix, actions });
        }
    }
    Ok(users.into_values().collect())
}

fn read_actions(words: &str) -> Result<Vec<Action>, StoreError> {
    let words = words.split(',').filter(|word| !word.is_empty());
    words
        .map(|word| {
            Action::parse(word)
                .ok_or_else(|| StoreError::damaged(&format!("{word:?} is no action")))
        })
        .collect()
}

const ONE: &str = "SELECT u.name, u.hash, u.created, r.prefix, r.actions \
    FROM users u LEFT JOIN rights r ON r.name = u.name WHERE u.name = $1 ORDER BY r.prefix";

const EVERY: &str = "SELECT u.name, u.hash, u.created, r.prefix, r.actions \
    FROM users u LEFT JOIN rights r ON r.name = u.name ORDER BY u.name, r.prefix";
