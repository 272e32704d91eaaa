//! `trust repo pin`

use crate::cli::{failure::Failure, notice, session::Session};
use std::path::{Path, PathBuf};
use trust::{
    policy::RootTrust, reference::ImageReference, remote::Actions, repository::Error,
    tuf::authority::authorities,
};

/// Trust the root of a repository because its key is known, not because it came first
///
/// Compare the id with what the publisher says over another channel. From then on this machine
/// follows that root, and rules of a policy that trust no root on first use find it.
#[derive(clap::Args)]
pub(super) struct Args {
    /// Id of a key of the root, 64 hex digits; may be given several times
    #[arg(long = "key-id", value_name = "ID", value_parser = key_id)]
    key_ids: Vec<String>,
    /// Certificate authority of the root key, in PEM
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// The repository
    pub(super) repository: String,
}

pub(super) async fn run(args: &Args, session: &Session) -> Result<(), Failure> {
    let image = ImageReference::parse(&args.repository)?;
    let trust = RootTrust {
        key_ids: args.key_ids.iter().cloned().collect(),
        authorities: args
            .ca
            .as_deref()
            .map(read)
            .transpose()?
            .unwrap_or_default(),
        first_use: false,
    };
    let repository = session.repository(&image, Actions::Pull).await?;
    let mut watch = |event| notice::tell(&session.out, event);
    match repository.pin(&trust, session.now(), &mut watch).await {
        Ok(why) if trust.is_pinned() => {
            session.out.say(&format!("{}: {why}", image.gun()));
            Ok(())
        }
        Ok(_) => Err(
            Failure::wrong("it keeps a root, and nothing says which it should be").hint(NAME_IT),
        ),
        Err(Error::RootNotTrusted(words)) if !trust.is_pinned() => {
            Err(Failure::wrong(words).hint(NAME_IT))
        }
        Err(error) => Err(error.into()),
    }
}

fn read(file: &Path) -> Result<Vec<Vec<u8>>, Failure> {
    let wrong = |words: String| Failure::wrong(format!("{}: {words}", file.display()));
    let bytes = std::fs::read(file).map_err(|error| wrong(error.to_string()))?;
    authorities(&bytes).map_err(|error| wrong(error.to_string()))
}

fn key_id(text: &str) -> Result<String, String> {
    let is_hex = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'a'..=b'f');
    if text.len() == 64 && text.bytes().all(is_hex) {
        return Ok(text.to_owned());
    }
    Err("it is 64 lower-case hex digits".to_owned())
}

const NAME_IT: &str =
    "name the key with --key-id, or its authority with --ca, once the publisher has confirmed it";
