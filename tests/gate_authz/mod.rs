//! The Docker Engine's authorization plugin, without an engine.

mod routes;
