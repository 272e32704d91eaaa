//! Lists for pages.

use trust_store::server::{Listing, Store};

use crate::world::{World, at, file, on_every_database, publish_next};

on_every_database!(
    history_is_paged_from_the_latest,
    repositories_are_found,
    versions_of_a_role_are_found_by_time,
);

async fn names(store: &Store, prefix: &str, search: &str, after: &str, limit: u32) -> Vec<String> {
    let wanted = Listing {
        prefix,
        search,
        after,
        limit,
    };
    let found = store.guns(wanted).await.unwrap();
    found.into_iter().map(|listed| listed.gun).collect()
}

async fn repositories_are_found(world: &World) {
    let store = world.store().await;
    let all = [
        "Zoo/app", "a%b", "a/app", "a/base_1", "a/basex1", "ab", "gone", "é/app",
    ];
    for (second, gun) in (0..).zip(all) {
        publish_next(&store, gun, second).await;
    }
    store.delete("gone", at(50)).await.unwrap();
    store
        .publish("ab", 1, vec![file("targets", 2, "t")], at(60))
        .await
        .unwrap();

    for (prefix, search, after, limit, expected) in [
        (
            "",
            "",
            "",
            99,
            &[
                "Zoo/app", "a%b", "a/app", "a/base_1", "a/basex1", "ab", "é/app",
            ][..],
        ),
        ("", "", "", 2, &["Zoo/app", "a%b"]),
        ("", "", "a%b", 2, &["a/app", "a/base_1"]),
        ("", "", "é/app", 2, &[]),
        ("a/", "", "", 9, &["a/app", "a/base_1", "a/basex1"]),
        ("a/", "", "a/app", 1, &["a/base_1"]),
        ("A/", "", "", 9, &[]),
        ("é", "", "", 9, &["é/app"]),
        ("", "APP", "", 9, &["Zoo/app", "a/app", "é/app"]),
        ("", "zoo", "", 9, &["Zoo/app"]),
        ("", "e_", "", 9, &["a/base_1"]),
        ("", "%", "", 9, &["a%b"]),
        ("", "\\", "", 9, &[]),
        ("a", "app", "", 9, &["a/app"]),
    ] {
        let found = names(&store, prefix, search, after, limit).await;
        assert_eq!(found, expected, "{prefix:?} {search:?} {after:?}");
    }
    let wanted = Listing {
        prefix: "ab",
        search: "",
        after: "",
        limit: 1,
    };
    assert_eq!(store.guns(wanted).await.unwrap()[0].changed, at(60));
}

async fn versions_of_a_role_are_found_by_time(world: &World) {
    let store = world.store().await;
    for second in [1, 2, 2, 5] {
        publish_next(&store, "a", second).await;
        publish_next(&store, "b", second).await;
    }
    for (role, until, limit, expected) in [
        ("targets", 9, 9, &[4, 3, 2, 1][..]),
        ("targets", 9, 2, &[4, 3]),
        ("targets", 4, 1, &[3]),
        ("targets", 2, 1, &[3]),
        ("targets", 1, 9, &[1]),
        ("targets", 0, 9, &[]),
        ("snapshot", 5, 1, &[4]),
        ("root", 9, 9, &[]),
    ] {
        let found = store.versions("a", role, at(until), limit).await.unwrap();
        let versions: Vec<_> = found.iter().map(|file| file.version).collect();
        assert_eq!(versions, expected, "{role} {until} {limit}");
    }
    let found = store.versions("a", "targets", at(5), 1).await.unwrap();
    let past = store.history("a", None, 99).await.unwrap();
    let latest = past.iter().find(|past| past.role == "targets").unwrap();
    assert_eq!(found[0], latest.file);
    let none = store.versions("none", "targets", at(9), 9).await.unwrap();
    assert!(none.is_empty());
}

async fn history_is_paged_from_the_latest(world: &World) {
    let store = world.store().await;
    for second in [1, 2, 2, 3] {
        publish_next(&store, "a", second).await;
    }
    let all = store.history("a", None, 100).await.unwrap();
    let seen: Vec<_> = all
        .iter()
        .map(|past| (past.file.created, past.role.as_str(), past.file.version))
        .collect();
    assert_eq!(seen.len(), 12);
    assert_eq!(seen[0], (at(3), "snapshot", 4));
    assert_eq!(seen[3..5], [(at(2), "snapshot", 3), (at(2), "snapshot", 2)]);
    assert_eq!(seen[11], (at(1), "timestamp", 1));
    assert_eq!(all[0].file.size, "snapshot 4".len());

    let mut paged = Vec::new();
    while let page = store.history("a", paged.last(), 5).await.unwrap()
        && !page.is_empty()
    {
        paged.extend(page);
    }
    assert_eq!(paged, all);
    assert_eq!(store.history("b", None, 5).await.unwrap(), []);
}
