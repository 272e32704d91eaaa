//! The real server program over HTTP, on the store it makes itself.

mod scenes;
#[allow(dead_code, reason = "two test binaries share it")]
mod world;

use world::asked;
use world::place::Place;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_killed_at_any_point_keeps_what_it_promised() {
    let kills = asked("TRUST_SOAK_KILLS", 12);
    scenes::kills::killed_at_any_point(&Place::new(), kills, |_| {}).await;
}
