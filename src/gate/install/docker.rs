//! The hook of Docker's engine: authorization plugin, and the gate's proxy as its registry.

use super::files::{Files, State};
use super::plan::Plan;
use super::systemd::{self, Unit};
use super::{GateAddress, Refusal, Wanted, daemon_json, hosts};
use serde_json::{Map, Value};
use std::path::{Path, PathBuf};

/// Where dockerd keeps the images it pulled; only one of the two reads `hosts.toml`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImageStore {
    /// containerd's, the default of new installations since Docker 29
    Containerd,
    /// Docker's own, with a graph driver
    GraphDriver,
}

/// What is wanted.
#[derive(Clone, Debug)]
pub struct Options {
    /// Whether the engine asks the authorization plugin
    pub authz: bool,
    /// The proxy that answers for every registry
    pub proxy: Option<GateAddress>,
    /// Socket of the plugin
    pub socket: PathBuf,
    /// Policy of the gates
    pub policy: PathBuf,
    /// The program the units start
    pub program: PathBuf,
    /// Whether systemd starts the gates
    pub units: bool,
    /// Certificate and key of a proxy on this machine
    pub tls: Option<(PathBuf, PathBuf)>,
    /// Authorities of the engines' certificates, for a proxy on this machine
    pub client_ca: Option<PathBuf>,
    /// File with the secret of the engines, for a proxy on this machine
    pub secret_file: Option<PathBuf>,
    /// dockerd's configuration
    pub config: PathBuf,
    /// Folder of the registries' settings
    pub certs: PathBuf,
}

/// What dockerd does with images on this host, as far as its files say.
pub fn image_store(files: &Files, version: Option<u64>, config: &Path) -> ImageStore {
    let settings = files.text(config).ok().flatten();
    let settings = settings.and_then(|text| daemon_json::settings(text).ok());
    let feature = settings
        .as_ref()
        .and_then(|it| it.get("features")?.get("containerd-snapshotter")?.as_bool());
    // What was there before version 29 stays with its graph driver.
    let old_data = files.folders_in(Path::new(GRAPH_DATA)).next().is_some();
    match (feature, version) {
        (Some(true), Some(READS_HOSTS_TOML..)) => ImageStore::Containerd,
        (None, Some(READS_HOSTS_TOML..)) if !old_data => ImageStore::Containerd,
        _ => ImageStore::GraphDriver,
    }
}

/// What has to be looked at before planning.
pub fn wanted(options: &Options) -> Vec<Wanted> {
    let mut wanted = vec![
        Wanted::Content(options.config.clone()),
        Wanted::Content(options.policy.clone()),
        Wanted::Tree(options.certs.clone()),
        Wanted::Names(GRAPH_DATA.into()),
        Wanted::Tree("/etc/systemd/system/docker.service.d".into()),
        Wanted::Content(spec_path(SPEC_FOLDERS[0])),
        Wanted::Content(spec_path(SPEC_FOLDERS[1])),
    ];
    wanted.extend(options.proxy.iter().flat_map(GateAddress::wanted));
    wanted.extend(COMMAND_LINES.map(|path| Wanted::Content(path.into())));
    wanted.extend([AUTHZ_UNIT, PROXY_UNIT].map(|name| Wanted::Content(systemd::path(name))));
    wanted.extend(
        [AUTHZ_UNIT, PROXY_UNIT].map(|name| Wanted::Content(systemd::wanted_by(name, DOCKER_UNIT))),
    );
    wanted
}

/// What has to be written so that the engine asks the gate.
///
/// # Errors
/// The layout would let images by, stop the engine, or a file cannot be understood.
pub fn plan(files: &Files, options: &Options) -> Result<Plan, Refusal> {
    let mut plan = Plan::default();
    let text = files.text(&options.config)?.unwrap_or_default();
    let settings = daemon_json::settings(text).map_err(|why| unreadable(&options.config, &why))?;
    if options.authz {
        policy(files, &options.policy)?;
        flags(files)?;
        let text = daemon_json::with_plugin(text, PLUGIN)
            .map_err(|why| unreadable(&options.config, &why))?;
        plan.write(files, &options.config, &text, 0o644);
        spec(files, options, &mut plan);
    }
    if let Some(gate) = &options.proxy {
        proxy(files, gate, &settings, options, &mut plan)?;
    }
    if options.units {
        units(files, options, &mut plan);
    } else if options.authz {
        plan.notes.push(format!(
            "start `trust gate authz --socket {}` before dockerd: it does not start without it",
            options.socket.display()
        ));
    }
    Ok(plan)
}

