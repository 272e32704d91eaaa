//! A writer that is killed at any moment leaves everything it was told is kept, and no halves.

use std::collections::BTreeMap;
use std::env;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::process::Command;
use trust_store::server::Store;

use crate::world::{World, on_every_database, publish_next, text};

on_every_database!(a_killed_writer_leaves_what_was_acknowledged);

/// A writer publishes to all of them at once.
const GUNS: [&str; 4] = ["app0", "app1", "app2", "app3"];

/// Where a writer finds the store; set only for the process that is to be killed.
const ADDRESS: &str = "TRUST_STORE_TO_BE_KILLED_AT";

async fn a_killed_writer_leaves_what_was_acknowledged(world: &World) {
    let rounds = env::var("TRUST_SOAK_ROUNDS").map_or(12, |rounds| rounds.parse().unwrap());
    let store = world.store().await;
    let mut acknowledged = BTreeMap::new();
    for round in 0..rounds {
        // From before the first publish to well into the writing.
        let life = Duration::from_millis(20 + (round * 37) % 400);
        acknowledged.extend(killed_after(life, world.url()).await);
        for gun in GUNS {
            let told = acknowledged.get(gun).copied().unwrap_or(0);
            whole(&store, gun, told).await;
        }
    }
    assert_eq!(
        acknowledged.len(),
        GUNS.len(),
        "no writer lived long enough"
    );
    let mut total = 0;
    for gun in GUNS {
        total += every_version_is_there(&store, gun).await;
    }
    let feed = store.changes(None, 0, -1).await.unwrap();
    assert_eq!(feed[0].id.unsigned_abs(), total);
    println!("{rounds} kills, {total} publishes");
}

/// The three files are of one publish, at least as new as what was acknowledged.
async fn whole(store: &Store, gun: &str, told: u64) {
    let newest = store.newest(gun).await.unwrap();
    let versions = ["targets", "snapshot", "timestamp"]
        .map(|role| newest.files.get(role).map_or(0, |file| file.version));
    assert!(versions[0] >= told, "{gun}: {versions:?}, {told} is lost");
    assert_eq!(versions, [versions[0]; 3], "{gun}: a half");
    for role in newest.files.keys() {
        store.newest_of(gun, role).await.unwrap().unwrap();
    }
}

async fn every_version_is_there(store: &Store, gun: &str) -> u64 {
    let last = publish_next(store, gun, 1).await;
    for version in 1..=last {
        for role in ["targets", "snapshot", "timestamp"] {
            let kept = store.by_version(gun, role, version).await.unwrap();
            assert_eq!(text(kept), Some(format!("{role} {version}")), "{gun}");
        }
    }
    last
}

/// Runs a writer for so long, kills it, and gives the last versions it was told are kept.
async fn killed_after(life: Duration, url: &str) -> BTreeMap<String, u64> {
    let mut writer = Command::new(env::current_exe().unwrap())
        .args(["--exact", "killed::a_writer_to_be_killed", "--nocapture"])
        .env(ADDRESS, url)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    tokio::time::sleep(life).await;
    writer.start_kill().unwrap();
    let mut said = String::new();
    let mut stdout = writer.stdout.take().unwrap();
    stdout.read_to_string(&mut said).await.unwrap();
    writer.wait().await.unwrap();
    // The line of the test's own name may stand before it.
    let told = said.lines().filter_map(|line| {
        let (gun, version) = line
            .split_once("kept ")?
            .1
            .strip_suffix('.')?
            .split_once(' ')?;
        Some((gun.to_owned(), version.parse().unwrap()))
    });
    told.collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_writer_to_be_killed() {
    let Ok(url) = env::var(ADDRESS) else {
        return;
    };
    let store = Store::open(&url).await.unwrap();
    let writers = GUNS.map(|gun| {
        let store = store.clone();
        tokio::spawn(async move {
            loop {
                let version = publish_next(&store, gun, 1).await;
                println!("kept {gun} {version}.");
            }
        })
    });
    // They have no end but ours.
    let [first, ..] = writers;
    first.await.unwrap();
}
