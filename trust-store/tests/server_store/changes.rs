//! The change feed, as Notary's clients page through it.

use trust_store::server::Category;

use crate::world::{World, at, file, on_every_database, publish_next};

on_every_database!(
    each_timestamp_and_each_deletion_has_an_entry,
    the_feed_is_paged_in_both_directions,
);

async fn each_timestamp_and_each_deletion_has_an_entry(world: &World) {
    let store = world.store().await;
    store
        .publish("a", 0, vec![file("root", 1, "no timestamp")], at(1))
        .await
        .unwrap();
    publish_next(&store, "a", 2).await;
    publish_next(&store, "b", 3).await;
    let hash = store.newest("a").await.unwrap().files["timestamp"]
        .sha256
        .clone();
    store.delete("a", at(4)).await.unwrap();
    store.delete("never", at(5)).await.unwrap();

    let all = store.changes(None, 0, 0).await.unwrap();
    let seen: Vec<_> = all
        .iter()
        .map(|c| (c.id, c.created, c.gun.as_str(), c.version, c.category))
        .collect();
    assert_eq!(
        seen,
        [
            (1, at(2), "a", 1, Category::Update),
            (2, at(3), "b", 1, Category::Update),
            (3, at(4), "a", 0, Category::Deletion),
        ]
    );
    assert_eq!(
        (all[0].sha256.as_str(), all[2].sha256.as_str()),
        (hash.as_str(), "")
    );
    assert_eq!(all[2].category.as_str(), "deletion");
}

async fn the_feed_is_paged_in_both_directions(world: &World) {
    let store = world.store().await;
    // Numbers 1 to 10: a has the odd ones, b the even ones.
    for second in 0..5 {
        publish_next(&store, "a", second).await;
        publish_next(&store, "b", second).await;
    }
    for (gun, after, records, expected) in [
        (None, 0, 0, (1..=10).collect::<Vec<i64>>()),
        (None, 0, 3, vec![1, 2, 3]),
        (None, 3, 3, vec![4, 5, 6]),
        (None, 9, 3, vec![10]),
        (None, 10, 3, vec![]),
        (None, 99, 3, vec![]),
        (None, 0, -3, vec![8, 9, 10]),
        (None, -1, 3, vec![8, 9, 10]),
        (None, -7, -3, vec![8, 9, 10]),
        (None, 8, -3, vec![5, 6, 7]),
        (None, 2, -3, vec![1]),
        (None, 1, -3, vec![]),
        (None, i64::MAX, -2, vec![9, 10]),
        (None, 0, i64::MIN, (1..=10).collect()),
        (None, i64::MIN, i64::MAX, (1..=10).collect()),
        (Some("a"), 0, 2, vec![1, 3]),
        (Some("a"), 3, 100, vec![5, 7, 9]),
        (Some("b"), 0, -2, vec![8, 10]),
        (Some("b"), 6, -2, vec![2, 4]),
        (Some("c"), 0, 0, vec![]),
    ] {
        let page = store.changes(gun, after, records).await.unwrap();
        let ids: Vec<_> = page.iter().map(|change| change.id).collect();
        assert_eq!(ids, expected, "{gun:?} after {after} records {records}");
    }
}
