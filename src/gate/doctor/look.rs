//! Looking at a host: the only part of the doctor that touches it.

use super::checks::{AUDITD, CONFIG, PROFILES, RULES, environment_files, podman_folders};
use super::expiries::expiries;
use super::host::{
    CONTAINERD, DAEMON_JSON, DOCKERD, GateFact, Host, KeyFact, PODMAN, POLICY, Version,
};
use crate::gate::install::containerd::Settings;
use crate::gate::install::docker::{COMMAND_LINES, DEFAULT_SOCKET, PLUGIN};
use crate::gate::install::hosts::HostsFile;
use crate::gate::install::{Root, State, Wanted, standing};
use crate::policy::{Policy, PolicyError};
use crate::tls::{TlsFiles, http_client};
use jiff::Timestamp;
use std::collections::BTreeSet;
use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;
use trust_store::keys::{KeyStore, Place};
use trust_store::metadata::Cache;
use url::Url;

/// Which host, and who asks.
#[derive(Clone, Debug)]
pub struct Where {
    /// Its disk
    pub root: Root,
    /// Home folder of whoever asks
    pub home: Option<PathBuf>,
    /// Folder of keys and trusted metadata, as the host names it
    pub trust_dir: PathBuf,
    /// Folders in which hooks are remembered
    pub state_dirs: Vec<PathBuf>,
    /// `DOCKER_CONTENT_TRUST` in the environment
    pub content_trust: Option<String>,
    /// The time
    pub now: Timestamp,
}

/// Gathers what is known of a host; programs and gates are asked only on the running one.
pub async fn look(place: &Where) -> Host {
    let root = &place.root;
    let mut wanted = wanted(place);
    let early = root.files(&[Wanted::Content(CONFIG.into())]);
    let text = early.text(Path::new(CONFIG)).ok().flatten();
    let settings = Settings::parse(text.unwrap_or_default()).ok();
    if let Some(settings) = &settings {
        wanted.extend(settings.config_path.iter().cloned().map(Wanted::Tree));
        wanted.push(Wanted::Names(settings.bin_dir.clone()));
    }
    let mut files = root.files(&wanted);
    executables(root, &mut files, settings.as_ref());
    let mut host = Host {
        now: place.now,
        files,
        home: place.home.clone(),
        content_trust: place.content_trust.clone(),
        trust_dir: place.trust_dir.clone(),
        hooks: hooks(place),
        in_swarm: in_swarm(root),
        ..Host::default()
    };
    let kept = root.real(&place.trust_dir);
    host.policy = policy(place, &host);
    host.keys = keys(&kept);
    host.expiries = expiries(&Cache::at(&kept));
    if place.trust_dir != Path::new(SERVICES) {
        let kept = root.real(Path::new(SERVICES));
        host.expiries.extend(expiries(&Cache::at(&kept)));
    }
    if root.is_this_host() {
        host.docker = version("docker");
        host.dockerd = version("dockerd");
        host.containerd = version("containerd");
        host.gates = gates(&host).await;
    }
    host
}

fn wanted(place: &Where) -> Vec<Wanted> {
    let home = place.home.as_deref();
    let mut wanted: Vec<Wanted> = environment_files(home)
        .into_iter()
        .map(Wanted::Content)
        .collect();
    wanted.extend(podman_folders(home).into_iter().flat_map(|folder| {
        [
            Wanted::Content(folder.join("registries.conf")),
            Wanted::Tree(folder.join("registries.conf.d")),
        ]
    }));
    let trees = [
        PROFILES,
        RULES,
        "/etc/containerd/certs.d",
        "/etc/docker/certs.d",
        "/etc/docker/plugins",
        "/etc/systemd/system/docker.service.d",
    ];
    wanted.extend(trees.map(|path| Wanted::Tree(path.into())));
    let contents = [
        CONFIG,
        DAEMON_JSON,
        POLICY,
        AUDITD,
        "/etc/audit/audit.rules",
    ];
    let programs = DOCKERD.iter().chain(&CONTAINERD).chain(&PODMAN);
    let contents = contents.iter().chain(programs).chain(&COMMAND_LINES);
    wanted.extend(contents.map(|path| Wanted::Content(path.into())));
    wanted.push(Wanted::Content(place.trust_dir.join("policy.toml")));
    wanted.push(Wanted::Names("/var/lib/docker/image".into()));
    wanted
}

