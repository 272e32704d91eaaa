//! What is going to be changed is shown, and somebody says yes to it.

use crate::cli::{failure::Failure, session::Session};
use trust::gate::install::Plan;

/// Whether to ask, and whether to do it at all.
#[derive(clap::Args, Clone)]
pub(super) struct ConsentArgs {
    /// Show what would be changed, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
}

impl ConsentArgs {
    /// Shows the plan; says whether it is to be carried out.
    pub(super) fn given(&self, plan: &Plan, session: &Session) -> Result<bool, Failure> {
        session.out.text(&plan.diff());
        for note in &plan.notes {
            session.out.warn(note);
        }
        if self.dry_run || plan.changes.is_empty() {
            return Ok(false);
        }
        if self.yes {
            return Ok(true);
        }
        if !session.confirm("Change these files?", "-y")? {
            return Err(Failure::refused("nothing was changed"));
        }
        Ok(true)
    }

    /// Whether nothing is to be changed.
    pub(super) fn is_rehearsal(&self) -> bool {
        self.dry_run
    }
}
