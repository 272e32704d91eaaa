//! Key management, signing and verification for container images.
#![forbid(unsafe_code)]

pub mod config;
pub mod engine;
pub mod gate;
pub mod hosting;
pub mod listen;
pub mod place;
pub mod policy;
pub mod quantity;
pub mod reference;
pub mod registry;
pub mod remote;
pub mod repository;
pub mod server;
pub mod tls;
pub mod tuf;
