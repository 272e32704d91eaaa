//! `trust repo reset`

use crate::cli::{failure::Failure, session::Session};
use trust::{reference::ImageReference, remote::Actions};

/// Take changes off the list of staged ones
#[derive(clap::Args)]
pub(super) struct Args {
    /// Numbers of changes, as `trust repo status` shows them
    #[arg(
        short,
        long = "number",
        value_name = "INDEX",
        value_delimiter = ',',
        conflicts_with = "all"
    )]
    numbers: Vec<usize>,
    /// All changes
    #[arg(long)]
    all: bool,
    /// The repository
    pub(super) repository: String,
}

pub(super) async fn run(args: &Args, session: &Session) -> Result<(), Failure> {
    let (image, out) = (ImageReference::parse(&args.repository)?, &session.out);
    if args.numbers.is_empty() && !args.all {
        let words = "must specify changes to reset with -n or the --all flag";
        return Err(Failure::wrong(words));
    }
    let repository = session.repository(&image, Actions::Pull).await?;
    let numbers = (!args.all).then_some(args.numbers.as_slice());
    let reset = repository.reset_staged(numbers)?;
    let gun = image.gun();
    out.say(&format!(
        "Successfully reset specified changes for repository {gun}"
    ));
    if out.is_json() {
        out.json(&serde_json::json!({ "repository": gun, "reset": reset }));
    }
    Ok(())
}