/// Without a policy the gate does not start, and dockerd not without the gate.
fn policy(files: &Files, path: &Path) -> Result<(), Refusal> {
    if files.text(path)?.is_some() {
        return Ok(());
    }
    Err(Refusal::Missing {
        path: path.to_owned(),
        why: "the policy, without which the gate does not start, and dockerd not without the gate"
            .into(),
    })
}

/// dockerd does not start with the plugin named twice.
fn flags(files: &Files) -> Result<(), Refusal> {
    let drop_ins = Path::new("/etc/systemd/system/docker.service.d");
    let drop_ins = files.within(drop_ins).map(|(path, _)| path.to_owned());
    for path in COMMAND_LINES.map(PathBuf::from).into_iter().chain(drop_ins) {
        let text = files.text(&path).ok().flatten().unwrap_or_default();
        let active = text
            .lines()
            .filter(|line| !line.trim_start().starts_with('#'));
        if active
            .into_iter()
            .any(|line| line.contains("--authorization-plugin"))
        {
            return Err(Refusal::FlagAndFile { path });
        }
    }
    Ok(())
}

/// Names the socket to dockerd where it would not find it by itself.
fn spec(files: &Files, options: &Options, plan: &mut Plan) {
    for folder in SPEC_FOLDERS {
        if files.bytes(&spec_path(folder)).is_some() && folder != SPEC_FOLDERS[0] {
            let path = spec_path(folder);
            plan.notes
                .push(format!("{} names another plugin", path.display()));
        }
    }
    if options.socket != Path::new(DEFAULT_SOCKET) {
        let text = format!("unix://{}\n", options.socket.display());
        plan.write(files, &spec_path(SPEC_FOLDERS[0]), &text, 0o644);
    }
}

fn proxy(
    files: &Files,
    gate: &GateAddress,
    settings: &Map<String, Value>,
    options: &Options,
    plan: &mut Plan,
) -> Result<(), Refusal> {
    let mirrors = daemon_json::list(settings, "registry-mirrors")
        .map_err(|why| unreadable(&options.config, &why))?;
    if let Some(mirror) = mirrors.first() {
        let why = if gate.is(mirror) {
            "when the gate refuses, dockerd goes on to Docker Hub itself".to_owned()
        } else {
            format!("{mirror} is asked before the gate")
        };
        return Err(Refusal::Leaky {
            what: format!("registry-mirrors in {}", options.config.display()),
            why,
            hint: "take registry-mirrors out; the gate can itself use the mirror".into(),
        });
    }
    gate.check_files(files)?;
    route(files, gate, "docker", &[&options.certs], plan);
    plan.notes.push(
        "hosts.toml is read at each pull; dockerd with a graph driver, and docker pull --all-tags, \
         do not read it"
            .into(),
    );
    Ok(())
}

/// Has the gate answer for every registry in these folders, the first of which gets the default.
pub(super) fn route(
    files: &Files,
    gate: &GateAddress,
    engine: &str,
    folders: &[&Path],
    plan: &mut Plan,
) {
    let text = hosts::text(gate, engine);
    let mode = hosts::mode(gate);
    if let Some((_, value)) = &gate.header {
        plan.secrets.push(value.clone());
    }
    let default = folders.first().map(|folder| folder.join("_default"));
    // A folder of its own wins over the default, also one that holds certificates only.
    let own = folders.iter().flat_map(|folder| files.folders_in(folder));
    let own = own
        .map(Path::to_owned)
        .filter(|folder| Some(folder) != default.as_ref());
    for folder in own.chain(default.clone()) {
        let path = folder.join("hosts.toml");
        if let Ok(Some(before)) = files.text(&path)
            && before != text
            && Some(&folder) != default.as_ref()
        {
            let name = folder.file_name().unwrap_or_default().to_string_lossy();
            plan.notes.push(format!(
                "{name} had settings of its own in {}: the gate has to reach it now",
                path.display()
            ));
        }
        plan.write(files, &path, &text, mode);
        // A file that others could read before must not get a secret.
        let path = files.behind(&path);
        for change in plan.changes.iter_mut().filter(|change| change.path == path) {
            if let State::File { mode: written, .. } = &mut change.after {
                *written &= mode;
            }
        }
    }
}