/// The policy that gates and `trust verify` find by themselves.
fn policy(place: &Where, host: &Host) -> Option<(PathBuf, Result<Policy, PolicyError>)> {
    let places = [place.trust_dir.join("policy.toml"), POLICY.into()];
    places.into_iter().find_map(|path| {
        let text = host.files.text(&path).ok().flatten()?;
        let folder = path.parent().unwrap_or(Path::new("/")).to_owned();
        let parsed = Policy::parse(
            text,
            &mut |name| match place.root.state(&folder.join(name)) {
                State::File { bytes, .. } => Ok(bytes),
                State::Unreadable(why) => Err(why),
                _ => Err("no such file".to_owned()),
            },
        );
        Some((path, parsed))
    })
}

/// A verifier is usually a link: what counts is whether its end can be run.
fn executables(root: &Root, files: &mut crate::gate::install::Files, settings: Option<&Settings>) {
    let Some(folder) = settings.map(|it| it.bin_dir.clone()) else {
        return;
    };
    let entries: Vec<PathBuf> = files.within(&folder).map(|it| it.0.to_owned()).collect();
    for path in entries {
        let state = match root.facts(&path) {
            Some(facts) if facts.is_dir() => State::Folder { mode: facts.mode() },
            Some(facts) => State::File {
                bytes: Vec::new(),
                mode: facts.mode() & 0o7777,
            },
            // A link that leads nowhere cannot be run either.
            None => State::File {
                bytes: Vec::new(),
                mode: 0,
            },
        };
        files.put(path, state);
    }
}

fn hooks(place: &Where) -> Vec<(String, PathBuf, crate::gate::install::Standing)> {
    let mut found = Vec::new();
    for dir in &place.state_dirs {
        for engine in ["docker", "containerd", "podman", "shell"] {
            let Ok(Some(record)) = place.root.record(dir, engine) else {
                continue;
            };
            let paths = record
                .changes
                .iter()
                .map(|it| Wanted::Content(it.path.clone()));
            let files = place.root.files(&paths.collect::<Vec<_>>());
            for (path, how) in standing(&record, &files) {
                found.push((engine.to_owned(), path.to_owned(), how));
            }
        }
    }
    found
}

fn keys(trust_dir: &Path) -> Vec<KeyFact> {
    let keys = KeyStore::at(trust_dir).list().unwrap_or_default();
    let facts = keys.into_iter().filter_map(|key| {
        let Place::File {
            path, encrypted, ..
        } = key.place
        else {
            return None;
        };
        let mode = fs::metadata(&path).ok()?.mode() & 0o7777;
        Some(KeyFact {
            id: key.id.get(..12).unwrap_or(&key.id).to_owned(),
            role: key.role,
            path,
            mode,
            encrypted,
        })
    });
    facts.collect()
}

/// dockerd keeps the state of a swarm in a file of its own.
fn in_swarm(root: &Root) -> bool {
    let state = root.state(Path::new("/var/lib/docker/swarm/docker-state.json"));
    !matches!(state, State::Absent)
}

fn version(program: &str) -> Option<Version> {
    let mut command = Command::new(program);
    let output = command
        .arg("--version")
        .stdin(Stdio::null())
        .output()
        .ok()?;
    Version::find(&String::from_utf8_lossy(&output.stdout))
}

/// Asks every gate that engines are told of.
async fn gates(host: &Host) -> Vec<GateFact> {
    let mut found = Vec::new();
    let plugins = host.daemon_list("authorization-plugins");
    if plugins.iter().any(|it| it == PLUGIN) {
        let spec = host.text(format!("/etc/docker/plugins/{PLUGIN}.spec"));
        let socket = spec
            .trim()
            .strip_prefix("unix://")
            .unwrap_or(DEFAULT_SOCKET);
        found.push(GateFact {
            address: socket.to_owned(),
            wrong: ask_socket(Path::new(socket)).err(),
        });
    }
    let mut seen = BTreeSet::new();
    for folder in [
        "/etc/docker/certs.d/_default",
        "/etc/containerd/certs.d/_default",
    ] {
        let text = host.text(format!("{folder}/hosts.toml"));
        let server = HostsFile::parse(text).ok().and_then(|file| file.server);
        let Some(server) = server.filter(|it| seen.insert(it.clone())) else {
            continue;
        };
        found.push(GateFact {
            wrong: ask_proxy(&server, text).await.err(),
            address: server,
        });
    }
    found
}

