//! A backup made while others publish, restored to the byte.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use sqlx::Row;
use trust_store::server::{Action, NewKey, Past, Right, Store, StoreError};

use crate::world::{World, at, on_every_database, publish_file, publish_next, targets};

on_every_database!(
    a_backup_is_one_moment_of_a_busy_store,
    a_restored_store_is_the_same_to_the_byte,
    only_an_empty_store_is_restored_into,
);

async fn fill(store: &Store) {
    for (second, tags) in (0..).zip(300..310) {
        publish_file(store, "big", "targets", targets(tags), second).await;
    }
    for second in 0..3 {
        publish_next(store, "small", second).await;
        publish_next(store, "gone", second).await;
    }
    store.delete("gone", at(9)).await.unwrap();
    for id in ["k1", "k2"] {
        let key = NewKey {
            id: id.into(),
            gun: "big".into(),
            role: id.into(),
            algorithm: "ecdsa".into(),
            public: vec![1],
            sealed: vec![0, 2, 255],
        };
        store.put_key(&key, 0, at(1)).await.unwrap();
    }
    store.mark_used("k1", at(2)).await.unwrap();
    let rights = [Right {
        prefix: "big".into(),
        actions: vec![Action::Pull],
    }];
    store
        .put_user("nigel", "$argon2id$", &rights, at(3))
        .await
        .unwrap();
    store
        .put_user("bob", "$argon2id$", &[], at(3))
        .await
        .unwrap();
}

/// Everything that can be read of a store.
async fn all_of(store: &Store) -> impl PartialEq {
    let mut files = Vec::new();
    for gun in ["big", "small", "gone"] {
        let newest = store.newest(gun).await.unwrap();
        for Past { role, file } in store.history(gun, None, 1000).await.unwrap() {
            files.push(store.by_version(gun, &role, file.version).await.unwrap());
        }
        files.sort_by_key(|file| file.as_ref().map(|f| (f.role.clone(), f.version)));
        files.push(None);
        assert!(newest.revision > 0);
    }
    (
        files,
        store.newest("gone").await.unwrap(),
        store.changes(None, 0, 1000).await.unwrap(),
        store.all_sealed_keys().await.unwrap(),
        store.list_users().await.unwrap(),
    )
}

async fn a_restored_store_is_the_same_to_the_byte(world: &World) {
    let store = world.store().await;
    fill(&store).await;
    let path = world.folder().join("backup.db");
    fs::write(&path, "an older backup").unwrap();
    store.backup(&path).await.unwrap();
    assert_eq!(
        fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let backup = fs::read(&path).unwrap();

    let worlds = [world.another(), World::sqlite()];
    for other in &worlds {
        let restored = other.store().await;
        restored.restore(&path).await.unwrap();
        assert!(all_of(&restored).await == all_of(&store).await);
        // And it goes on from there, numbers included.
        publish_next(&restored, "small", 20).await;
        let (old, new) = (
            store.changes(None, 0, -1).await,
            restored.changes(None, 0, -1).await,
        );
        assert_eq!(new.unwrap()[0].id, old.unwrap()[0].id + 1);
    }
    assert!(
        fs::read(&path).unwrap() == backup,
        "restoring changed the backup"
    );
    // The backup itself is a store, too.
    let opened = Store::open(&format!("sqlite:{}", path.display()))
        .await
        .unwrap();
    assert!(all_of(&opened).await == all_of(&store).await);
    opened.close().await;
    let mut left: Vec<_> = fs::read_dir(world.folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !name.starts_with("a store"))
        .collect();
    left.sort();
    assert_eq!(left, ["backup.db"]);
}

async fn a_backup_is_one_moment_of_a_busy_store(world: &World) {
    let store = world.store().await;
    let busy = store.clone();
    let writer = tokio::spawn(async move {
        for second in 0..60 {
            publish_next(&busy, "one", second).await;
            publish_next(&busy, "two", second).await;
        }
    });
    let mut seen = 0;
    while !writer.is_finished() {
        let path = world.folder().join("busy.db");
        store.backup(&path).await.unwrap();
        let kept = Store::open(&format!("sqlite:{}", path.display()))
            .await
            .unwrap();
        let version = async |gun| {
            let newest = kept.newest(gun).await.unwrap();
            newest.files.get("timestamp").map_or(0, |file| file.version)
        };
        let (one, two) = (version("one").await, version("two").await);
        assert!(one == two || one == two + 1, "{one} {two}");
        let feed = kept.changes(None, 0, 1000).await.unwrap();
        assert_eq!(u64::try_from(feed.len()).unwrap(), one + two);
        assert!(one + two >= seen);
        seen = one + two;
        kept.close().await;
    }
    writer.await.unwrap();
}

async fn only_an_empty_store_is_restored_into(world: &World) {
    let store = world.store().await;
    fill(&store).await;
    let path = world.folder().join("backup.db");
    store.backup(&path).await.unwrap();
    let before = all_of(&store).await;
    let error = store.restore(&path).await.unwrap_err();
    assert!(matches!(error, StoreError::NotEmpty), "{error}");
    assert!(all_of(&store).await == before);

    let empty = world.another();
    let store = empty.store().await;
    for bad in ["text", "missing"] {
        let path = world.folder().join(bad);
        if bad != "missing" {
            fs::write(&path, bad.repeat(500)).unwrap();
        }
        store.restore(&path).await.unwrap_err();
        store.backup(&path.join("below")).await.unwrap_err();
    }
    store.restore(&path).await.unwrap();
}

#[tokio::test]
async fn every_table_is_in_a_backup() {
    let world = World::sqlite();
    fill(&world.store().await).await;
    let path = world.folder().join("backup.db");
    world.store().await.backup(&path).await.unwrap();
    let pool = sqlx::SqlitePool::connect(&format!("sqlite:{}", path.display()))
        .await
        .unwrap();
    let tables = sqlx::query("SELECT name FROM sqlite_schema WHERE type = 'table'")
        .fetch_all(&pool)
        .await
        .unwrap();
    assert_eq!(tables.len(), 10);
    for table in tables {
        let name: String = table.get("name");
        let count = sqlx::AssertSqlSafe(format!("SELECT COUNT(*) AS n FROM {name}"));
        let count: i64 = sqlx::query(count).fetch_one(&pool).await.unwrap().get("n");
        // Nobody sealed these keys.
        assert!(count > 0 || name == "seal", "{name} was forgotten");
    }
}
