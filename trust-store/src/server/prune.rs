//! Removing old versions that nobody can need any more.
//!
//! What stays, whatever its age: the newest file of each role, all it leads to by hash, all
//! versions of root (clients walk through them), and the whole copies that kept files refer to.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use sqlx::{AnyConnection, Row};

use super::files::by_version;
use super::names::{read_time, stored_time};
use super::{Store, StoreError, StoredFile};

/// What a prune removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pruned {
    /// How many versions of files.
    pub files: u64,
    /// How much room they took in the store, in bytes.
    pub bytes: u64,
}

impl Store {
    /// Versions that were replaced before `limit` and that nothing kept refers to are gone.
    ///
    /// `named` gives the hashes (SHA-256 in lower-case hex) that a timestamp or snapshot names:
    /// this room does not read metadata. One repository after the other; publishes go on.
    pub async fn prune<F>(&self, limit: Timestamp, named: F) -> Result<Pruned, StoreError>
    where
        F: Fn(&StoredFile) -> Vec<String> + Sync,
    {
        let mut pruned = Pruned::default();
        for gun in self.all_guns().await? {
            let one = self.prune_one(&gun, limit, &named).await?;
            pruned.files = pruned.files.saturating_add(one.files);
            pruned.bytes = pruned.bytes.saturating_add(one.bytes);
        }
        self.database.give_back().await?;
        Ok(pruned)
    }

    async fn all_guns(&self) -> Result<Vec<String>, StoreError> {
        let mut open = self.database.read().await?;
        let rows = sqlx::query("SELECT DISTINCT gun FROM heads ORDER BY gun")
            .fetch_all(&mut *open)
            .await?;
        rows.iter().map(|row| Ok(row.try_get("gun")?)).collect()
    }

    async fn prune_one<F>(
        &self,
        gun: &str,
        limit: Timestamp,
        named: &F,
    ) -> Result<Pruned, StoreError>
    where
        F: Fn(&StoredFile) -> Vec<String> + Sync,
    {
        let mut open = self.database.write().await?;
        self.database.unhurried(&mut open).await?;
        // The row that publishes change: they wait until this is done.
        sqlx::query("UPDATE repositories SET revision = revision WHERE gun = $1")
            .bind(gun)
            .execute(&mut *open)
            .await?;
        let versions = versions(&mut open, gun).await?;
        let mut kept = kept_by_age(&versions, stored_time(limit));
        keep_what_is_named(&mut open, gun, &versions, &mut kept, named).await?;
        keep_whole_copies(&versions, &mut kept);
        let pruned = remove(&mut open, gun, &versions, &kept).await?;
        open.commit().await?;
        Ok(pruned)
    }
}

/// One version of one file.
#[derive(Debug)]
struct Version {
    sha256: String,
    created: i64,
    base: Option<i64>,
    bytes: i64,
}

/// By role and version.
type Versions = BTreeMap<(String, i64), Version>;

type Kept = BTreeSet<(String, i64)>;

async fn versions(open: &mut AnyConnection, gun: &str) -> Result<Versions, StoreError> {
    let rows = sqlx::query(
        "SELECT role, version, sha256, created, base, CAST(length(data) AS BIGINT) AS bytes \
         FROM files WHERE gun = $1",
    )
    .bind(gun)
    .fetch_all(open)
    .await?;
    let mut versions = Versions::new();
    for row in rows {
        let created = row.try_get("created")?;
        read_time(created)?;
        let version = Version {
            sha256: hex::encode(row.try_get::<&[u8], _>("sha256")?),
            created,
            base: row.try_get("base")?,
            bytes: row.try_get("bytes")?,
        };
        versions.insert((row.try_get("role")?, row.try_get("version")?), version);
    }
    Ok(versions)
}

/// What is the newest, was until the limit, or is a root.
///
/// A file's age counts from when it was replaced: a client may have read the timestamp that led
/// to it a moment before.
fn kept_by_age(versions: &Versions, limit: i64) -> Kept {
    let successors = versions.iter().skip(1).map(Some).chain([None]);
    versions
        .keys()
        .zip(successors)
        .filter(|((role, _), successor)| match successor {
            Some(((next, _), version)) if next == role => {
                role == "root" || version.created >= limit
            }
            _ => true,
        })
        .map(|(key, _)| key.clone())
        .collect()
}

