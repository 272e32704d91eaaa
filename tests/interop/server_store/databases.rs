//! What holds on SQLite holds on PostgreSQL, and from one to the other.

use std::{fs, path::Path};

use super::database::PostgreSql;
use super::postgres::shared;
use super::scenes::{backups::backed_up_and_restored, growth::grows_by_little, prunes::pruned};
use super::world::place::Place;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_goes_from_one_database_to_the_other_and_back() {
    let first = Place::on(&shared().new_database());
    let (second, third) = (Place::new(), Place::on(&shared().new_database()));
    backed_up_and_restored(&first, &[&second, &third]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_prune_keeps_what_anybody_may_need() {
    pruned(&Place::on(&shared().new_database())).await;
}

#[tokio::test]
async fn a_tag_more_costs_little_room() {
    let database = PostgreSql::new();
    let place = Place::on(database.url());
    let size = || {
        database.checkpoint();
        size_below(&database.folder().join("data/base"))
    };
    grows_by_little(&place, size).await;
}

fn size_below(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).expect("a folder").flatten();
    let sizes = entries.map(|entry| match entry.metadata() {
        Ok(facts) if facts.is_dir() => size_below(&entry.path()),
        Ok(facts) => facts.len(),
        Err(_) => 0,
    });
    sizes.sum()
}
