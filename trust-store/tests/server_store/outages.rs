//! A database that goes away and comes back, a disk that is full.
//!
//! Mounting a small disk needs root, as dockerd does.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use trust_store::server::{Store, StoreError};

use crate::world::postgres::Cluster;
use crate::world::{World, at, file, publish_next};

const GUN: &str = "docker.io/library/app";

/// Longer than anybody waits for a connection: a shorter one need not be noticed.
const OUTAGE: Duration = Duration::from_secs(5);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_stops_is_unavailable_until_it_is_back() {
    let mut cluster = Cluster::new();
    let store = Store::open(&cluster.new_database()).await.unwrap();
    publish_next(&store, GUN, 1).await;
    let (busy, over) = (store.clone(), Arc::new(AtomicBool::new(false)));
    let told = Arc::clone(&over);
    let writer = tokio::spawn(async move { publish_until(&busy, &told).await });
    tokio::time::sleep(Duration::from_millis(300)).await;
    cluster.stop();

    let start = Instant::now();
    for answer in [
        store.ready().await,
        store.newest(GUN).await.map(drop),
        store.publish(GUN, 1, Vec::new(), at(1)).await.map(drop),
        store.changes(None, 0, 0).await.map(drop),
    ] {
        assert!(
            matches!(answer, Err(StoreError::Unavailable { .. })),
            "{answer:?}"
        );
    }
    assert!(
        start.elapsed() < Duration::from_secs(12),
        "{:?}",
        start.elapsed()
    );

    tokio::time::sleep(OUTAGE).await;
    cluster.start();
    store.ready().await.unwrap();
    over.store(true, Ordering::Relaxed);
    assert!(writer.await.unwrap() > 0, "nobody noticed");
    let newest = store.newest(GUN).await.unwrap();
    let versions: Vec<_> = newest.files.values().map(|file| file.version).collect();
    assert_eq!(versions, vec![versions[0]; 3]);
}

/// Publishes until it is over and 20 times more; gives the number of failures.
///
/// What was acknowledged is never gone.
async fn publish_until(store: &Store, over: &AtomicBool) -> usize {
    let (mut failures, mut kept, mut to_go) = (0, 0, 20);
    while to_go > 0 {
        let published = async {
            let newest = store.newest(GUN).await?;
            let version = newest.files["timestamp"].version;
            assert!(version >= kept, "{version} after {kept}");
            let files = crate::world::set(version + 1);
            store.publish(GUN, newest.revision, files, at(1)).await?;
            Ok(version + 1)
        };
        match published.await {
            Ok(version) => kept = version,
            Err(StoreError::Unavailable { .. }) => {
                failures += 1;
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            Err(error) => panic!("{error}"),
        }
        if over.load(Ordering::Relaxed) {
            to_go -= 1;
        }
    }
    failures
}

#[tokio::test]
async fn nobody_is_there_at_all() {
    let world = World::sqlite();
    let url = format!("postgres:///db?host={}&user=x", world.folder().display());
    let start = Instant::now();
    let error = Store::open(&url).await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable { .. }), "{error}");
    assert!(start.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn a_full_disk_is_said_and_reads_go_on() {
    let disk = Disk::new();
    let store = Store::open(&format!("sqlite:{}/store.db", disk.0.display()))
        .await
        .unwrap();
    publish_next(&store, GUN, 1).await;
    // Bytes that cannot be made smaller.
    let random = |round: u64| -> Vec<u8> {
        let hash = |n: u64| {
            ring::digest::digest(&ring::digest::SHA256, &(n + (round << 32)).to_le_bytes())
        };
        (0..8192).flat_map(|n| hash(n).as_ref().to_vec()).collect()
    };
    let mut kept = 0;
    let error = loop {
        let newest = store.newest(GUN).await.unwrap();
        let files = vec![file("targets/big", kept + 1, random(kept))];
        match store.publish(GUN, newest.revision, files, at(1)).await {
            Ok(_) => kept += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(error, StoreError::Full { .. }), "{error:?}");
    assert!(kept > 0);
    store.ready().await.unwrap();
    for version in 1..=kept {
        let file = store
            .by_version(GUN, "targets/big", version)
            .await
            .unwrap()
            .unwrap();
        assert!(file.bytes == random(version - 1));
    }
    let backup = store.backup(&disk.0.join("backup.db")).await.unwrap_err();
    assert!(matches!(backup, StoreError::Full { .. }), "{backup:?}");

    disk.grow();
    assert_eq!(publish_next(&store, GUN, 2).await, 2);
    store.close().await;
}

/// A small disk of its own.
struct Disk(PathBuf);

impl Disk {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap().keep();
        mount(&["-t", "tmpfs", "-o", "size=4m", "none"], &folder);
        Self(folder)
    }

    fn grow(&self) {
        mount(&["-o", "remount,size=64m"], &self.0);
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily: a test that failed still has the store open.
        Command::new("umount").arg("-l").arg(&self.0).status().ok();
        std::fs::remove_dir(&self.0).ok();
    }
}

fn mount(options: &[&str], folder: &Path) {
    let done = Command::new("mount")
        .args(options)
        .arg(folder)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(
        done.status.success(),
        "mounting a small disk needs root: {said}"
    );
}
