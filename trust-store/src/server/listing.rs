//! What pages show: which repositories there are, and what happened to one.

use jiff::Timestamp;
use sqlx::Row;

use super::database::{AnyRow, bounded};
use super::files::{FileFacts, facts};
use super::names::{checked, read_time, stored_time, stored_version};
use super::{Store, StoreError};

/// Which repositories are wanted.
#[derive(Clone, Copy, Debug)]
pub struct Listing<'a> {
    /// How their names begin; empty for all.
    pub prefix: &'a str,
    /// What their names contain, whatever the case of ASCII letters; empty for all.
    pub search: &'a str,
    /// Only names after this one; empty from the start.
    pub after: &'a str,
    /// At most so many.
    pub limit: u32,
}

/// A repository in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its name.
    pub gun: String,
    /// When any of its newest files was published last.
    pub changed: Timestamp,
}

/// A version in a repository's history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Past {
    /// Its role.
    pub role: String,
    /// The file.
    pub file: FileFacts,
}

impl Store {
    /// The repositories that have files, in the order of their names' bytes.
    pub async fn guns(&self, wanted: Listing<'_>) -> Result<Vec<Listed>, StoreError> {
        for text in [wanted.prefix, wanted.search, wanted.after] {
            if !text.is_empty() {
                checked(text)?;
            }
        }
        bounded(async {
            let mut open = self.database.read().await?;
            let rows = sqlx::query(GUNS)
                .bind(wanted.after)
                .bind(wanted.prefix)
                .bind(pattern(wanted.search))
                .bind(i64::from(wanted.limit))
                .fetch_all(&mut *open)
                .await?;
            rows.iter().map(listed).collect()
        })
        .await
    }

    /// At most `limit` versions of all roles, the latest first.
    ///
    /// `before` is the last one of the page before this one.
    pub async fn history(
        &self,
        gun: &str,
        before: Option<&Past>,
        limit: u32,
    ) -> Result<Vec<Past>, StoreError> {
        let gun = checked(gun)?;
        let (created, role, version) = match before {
            Some(past) => (
                stored_time(past.file.created),
                past.role.as_str(),
                stored_version(past.file.version).unwrap_or(i64::MAX),
            ),
            None => (i64::MAX, "", i64::MAX),
        };
        bounded(async {
            let mut open = self.database.read().await?;
            let rows = sqlx::query(HISTORY)
                .bind(gun)
                .bind(created)
                .bind(role)
                .bind(version)
                .bind(i64::from(limit))
                .fetch_all(&mut *open)
                .await?;
            rows.iter().map(past).collect()
        })
        .await
    }

    /// At most `limit` versions of one role, published at `until` or before, the latest first.
    pub async fn versions(
        &self,
        gun: &str,
        role: &str,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<FileFacts>, StoreError> {
        let (gun, role) = (checked(gun)?, checked(role)?);
        bounded(async {
            let mut open = self.database.read().await?;
            let rows = sqlx::query(VERSIONS)
                .bind(gun)
                .bind(role)
                .bind(stored_time(until))
                .bind(i64::from(limit))
                .fetch_all(&mut *open)
                .await?;
            rows.iter().map(facts).collect()
        })
        .await
    }
}

/// Anything that contains the text, each of whose characters stands for itself.
fn pattern(search: &str) -> String {
    let mut pattern = String::from("%");
    for letter in search.chars() {
        if matches!(letter, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(letter.to_ascii_lowercase());
    }
    pattern.push('%');
    pattern
}

fn listed(row: &AnyRow) -> Result<Listed, StoreError> {
    Ok(Listed {
        gun: row.try_get("gun")?,
        changed: read_time(row.try_get("changed")?)?,
    })
}

fn past(row: &AnyRow) -> Result<Past, StoreError> {
    Ok(Past {
        role: row.try_get("role")?,
        file: facts(row)?,
    })
}

/// The condition `gun >= prefix` lets the database start in the right place of its index.
const GUNS: &str = "SELECT h.gun, MAX(f.created) AS changed \
    FROM heads h JOIN files f ON f.gun = h.gun AND f.role = h.role AND f.version = h.version \
    WHERE h.gun > $1 AND h.gun >= $2 AND substr(h.gun, 1, length($2)) = $2 \
    AND lower(h.gun) LIKE $3 ESCAPE '\\' \
    GROUP BY h.gun ORDER BY h.gun LIMIT $4";

const HISTORY: &str = "SELECT role, version, sha256, size, created FROM files \
    WHERE gun = $1 AND created <= $2 \
    AND (created < $2 OR role > $3 OR (role = $3 AND version < $4)) \
    ORDER BY created DESC, role, version DESC LIMIT $5";

const VERSIONS: &str = "SELECT version, sha256, size, created FROM files \
    WHERE gun = $1 AND role = $2 AND created <= $3 ORDER BY version DESC LIMIT $4";
