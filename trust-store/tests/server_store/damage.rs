//! What is damaged, foreign or misspelt is said, and never served.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use trust_store::server::{Store, StoreError};

use crate::world::{World, publish_file, publish_next, targets};

const GUN: &str = "docker.io/library/app";

/// A store in a file whose name means nothing special, closed after `fill`.
async fn prepared(world: &World) -> (String, sqlx::SqlitePool) {
    let path = world.folder().join("plain.db");
    let url = format!("sqlite:{}", path.display());
    let store = Store::open(&url).await.unwrap();
    for (second, tags) in (0..).zip(300..303) {
        publish_file(&store, GUN, "targets", targets(tags), second).await;
    }
    store.close().await;
    let pool = sqlx::SqlitePool::connect(&url).await.unwrap();
    (url, pool)
}

#[tokio::test]
async fn no_damaged_file_is_served() {
    let damages = [
        // Version 1 is a whole copy, 2 and 3 are differences from it.
        ("UPDATE files SET data = x'00' WHERE version = 2", &[2][..]),
        ("UPDATE files SET data = x'' WHERE version = 3", &[3]),
        (
            "UPDATE files SET data = substr(data, 1, 9000) WHERE version = 1",
            &[1, 2, 3],
        ),
        (
            "UPDATE files SET data = (SELECT data FROM files WHERE version = 3) WHERE version = 2",
            &[2],
        ),
        (
            "UPDATE files SET sha256 = zeroblob(32) WHERE version = 2",
            &[2],
        ),
        ("UPDATE files SET size = size + 1 WHERE version = 2", &[2]),
        ("UPDATE files SET size = 10 WHERE version = 1", &[1, 2, 3]),
        (
            "UPDATE files SET size = 9000000000000 WHERE version = 2",
            &[2],
        ),
        ("UPDATE files SET size = -1 WHERE version = 2", &[2]),
        ("UPDATE files SET base = 99 WHERE version = 2", &[2]),
        ("UPDATE files SET base = NULL WHERE version = 2", &[2]),
        (
            "UPDATE files SET created = 9223372036854775807 WHERE version = 2",
            &[2],
        ),
        ("UPDATE files SET data = 'text' WHERE version = 2", &[2]),
    ];
    for (damage, damaged) in damages {
        let world = World::sqlite();
        let (url, pool) = prepared(&world).await;
        sqlx::query(damage).execute(&pool).await.unwrap();
        pool.close().await;
        let store = Store::open(&url).await.unwrap();
        for version in 1..=3 {
            match store.by_version(GUN, "targets", version).await {
                Ok(file) => assert!(!damaged.contains(&version) && file.is_some(), "{damage}"),
                Err(StoreError::Damaged { .. }) => assert!(damaged.contains(&version), "{damage}"),
                Err(error) => panic!("{damage}: {error}"),
            }
        }
    }
}

#[tokio::test]
async fn a_schema_of_another_program_is_not_touched() {
    for change in [
        "INSERT INTO _sqlx_migrations SELECT 2, description, installed_on, success, checksum, \
         execution_time FROM _sqlx_migrations",
        "UPDATE _sqlx_migrations SET checksum = x'00'",
    ] {
        let world = World::sqlite();
        let (url, pool) = prepared(&world).await;
        sqlx::query(change).execute(&pool).await.unwrap();
        pool.close().await;
        let error = Store::open(&url).await.unwrap_err();
        assert!(matches!(error, StoreError::Schema { .. }), "{error}");
    }
    let world = World::sqlite();
    let path = world.folder().join("text");
    fs::write(
        &path,
        "this is no database, and it is long enough to be seen as such".repeat(99),
    )
    .unwrap();
    let error = Store::open(&format!("sqlite:{}", path.display()))
        .await
        .unwrap_err();
    assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
}

#[tokio::test]
async fn addresses_that_are_none_are_said_without_their_password() {
    for url in [
        "",
        "store.db",
        "sqlite:",
        "mysql://u:secret@h/d",
        "http://u:secret@h",
        "postgres://u:secret@h:99999999/d",
    ] {
        let error = Store::open(url).await.unwrap_err();
        assert!(matches!(error, StoreError::BadUrl { .. }), "{url}: {error}");
        assert!(!format!("{error} {error:?}").contains("secret"), "{error}");
    }
    let error = Store::open("sqlite:/no/such/folder/store.db")
        .await
        .unwrap_err();
    assert!(matches!(error, StoreError::Io { .. }), "{error}");
}

#[tokio::test]
async fn a_new_file_is_its_owners_only() {
    let world = World::sqlite();
    let store = world.store().await;
    publish_next(&store, GUN, 1).await;
    let mut seen = 0;
    for entry in fs::read_dir(world.folder()).unwrap() {
        let mode = entry.unwrap().metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        seen += 1;
    }
    assert_eq!(seen, 3);
    store.close().await;
    assert_eq!(fs::read_dir(world.folder()).unwrap().count(), 1);
}
