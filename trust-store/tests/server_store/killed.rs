//! A writer that is killed at any moment leaves everything it was told is kept, and no halves.

use std::env;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::process::Command;
use trust_store::server::Store;

use crate::world::{World, file, on_every_database, publish_next, targets};

on_every_database!(a_killed_writer_leaves_what_was_acknowledged);

const GUN: &str = "docker.io/library/app";

/// Where a writer finds the store; set only for the process that is to be killed.
const ADDRESS: &str = "TRUST_STORE_TO_BE_KILLED_AT";

async fn a_killed_writer_leaves_what_was_acknowledged(world: &World) {
    let rounds = env::var("TRUST_SOAK_ROUNDS").map_or(12, |rounds| rounds.parse().unwrap());
    let store = world.store().await;
    let big = vec![file("targets/big", 1, targets(3000))];
    store
        .publish(GUN, 0, big.clone(), crate::world::at(0))
        .await
        .unwrap();
    let mut acknowledged = 0;
    for round in 0..rounds {
        // From before the first publish to well into the writing.
        let life = Duration::from_millis(20 + (round * 37) % 400);
        acknowledged = killed_after(life, world.url()).await.max(acknowledged);
        let newest = store.newest(GUN).await.unwrap();
        let version = |role: &str| newest.files.get(role).map_or(0, |file| file.version);
        assert!(
            version("timestamp") >= acknowledged,
            "round {round}: an update was lost"
        );
        assert_eq!(
            version("timestamp"),
            version("targets"),
            "round {round}: a half"
        );
        assert_eq!(
            version("timestamp"),
            version("snapshot"),
            "round {round}: a half"
        );
        for role in newest.files.keys() {
            store.newest_of(GUN, role).await.unwrap().unwrap();
        }
    }
    assert!(acknowledged > 0, "no writer lived long enough");
    let next = publish_next(&store, GUN, 1).await;
    for version in 1..=next {
        for role in ["targets", "snapshot", "timestamp"] {
            let kept = store.by_version(GUN, role, version).await.unwrap();
            assert_eq!(crate::world::text(kept), Some(format!("{role} {version}")));
        }
    }
    let big_now = store.newest_of(GUN, "targets/big").await.unwrap().unwrap();
    assert_eq!(big_now.bytes, big[0].bytes);
    println!("{rounds} kills, {next} publishes");
}

/// Runs a writer for so long, kills it, and gives the last version it was told is kept.
async fn killed_after(life: Duration, url: &str) -> u64 {
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
    let told = said
        .lines()
        .filter_map(|line| line.strip_prefix("kept ")?.strip_suffix('.'));
    told.map(|version| version.parse().unwrap())
        .max()
        .unwrap_or(0)
}

#[tokio::test]
async fn a_writer_to_be_killed() {
    let Ok(url) = env::var(ADDRESS) else {
        return;
    };
    let store = Store::open(&url).await.unwrap();
    loop {
        let version = publish_next(&store, GUN, 1).await;
        // The line of the test's own name may stand before it.
        println!("\nkept {version}.");
    }
}
