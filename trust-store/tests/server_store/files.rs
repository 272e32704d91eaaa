//! Publishing, reading back, deleting.

use trust_store::server::{Newest, Store, StoreError};

use crate::world::{World, at, file, on_every_database, publish_next, set, text};

on_every_database!(
    a_deleted_repository_starts_again,
    a_publish_is_read_by_every_route,
    a_stale_revision_is_a_conflict,
    all_or_nothing,
    every_version_must_exceed_all_of_its_role,
    names_that_cannot_be_kept_are_refused,
    nothing_is_found_where_nothing_is,
    processes_see_each_other_at_once,
    ready_and_open_again,
    several_open_a_new_store_at_once,
);

const GUN: &str = "docker.io/library/app";

async fn a_publish_is_read_by_every_route(world: &World) {
    let store = world.store().await;
    let published = store
        .publish(
            GUN,
            0,
            vec![file("root", 1, "r1"), file("targets/releases", 7, "")],
            at(1),
        )
        .await
        .unwrap();
    assert_eq!((published.revision, published.change), (1, None));
    let published = store.publish(GUN, 1, set(3), at(2)).await.unwrap();
    assert_eq!((published.revision, published.change), (2, Some(1)));

    let newest = store.newest(GUN).await.unwrap();
    assert_eq!(newest.revision, 2);
    let seen: Vec<_> = newest
        .files
        .iter()
        .map(|(role, file)| (role.as_str(), file.version, file.size, file.created))
        .collect();
    assert_eq!(
        seen,
        [
            ("root", 1, 2, at(1)),
            ("snapshot", 3, 10, at(2)),
            ("targets", 3, 9, at(2)),
            ("targets/releases", 7, 0, at(1)),
            ("timestamp", 3, 11, at(2)),
        ]
    );
    for (role, facts) in &newest.files {
        let file = store.newest_of(GUN, role).await.unwrap().unwrap();
        assert_eq!((&file.role, file.version), (role, facts.version));
        assert_eq!(
            (&file.sha256, file.bytes.len()),
            (&facts.sha256, facts.size)
        );
        assert_eq!(file.created, facts.created);
        let by_hash = store.by_hash(GUN, role, &facts.sha256).await.unwrap();
        assert_eq!(by_hash.as_ref(), Some(&file));
        let by_version = store.by_version(GUN, role, facts.version).await.unwrap();
        assert_eq!(by_version, Some(file));
    }

    publish_next(&store, GUN, 3).await;
    let before = store.by_version(GUN, "targets", 3).await.unwrap();
    assert_eq!(text(before), Some("targets 3".into()));
    let now = store.newest_of(GUN, "targets").await.unwrap();
    assert_eq!(text(now), Some("targets 4".into()));
}

async fn nothing_is_found_where_nothing_is(world: &World) {
    let store = world.store().await;
    assert_eq!(store.newest(GUN).await.unwrap(), Newest::default());
    assert_eq!(store.newest_of(GUN, "root").await.unwrap(), None);
    store.publish(GUN, 0, set(1), at(1)).await.unwrap();
    let hash = store.newest(GUN).await.unwrap().files["targets"]
        .sha256
        .clone();
    for (gun, role, hash) in [
        (GUN, "targets", hash.to_uppercase()),
        (GUN, "snapshot", hash.clone()),
        (GUN, "targets", hash[1..].to_owned()),
        (GUN, "targets", format!("{hash}{hash}")),
        (GUN, "targets", "z".repeat(64)),
        ("docker.io/library/ap", "targets", hash.clone()),
        ("docker.io/library/app/more", "targets", hash),
    ] {
        assert_eq!(
            store.by_hash(gun, role, &hash).await.unwrap(),
            None,
            "{gun} {role} {hash}"
        );
    }
    for version in [0, 2, u64::MAX] {
        assert_eq!(
            store.by_version(GUN, "targets", version).await.unwrap(),
            None
        );
    }
    assert_eq!(
        store
            .newest_of("docker.io/library", "targets")
            .await
            .unwrap(),
        None
    );
}

async fn a_stale_revision_is_a_conflict(world: &World) {
    let store = world.store().await;
    for wrong in [1, -1] {
        refused(&store, wrong, set(1)).await;
    }
    store.publish(GUN, 0, set(1), at(1)).await.unwrap();
    for wrong in [0, 2, -1, i64::MAX] {
        refused(&store, wrong, set(2)).await;
    }
    store.publish(GUN, 1, set(2), at(1)).await.unwrap();
    refused(&store, 1, set(3)).await;
}

async fn every_version_must_exceed_all_of_its_role(world: &World) {
    let store = world.store().await;
    store.publish(GUN, 0, set(5), at(1)).await.unwrap();
    for wrong in [0, 4, 5, u64::MAX] {
        refused(&store, 1, vec![file("targets", wrong, "other")]).await;
    }
    let twice = vec![file("targets", 6, "a"), file("targets", 6, "b")];
    refused(&store, 1, twice).await;
    // Gaps are allowed, up to where the database ends.
    let high = vec![file("targets", i64::MAX.unsigned_abs(), "last")];
    store.publish(GUN, 1, high, at(2)).await.unwrap();
}

