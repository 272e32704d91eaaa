//! Two servers of one store are one server.

use super::super::world::api::version;
use super::super::world::load::{Load, Seen, Story};
use super::super::world::place::Place;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use tokio::time::sleep;

/// Eight people write to one repository through both, so many times; nothing is lost.
pub async fn eight_writers_lose_nothing(place: &Place, wanted: u32) {
    let (one, other) = (place.start(), place.another());
    let two = other.start();
    let apis = [one.api(), two.api()];
    let story = Story::begin(apis[0], GUN).await.unwrap();
    let mut load = Load::new();
    for number in 0..8 {
        // Each writes through one and the other in turn, half of them beginning with the other.
        load.writer(&story, &[apis[number % 2], apis[(number + 1) % 2]]);
    }
    let begun = Instant::now();
    let taken = |seen: &Seen| seen.taken.load(Ordering::Relaxed) as u64;
    while taken(&load.seen) < wanted.into() {
        assert!(!load.is_broken(), "somebody gave up");
        sleep(Duration::from_millis(20)).await;
    }
    let seen = load.end().await;
    let took = begun.elapsed();
    for api in apis {
        let newest = story.check_everything(api).await;
        assert_eq!(newest, taken(&seen), "every version was answered once");
    }
    let late = seen.late.load(Ordering::Relaxed);
    eprintln!("{} publishes, {late} came too late, {took:?}", taken(&seen));
    assert!(late > 0, "nobody was in the way of anybody");
    assert_eq!(seen.cut.load(Ordering::Relaxed), 0);
    assert_eq!(seen.unavailable.load(Ordering::Relaxed), 0);
}

/// What one has answered the other serves.
pub async fn one_serves_what_the_other_answered(place: &Place) {
    let (one, other) = (place.start(), place.another());
    let two = other.start();
    let apis = [one.api(), two.api()];
    let mut story = Story::begin(apis[0], GUN).await.unwrap();
    for round in 0..40 {
        let (writes, reads) = (apis[round % 2], apis[(round + 1) % 2]);
        story.publish(writes, &format!("v{round}")).await.taken();
        let ask = || reads.state(GUN);
        let (first, second, third) = tokio::join!(ask(), ask(), ask());
        for state in [first, second, third] {
            let state = state.unwrap().unwrap();
            assert_eq!(version(&state.timestamp), story.repo.version);
        }
    }
    for role in ["timestamp.key", "snapshot.key"] {
        assert_eq!(
            apis[0].there(GUN, role).await,
            apis[1].there(GUN, role).await
        );
    }
    assert!(apis[0].delete(GUN).await);
    assert_eq!(apis[1].state(GUN).await.unwrap(), None);
}

/// Both are asked for the first time at the same moment, and give the same key.
pub async fn both_make_one_key(place: &Place) {
    let (one, other) = (place.start(), place.another());
    let two = other.start();
    for number in 0..20 {
        let gun = format!("registry.test:5000/app{number}");
        let (first, second) = tokio::join!(
            one.api().there(&gun, "timestamp.key"),
            two.api().there(&gun, "timestamp.key"),
        );
        assert_eq!(first, second);
    }
}

const GUN: &str = "registry.test:5000/app";
