//! Where the Docker Engine listens: variables first, then the context.

use super::{ConfigError, DockerConfig, Environment, parse, read_bounded};
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// Address of an engine, and the certificates to reach it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct EngineEndpoint {
    /// `unix:///path`, `tcp://host:port`, `npipe://…` or `ssh://…`.
    pub host: String,
    /// Set if the engine speaks TLS.
    pub tls: Option<EngineTls>,
}

/// The three files with which an engine and its client know each other.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct EngineTls {
    /// The authority that vouches for the engine.
    pub ca: PathBuf,
    /// Our certificate.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
}

/// The engine this environment and configuration name, by Docker's order of precedence.
///
/// `DOCKER_HOST`, else the context in `DOCKER_CONTEXT`, else the configuration's current context,
/// else the local socket.
pub fn engine_endpoint(
    environment: &Environment,
    config: &DockerConfig,
) -> Result<EngineEndpoint, ConfigError> {
    if let Some(host) = &environment.docker_host {
        let certificates = environment
            .docker_cert_path
            .as_deref()
            .unwrap_or(&config.dir);
        let tls = environment
            .docker_tls_verify
            .as_ref()
            .map(|_| EngineTls::in_folder(certificates));
        return Ok(EngineEndpoint {
            host: host.clone(),
            tls,
        });
    }
    let context = environment
        .docker_context
        .as_ref()
        .or(config.file.current_context.as_ref());
    match context.map(String::as_str) {
        None | Some("" | "default") => Ok(EngineEndpoint {
            host: LOCAL_SOCKET.to_owned(),
            tls: None,
        }),
        Some(name) => from_context(&config.dir.join("contexts"), name),
    }
}

impl EngineTls {
    fn in_folder(folder: &Path) -> Self {
        Self {
            ca: folder.join("ca.pem"),
            certificate: folder.join("cert.pem"),
            key: folder.join("key.pem"),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Meta {
    #[serde(default)]
    endpoints: Endpoints,
}

#[derive(Default, Deserialize)]
struct Endpoints {
    #[serde(default)]
    docker: Docker,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Docker {
    #[serde(default)]
    host: String,
}

/// Contexts are kept in folders named by the SHA-256 of the context's name.
fn from_context(contexts: &Path, name: &str) -> Result<EngineEndpoint, ConfigError> {
    let id = hex::encode(ring::digest::digest(&ring::digest::SHA256, name.as_bytes()));
    let file = contexts.join("meta").join(&id).join("meta.json");
    let bytes = read_bounded(&file, MAX_META)?.ok_or_else(|| ConfigError::UnknownContext {
        name: name.to_owned(),
    })?;
    let meta: Meta = parse(&file.display().to_string(), &bytes)?;
    let host = match meta.endpoints.docker.host {
        host if host.is_empty() => LOCAL_SOCKET.to_owned(),
        host => host,
    };
    let folder = contexts.join("tls").join(&id).join("docker");
    let tls = folder.is_dir().then(|| EngineTls::in_folder(&folder));
    Ok(EngineEndpoint { host, tls })
}

const LOCAL_SOCKET: &str = "unix:///var/run/docker.sock";
/// Bytes; a context is a few lines.
const MAX_META: u64 = 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fs::File, io::Write};

    fn config_with_context(name: &str, host: &str) -> (tempfile::TempDir, DockerConfig) {
        let dir = tempfile::tempdir().unwrap();
        let id = hex::encode(ring::digest::digest(&ring::digest::SHA256, name.as_bytes()));
        let meta = dir.path().join("contexts/meta").join(&id);
        std::fs::create_dir_all(&meta).unwrap();
        std::fs::create_dir_all(dir.path().join("contexts/tls").join(&id).join("docker")).unwrap();
        let json = format!(
            r#"{{"Name":"{name}","Metadata":{{}},"Endpoints":{{"docker":{{"Host":"{host}","SkipTLSVerify":false}}}}}}"#
        );
        File::create(meta.join("meta.json"))
            .unwrap()
            .write_all(json.as_bytes())
            .unwrap();
        let json = format!(r#"{{"currentContext":"{name}"}}"#);
        File::create(dir.path().join("config.json"))
            .unwrap()
            .write_all(json.as_bytes())
            .unwrap();
        let config = DockerConfig::load(dir.path(), None).unwrap();
        (dir, config)
    }

    #[test]
    fn variables_win_over_contexts() {
        let (_dir, config) = config_with_context("far", "tcp://far:2376");
        let mut environment = Environment::default();
        let found = engine_endpoint(&environment, &config).unwrap();
        assert_eq!(found.host, "tcp://far:2376");
        assert!(found.tls.unwrap().ca.ends_with("docker/ca.pem"));
        environment.docker_context = Some("default".to_owned());
        assert_eq!(
            engine_endpoint(&environment, &config).unwrap().host,
            LOCAL_SOCKET
        );
        environment.docker_context = Some("absent".to_owned());
        let error = engine_endpoint(&environment, &config).unwrap_err();
        assert_eq!(error.to_string(), r#"context "absent": context not found"#);
        environment.docker_host = Some("tcp://near:2375".to_owned());
        let found = engine_endpoint(&environment, &config).unwrap();
        assert_eq!((found.host.as_str(), found.tls), ("tcp://near:2375", None));
        environment.docker_tls_verify = Some("1".to_owned());
        environment.docker_cert_path = Some("/certs".into());
        let tls = engine_endpoint(&environment, &config).unwrap().tls.unwrap();
        assert_eq!(tls.key, Path::new("/certs/key.pem"));
    }
}
