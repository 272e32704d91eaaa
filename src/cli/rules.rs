//! Which policy holds.

use super::failure::Failure;
use super::session::Session;
use std::path::{Path, PathBuf};
use trust::policy::Policy;

/// Where the policy is.
#[derive(clap::Args, Clone, Debug, Default)]
pub(crate) struct PolicyArgs {
    /// Policy [default: `$DOCKER_CONFIG/trust/policy.toml`, else /etc/trust/policy.toml]
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
}

impl PolicyArgs {
    /// The policy of this file, else of the default ones, else of `DOCKER_CONTENT_TRUST=1`.
    pub(crate) fn find(&self, session: &Session) -> Result<Option<Policy>, Failure> {
        if let Some(file) = self.file(session)? {
            return read(&file).map(Some);
        }
        Ok(session.environment.content_trust().then(Policy::signed))
    }

    /// The file the policy comes from, if it comes from one.
    pub(crate) fn file(&self, session: &Session) -> Result<Option<PathBuf>, Failure> {
        if self.policy.is_some() {
            return Ok(self.policy.clone());
        }
        let own = session.environment.docker_config_dir()?.join("trust");
        let places = [
            own.join("policy.toml"),
            PathBuf::from("/etc/trust/policy.toml"),
        ];
        // One that cannot be looked at is found, and then cannot be read: that is said.
        Ok(places
            .into_iter()
            .find(|place| !place.try_exists().is_ok_and(|exists| !exists)))
    }
}

/// The policy in a file.
pub(crate) fn read(file: &Path) -> Result<Policy, Failure> {
    let text = std::fs::read_to_string(file)
        .map_err(|error| Failure::wrong(format!("cannot read {}: {error}", file.display())))?;
    Policy::parse(&text).map_err(|error| Failure::wrong(format!("{}, {error}", file.display())))
}
