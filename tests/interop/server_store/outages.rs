//! A PostgreSQL that hangs, or is shut down, under load.

use std::cell::RefCell;
use std::time::Duration;

use super::database::PostgreSql;
use super::scenes::outages::{BOUND, away_under_load};
use super::world::{asked, place::Place};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_hangs_is_said_to_be_away_until_it_goes_on() {
    let database = PostgreSql::new();
    let place = Place::on(database.url());
    away_under_load(&place, time(), || database.freeze(), || database.thaw()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_was_shut_down_is_said_to_be_away_until_it_is_back() {
    let database = RefCell::new(PostgreSql::new());
    let place = Place::on(database.borrow().url());
    let (leave, come_back) = (
        || database.borrow_mut().stop(),
        || database.borrow_mut().start(),
    );
    away_under_load(&place, time(), leave, come_back).await;
}

fn time() -> Duration {
    // Whoever hangs for a shorter time need not be noticed.
    let short = u32::try_from(BOUND.as_secs()).unwrap_or(u32::MAX) + 2;
    Duration::from_secs(asked("TRUST_SOAK_OUTAGE", short).into())
}
