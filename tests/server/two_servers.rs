//! Two servers on one `SQLite` file, as while one takes over from the other.

use super::scenes::together;
use super::world::place::Place;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn eight_writers_through_two_servers_lose_nothing() {
    together::eight_writers_lose_nothing(&Place::new(), 40).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_server_answered_the_other_serves() {
    together::one_serves_what_the_other_answered(&Place::new()).await;
    together::both_make_one_key(&Place::new()).await;
}
