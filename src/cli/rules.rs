//! Which policy holds.

use super::failure::{Failure, in_gos_words};
use super::session::Session;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use trust::policy::{MAX_FILE, Policy};

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

/// The policy in a file; files it names relatively lie beside it.
pub(crate) fn read(file: &Path) -> Result<Policy, Failure> {
    let unreadable = |words| Failure::wrong(format!("cannot read {}: {words}", file.display()));
    let text = bytes(file).map_err(unreadable)?;
    let text = String::from_utf8(text).map_err(|_| unreadable("it is not UTF-8".to_owned()))?;
    let folder = file.parent().unwrap_or(Path::new(""));
    Policy::parse(&text, &mut |name| bytes(&folder.join(name)))
        .map_err(|error| Failure::wrong(format!("{}, {error}", file.display())))
}

/// The bytes of a file that is no larger than a policy may be.
fn bytes(file: &Path) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let most = u64::try_from(MAX_FILE).unwrap_or(u64::MAX);
    File::open(file)
        .and_then(|file| file.take(most + 1).read_to_end(&mut bytes))
        .map_err(|error| in_gos_words(&error))?;
    Ok(bytes)
}
