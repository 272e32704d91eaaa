//! Docker's files and environment variables, read once and handed down as values.

mod credentials;
mod endpoint;
mod environment;
mod helper;

pub use credentials::Credentials;
pub use endpoint::{EngineEndpoint, EngineTls, engine_endpoint};
pub use environment::{Environment, passphrase_from_file};

use credentials::AuthEntry;
use serde::Deserialize;
use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};
use url::Url;

/// Docker's configuration folder and what its `config.json` says.
#[derive(Debug)]
pub struct DockerConfig {
    dir: PathBuf,
    file: ConfigFile,
    auths_from_environment: BTreeMap<String, AuthEntry>,
}

/// The fields of `config.json` that matter here; all others are Docker's own business.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ConfigFile {
    auths: Option<BTreeMap<String, AuthEntry>>,
    cred_helpers: Option<BTreeMap<String, String>>,
    creds_store: Option<String>,
    current_context: Option<String>,
}

impl DockerConfig {
    /// Reads `config.json` in `dir`; a folder without one configures nothing.
    ///
    /// `auth_config` is the value of `DOCKER_AUTH_CONFIG`: credentials as JSON, which win.
    pub fn load(dir: &Path, auth_config: Option<&str>) -> Result<Self, ConfigError> {
        let path = dir.join("config.json");
        let file = match read_bounded(&path, MAX_CONFIG)? {
            Some(bytes) if !bytes.is_empty() => parse(&path.display().to_string(), &bytes)?,
            _ => ConfigFile::default(),
        };
        let given: ConfigFile = match auth_config {
            Some(json) if !json.is_empty() => parse("DOCKER_AUTH_CONFIG", json.as_bytes())?,
            _ => ConfigFile::default(),
        };
        Ok(Self {
            dir: dir.to_owned(),
            file,
            auths_from_environment: given.auths.unwrap_or_default(),
        })
    }

    /// Docker's configuration folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Where Docker keeps keys and trusted metadata unless told otherwise.
    pub fn trust_dir(&self) -> PathBuf {
        self.dir.join("trust")
    }

    /// Docker's folder of extra certificates for a server, named by host and port as in its URL.
    pub fn tls_dir(&self, host: &str) -> PathBuf {
        self.dir.join("tls").join(host)
    }

    /// What to show a registry, and the trust server that speaks for it.
    ///
    /// Docker's order: the environment, a helper for this registry, the general helper, the file.
    pub async fn credentials(&self, registry: &str) -> Result<Credentials, ConfigError> {
        let key = match registry {
            "docker.io" | "index.docker.io" => DOCKER_HUB_KEY,
            other => other,
        };
        if let Some(entry) = credentials::find(&self.auths_from_environment, key) {
            return entry.credentials(key);
        }
        let for_registry = self
            .file
            .cred_helpers
            .as_ref()
            .and_then(|helpers| helpers.get(key));
        let helper = for_registry.or(self.file.creds_store.as_ref());
        if let Some(name) = helper.filter(|name| !name.is_empty()) {
            return helper::ask(name, key).await;
        }
        match self
            .file
            .auths
            .as_ref()
            .and_then(|auths| credentials::find(auths, key))
        {
            Some(entry) => entry.credentials(key),
            None => Ok(Credentials::Anonymous),
        }
    }
}

/// The trust server for a registry; `chosen` is what the user or the environment named.
///
/// Only https will do: everything that makes a first use trustworthy hangs on it.
pub fn trust_server_for(registry: &str, chosen: Option<&str>) -> Result<Url, ConfigError> {
    let derived;
    let address = match (chosen.filter(|chosen| !chosen.is_empty()), registry) {
        (Some(chosen), _) => chosen,
        (None, "docker.io" | "index.docker.io") => DOCKER_HUB_TRUST_SERVER,
        (None, host) => {
            derived = format!("https://{host}");
            &derived
        }
    };
    match Url::parse(address) {
        Ok(url) if url.scheme() == "https" => Ok(url),
        _ => Err(ConfigError::TrustServer {
            given: address.to_owned(),
        }),
    }
}

