//! The real server program over HTTP, on the store it makes itself.

mod ending;
mod scenes;
mod two_servers;
#[allow(dead_code, reason = "two test binaries share it")]
mod world;

use world::asked;
use world::place::Place;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_killed_at_any_point_keeps_what_it_promised() {
    let kills = asked("TRUST_SOAK_KILLS", 12);
    scenes::kills::killed_at_any_point(&Place::new(), kills, |_| {}).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restored_backup_serves_the_same_bytes() {
    let (first, second, third) = (Place::new(), Place::new(), Place::new());
    scenes::backups::backed_up_and_restored(&first, &[&second, &third]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_prune_keeps_what_anybody_may_need() {
    scenes::prunes::pruned(&Place::new()).await;
}

#[tokio::test]
async fn a_tag_more_costs_little_room() {
    let place = Place::new();
    scenes::growth::grows_by_little(&place, || place.store_bytes()).await;
}