fn units(files: &Files, options: &Options, plan: &mut Plan) {
    let program = options.program.display().to_string();
    let policy = options.policy.display().to_string();
    let mut started = Vec::new();
    if options.authz {
        let unit = Unit {
            description: "Image trust: authorization plugin of the Docker Engine",
            engine: "docker",
            command: [&program, "gate", "authz", "--policy", &policy, "--socket"]
                .map(str::to_owned)
                .into_iter()
                .chain([options.socket.display().to_string()])
                .collect(),
            socket: Some(&options.socket),
            before: DOCKER_UNIT,
        };
        unit_file(files, AUTHZ_UNIT, &unit, plan);
        started.push(AUTHZ_UNIT);
    }
    if let Some(gate) = &options.proxy {
        match proxy_command(gate, options) {
            Some(command) => {
                let unit = Unit {
                    description: "Image trust: the registry that serves what is signed",
                    engine: "docker",
                    command,
                    socket: None,
                    before: DOCKER_UNIT,
                };
                unit_file(files, PROXY_UNIT, &unit, plan);
                started.push(PROXY_UNIT);
            }
            None => plan
                .notes
                .push(format!("have the gate run at {}", gate.server())),
        }
    }
    if !started.is_empty() {
        plan.next.push("systemctl daemon-reload".into());
        plan.next
            .push(format!("systemctl restart {}", started.join(" ")));
    }
    if options.authz {
        plan.next.push("systemctl reload docker".into());
    }
}

/// The proxy on this machine; none if it is elsewhere, or its certificate is not known.
fn proxy_command(gate: &GateAddress, options: &Options) -> Option<Vec<String>> {
    if !gate.is_on_this_machine() {
        return None;
    }
    let path = |path: &Path| path.display().to_string();
    let mut command = vec![path(&options.program)];
    command.extend(["gate", "proxy", "--policy"].map(str::to_owned));
    command.push(path(&options.policy));
    command.extend(["--listen".to_owned(), gate.listen()?]);
    match (&options.tls, gate.url.scheme()) {
        (_, "http") => command.push("--no-tls".to_owned()),
        (Some((certificate, key)), _) => {
            command.extend(["--tls-cert".to_owned(), path(certificate)]);
            command.extend(["--tls-key".to_owned(), path(key)]);
        }
        (None, _) => return None,
    }
    let files = [
        ("--client-ca", &options.client_ca),
        ("--client-secret-file", &options.secret_file),
    ];
    for (flag, file) in files {
        if let Some(file) = file {
            command.extend([flag.to_owned(), path(file)]);
        }
    }
    Some(command)
}

fn unit_file(files: &Files, name: &str, unit: &Unit<'_>, plan: &mut Plan) {
    let path = systemd::path(name);
    plan.write(files, &path, &unit.text(), 0o644);
    let link = systemd::wanted_by(name, DOCKER_UNIT);
    plan.change(files, link, State::Link { to: path });
}

fn spec_path(folder: &str) -> PathBuf {
    Path::new(folder).join(format!("{PLUGIN}.spec"))
}

fn unreadable(path: &Path, why: &daemon_json::Unusable) -> Refusal {
    Refusal::Unreadable {
        path: path.to_owned(),
        why: why.to_string(),
    }
}

/// Name of our plugin.
pub const PLUGIN: &str = "trust";
/// Where dockerd looks for the plugin's socket by itself.
pub const DEFAULT_SOCKET: &str = "/run/docker/plugins/trust.sock";
/// The first version that reads `hosts.toml`.
const READS_HOSTS_TOML: u64 = 29;
const AUTHZ_UNIT: &str = "trust-gate-authz.service";
const PROXY_UNIT: &str = "trust-gate-proxy.service";
const DOCKER_UNIT: &str = "docker.service";
/// One folder per graph driver that holds images.
const GRAPH_DATA: &str = "/var/lib/docker/image";
const SPEC_FOLDERS: [&str; 2] = ["/etc/docker/plugins", "/usr/lib/docker/plugins"];
/// Where dockerd's flags may stand.
pub(crate) const COMMAND_LINES: [&str; 5] = [
    "/etc/systemd/system/docker.service",
    "/lib/systemd/system/docker.service",
    "/usr/lib/systemd/system/docker.service",
    "/etc/default/docker",
    "/etc/sysconfig/docker",
];