/// What is wrong with a file, a variable or a helper.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// Stored credentials that cannot be decoded.
    #[error("invalid credentials for {registry}: {reason}")]
    Credentials {
        /// The registry they are for.
        registry: String,
        /// What is wrong with them.
        reason: &'static str,
    },
    /// A credential helper that could not answer.
    #[error("error getting credentials: {helper}: {reason}")]
    Helper {
        /// The program.
        helper: String,
        /// What happened.
        reason: String,
    },
    /// JSON that cannot be read.
    #[error("{place}, line {line}, column {column}: {reason}")]
    Json {
        /// The file or variable.
        place: String,
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// What is wrong there.
        reason: String,
    },
    /// Neither `DOCKER_CONFIG` nor a home folder is known.
    #[error("cannot find Docker's configuration: set DOCKER_CONFIG or HOME")]
    NoHome,
    /// A file larger than any honest one.
    #[error("{path} is larger than {limit} bytes")]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The limit in bytes.
        limit: u64,
    },
    /// A trust server that is no https URL, in Docker's words.
    #[error("valid https URL required for trust server, got {given}")]
    TrustServer {
        /// What was given.
        given: String,
    },
    /// A Docker context that does not exist.
    #[error("context {name:?}: context not found")]
    UnknownContext {
        /// The context.
        name: String,
    },
    /// A file that cannot be read.
    #[error("cannot read {path}: {source}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A variable that names a file which cannot be used.
    #[error("{variable}: {source}")]
    Variable {
        /// The environment variable.
        variable: &'static str,
        /// What is wrong with its file.
        source: Box<ConfigError>,
    },
}

/// The file's bytes, `None` if there is no such file.
fn read_bounded(path: &Path, limit: u64) -> Result<Option<Vec<u8>>, ConfigError> {
    let unreadable = |source| ConfigError::Unreadable {
        path: path.to_owned(),
        source,
    };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(unreadable(source)),
    };
    let mut bytes = Vec::new();
    let read = file
        .take(limit + 1)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    if u64::try_from(read).is_ok_and(|read| read > limit) {
        return Err(ConfigError::TooLarge {
            path: path.to_owned(),
            limit,
        });
    }
    Ok(Some(bytes))
}

fn parse<T: serde::de::DeserializeOwned>(place: &str, bytes: &[u8]) -> Result<T, ConfigError> {
    // The JSON library reads an array into a structure as well, member by member.
    if bytes.trim_ascii_start().first() != Some(&b'{') {
        return Err(ConfigError::Json {
            place: place.to_owned(),
            line: 1,
            column: 1,
            reason: "expected a JSON object".to_owned(),
        });
    }
    serde_json::from_slice(bytes).map_err(|error| ConfigError::Json {
        place: place.to_owned(),
        line: error.line(),
        column: error.column(),
        reason: without_position(&error.to_string()),
    })
}

/// The JSON library ends its sentences with the place, which stands in front already.
fn without_position(reason: &str) -> String {
    reason
        .split_once(" at line ")
        .map_or(reason, |(reason, _)| reason)
        .to_owned()
}

