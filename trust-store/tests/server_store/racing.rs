//! Many writers at once, through two processes' worth of connections.

use std::time::{Duration, Instant};

use trust_store::server::{Store, StoreError};

use crate::world::{World, at, on_every_database, set};

on_every_database!(
    a_lone_writer_is_quick,
    eight_writers_lose_no_update_and_leave_no_gap,
    repositories_share_one_feed_without_gaps,
);

const GUN: &str = "docker.io/library/app";
const WRITERS: usize = 8;

/// How many publishes all writers together get through; `TRUST_STORE_RACES` for more.
fn publishes() -> usize {
    std::env::var("TRUST_STORE_RACES").map_or(120, |number| number.parse().unwrap())
}

/// Says how long a publish of three small files takes; the limit is that of a broken store.
async fn a_lone_writer_is_quick(world: &World) {
    let store = world.store().await;
    let mut spent = Vec::new();
    for second in 0..200 {
        let start = Instant::now();
        crate::world::publish_next(&store, GUN, second).await;
        spent.push(start.elapsed());
    }
    spent.sort();
    println!(
        "small publish median {:?}, 99th {:?}",
        spent[100], spent[198]
    );
    assert!(spent[100] < Duration::from_secs(1));
}

async fn eight_writers_lose_no_update_and_leave_no_gap(world: &World) {
    let stores = [world.store().await, world.store().await];
    let each = publishes() / WRITERS;
    let start = Instant::now();
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let mine = stores[writer % 2].clone();
            let other = stores[(writer + 1) % 2].clone();
            tokio::spawn(async move { publish_often(&mine, &other, each).await })
        })
        .collect();
    let (mut versions, mut conflicts) = (Vec::new(), 0);
    for writer in writers {
        let (published, lost) = writer.await.unwrap();
        versions.extend(published);
        conflicts += lost;
    }
    versions.sort_unstable();
    let count = u64::try_from(each * WRITERS).unwrap();
    assert_eq!(versions, (1..=count).collect::<Vec<_>>());
    println!(
        "{count} publishes, {conflicts} conflicts, {:?}",
        start.elapsed()
    );

    for version in 1..=count {
        for file in set(version) {
            let kept = stores[0]
                .by_version(GUN, &file.role, version)
                .await
                .unwrap();
            assert_eq!(kept.unwrap().bytes, file.bytes);
        }
    }
    let feed = stores[1].changes(Some(GUN), 0, 10_000).await.unwrap();
    let announced: Vec<_> = feed.iter().map(|change| change.version).collect();
    assert_eq!(announced, versions);
}

/// Each acknowledged publish is seen through the other process, never an older one.
async fn publish_often(mine: &Store, other: &Store, times: usize) -> (Vec<u64>, usize) {
    let (mut published, mut conflicts) = (Vec::new(), 0);
    while published.len() < times {
        let newest = mine.newest(GUN).await.unwrap();
        let next = newest.files.get("timestamp").map_or(1, |f| f.version + 1);
        match mine.publish(GUN, newest.revision, set(next), at(1)).await {
            Ok(_) => {
                let seen = other.newest_of(GUN, "timestamp").await.unwrap().unwrap();
                assert!(seen.version >= next, "{} after {next}", seen.version);
                published.push(next);
            }
            Err(StoreError::Conflict { .. }) => conflicts += 1,
            Err(error) => panic!("{error}"),
        }
    }
    (published, conflicts)
}

async fn repositories_share_one_feed_without_gaps(world: &World) {
    let store = world.store().await;
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let store = store.clone();
            tokio::spawn(async move {
                for round in 0..10 {
                    crate::world::publish_next(&store, &format!("app{writer}"), round).await;
                }
            })
        })
        .collect();
    // Whoever follows the feed misses nothing: no number appears below one already seen.
    let mut seen = Vec::new();
    while seen.len() < WRITERS * 10 {
        let after = seen.last().copied().unwrap_or(0);
        let page = store.changes(None, after, 7).await.unwrap();
        seen.extend(page.iter().map(|change| change.id));
        tokio::task::yield_now().await;
    }
    for writer in writers {
        writer.await.unwrap();
    }
    assert_eq!(seen, (1..=80).collect::<Vec<_>>());
}
