//! Trust servers on PostgreSQL, on disks that fill up, and at other times.

mod database;
mod databases;
mod disk;
mod kills;
mod outages;
#[allow(dead_code, reason = "two test binaries share it")]
#[path = "../../../trust-store/tests/server_store/world/postgres.rs"]
mod postgres;
#[allow(dead_code, unreachable_pub, reason = "two test binaries share it")]
#[path = "../../server/scenes/mod.rs"]
mod scenes;
mod times;
mod two_servers;
#[allow(dead_code, unreachable_pub, reason = "two test binaries share it")]
#[path = "../../server/world/mod.rs"]
mod world;
