//! `trust hook install podman`

use super::gate::GateArgs;
use super::{CommonArgs, carry_out};
use crate::cli::hook::place::Engine;
use crate::cli::{failure::Failure, session::Session};
use std::path::PathBuf;
use trust::gate::install::podman::{self, Options};

/// Have Podman, Buildah, skopeo and CRI-O ask the gate
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    common: CommonArgs,
    /// The gate's proxy [default: `http://127.0.0.1:8443`, with --gate-ca https]
    #[arg(long, value_name = "URL")]
    proxy: Option<String>,
    /// Registry the gate answers for, besides those that are configured; may be given several times
    #[arg(long = "registry", value_name = "HOST", default_value = "docker.io")]
    registries: Vec<String>,
    /// Registry the gate answers for where a name has none: its own --upstream
    #[arg(long, value_name = "HOST", default_value = "docker.io")]
    upstream: String,
    /// Registry, or `*.DOMAIN`, from which nothing is pulled; may be given several times
    #[arg(long = "block", value_name = "HOST")]
    blocked: Vec<String>,
    /// For this person only, in `~/.config/containers`
    #[arg(long)]
    user: bool,
    #[command(flatten)]
    gate: GateArgs,
}

pub(super) fn run(args: &Args, session: &Session) -> Result<(), Failure> {
    let place = args.common.place.find(Engine::Podman, session)?;
    let home = || {
        let home = session.environment.home.clone();
        home.ok_or_else(|| Failure::wrong("there is no home folder: HOME is not set"))
    };
    let options = Options {
        proxy: args.gate.address(args.proxy.as_deref())?,
        registries: args.registries.clone(),
        upstream: args.upstream.clone(),
        blocked: args.blocked.clone(),
        folder: if args.user {
            home()?.join(".config/containers")
        } else {
            PathBuf::from("/etc/containers")
        },
    };
    let wanted = podman::wanted(&options.folder, Some(&options.proxy));
    let plan = |files: &_| podman::plan(files, &options);
    carry_out(Engine::Podman, &args.common, &place, wanted, plan, session)
}
