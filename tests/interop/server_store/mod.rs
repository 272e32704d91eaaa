//! Trust servers on `PostgreSQL`, on disks that fill up, and at other times.

mod database;
mod databases;
mod disk;
mod kills;
mod lost_host;
mod outages;
#[allow(dead_code, unreachable_pub, reason = "two test binaries share it")]
#[path = "../../server/scenes/mod.rs"]
mod scenes;
mod times;
mod two_servers;
#[allow(dead_code, unreachable_pub, reason = "two test binaries share it")]
#[path = "../../server/world/mod.rs"]
mod world;
