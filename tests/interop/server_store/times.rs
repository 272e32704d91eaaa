//! Servers at other times: what expires is signed anew, what is old enough is pruned.
//!
//! `libfaketime` moves the clock of a server, or makes it run fast; only the real one waits.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use reqwest::StatusCode;
use tokio::time::sleep;

use super::world::api::{Api, signed, version};
use super::world::load::Story;
use super::world::place::Place;
use super::world::repo::Repo;

#[tokio::test]
async fn a_timestamp_is_signed_anew_before_it_expires_and_after() {
    let mut place = Place::new();
    let story = begun(&place).await;
    let first = version_after(&mut place, &story, 1).await;
    assert_eq!(first, 1, "there is time left");
    // A week before it expires, a day before, and when nobody was there in time.
    for (day, expected) in [(8, 2), (8 + 13, 3), (8 + 13 + 15, 4)] {
        assert_eq!(
            version_after(&mut place, &story, day).await,
            expected,
            "day {day}"
        );
    }
}

#[tokio::test]
async fn a_snapshot_of_the_servers_is_signed_anew_after_three_years() {
    let mut place = Place::new();
    let story = begun(&place).await;
    for day in [3 * 365 - 30, 3 * 365 * 2 + 30] {
        at_day(&mut place, day);
        let server = place.start();
        let now = day_after(day);
        // It is signed anew as the server begins, which may answer first.
        let patience = Instant::now() + Duration::from_secs(20);
        loop {
            let roles = server.api().believed_at(GUN, now).await.expect("believed");
            let of = |name: &str| roles.iter().find(|role| role.role == name).expect("a role");
            assert_eq!(of("targets").version, Some(story.repo.version));
            let until = of("snapshot").expires.expect("a date");
            if until > day_after(day + 1000) {
                break;
            }
            assert!(Instant::now() < patience, "{until} on day {day}");
            sleep(Duration::from_millis(20)).await;
        }
        server.stop();
    }
}

#[tokio::test]
async fn an_expired_snapshot_of_an_owner_is_left_to_the_owner() {
    let mut place = Place::new();
    let server = place.start();
    let repo = Repo::begin_with_own_snapshots(server.api(), GUN, 30).await;
    let mut story = Story::of(repo.expect("keys"));
    story.publish(server.api(), "v1").await.taken();
    server.api().believed(GUN).await;
    server.stop();

    at_day(&mut place, 40);
    let server = place.start();
    let (api, now) = (server.api(), day_after(40));
    let state = api
        .state(GUN)
        .await
        .expect("an answer")
        .expect("a repository");
    assert!(expires(&state.timestamp) > now, "the timestamp is in force");
    assert!(expires(&state.snapshot) < now);
    let error = api.believed_at(GUN, now).await.expect_err("it expired");
    assert!(error.to_string().contains("expired"), "{error}");
    assert_eq!(api.there(GUN, "targets.json").await, state.targets);

    // Its owner comes back.
    story.repo = story.repo.with_snapshots_for(60);
    story.publish(api, "v2").await.taken();
    api.believed_at(GUN, now).await.expect("believed again");
}

#[tokio::test]
async fn an_expired_root_is_left_to_the_owner() {
    let mut place = Place::new();
    let server = place.start();
    let repo = Repo::begin(server.api(), GUN).await.expect("keys");
    let mut story = Story::of(repo.with_root_for(30));
    story.publish(server.api(), "v1").await.taken();
    server.stop();

    at_day(&mut place, 40);
    let server = place.start();
    let (api, now) = (server.api(), day_after(40));
    for _ in 0..3 {
        let state = api
            .state(GUN)
            .await
            .expect("an answer")
            .expect("a repository");
        assert!(
            expires(&state.timestamp) < now,
            "signed under a root that expired"
        );
    }
    let error = api.believed_at(GUN, now).await.expect_err("it expired");
    assert!(error.to_string().contains("root"), "{error}");

    story.repo = story.repo.with_root_for(60);
    story.publish_new_root(api).await.taken();
    api.believed_at(GUN, now).await.expect("believed again");
}

#[tokio::test]
async fn a_server_that_runs_for_weeks_renews_without_being_asked() {
    let mut place = Place::new();
    place.configure("[renew]\nevery = \"1s\"\n");
    let mut story = begun(&place).await;
    // A day a second.
    move_clock(&mut place, "+0 x86400");
    let server = place.start();
    let begun = Instant::now();
    while server.api().feed(GUN).await.len() < 3 {
        assert!(
            begun.elapsed() < Duration::from_secs(40),
            "nothing was renewed"
        );
        sleep(Duration::from_millis(200)).await;
    }
    let took = begun.elapsed();
    assert!(
        took > Duration::from_secs(12),
        "renewed too often: {took:?}"
    );
    // Whoever publishes meanwhile is not in the way.
    story.catch_up(server.api()).await.expect("an answer");
    story.publish(server.api(), "meanwhile").await.taken();
}

