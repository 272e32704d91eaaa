//! A `PostgreSQL` that hangs, or is shut down, under load.

use super::database::PostgreSql;
use super::lost_host::Wire;
use super::world::api::Api;
use super::world::load::{Answer, Load, Story};
use super::world::place::Place;
use reqwest::StatusCode;
use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;
use tokio::time::sleep;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_hangs_is_said_to_be_away_until_it_goes_on() {
    let database = PostgreSql::new();
    let place = Place::on(database.url());
    away_under_load(&place, || database.freeze(), || database.thaw()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_was_shut_down_is_said_to_be_away_until_it_is_back() {
    let database = RefCell::new(PostgreSql::new());
    let place = Place::on(database.borrow().url());
    let (leave, come_back) = (
        || database.borrow_mut().stop(),
        || database.borrow_mut().start(),
    );
    away_under_load(&place, leave, come_back).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_on_a_machine_that_is_gone_is_found_on_another() {
    let database = PostgreSql::new();
    let wire = Wire::to(&database.folder());
    let place = Place::on(&wire.instead_of(database.url()));
    away_under_load(&place, || wire.lose(), || wire.restore()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_whose_database_hangs_still_ends_and_does_not_begin() {
    let database = PostgreSql::new();
    let place = Place::on(database.url());
    let mut server = place.start();
    let mut story = Story::begin(server.api(), "registry.test:5000/app")
        .await
        .unwrap();
    story.publish(server.api(), "first").await.taken();
    database.freeze();
    let api = server.api().clone();
    let waiting = tokio::spawn(async move { story.publish(&api, "second").await });
    sleep(Duration::from_millis(200)).await;
    server.terminate();
    let answer = waiting.await.unwrap();
    assert!(matches!(answer, Answer::Refused(..)), "{answer:?}");
    let status = server.ended(BOUND).expect("no end");
    assert!(status.success(), "{status}");

    let begun = Instant::now();
    let said = place.try_start().err().expect("no database");
    assert!(begun.elapsed() < BOUND, "{:?}", begun.elapsed());
    assert!(said.contains("the database is not available"), "{said}");
    database.thaw();
    let server = place.start();
    server.api().believed("registry.test:5000/app").await;
}

/// While the database is away requests get 503 in bounded time; when it is back all goes on, in
/// the same process, and nothing is lost.
async fn away_under_load(place: &Place, mut leave: impl FnMut(), come_back: impl FnOnce()) {
    let server = place.start();
    let api = server.api();
    let mut stories = Vec::new();
    for name in ["one", "two", "shared", "quiet"] {
        let gun = format!("registry.test:5000/{name}");
        let mut story = Story::begin(api, &gun).await.unwrap();
        story.publish(api, "first").await.taken();
        stories.push(story);
    }
    // Nobody else publishes there, so that nobody is quicker.
    let mut quiet = stories.pop().unwrap();
    let mut load = Load::new();
    for story in stories
        .iter()
        .chain([&stories[2], &stories[2], &stories[2]])
    {
        load.writer(story, &[api]);
    }
    let reader = Reader::of(api, &stories[0].repo.gun);
    sleep(Duration::from_secs(1)).await;

    leave();
    let begun = Instant::now();
    nothing_works(api, &mut stories[1].clone()).await;
    sleep(TIME.saturating_sub(begun.elapsed())).await;
    come_back();
    works_again(api, &mut quiet).await;
    stories.push(quiet);

    let (ok, unavailable, longest) = reader.end().await;
    let seen = load.end().await;
    for story in &stories {
        story.check_everything(api).await;
    }
    let waited = *seen.longest.lock().unwrap();
    let (taken, refused) = (
        seen.taken.load(Ordering::Relaxed),
        seen.unavailable.load(Ordering::Relaxed),
    );
    eprintln!(
        "away for {TIME:?}: {taken} publishes, {refused} refused, longest {waited:?}; \
         {ok} reads, {unavailable} refused, longest {longest:?}"
    );
    assert!(taken > 5 && refused > 0 && ok > 5 && unavailable > 0);
    assert_eq!(seen.cut.load(Ordering::Relaxed), 0);
    assert!(longest < BOUND && waited < BOUND, "{longest:?} {waited:?}");
}

/// Everything that needs the store says so, soon.
async fn nothing_works(api: &Api, story: &mut Story) {
    let gun = story.repo.gun.clone();
    let asked = async |path: &str| {
        let begun = Instant::now();
        let reply = api.get(path).await.unwrap();
        assert!(begun.elapsed() < BOUND, "{path}: {:?}", begun.elapsed());
        reply.status
    };
    let path = |file: &str| format!("v2/{gun}/_trust/tuf/{file}");
    let paths = [
        path("timestamp.json"),
        path("1.root.json"),
        path("timestamp.key"),
        path(&format!("root.{}.json", "0".repeat(64))),
        format!("v2/{gun}/_trust/changefeed?records=10"),
        "_notary_server/health".to_owned(),
        "readyz".to_owned(),
    ];
    let all = paths.iter().map(|path| asked(path));
    for (path, status) in paths.iter().zip(futures_util::future::join_all(all).await) {
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
    }
    assert_eq!(asked("healthz").await, StatusCode::OK);
    let begun = Instant::now();
    let answer = story.publish(api, "in vain").await;
    let refused = matches!(answer, Answer::Refused(StatusCode::SERVICE_UNAVAILABLE, _));
    assert!(refused, "{answer:?}");
    assert!(begun.elapsed() < BOUND, "{:?}", begun.elapsed());
}

async fn works_again(api: &Api, story: &mut Story) {
    let begun = Instant::now();
    while api.get("readyz").await.unwrap().status != StatusCode::OK {
        assert!(begun.elapsed() < BOUND, "not ready");
        sleep(Duration::from_millis(20)).await;
    }
    loop {
        match story.publish_newest(api, "again").await {
            Answer::Taken => break,
            answer => assert!(begun.elapsed() < BOUND, "not working: {answer:?}"),
        }
    }
    // The load goes on a little.
    sleep(Duration::from_secs(1)).await;
}

/// Somebody who reads all the time: how often that went well, how often not, and the longest time.
struct Reader {
    over: Arc<AtomicBool>,
    work: JoinHandle<(usize, usize, Duration)>,
}

impl Reader {
    fn of(api: &Api, gun: &str) -> Self {
        let (api, gun) = (api.clone(), gun.to_owned());
        let over = Arc::<AtomicBool>::default();
        let told = Arc::clone(&over);
        let work = tokio::spawn(async move {
            let (mut ok, mut unavailable, mut longest) = (0, 0, Duration::ZERO);
            while !told.load(Ordering::Relaxed) {
                let begun = Instant::now();
                match api.file(&gun, "timestamp.json").await.unwrap().status {
                    StatusCode::OK => ok += 1,
                    StatusCode::SERVICE_UNAVAILABLE => unavailable += 1,
                    other => panic!("{other}"),
                }
                longest = longest.max(begun.elapsed());
                sleep(Duration::from_millis(5)).await;
            }
            (ok, unavailable, longest)
        });
        Self { over, work }
    }

    async fn end(self) -> (usize, usize, Duration) {
        self.over.store(true, Ordering::Relaxed);
        self.work.await.unwrap()
    }
}

/// How long any request may take.
const BOUND: Duration = Duration::from_secs(8);

/// How long it is away.
const TIME: Duration = Duration::from_secs(10);
