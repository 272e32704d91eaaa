//! Servers, and databases under them, killed at any point.

use super::database::PostgreSql;
use super::scenes::kills::killed_at_any_point;
use super::world::{asked, place::Place};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_on_postgresql_killed_at_any_point_keeps_what_it_promised() {
    let mut database = PostgreSql::new();
    let place = Place::on(database.url());
    let between = |round| {
        // Now and then the database dies too.
        if round % 10 == 9 {
            database.crash();
        }
    };
    killed_at_any_point(&place, asked("TRUST_SOAK_KILLS", 12), between).await;
}
