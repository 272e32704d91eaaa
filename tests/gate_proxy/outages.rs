//! When the trust server is gone, when time is up, when the clock goes back.

use super::Scene;
use crate::world::{TAG, days, now};
use trust::policy::Policy;

/// What was verified serves as long as it is good, across a restart.
#[tokio::test]
async fn without_a_trust_server_unexpired_state_still_serves() {
    let mut scene = Scene::new().await;
    let image = scene.signed_image();
    scene.manifest(TAG).await.is(200);
    for name in scene.trust.names() {
        scene.trust.put(&name, crate::world::Answer::Status(503));
    }
    scene.restart(Policy::signed(), || days(9));
    assert_eq!(scene.manifest(TAG).await.is(200).body, image.bytes);
    // The timestamp is good for ten days.
    scene.restart(Policy::signed(), || days(11));
    let refused = scene.manifest(TAG).await;
    assert!([403, 503].contains(&refused.status), "{refused:?}");
}

#[tokio::test]
async fn without_any_state_nothing_is_served_and_clients_may_try_again() {
    let mut scene = Scene::new().await;
    scene.signed_image();
    for name in scene.trust.names() {
        scene.trust.put(&name, crate::world::Answer::Status(503));
    }
    let refused = scene.manifest(TAG).await;
    refused.is(503);
    assert_eq!(refused.json()["errors"][0]["code"], "UNAVAILABLE");
    assert!(refused.headers.contains_key("retry-after"));
    assert!(
        refused.reason.as_ref().unwrap().contains("unreachable"),
        "{refused:?}"
    );
    assert!(scene.registry.asked().is_empty());
}

/// Bypass 22: the clock is set back to when what has expired was good.
#[tokio::test]
async fn a_clock_set_back_brings_nothing_back() {
    let mut scene = Scene::new().await;
    let image = scene.signed_image();
    scene.manifest(TAG).await.is(200);
    scene.restart(Policy::signed(), || days(11));
    assert_ne!(scene.manifest(TAG).await.status, 200);
    scene.restart(Policy::signed(), || days(9));
    assert_ne!(scene.manifest(TAG).await.status, 200);
    assert_ne!(scene.blob(&image.layer).await.status, 200);
    // Something newer counts again.
    scene.publisher.timestamp.expires = trust::tuf::envelope::Expires::at(days(20));
    scene.sign(TAG, &image.bytes);
    scene.manifest(TAG).await.is(200);
}

/// Bypass 22: an older state, replayed.
#[tokio::test]
async fn a_replayed_state_is_refused() {
    let mut scene = Scene::new().await;
    let old = scene.signed_image();
    let before: Vec<_> = ["timestamp.json", "snapshot.json", "targets.json"]
        .map(|name| (name, scene.trust.file(name)))
        .into();
    let new = super::image::image(&scene.registry, super::APP, &[TAG], "the next");
    scene.sign(TAG, &new.bytes);
    assert_eq!(scene.manifest(TAG).await.is(200).body, new.bytes);
    for (name, file) in before {
        scene.trust.put(name, crate::world::Answer::File(file));
    }
    scene.restart(Policy::signed(), now);
    let refused = scene.manifest(TAG).await;
    refused.is_refused("rollback");
    scene.manifest(&old.digest).await.is_refused("rollback");
}
