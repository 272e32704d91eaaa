//! `trust witness`

use super::{
    change::{Outcome, Way, carry_out, report, targets_role},
    failure::Failure,
    session::Session,
};
use trust::{
    reference::ImageReference,
    tuf::{change::Change, role::RoleName},
};

/// Sign roles again as they are
///
/// For roles that have lost their valid signatures, as when a key was taken from them. What such
/// a role says is shown: whoever witnesses it vouches for it.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    way: Way,
    /// The repository
    pub(super) repository: String,
    /// Roles, with or without targets/ in front
    #[arg(required = true, value_name = "ROLE")]
    roles: Vec<String>,
}

pub(super) async fn run(args: &Args, session: &Session) -> Result<(), Failure> {
    let image = ImageReference::parse(&args.repository)?;
    let roles = args.roles.iter().map(|role| targets_role(role));
    let roles = roles.collect::<Result<Vec<_>, _>>()?;
    let changes = roles.iter().cloned().map(|role| Change::Witness { role });
    let changes: Vec<_> = changes.collect();
    let done = carry_out(&image, &changes, &args.way, session).await?;
    session.out.say(match done {
        Outcome::Staged => {
            "The following roles were successfully marked for witnessing on the next publish:"
        }
        _ => "The following roles were successfully witnessed:",
    });
    for role in &roles {
        session.out.say(&format!("\t- {role}"));
    }
    let roles: Vec<_> = roles.iter().map(RoleName::to_string).collect();
    report(&image, &roles, done, session);
    Ok(())
}
