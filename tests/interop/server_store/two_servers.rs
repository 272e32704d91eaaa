//! Two servers on one PostgreSQL are one server.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tokio::time::sleep;

use super::postgres::shared;
use super::world::load::{Load, Seen, Story};
use super::world::{asked, place::Place};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn eight_writers_through_two_servers_lose_nothing() {
    let wanted = asked("TRUST_SOAK_PUBLISHES", 80) as usize;
    let place = Place::on(&shared().new_database());
    let (one, other) = (place.start(), place.another());
    let two = other.start();
    let apis = [one.api(), two.api()];
    let story = Story::begin(apis[0], "registry.test:5000/app")
        .await
        .expect("keys");

    let mut load = Load::new();
    for number in 0..8 {
        // Each writes through one and the other in turn, half of them beginning with the other.
        load.writer(&story, &[apis[number % 2], apis[(number + 1) % 2]]);
    }
    let begun = Instant::now();
    let taken = |seen: &Seen| seen.taken.load(Ordering::Relaxed);
    while taken(&load.seen) < wanted {
        assert!(!load.is_broken(), "somebody gave up");
        sleep(Duration::from_millis(20)).await;
    }
    let seen = load.end().await;
    let took = begun.elapsed();

    for api in apis {
        let newest = story.check_everything(api).await;
        assert_eq!(
            newest as usize,
            taken(&seen),
            "every version was answered once"
        );
    }
    let late = seen.late.load(Ordering::Relaxed);
    eprintln!("{} publishes, {late} came too late, {took:?}", taken(&seen));
    assert!(late > 0, "nobody was in the way of anybody");
    assert_eq!(seen.cut.load(Ordering::Relaxed), 0);
    assert_eq!(seen.unavailable.load(Ordering::Relaxed), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_server_answered_the_other_serves() {
    let place = Place::on(&shared().new_database());
    let (one, other) = (place.start(), place.another());
    let two = other.start();
    let apis = [one.api(), two.api()];
    let mut story = Story::begin(apis[0], "registry.test:5000/app")
        .await
        .expect("keys");
    for round in 0..40 {
        let (writes, reads) = (apis[round % 2], apis[(round + 1) % 2]);
        story.publish(writes, &format!("v{round}")).await.taken();
        let ask = || reads.state(&story.repo.gun);
        let (first, second, third) = tokio::join!(ask(), ask(), ask());
        for state in [first, second, third] {
            let state = state.expect("an answer").expect("a repository");
            assert_eq!(
                super::world::api::version(&state.timestamp),
                story.repo.version
            );
        }
    }
    // Both know the same keys, and a deletion.
    let gun = &story.repo.gun;
    for role in ["timestamp.key", "snapshot.key"] {
        assert_eq!(
            apis[0].there(gun, role).await,
            apis[1].there(gun, role).await
        );
    }
    assert!(apis[0].delete(gun).await);
    assert!(apis[1].state(gun).await.expect("an answer").is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_servers_that_are_asked_first_at_once_make_one_key() {
    let place = Place::on(&shared().new_database());
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
