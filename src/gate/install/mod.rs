//! `trust hook`: wires a gate into an engine, and undoes it.
//!
//! What is to be written is planned from what is there ([`Files`] and options in, [`Plan`] out);
//! only [`Root`] touches the disk. A [`Record`] of what was there makes the way back exact.

pub mod containerd;
mod daemon_json;
pub mod docker;
mod files;
mod gate_address;
pub mod hosts;
mod merge;
mod plan;
pub mod podman;
mod record;
mod refusal;
mod root;
pub mod shell;
mod status;
mod systemd;
mod transition;
mod undo;

pub use files::{Files, State};
pub use gate_address::GateAddress;
pub use plan::{Change, Plan};
pub use record::{Record, RecordError};
pub use refusal::Refusal;
pub use root::{Root, RootError, Wanted};
pub use status::{Standing, standing};
pub use transition::{Transition, transition};
pub use undo::undo;

/// dockerd's settings in the text of its `daemon.json`.
///
/// # Errors
/// It could not read them either.
pub(super) fn daemon_settings(
    text: &str,
) -> Result<serde_json::Map<String, serde_json::Value>, String> {
    daemon_json::settings(text).map_err(|why| why.to_string())
}
