//! The log of a long-running command: one line or one JSON object an event, on standard error.

use std::io;
use tracing_subscriber::EnvFilter;
use trust::server::settings::{LogFormat, LogSettings};

/// From now on events of this program are written; those of libraries may hold secrets.
pub(crate) fn begin(settings: &LogSettings, colors: bool) {
    let level = settings.level.as_str();
    let targets = EnvFilter::builder().parse_lossy(format!("trust={level},trust_store={level}"));
    let log = tracing_subscriber::fmt()
        .with_env_filter(targets)
        .with_ansi(colors)
        .with_writer(io::stderr);
    // With --verbose there is a log already, and it tells more.
    let _ = match settings.format {
        LogFormat::Json => log.json().flatten_event(true).try_init(),
        LogFormat::Text => log.try_init(),
    };
}
