//! The server's store, the same promises on each database.
//!
//! `PostgreSQL` takes part with the feature `interop`.
#![forbid(unsafe_code)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test fails by panicking, and says what it measured"
)]

mod backup;
mod changes;
mod damage;
mod files;
mod history;
mod keys;
mod killed;
mod listing;
mod prune;
mod racing;
mod seal;
mod users;
mod world;

#[cfg(feature = "interop")]
mod outages;
