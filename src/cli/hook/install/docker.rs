//! `trust hook install docker`

use super::gate::{GateArgs, secret};
use super::{CommonArgs, ProgramArgs, carry_out};
use crate::cli::hook::place::{Engine, Place, absolute};
use crate::cli::{failure::Failure, rules, session::Session};
use std::path::{Path, PathBuf};
use std::process::Command;
use trust::gate::install::GateAddress;
use trust::gate::install::docker::{self, DEFAULT_SOCKET, ImageStore, Options};

/// Have the Docker Engine ask the gate
///
/// By the authorization plugin, and by the proxy where the engine keeps images in containerd's
/// store: one with a graph driver does not read hosts.toml. The gates are started by systemd where
/// that is there.
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    common: CommonArgs,
    #[command(flatten)]
    program: ProgramArgs,
    /// Ask the authorization plugin; without --proxy, nothing else
    #[arg(long)]
    authz: bool,
    /// Have the gate's proxy answer for every registry; without --authz, nothing else
    /// [default URL: `http://127.0.0.1:8443`, with --gate-ca https]
    #[arg(long, value_name = "URL", num_args = 0..=1, default_missing_value = "")]
    proxy: Option<String>,
    /// Socket of the authorization plugin
    #[arg(long, value_name = "FILE", default_value = DEFAULT_SOCKET)]
    socket: PathBuf,
    /// Policy of the gates
    #[arg(long, value_name = "FILE", default_value = "/etc/trust/policy.toml")]
    policy: PathBuf,
    /// Write no units for systemd
    #[arg(long)]
    no_units: bool,
    /// Configuration of dockerd
    #[arg(long, value_name = "FILE", default_value = "/etc/docker/daemon.json")]
    config: PathBuf,
    /// Folder of the registries' settings
    #[arg(long, value_name = "DIR", default_value = "/etc/docker/certs.d")]
    certs_dir: PathBuf,
    /// Major version of dockerd [default: what it says itself]
    #[arg(long, value_name = "N")]
    engine_version: Option<u64>,
    #[command(flatten)]
    gate: GateArgs,
    /// Show the proxy the first line of this file in the header `X-Trust-Gate-Secret`
    #[arg(long, value_name = "FILE")]
    client_secret_file: Option<PathBuf>,
    /// Certificate of a proxy that is started on this machine
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// Key of that certificate
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Authorities of the engines' certificates, for a proxy that is started on this machine
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    client_ca: Option<PathBuf>,
}

pub(super) fn run(args: &Args, session: &Session) -> Result<(), Failure> {
    let place = args.common.place.find(Engine::Docker, session)?;
    let mut options = options(args, &place)?;
    let wanted = docker::wanted(&options);
    let chosen = args.authz || args.proxy.is_some();
    let store = store(args, &place, &options);
    if !chosen && store == ImageStore::Containerd {
        options.proxy = Some(address(args, None)?);
    }
    if !chosen && store == ImageStore::GraphDriver {
        session.out.note(
            "this dockerd does not read hosts.toml, so the authorization plugin is its only door",
        );
    }
    if args.proxy.is_some() && store == ImageStore::GraphDriver {
        session.out.warn_always(
            "only dockerd 29 and later with containerd's image store reads hosts.toml; any other \
             passes by the proxy",
        );
    }
    let policy = place.root.real(&options.policy);
    if options.authz && policy.exists() {
        // One that cannot be read would stop the gate, and with it dockerd.
        rules::read(&policy)?;
    }
    let plan = |files: &_| docker::plan(files, &options);
    carry_out(Engine::Docker, &args.common, &place, wanted, plan, session)
}

fn options(args: &Args, place: &Place) -> Result<Options, Failure> {
    let proxy = args.proxy.as_ref();
    let proxy = proxy
        .map(|url| address(args, Some(url.as_str()).filter(|it| !it.is_empty())))
        .transpose()?;
    let systemd = ["/usr/lib/systemd/systemd", "/lib/systemd/systemd"];
    let has_systemd = systemd
        .iter()
        .any(|it| place.root.real(Path::new(it)).exists());
    Ok(Options {
        authz: args.authz || args.proxy.is_none(),
        proxy,
        socket: absolute(&args.socket)?,
        policy: absolute(&args.policy)?,
        program: args.program.path()?,
        units: has_systemd && !args.no_units,
        tls: args.tls_cert.clone().zip(args.tls_key.clone()),
        client_ca: args.client_ca.clone(),
        secret_file: args.client_secret_file.clone(),
        config: absolute(&args.config)?,
        certs: absolute(&args.certs_dir)?,
    })
}

fn address(args: &Args, url: Option<&str>) -> Result<GateAddress, Failure> {
    let mut gate = args.gate.address(url)?;
    gate.header = args.client_secret_file.as_deref().map(secret).transpose()?;
    Ok(gate)
}

fn store(args: &Args, place: &Place, options: &Options) -> ImageStore {
    let files = place.files(docker::wanted(options), None);
    let here = || place.root.is_this_host().then(version).flatten();
    let version = args.engine_version.or_else(here);
    docker::image_store(&files, version, &options.config)
}

/// The major version that dockerd says it is.
fn version() -> Option<u64> {
    let output = Command::new("dockerd").arg("--version").output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let (_, version) = text.split_once("version ")?;
    version.split('.').next()?.parse().ok()
}