#[tokio::test]
async fn a_server_that_nobody_asked_for_weeks_renews_for_the_first_who_does() {
    let mut place = Place::new();
    place.configure("[renew]\nevery = \"1h\"\n");
    begun(&place).await;
    // Two days a second.
    move_clock(&mut place, "+0 x172800");
    let server = place.start();
    sleep(Duration::from_secs(10)).await;
    assert_eq!(server.api().feed(GUN).await.len(), 1, "nobody asked");
    let asked = (0..8).map(|_| server.api().there(GUN, "timestamp.json"));
    for timestamp in futures_util::future::join_all(asked).await {
        assert_eq!(version(&timestamp), 2, "renewed once");
        assert!(expires(&timestamp) > day_after(30));
    }
}

#[tokio::test]
async fn a_prune_counts_from_the_day_of_the_replacement() {
    let mut place = Place::new();
    let mut story = begun(&place).await;
    for day in [1, 20] {
        at_day(&mut place, day);
        let server = place.start();
        story
            .publish_newest(server.api(), &format!("day{day}"))
            .await
            .taken();
        server.stop();
    }
    at_day(&mut place, 22);
    place.run("prune", &["--keep-days".as_ref(), "7".as_ref()]);
    let server = place.start();
    let mut left = Vec::new();
    for version in 1..=3 {
        let name = format!("{version}.targets.json");
        let reply = server.api().file(GUN, &name).await.expect("an answer");
        left.push(reply.status == StatusCode::OK);
    }
    assert_eq!(
        left,
        [false, true, true],
        "replaced on day 1, on day 20, and not at all"
    );
    server
        .api()
        .believed_at(GUN, day_after(22))
        .await
        .expect("believed");
}

/// A repository of today.
async fn begun(place: &Place) -> Story {
    let server = place.start();
    let mut story = Story::begin(server.api(), GUN).await.expect("keys");
    story.publish(server.api(), "v1").await.taken();
    server.stop();
    story
}

/// The version of the timestamp that a server serves that is started on that day; it is in force.
async fn version_after(place: &mut Place, story: &Story, day: i64) -> u64 {
    at_day(place, day);
    let server = place.start();
    let (api, now) = (server.api(), day_after(day));
    renewed(api, now).await;
    let roles = api.believed_at(GUN, now).await.expect("believed");
    let of = |name: &str| roles.iter().find(|role| role.role == name).expect("a role");
    assert_eq!(of("targets").version, Some(story.repo.version));
    let version = of("timestamp").version.expect("a version");
    server.stop();
    version
}

/// Waits for what a server does when it starts.
async fn renewed(api: &Api, now: Timestamp) {
    for _ in 0..100 {
        let timestamp = api.there(GUN, "timestamp.json").await;
        if expires(&timestamp) > now + SignedDuration::from_hours(24 * 6) {
            return;
        }
        sleep(Duration::from_millis(50)).await;
    }
    panic!("the timestamp was not renewed");
}

fn expires(file: &[u8]) -> Timestamp {
    let signed = signed(file);
    let expires = signed["expires"].as_str().expect("a date");
    expires.parse().expect("a date")
}

fn day_after(day: i64) -> Timestamp {
    Timestamp::now() + SignedDuration::from_hours(24 * day)
}

fn at_day(place: &mut Place, day: i64) {
    move_clock(place, &format!("+{day}d"));
}

fn move_clock(place: &mut Place, by: &str) {
    place.set("LD_PRELOAD", library().display().to_string());
    place.set("FAKETIME", by);
    // Waiting is no part of the play.
    place.set("FAKETIME_DONT_FAKE_MONOTONIC", "1");
}

fn library() -> PathBuf {
    let places = [
        "/usr/lib/x86_64-linux-gnu",
        "/usr/lib/aarch64-linux-gnu",
        "/usr/lib",
        "/usr/local/lib",
    ];
    let files = places.map(|place| PathBuf::from(place).join("faketime/libfaketimeMT.so.1"));
    let found = files.into_iter().find(|file| file.exists());
    found.expect("libfaketime is missing, install it: apt-get install faketime")
}

const GUN: &str = "registry.test:5000/app";
