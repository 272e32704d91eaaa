//! `trust delegation purge`

use crate::cli::{
    change::{Way, carry_out, report},
    failure::Failure,
    session::Session,
};
use trust::{
    reference::ImageReference,
    tuf::{change::Change, key::KeyId, role::RoleName},
};

/// Take keys out of every role below targets, as far as keys here can sign that
#[derive(clap::Args)]
pub(super) struct Args {
    /// Id of a key, 64 hex digits; may be given several times
    #[arg(long = "key", required = true, value_name = "ID", value_delimiter = ',', value_parser = key_id)]
    keys: Vec<KeyId>,
    #[command(flatten)]
    way: Way,
    /// The repository
    pub(super) repository: String,
}

pub(super) async fn run(args: &Args, session: &Session) -> Result<(), Failure> {
    let image = ImageReference::parse(&args.repository)?;
    let change = Change::Purge {
        from: RoleName::targets(),
        keys: args.keys.clone(),
    };
    let scope = change.scope();
    let done = carry_out(&image, &[change], &args.way, session).await?;
    session.out.say(&format!(
        "Removal of the following keys from all delegations in {} {}",
        image.gun(),
        done.words()
    ));
    for key in &args.keys {
        session.out.say(&format!("\t- {key}"));
    }
    report(&image, &[scope], done, session);
    Ok(())
}

fn key_id(text: &str) -> Result<KeyId, String> {
    KeyId::parse(text).ok_or_else(|| "a key's id has 64 hex digits in lower case".to_owned())
}
