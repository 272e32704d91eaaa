//! Key management, signing and verification for container images.
#![forbid(unsafe_code)]

pub mod config;
pub mod policy;
pub mod reference;
pub mod remote;
pub mod repository;
pub mod tls;
pub mod tuf;
