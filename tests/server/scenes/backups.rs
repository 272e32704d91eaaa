//! A backup made while people publish, restored elsewhere, serves the same bytes.

use super::super::world::api::{Api, signed, version};
use super::super::world::load::{Load, Story};
use super::super::world::place::Place;
use std::time::Duration;
use tokio::time::sleep;

/// From the first store into the second while people publish to it, then on into all the others.
pub async fn backed_up_and_restored(first: &Place, others: &[&Place]) {
    let server = first.start();
    let mut stories = Vec::new();
    for name in ["one", "two", "three"] {
        let gun = format!("registry.test:5000/{name}");
        let mut story = Story::begin(server.api(), &gun).await.unwrap();
        story.publish(server.api(), "first").await.taken();
        stories.push(story);
    }
    let pending = server.api().there(WAITING, "timestamp.key").await;
    let mut load = Load::new();
    for story in &stories {
        load.writer(story, &[server.api()]);
    }
    sleep(Duration::from_millis(500)).await;
    let promised: Vec<u64> = stories.iter().map(Story::acknowledged).collect();
    let file = first.folder().join("backup");
    first.run("backup", &["-o".as_ref(), file.as_ref()]);
    sleep(Duration::from_millis(300)).await;
    load.end().await;

    let mut versions = Vec::new();
    let mut before: Option<&Place> = None;
    for place in others {
        let file = match before {
            None => file.clone(),
            Some(before) => {
                let file = before.folder().join("backup");
                before.run("backup", &["-o".as_ref(), file.as_ref()]);
                file
            }
        };
        first.share_secret_with(place);
        place.run("restore", &[file.as_ref()]);
        let restored = place.start();
        let mut found = Vec::new();
        for (story, promised) in stories.iter().zip(&promised) {
            let newest = is_the_same(server.api(), restored.api(), &story.repo.gun).await;
            assert!(newest >= *promised, "{newest} after {promised}");
            found.push(newest);
        }
        assert!(
            before.is_none() || versions == found,
            "{versions:?} {found:?}"
        );
        let key = restored.api().there(WAITING, "timestamp.key").await;
        assert_eq!(key, pending);
        versions = found;
        drop(restored);
        before = Some(place);
    }
    let last = before.unwrap();
    goes_on(last, &stories).await;
    let again = last.command("restore").arg(&file).output().unwrap();
    let said = String::from_utf8_lossy(&again.stderr).into_owned();
    assert!(
        !again.status.success() && said.contains("not empty"),
        "{said}"
    );
}

/// Whatever the second serves, the first serves too, to the byte; gives the newest version.
async fn is_the_same(first: &Api, second: &Api, gun: &str) -> u64 {
    let state = second.state(gun).await.unwrap().expect("a repository");
    let newest = version(&state.timestamp);
    for role in ["timestamp", "snapshot", "targets", "targets/releases"] {
        for version in 1..=newest {
            let name = format!("{version}.{role}.json");
            let file = second.there(gun, &name).await;
            assert_eq!(file, first.there(gun, &name).await, "{gun} {name}");
            let hash = hex::encode(ring::digest::digest(&ring::digest::SHA256, &file));
            let name = format!("{role}.{hash}.json");
            assert_eq!(file, second.there(gun, &name).await, "{gun} {name}");
        }
        let current = second.there(gun, &format!("{role}.json")).await;
        let by_version = second.there(gun, &format!("{newest}.{role}.json")).await;
        assert_eq!(current, by_version, "{gun} {role}");
    }
    for name in ["root.json", "1.root.json", "timestamp.key", "snapshot.key"] {
        assert_eq!(first.there(gun, name).await, second.there(gun, name).await);
    }
    let feeds = (first.feed(gun).await, second.feed(gun).await);
    assert_eq!(feeds.0[..feeds.1.len()], feeds.1);
    second.believed(gun).await;
    newest
}

/// Its keys open: people publish on top of what was restored.
async fn goes_on(place: &Place, stories: &[Story]) {
    let server = place.start();
    for story in stories {
        let state = server.api().state(&story.repo.gun).await.unwrap().unwrap();
        let mut story = Story::of(story.repo.caught_up(&state));
        story.publish(server.api(), "after").await.taken();
        server.api().believed(&story.repo.gun).await;
        let targets = server.api().there(&story.repo.gun, "targets.json").await;
        assert!(signed(&targets)["targets"]["after"].is_object());
    }
}

/// A repository that has a key and nothing else.
const WAITING: &str = "registry.test:5000/waiting";
