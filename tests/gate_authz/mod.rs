//! The Docker Engine's authorization plugin, without an engine.

mod engine;
mod hostile;
mod local;
mod plugin;
mod protocol;
mod routes;

/// Everything below `free.test` passes, nothing else; nothing local.
const POLICY: &str = "[default]\nrequire = \"reject\"\n\
    [[rule]]\nmatch = \"free.test/**\"\nrequire = \"accept\"\n";

/// The same, and what is local.
fn with_local() -> String {
    format!("{POLICY}[engine]\nlocal = \"accept\"\nbuild = \"accept\"\n")
}
