//! A server killed at any point of parallel publishes has lost nothing it promised.

use super::super::world::load::{Load, Story};
use super::super::world::place::Place;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::time::sleep;

/// So many kills; `between` may do more to the world while nobody is at work.
pub async fn killed_at_any_point(place: &Place, kills: u32, mut between: impl FnMut(u32)) {
    let mut server = place.start();
    let mut stories = Vec::new();
    for name in ["alone0", "alone1", "alone2", "shared"] {
        let gun = format!("registry.test:5000/{name}");
        stories.push(Story::begin(server.api(), &gun).await.unwrap());
    }
    let (mut taken, mut cut) = (0, 0);
    for round in 0..kills {
        let mut load = Load::new();
        for story in &stories[..4] {
            load.writer(story, &[server.api()]);
        }
        load.writer(&stories[3], &[server.api()]);
        load.writer(&stories[3], &[server.api()]);
        let names = format!("registry.test:5000/new/in{round}/");
        let begun = load.newcomer(server.api(), &names);
        sleep(moment(round)).await;
        server.kill();
        let seen = load.end().await;
        taken += seen.taken.load(Ordering::Relaxed);
        cut += seen.cut.load(Ordering::Relaxed);

        between(round);
        server = place.start();
        let begun = std::mem::take(&mut *begun.lock().unwrap());
        // Nobody was at work on the others.
        for story in stories.iter().take(4).chain(&begun) {
            story.check(server.api()).await;
        }
        stories.extend(begun);
        // What was begun half can be begun again.
        if let Some(last) = stories.get_mut(4..).and_then(<[Story]>::last_mut) {
            last.publish_newest(server.api(), "again").await.taken();
        }
    }
    for story in &stories {
        story.check_everything(server.api()).await;
    }
    eprintln!("{kills} kills, {taken} publishes answered, {cut} requests cut off");
    assert!(taken > kills as usize, "there was no load: {taken}");
    assert!(cut > kills as usize / 2, "nobody was cut off: {cut}");
}

/// Moments spread evenly over what a handful of publishes take, never twice the same.
fn moment(round: u32) -> Duration {
    const GOLDEN: f64 = 0.618_033_988_749_894_9;
    Duration::from_millis(900).mul_f64((f64::from(round) * GOLDEN).fract())
}
