//! `trust hook install shell`

use super::{CommonArgs, ProgramArgs, carry_out};
use crate::cli::hook::place::Engine;
use crate::cli::{failure::Failure, session::Session};
use clap::ValueEnum;
use trust::gate::install::shell::{self, Options, Shell};

/// Have the docker command of interactive shells honour `DOCKER_CONTENT_TRUST`
///
/// Docker's own program ignores it since version 29. Covers docker pull, run, create and build as
/// people type them; scripts, sudo and other clients pass by.
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    common: CommonArgs,
    #[command(flatten)]
    program: ProgramArgs,
    /// Shell to install it for; may be given several times [default: those in use]
    #[arg(long = "shell", value_name = "SHELL")]
    shells: Vec<Word>,
    /// Print the function for one shell, and change nothing
    #[arg(long, requires = "shells")]
    print: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Word {
    Bash,
    Zsh,
    Fish,
}

impl From<Word> for Shell {
    fn from(word: Word) -> Self {
        match word {
            Word::Bash => Self::Bash,
            Word::Zsh => Self::Zsh,
            Word::Fish => Self::Fish,
        }
    }
}

pub(super) fn run(args: &Args, session: &Session) -> Result<(), Failure> {
    let program = args.program.path()?;
    if args.print {
        for shell in &args.shells {
            session.out.text(&Shell::from(*shell).block(&program));
        }
        return Ok(());
    }
    let place = args.common.place.find(Engine::Shell, session)?;
    let home = session.environment.home.clone();
    let home = home.ok_or_else(|| Failure::wrong("there is no home folder: HOME is not set"))?;
    let options = Options {
        shells: args.shells.iter().copied().map(Shell::from).collect(),
        home,
        program,
    };
    let wanted = shell::wanted(&options.home);
    let plan = |files: &_| shell::plan(files, &options);
    carry_out(Engine::Shell, &args.common, &place, wanted, plan, session)
}