const DOCKER_HUB_KEY: &str = "https://index.docker.io/v1/";
const DOCKER_HUB_TRUST_SERVER: &str = "https://notary.docker.io";
/// Far above any real `config.json`, in bytes.
const MAX_CONFIG: u64 = 4 * 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn config(json: &str) -> (tempfile::TempDir, Result<DockerConfig, ConfigError>) {
        let dir = tempfile::tempdir().unwrap();
        File::create(dir.path().join("config.json"))
            .unwrap()
            .write_all(json.as_bytes())
            .unwrap();
        let config = DockerConfig::load(dir.path(), None);
        (dir, config)
    }

    async fn ask(config: &DockerConfig, registry: &str) -> String {
        match config.credentials(registry).await.unwrap() {
            Credentials::Anonymous => "anonymous".to_owned(),
            Credentials::Basic { username, password } => format!("{username}:{}", *password),
            Credentials::IdentityToken(token) => format!("token {}", *token),
        }
    }

    #[test]
    fn trust_servers_follow_dockers_rule() {
        let table = [
            ("docker.io", None, "https://notary.docker.io/"),
            ("host:5000", None, "https://host:5000/"),
            ("[::1]:5000", None, "https://[::1]:5000/"),
            (
                "docker.io",
                Some("https://n:4443/sub/"),
                "https://n:4443/sub/",
            ),
            ("docker.io", Some("HTTPS://n"), "https://n/"),
            ("docker.io", Some(""), "https://notary.docker.io/"),
        ];
        for (registry, chosen, expected) in table {
            assert_eq!(
                trust_server_for(registry, chosen).unwrap().as_str(),
                expected
            );
        }
        for wrong in [
            "http://localhost:4443",
            "localhost:4443",
            "n",
            "https://",
            "ftp://n",
            " ",
        ] {
            let error = trust_server_for("x.io", Some(wrong))
                .unwrap_err()
                .to_string();
            assert_eq!(
                error,
                format!("valid https URL required for trust server, got {wrong}")
            );
        }
    }

    #[test]
    fn broken_files_are_named_with_line_and_column() {
        let (dir, config) = config("{\n  \"auths\": {,}\n}");
        let error = config.unwrap_err().to_string();
        let file = dir.path().join("config.json");
        assert_eq!(
            error,
            format!(
                "{}, line 2, column 13: key must be a string",
                file.display()
            )
        );
        assert!(DockerConfig::load(dir.path().join("absent").as_path(), None).is_ok());
        assert!(
            DockerConfig::load(Path::new("/"), Some("["))
                .unwrap_err()
                .to_string()
                .starts_with("DOCKER_AUTH_CONFIG, line 1")
        );
    }

    #[tokio::test]
    async fn credentials_are_found_as_docker_finds_them() {
        let (_dir, config) = config(
            r#"{"auths":{"https://index.docker.io/v1/":{"auth":"aHViOnB3"},
                "host:5000":{"auth":"bWU6YTpiAA=="},"https://old.example/v2/":{"auth":"b2xkOnB3"},
                "id.example":{"auth":"bWU6","identitytoken":"tok"},"plain.example":{"username":"u","password":"p"},
                "empty.example":{}},"HttpHeaders":{"x":"y"},"psFormat":"z"}"#,
        );
        let config = config.unwrap();
        let table = [
            ("docker.io", "hub:pw"),
            ("host:5000", "me:a:b"),
            ("old.example", "old:pw"),
            ("id.example", "token tok"),
            ("plain.example", "u:p"),
            ("empty.example", "anonymous"),
            ("unknown.example", "anonymous"),
        ];
        for (registry, expected) in table {
            assert_eq!(ask(&config, registry).await, expected, "{registry}");
        }
    }

    #[tokio::test]
    async fn the_environment_wins_over_the_file() {
        let (dir, _) = config(r#"{"auths":{"h":{"auth":"YTpi"}}}"#);
        let json = r#"{"auths":{"h":{"auth":"Yzpk"}}}"#;
        let config = DockerConfig::load(dir.path(), Some(json)).unwrap();
        assert_eq!(ask(&config, "h").await, "c:d");
    }

    #[tokio::test]
    async fn undecodable_credentials_name_their_registry() {
        for auth in ["!!", "bm9jb2xvbg==", "//8="] {
            let (_dir, config) = config(&format!(r#"{{"auths":{{"h":{{"auth":"{auth}"}}}}}}"#));
            let error = config
                .unwrap()
                .credentials("h")
                .await
                .unwrap_err()
                .to_string();
            assert!(error.starts_with("invalid credentials for h: "), "{error}");
        }
    }
}
