//! The configuration of a trust server.
