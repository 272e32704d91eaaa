//! One more tag costs little room, however many there are.

use super::super::world::load::Story;
use super::super::world::place::Place;

/// One tag more in ten thousand costs at most a twentieth of the targets file.
///
/// `size` gives the size of the store in bytes while no server runs.
pub async fn grows_by_little(place: &Place, size: impl Fn() -> u64) {
    let server = place.start();
    let mut story = Story::begin(server.api(), "registry.test:5000/big")
        .await
        .unwrap();
    let tags = (0..10_000).map(|n| format!("v{}.{}.{n}", n % 7, n % 101));
    story.publish_tags(server.api(), tags).await.taken();
    let file = server.api().there(&story.repo.gun, "targets.json").await;
    server.stop();
    let before = size();
    let server = place.start();
    for round in 0..PUBLISHES {
        story
            .publish(server.api(), &format!("new{round}"))
            .await
            .taken();
    }
    story.check_everything(server.api()).await;
    server.stop();
    let growth = size().saturating_sub(before) / PUBLISHES;
    let most = file.len() as u64 / 20;
    eprintln!("{growth} bytes more a tag; the file has {}", file.len());
    assert!(growth <= most, "{growth} bytes more a tag, not {most}");
}

const PUBLISHES: u64 = 20;
