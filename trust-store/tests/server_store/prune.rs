//! Pruning removes what nobody can need, and nothing else.

use trust_store::server::{Pruned, StoredFile};

use crate::world::{World, at, file, on_every_database, publish_file, publish_next, set, targets};

on_every_database!(
    differences_keep_their_whole_copy,
    old_versions_go_and_the_rest_stays,
    what_the_newest_name_stays,
);

const GUN: &str = "docker.io/library/app";

fn nothing(_: &StoredFile) -> Vec<String> {
    Vec::new()
}

async fn old_versions_go_and_the_rest_stays(world: &World) {
    let store = world.store().await;
    let roots = |n| vec![file("root", n, format!("root {n}"))];
    store.publish(GUN, 0, roots(1), at(0)).await.unwrap();
    store.publish(GUN, 1, roots(2), at(1)).await.unwrap();
    for second in [10, 20, 30, 40] {
        publish_next(&store, GUN, second).await;
    }
    publish_next(&store, "other", 0).await;
    let feed = store.changes(None, 0, 0).await.unwrap();

    // Version 1 was replaced at 20, version 2 at 30.
    assert_eq!(
        store.prune(at(20), nothing).await.unwrap(),
        Pruned::default()
    );
    let pruned = store.prune(at(30), nothing).await.unwrap();
    assert_eq!(pruned.files, 3);
    assert!(pruned.bytes > 0);
    for role in ["targets", "snapshot", "timestamp"] {
        for (version, there) in [(1, false), (2, true), (3, true), (4, true)] {
            let kept = store.by_version(GUN, role, version).await.unwrap();
            assert_eq!(kept.is_some(), there, "{role} {version}");
        }
    }
    let pruned = store.prune(at(1000), nothing).await.unwrap();
    assert_eq!(pruned.files, 6);
    assert!(store.by_version(GUN, "root", 1).await.unwrap().is_some());
    assert!(store.newest_of("other", "targets").await.unwrap().is_some());
    assert_eq!(store.changes(None, 0, 0).await.unwrap(), feed);
    // What was pruned is still below all versions to come.
    let newest = store.newest(GUN).await.unwrap();
    store
        .publish(GUN, newest.revision, set(4), at(2000))
        .await
        .unwrap_err();
    assert_eq!(publish_next(&store, GUN, 2000).await, 5);
}

async fn what_the_newest_name_stays(world: &World) {
    let store = world.store().await;
    for (second, bytes) in (0..).zip(["one", "two", "three"]) {
        publish_file(&store, GUN, "targets/a", bytes, second).await;
    }
    let first = store
        .by_version(GUN, "targets/a", 1)
        .await
        .unwrap()
        .unwrap();
    // An older snapshot than the newest is the one in force, and it names the first.
    store
        .publish(
            GUN,
            3,
            vec![file("snapshot", 1, first.sha256.clone())],
            at(4),
        )
        .await
        .unwrap();
    let snapshot = store.newest_of(GUN, "snapshot").await.unwrap().unwrap();
    let files = vec![
        file("timestamp", 1, snapshot.sha256),
        file("snapshot", 2, "none"),
    ];
    store.publish(GUN, 4, files, at(5)).await.unwrap();

    let named = |file: &StoredFile| vec![String::from_utf8(file.bytes.to_vec()).unwrap()];
    let pruned = store.prune(at(1000), named).await.unwrap();
    assert_eq!(pruned.files, 1);
    for version in [1, 3] {
        let kept = store.by_version(GUN, "targets/a", version).await.unwrap();
        assert!(kept.is_some(), "{version}");
    }
    assert!(
        store
            .by_version(GUN, "snapshot", 1)
            .await
            .unwrap()
            .is_some()
    );
}

async fn differences_keep_their_whole_copy(world: &World) {
    let store = world.store().await;
    for (second, tags) in (0..).zip(500..540) {
        publish_file(&store, GUN, "targets", targets(tags), second).await;
    }
    let pruned = store.prune(at(30), nothing).await.unwrap();
    assert!((20..30).contains(&pruned.files), "{pruned:?}");
    for (version, tags) in (31..).zip(530..540) {
        let kept = store
            .by_version(GUN, "targets", version)
            .await
            .unwrap()
            .unwrap();
        assert!(kept.bytes == targets(tags), "{version}");
    }
    let next = vec![file("targets", 41, targets(540))];
    store.publish(GUN, 40, next, at(50)).await.unwrap();
    store.prune(at(1000), nothing).await.unwrap();
    let kept = store.newest_of(GUN, "targets").await.unwrap().unwrap();
    assert!(kept.bytes == targets(540));
}
