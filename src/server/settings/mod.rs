//! The configuration of a trust server.

pub mod access;
