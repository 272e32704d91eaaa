//! A prune while the server runs takes only what nobody can need.

use super::super::world::api::{Api, version};
use super::super::world::load::{Load, Story};
use super::super::world::place::Place;
use reqwest::StatusCode;
use std::time::Duration;
use tokio::time::sleep;

/// What is young stays, whatever goes on meanwhile; what is old goes, but for what is needed.
pub async fn pruned(place: &Place) {
    let server = place.start();
    let api = server.api();
    let mut story = Story::begin(api, "registry.test:5000/app").await.unwrap();
    for round in 0..6 {
        story.publish(api, &format!("v{round}")).await.taken();
    }
    story.publish_new_root(api).await.taken();
    let mut load = Load::new();
    load.writer(&story, &[api]);
    load.writer(&story, &[api]);
    sleep(Duration::from_millis(300)).await;
    let said = place.run("prune", &["--keep-days".as_ref(), "1".as_ref()]);
    assert!(said.contains("Removed 0 old versions"), "{said}");
    sleep(Duration::from_millis(300)).await;
    load.end().await;
    let newest = story.check_everything(api).await;

    let gun = &story.repo.gun.clone();
    let before = api.state(gun).await.unwrap();
    let said = place.run("prune", &["--keep-days".as_ref(), "0".as_ref()]);
    assert!(!said.contains("Removed 0 old versions"), "{said}");
    assert_eq!(api.state(gun).await.unwrap(), before);
    api.believed(gun).await;
    for role in ["timestamp", "snapshot", "targets", "targets/releases"] {
        assert!(is_there(api, gun, role, newest).await, "{role}");
        let mut left = Vec::new();
        for old in 1..newest {
            if is_there(api, gun, role, old).await {
                left.push(old);
            }
        }
        // One may be what the newest is kept as a difference to.
        assert!(left.len() <= 1, "{left:?} of {role}");
    }
    assert!(is_there(api, gun, "root", 1).await && is_there(api, gun, "root", 2).await);
    let feed: Vec<u64> = (1..=newest).collect();
    assert_eq!(api.feed(gun).await, feed, "the change feed is no file");

    // Differences to what is gone are none.
    story.catch_up(api).await.unwrap();
    story.publish(api, "after").await.taken();
    let again = place.start();
    let state = again.api().state(gun).await.unwrap().unwrap();
    assert_eq!(version(&state.timestamp), newest + 1);
    again.api().believed(gun).await;
}

async fn is_there(api: &Api, gun: &str, role: &str, version: u64) -> bool {
    let reply = api.file(gun, &format!("{version}.{role}.json")).await;
    reply.unwrap().status == StatusCode::OK
}
