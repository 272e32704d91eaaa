//! `trust hook install containerd`

use super::gate::{GateArgs, secret};
use super::{CommonArgs, ProgramArgs, carry_out};
use crate::cli::hook::place::{Engine, Place, absolute};
use crate::cli::{failure::Failure, session::Session};
use std::path::PathBuf;
use std::process::Command;
use trust::gate::install::Wanted;
use trust::gate::install::containerd::{self, Options, Settings};

/// Have containerd ask the gate
///
/// By the proxy, for Kubernetes and nerdctl, and since containerd 2 by an image verifier.
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    common: CommonArgs,
    #[command(flatten)]
    program: ProgramArgs,
    /// The gate's proxy [default: `http://127.0.0.1:8443`, with --gate-ca https]
    #[arg(long, value_name = "URL")]
    proxy: Option<String>,
    /// Leave the registries' settings alone
    #[arg(long)]
    no_proxy: bool,
    /// Whether to install the image verifier [default: if containerd is of version 2 or later]
    #[arg(long, value_name = "BOOL")]
    verifier: Option<bool>,
    /// Configuration of containerd
    #[arg(
        long,
        value_name = "FILE",
        default_value = "/etc/containerd/config.toml"
    )]
    config: PathBuf,
    #[command(flatten)]
    gate: GateArgs,
    /// Show the proxy the first line of this file in the header `X-Trust-Gate-Secret`
    #[arg(long, value_name = "FILE")]
    client_secret_file: Option<PathBuf>,
}

pub(super) fn run(args: &Args, session: &Session) -> Result<(), Failure> {
    let place = args.common.place.find(Engine::Containerd, session)?;
    let config = absolute(&args.config)?;
    let settings = settings(&place, &config)?;
    let mut gate = args.gate.address(args.proxy.as_deref())?;
    gate.header = args.client_secret_file.as_deref().map(secret).transpose()?;
    let is_new = settings.version > 2 || version(&place).is_some_and(|it| it >= 2);
    let options = Options {
        proxy: (!args.no_proxy).then_some(gate),
        verifier: args.verifier.unwrap_or(is_new),
        program: args.program.path()?,
        config,
    };
    let wanted = containerd::wanted(&options, &settings);
    let plan = |files: &_| containerd::plan(files, &options);
    carry_out(
        Engine::Containerd,
        &args.common,
        &place,
        wanted,
        plan,
        session,
    )
}

fn settings(place: &Place, config: &std::path::Path) -> Result<Settings, Failure> {
    let files = place.files(vec![Wanted::Content(config.to_owned())], None);
    let text = files.text(config)?.unwrap_or_default();
    Settings::parse(text).map_err(|why| Failure::wrong(format!("{}: {why}", config.display())))
}

/// The major version that containerd says it is.
fn version(place: &Place) -> Option<u64> {
    if !place.root.is_this_host() {
        return None;
    }
    let output = Command::new("containerd").arg("--version").output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let mut words = text.split_whitespace();
    words.find_map(|word| {
        let (major, _) = word.trim_start_matches('v').split_once('.')?;
        major.parse().ok()
    })
}