fn ask_socket(socket: &Path) -> Result<(), String> {
    let said = |error: std::io::Error| error.to_string();
    let mut stream = UnixStream::connect(socket).map_err(said)?;
    stream.set_read_timeout(Some(PATIENCE)).map_err(said)?;
    stream
        .write_all(b"GET /readyz HTTP/1.0\r\nHost: gate\r\n\r\n")
        .map_err(said)?;
    let mut answer = String::new();
    stream
        .take(LONGEST)
        .read_to_string(&mut answer)
        .map_err(said)?;
    let line = answer.lines().next().unwrap_or_default();
    match line.split(' ').nth(1) {
        Some("200") => Ok(()),
        _ => Err(format!("it says {line:?}")),
    }
}

async fn ask_proxy(server: &str, hosts: &str) -> Result<(), String> {
    let url = Url::parse(server).map_err(|error| error.to_string())?;
    let url = url.join("/readyz").map_err(|error| error.to_string())?;
    let document: toml_edit::DocumentMut = hosts.parse().unwrap_or_default();
    let ca = document.get("ca").and_then(toml_edit::Item::as_str);
    let files = match ca {
        Some(ca) => TlsFiles::from_ca_file(Path::new(ca)).map_err(|error| error.to_string())?,
        None => TlsFiles::default(),
    };
    let host = url.host_str().unwrap_or_default().to_owned();
    let http = http_client(&files, &host).map_err(|error| error.to_string())?;
    let answer = http.get(url).timeout(PATIENCE).send().await;
    match answer {
        Ok(answer) if answer.status().is_success() => Ok(()),
        // It is there and wants to know who we are.
        Ok(answer) if answer.status().as_u16() == 401 || answer.status().as_u16() == 403 => Ok(()),
        Ok(answer) => Err(format!("it says {}", answer.status())),
        Err(error) if error.is_timeout() => Err("it does not answer".into()),
        Err(error) => {
            let mut cause: &dyn std::error::Error = &error;
            while let Some(deeper) = cause.source() {
                cause = deeper;
            }
            Err(cause.to_string())
        }
    }
}

/// Where gates keep what they trust that are started by the system.
const SERVICES: &str = "/var/lib/trust";
/// How long a gate has to say that it is ready.
const PATIENCE: Duration = Duration::from_secs(5);
/// Bytes of a gate's answer that are read.
const LONGEST: u64 = 64 << 10;

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::UnixListener;
    use std::thread;

    fn answering(answer: &'static str) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("s");
        let listener = UnixListener::bind(&socket).unwrap();
        thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut asked = [0; 64];
            let _ = stream.read(&mut asked).unwrap();
            stream.write_all(answer.as_bytes()).unwrap();
        });
        (folder, socket)
    }

    #[test]
    fn a_plugin_is_asked_at_its_socket() {
        let (_folder, socket) = answering("HTTP/1.0 200 OK\r\n\r\nok\n");
        assert_eq!(ask_socket(&socket), Ok(()));
        let (_folder, socket) = answering("HTTP/1.0 503 Service Unavailable\r\n\r\n");
        assert!(ask_socket(&socket).unwrap_err().contains("503"));
        let (_folder, socket) = answering("");
        assert!(ask_socket(&socket).is_err());
        assert!(ask_socket(Path::new("/nowhere/s")).is_err());
    }

    #[tokio::test]
    async fn a_proxy_that_is_not_there_is_not_ready() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let server = format!("http://{}", listener.local_addr().unwrap());
        drop(listener);
        let wrong = ask_proxy(&server, "").await.unwrap_err();
        assert!(wrong.to_lowercase().contains("refused"), "{wrong}");
        assert!(ask_proxy("nonsense", "").await.is_err());
    }
}
