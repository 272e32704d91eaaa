//! Two servers on one `PostgreSQL` are one server.

use super::scenes::together;
use super::world::{asked, place::Place};
use crate::peers::postgres::shared;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn eight_writers_through_two_servers_lose_nothing() {
    let publishes = asked("TRUST_SOAK_PUBLISHES", 80);
    together::eight_writers_lose_nothing(&place(), publishes).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_server_answered_the_other_serves() {
    together::one_serves_what_the_other_answered(&place()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_servers_that_are_asked_first_at_once_make_one_key() {
    together::both_make_one_key(&place()).await;
}

fn place() -> Place {
    Place::on(&shared().new_database())
}