/// Everything to which the newest timestamp and snapshot lead.
async fn keep_what_is_named<F>(
    open: &mut AnyConnection,
    gun: &str,
    versions: &Versions,
    kept: &mut Kept,
    named: &F,
) -> Result<(), StoreError>
where
    F: Fn(&StoredFile) -> Vec<String> + Sync,
{
    let by_hash: BTreeMap<&str, &(String, i64)> = versions
        .iter()
        .map(|(key, version)| (version.sha256.as_str(), key))
        .collect();
    let mut visited = Kept::new();
    let mut to_visit: Vec<(String, i64)> = NAMING
        .iter()
        .filter_map(|role| newest(versions, role))
        .collect();
    while let Some((role, version)) = to_visit.pop() {
        if !visited.insert((role.clone(), version)) {
            continue;
        }
        let Some(file) = by_version(open, gun, &role, version).await? else {
            continue;
        };
        for hash in named(&file) {
            if let Some(&key) = by_hash.get(hash.as_str()) {
                kept.insert(key.clone());
                if NAMING.contains(&key.0.as_str()) {
                    to_visit.push(key.clone());
                }
            }
        }
    }
    Ok(())
}

fn newest(versions: &Versions, role: &str) -> Option<(String, i64)> {
    let all = (role.to_owned(), i64::MIN)..=(role.to_owned(), i64::MAX);
    versions.range(all).next_back().map(|(key, _)| key.clone())
}

fn keep_whole_copies(versions: &Versions, kept: &mut Kept) {
    let copies: Vec<_> = kept
        .iter()
        .filter_map(|key| Some((key.0.clone(), versions.get(key)?.base?)))
        .collect();
    kept.extend(copies);
}

async fn remove(
    open: &mut AnyConnection,
    gun: &str,
    versions: &Versions,
    kept: &Kept,
) -> Result<Pruned, StoreError> {
    let mut pruned = Pruned::default();
    for (key, version) in versions.iter().filter(|(key, _)| !kept.contains(*key)) {
        sqlx::query("DELETE FROM files WHERE gun = $1 AND role = $2 AND version = $3")
            .bind(gun)
            .bind(&key.0)
            .bind(key.1)
            .execute(&mut *open)
            .await?;
        pruned.files = pruned.files.saturating_add(1);
        pruned.bytes = pruned.bytes.saturating_add(version.bytes.unsigned_abs());
    }
    Ok(pruned)
}

/// The roles whose files name others by hash.
const NAMING: [&str; 2] = ["timestamp", "snapshot"];

#[cfg(test)]
mod tests {
    use super::*;

    fn versions(of: &[(&str, i64, i64, Option<i64>)]) -> Versions {
        let version = |&(role, version, created, base): &(&str, i64, i64, Option<i64>)| {
            let facts = Version {
                sha256: format!("{role}{version}"),
                created,
                base,
                bytes: 1,
            };
            ((role.to_owned(), version), facts)
        };
        of.iter().map(version).collect()
    }

    #[test]
    fn age_counts_from_the_replacement_and_roots_and_newest_stay() {
        let versions = versions(&[
            ("root", 1, 10, None),
            ("root", 2, 20, None),
            ("targets", 1, 10, None),
            ("targets", 2, 20, None),
            ("targets", 3, 90, None),
            ("targets", 4, 95, None),
            ("targets/a", 7, 1, None),
        ]);
        let kept = kept_by_age(&versions, 90);
        let gone: Vec<_> = versions.keys().filter(|key| !kept.contains(*key)).collect();
        assert_eq!(gone, [&("targets".to_owned(), 1)]);
    }

    #[test]
    fn a_whole_copy_stays_as_long_as_a_difference_refers_to_it() {
        let versions = versions(&[
            ("targets", 1, 10, None),
            ("targets", 2, 20, Some(1)),
            ("targets", 3, 30, Some(1)),
        ]);
        let mut kept = kept_by_age(&versions, 100);
        keep_whole_copies(&versions, &mut kept);
        let kept: Vec<_> = kept.iter().map(|key| key.1).collect();
        assert_eq!(kept, [1, 3]);
    }
}