async fn all_or_nothing(world: &World) {
    let store = world.store().await;
    store.publish(GUN, 0, set(5), at(1)).await.unwrap();
    let mut files = set(6);
    files.insert(0, file("root", 1, "root 1"));
    files.push(file("snapshot", 5, "too low"));
    refused(&store, 1, files).await;
    let large = vec![
        file("root", 1, "r"),
        file("targets", 6, vec![0; (100 << 20) + 1]),
    ];
    let error = store.publish(GUN, 1, large, at(2)).await.unwrap_err();
    assert!(matches!(error, StoreError::TooLarge { .. }), "{error}");
    assert_eq!(store.newest_of(GUN, "root").await.unwrap(), None);
}

async fn a_deleted_repository_starts_again(world: &World) {
    let store = world.store().await;
    let neighbour = "docker.io/library/app2";
    assert!(!store.delete(GUN, at(0)).await.unwrap());
    store.publish(GUN, 0, set(5), at(1)).await.unwrap();
    store.publish(neighbour, 0, set(1), at(1)).await.unwrap();
    assert!(store.delete(GUN, at(2)).await.unwrap());
    assert!(!store.delete(GUN, at(3)).await.unwrap());

    let newest = store.newest(GUN).await.unwrap();
    assert!(newest.files.is_empty());
    assert_eq!(store.by_version(GUN, "targets", 5).await.unwrap(), None);
    // Who saw the old one must not write into the new one by accident.
    refused(&store, 0, set(1)).await;
    refused(&store, 1, set(1)).await;
    store
        .publish(GUN, newest.revision, set(1), at(4))
        .await
        .unwrap();
    assert_eq!(store.newest(neighbour).await.unwrap().files.len(), 3);
}

async fn names_that_cannot_be_kept_are_refused(world: &World) {
    let store = world.store().await;
    for bad in ["", "a\0b", &"x".repeat(256)] {
        let error = store.publish(bad, 0, set(1), at(1)).await.unwrap_err();
        assert!(matches!(error, StoreError::BadName { .. }), "{error}");
        let error = store.newest_of(GUN, bad).await.unwrap_err();
        assert!(matches!(error, StoreError::BadName { .. }), "{error}");
        let files = vec![file(bad, 1, "x")];
        let error = store.publish(GUN, 0, files, at(1)).await.unwrap_err();
        assert!(matches!(error, StoreError::BadName { .. }), "{error}");
    }
    let odd = "'; DROP TABLE files; -- é 🦀 %_\\";
    store.publish(odd, 0, set(1), at(1)).await.unwrap();
    assert_eq!(store.newest(odd).await.unwrap().files.len(), 3);
}

async fn processes_see_each_other_at_once(world: &World) {
    let (one, other) = (world.store().await, world.store().await);
    for round in 0..20 {
        let version = publish_next(&one, GUN, round).await;
        assert_eq!(
            other.newest(GUN).await.unwrap().files["targets"].version,
            version
        );
        let version = publish_next(&other, GUN, round).await;
        let seen = one.newest_of(GUN, "timestamp").await.unwrap().unwrap();
        assert_eq!(seen.version, version);
    }
}

async fn ready_and_open_again(world: &World) {
    let store = world.store().await;
    store.ready().await.unwrap();
    publish_next(&store, GUN, 1).await;
    store.close().await;
    assert!(matches!(
        store.ready().await,
        Err(StoreError::Unavailable { .. })
    ));
    let store = world.store().await;
    assert_eq!(publish_next(&store, GUN, 2).await, 2);
}

async fn several_open_a_new_store_at_once(world: &World) {
    let opening: Vec<_> = (0..6)
        .map(|_| {
            let url = world.url().to_owned();
            tokio::spawn(async move { Store::open(&url).await.unwrap() })
        })
        .collect();
    for (second, store) in (1..).zip(opening) {
        let version = publish_next(&store.await.unwrap(), GUN, second).await;
        assert_eq!(i64::try_from(version).unwrap(), second);
    }
}

/// The publish is a conflict, and nothing of it is seen.
async fn refused(store: &Store, revision: i64, files: Vec<trust_store::server::NewFile>) {
    let before = store.newest(GUN).await.unwrap();
    let feed = store.changes(None, 0, 0).await.unwrap();
    let error = store
        .publish(GUN, revision, files, at(9))
        .await
        .unwrap_err();
    assert!(matches!(error, StoreError::Conflict { .. }), "{error}");
    assert_eq!(store.newest(GUN).await.unwrap(), before);
    assert_eq!(store.changes(None, 0, 0).await.unwrap(), feed);
}
