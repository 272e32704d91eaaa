//! The strongroom: private keys and repository metadata at rest.
//!
//! A client's live in Docker's trust directory (`~/.docker/trust`, or `~/.notary`), in the layout that
//! `docker trust` and `notary` read and write, so that the three programs can take turns.
//! A trust server's live in a database. Metadata are bytes here and are never interpreted; private key bytes never leave this crate.
#![forbid(unsafe_code)]

mod atomic;
pub mod keys;
pub mod metadata;
mod seal_key;
pub mod server;

pub use atomic::{create_atomic, write_atomic};
