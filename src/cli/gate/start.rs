//! What every gate starts with: its policy, its log, its deadline.

use crate::cli::failure::Failure;
use crate::cli::rules::{self, PolicyArgs};
use crate::cli::service;
use crate::cli::session::{Session, read_clock};
use std::path::PathBuf;
use std::time::Duration;
use trust::gate::{Gate, Log};
use trust::quantity::{Period, Size};

/// What every gate can be told.
#[derive(clap::Args)]
pub(super) struct GateArgs {
    #[command(flatten)]
    policy: PolicyArgs,
    /// File to which each decision is written as a line of JSON
    #[arg(long, value_name = "FILE")]
    decision_log: Option<PathBuf>,
    /// Size at which the decision log is set aside and a new one is begun
    #[arg(long, value_name = "SIZE", value_parser = size, default_value = "64MiB")]
    decision_log_size: Size,
    /// How many full decision logs are kept
    #[arg(long, value_name = "N", default_value_t = 4)]
    decision_log_keep: usize,
}

impl GateArgs {
    /// The gate these options describe; without any policy there is none.
    pub(super) fn gate(&self, deadline: Duration, session: &Session) -> Result<Gate, Failure> {
        let policy = self.policy.find(session)?.ok_or_else(|| {
            Failure::wrong("there is no policy").hint(
                "name one with --policy, write /etc/trust/policy.toml, or set DOCKER_CONTENT_TRUST=1",
            )
        })?;
        let log = match &self.decision_log {
            Some(file) => {
                let limit = self.decision_log_size.bytes() as u64;
                Log::to(file, limit, self.decision_log_keep)
                    .map_err(|error| Failure::unfinished(error.to_string()))?
            }
            None => Log::none(),
        };
        let decider = session.decider()?;
        Ok(Gate::new(policy, decider, log, deadline, read_clock))
    }

    /// Reads the policy again at each SIGHUP; a wrong one changes nothing.
    pub(super) fn reload(gate: Gate, file: Option<PathBuf>) -> impl Future<Output = ()> {
        service::at_hangup(move || match file.as_deref().map(rules::read) {
            None => tracing::info!("there is no policy file to be read again"),
            Some(Ok(policy)) => {
                gate.enforce(policy);
                tracing::info!(?file, "read the policy again");
            }
            Some(Err(failure)) => {
                tracing::error!(why = failure.words(), "kept the policy as it was");
            }
        })
    }

    /// The file the policy comes from, if it comes from one.
    pub(super) fn policy_file(&self, session: &Session) -> Result<Option<PathBuf>, Failure> {
        self.policy.file(session)
    }
}

/// A time as people write it, for options such as `--deadline`.
pub(super) fn period(text: &str) -> Result<Duration, String> {
    let period = Period::parse(text).map(Duration::from);
    period.ok_or_else(|| "it is a time such as 500ms, 10s or 5m".to_owned())
}

fn size(text: &str) -> Result<Size, String> {
    Size::parse(text).ok_or_else(|| "it is a size such as 100KiB or 64MiB".to_owned())
}
