//! Old versions cost little and come back to the byte.

use std::time::{Duration, Instant};

use proptest::prelude::*;
use sqlx::Row;
use trust_store::server::Store;

use crate::world::{World, at, file, on_every_database, publish_file, set, targets};

on_every_database!(a_tag_costs_little, any_history_comes_back);

const GUN: &str = "docker.io/library/app";

/// Bytes that the store takes: for `SQLite` the pages, for `PostgreSQL` the tables and indexes.
async fn size_of(world: &World) -> i64 {
    sqlx::any::install_default_drivers();
    let query = if world.is_sqlite() {
        "SELECT page_count * page_size AS size FROM pragma_page_count, pragma_page_size"
    } else {
        "SELECT CAST(SUM(pg_total_relation_size(oid)) AS BIGINT) AS size FROM pg_class \
         WHERE relname IN ('files', 'heads', 'changes', 'repositories')"
    };
    let address = match world.url().strip_prefix("sqlite:") {
        Some(path) => {
            let path = path
                .replace('%', "%25")
                .replace('?', "%3F")
                .replace('#', "%23");
            format!("sqlite:{path}")
        }
        None => world.url().to_owned(),
    };
    let pool = sqlx::AnyPool::connect(&address).await.unwrap();
    let row = sqlx::query(query).fetch_one(&pool).await.unwrap();
    row.try_get("size").unwrap()
}

async fn a_tag_costs_little(world: &World) {
    let store = world.store().await;
    let (tags, added) = (10_000, 100);
    let file_size = i64::try_from(targets(tags).len()).unwrap();
    publish_tags(&store, 0, tags).await;
    let mut spent = Vec::new();
    let before = size_of(world).await;
    for number in 1..=added {
        spent.push(publish_tags(&store, number, tags + number).await);
    }
    let growth = size_of(world).await - before;
    spent.sort();
    println!(
        "{file_size} bytes of targets; at first {before}, each of {added} tags {} (1/{}), \
         publish median {:?}",
        growth / 100,
        file_size * 100 / growth.max(1),
        spent[spent.len() / 2],
    );
    assert!(growth / 100 <= file_size / 20, "{growth} for {added} tags");

    for number in 0..=added {
        let version = u64::try_from(number + 1).unwrap();
        let kept = store
            .by_version(GUN, "targets", version)
            .await
            .unwrap()
            .unwrap();
        assert!(
            kept.bytes == targets(tags + number),
            "version {version} differs"
        );
    }
}

/// Publishes this many tags; gives the time that the store took.
async fn publish_tags(store: &Store, number: usize, tags: usize) -> Duration {
    let version = u64::try_from(number + 1).unwrap();
    let mut files = set(version);
    files[0] = file("targets", version, targets(tags));
    let start = Instant::now();
    let newest = store.newest(GUN).await.unwrap();
    store
        .publish(GUN, newest.revision, files, at(1))
        .await
        .unwrap();
    start.elapsed()
}

/// An edit of a file: where, how much goes, what comes.
type Edit = (prop::sample::Index, usize, Vec<u8>);

fn histories() -> impl Strategy<Value = (Vec<u8>, Vec<Vec<Edit>>)> {
    let start = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..20_000),
        (0usize..400).prop_map(targets),
        // What zstd would take for a dictionary of its own kind, and for a frame.
        Just([&[0x37, 0xa4, 0x30, 0xec][..], &[7; 9000]].concat()),
        Just([&[0x28, 0xb5, 0x2f, 0xfd][..], &[7; 9000]].concat()),
    ];
    let bytes = prop::collection::vec(any::<u8>(), 0..3000);
    let edit = (any::<prop::sample::Index>(), 0usize..3000, bytes);
    (
        start,
        prop::collection::vec(prop::collection::vec(edit, 0..3), 0..12),
    )
}

fn edited(mut bytes: Vec<u8>, edits: &[Edit]) -> Vec<u8> {
    for (place, gone, new) in edits {
        let from = place.index(bytes.len() + 1);
        let to = (from + gone).min(bytes.len());
        bytes.splice(from..to, new.iter().copied());
    }
    bytes
}

async fn any_history_comes_back(world: &World) {
    let store = world.store().await;
    let runtime = tokio::runtime::Handle::current();
    let checked = tokio::task::spawn_blocking(move || {
        let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
            cases: 40,
            failure_persistence: None,
            ..ProptestConfig::default()
        });
        let number = std::cell::Cell::new(0);
        runner.run(&histories(), |(start, edits)| {
            number.set(number.get() + 1);
            let gun = format!("app{}", number.get());
            runtime.block_on(comes_back(&store, &gun, start, &edits))
        })
    });
    checked.await.unwrap().unwrap();
}

async fn comes_back(
    store: &Store,
    gun: &str,
    start: Vec<u8>,
    edits: &[Vec<Edit>],
) -> Result<(), TestCaseError> {
    let mut versions = vec![start];
    for edit in edits {
        versions.push(edited(versions[versions.len() - 1].clone(), edit));
    }
    for (second, bytes) in (0..).zip(&versions) {
        publish_file(store, gun, "targets", bytes.clone(), second).await;
    }
    for (version, bytes) in (1..).zip(&versions) {
        let kept = store
            .by_version(gun, "targets", version)
            .await
            .unwrap()
            .unwrap();
        prop_assert!(kept.bytes == bytes, "version {} differs", version);
        let sha256 = ring::digest::digest(&ring::digest::SHA256, bytes);
        prop_assert_eq!(&kept.sha256, &hex::encode(sha256));
        let found = store.by_hash(gun, "targets", &kept.sha256).await.unwrap();
        prop_assert!(found.is_some_and(|found| found.bytes == kept.bytes));
    }
    Ok(())
}
