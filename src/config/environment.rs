//! Every environment variable this program reads, captured in one place.

use super::{ConfigError, DockerConfig, read_bounded};
use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// The environment as values; empty variables count as unset, as they do for Docker.
///
/// Proxies (`HTTPS_PROXY` and its kin) are left to the HTTP client.
#[derive(Default)]
pub struct Environment {
    /// `HOME`.
    pub home: Option<PathBuf>,
    /// `DOCKER_CONFIG`: Docker's configuration folder.
    pub docker_config: Option<PathBuf>,
    /// `DOCKER_AUTH_CONFIG`: credentials as JSON.
    pub docker_auth_config: Option<Zeroizing<String>>,
    /// `DOCKER_CONTENT_TRUST`: whether images must be signed.
    pub content_trust: Option<String>,
    /// `DOCKER_CONTENT_TRUST_SERVER`: the trust server for every registry.
    pub trust_server: Option<String>,
    /// `DOCKER_CONTENT_TRUST_ROOT_PASSPHRASE`.
    pub root_passphrase: Option<Zeroizing<String>>,
    /// `DOCKER_CONTENT_TRUST_ROOT_PASSPHRASE_FILE`.
    pub root_passphrase_file: Option<PathBuf>,
    /// `DOCKER_CONTENT_TRUST_REPOSITORY_PASSPHRASE`.
    pub repository_passphrase: Option<Zeroizing<String>>,
    /// `DOCKER_CONTENT_TRUST_REPOSITORY_PASSPHRASE_FILE`.
    pub repository_passphrase_file: Option<PathBuf>,
    /// `DOCKER_HOST`: address of the engine.
    pub docker_host: Option<String>,
    /// `DOCKER_CONTEXT`: name of the context to use.
    pub docker_context: Option<String>,
    /// `DOCKER_TLS_VERIFY`: whether `DOCKER_HOST` speaks TLS.
    pub docker_tls_verify: Option<String>,
    /// `DOCKER_CERT_PATH`: certificates for `DOCKER_HOST`.
    pub docker_cert_path: Option<PathBuf>,
    /// `XDG_DATA_HOME`: where programs keep data of a user.
    pub data_home: Option<PathBuf>,
    /// `TRUST_BACKUP_PASSPHRASE`: opens backups of keys.
    pub backup_passphrase: Option<Zeroizing<String>>,
    /// `TRUST_BACKUP_PASSPHRASE_FILE`.
    pub backup_passphrase_file: Option<PathBuf>,
    /// `TRUST_SERVER_PASSPHRASE`: opens the online keys of a trust server.
    pub server_passphrase: Option<Zeroizing<String>>,
    /// `TRUST_SERVER_PASSPHRASE_FILE`.
    pub server_passphrase_file: Option<PathBuf>,
    /// `TRUST_PKCS11_MODULE`: libraries that lead to tokens.
    pub pkcs11_modules: Vec<PathBuf>,
    /// `TRUST_PKCS11_PIN`: the PIN of every token.
    pub pkcs11_pin: Option<Zeroizing<String>>,
    /// `TRUST_PKCS11_PIN_FILE`: files with PINs, each as `[LABEL=]FILE`.
    pub pkcs11_pin_files: Vec<String>,
    /// `NOTARY_SERVER_…`: what overrides a notary-server configuration, by the rest of the name.
    pub notary_server: BTreeMap<String, String>,
    /// `NO_COLOR`: whether colors are unwanted.
    pub no_color: bool,
}

impl Environment {
    /// The environment of this process; the only place that reads it.
    pub fn capture() -> Self {
        Self {
            home: path("HOME"),
            docker_config: path("DOCKER_CONFIG"),
            docker_auth_config: text("DOCKER_AUTH_CONFIG").map(Zeroizing::new),
            content_trust: text("DOCKER_CONTENT_TRUST"),
            trust_server: text("DOCKER_CONTENT_TRUST_SERVER"),
            root_passphrase: text(ROOT_PASSPHRASE).map(Zeroizing::new),
            root_passphrase_file: path(ROOT_PASSPHRASE_FILE),
            repository_passphrase: text(REPOSITORY_PASSPHRASE).map(Zeroizing::new),
            repository_passphrase_file: path(REPOSITORY_PASSPHRASE_FILE),
            docker_host: text("DOCKER_HOST"),
            docker_context: text("DOCKER_CONTEXT"),
            docker_tls_verify: text("DOCKER_TLS_VERIFY"),
            docker_cert_path: path("DOCKER_CERT_PATH"),
            data_home: path("XDG_DATA_HOME"),
            backup_passphrase: text(BACKUP_PASSPHRASE).map(Zeroizing::new),
            backup_passphrase_file: path(BACKUP_PASSPHRASE_FILE),
            server_passphrase: text("TRUST_SERVER_PASSPHRASE").map(Zeroizing::new),
            server_passphrase_file: path("TRUST_SERVER_PASSPHRASE_FILE"),
            pkcs11_modules: list("TRUST_PKCS11_MODULE").map(PathBuf::from).collect(),
            pkcs11_pin: text("TRUST_PKCS11_PIN").map(Zeroizing::new),
            pkcs11_pin_files: list("TRUST_PKCS11_PIN_FILE").collect(),
            notary_server: beginning_with("NOTARY_SERVER_"),
            no_color: text("NO_COLOR").is_some(),
        }
    }

    /// Docker's configuration folder: `DOCKER_CONFIG`, else `.docker` at home.
    pub fn docker_config_dir(&self) -> Result<PathBuf, ConfigError> {
        match (&self.docker_config, &self.home) {
            (Some(dir), _) => Ok(dir.clone()),
            (None, Some(home)) => Ok(home.join(".docker")),
            (None, None) => Err(ConfigError::NoHome),
        }
    }

    /// Docker's configuration as this environment names it.
    pub fn docker_config(&self) -> Result<DockerConfig, ConfigError> {
        let auth_config = self.docker_auth_config.as_ref().map(|json| json.as_str());
        DockerConfig::load(&self.docker_config_dir()?, auth_config)
    }

    /// Whether images must be signed; a value that means nothing means yes.
    pub fn content_trust(&self) -> bool {
        match self.content_trust.as_deref() {
            None | Some("" | "0" | "f" | "F" | "FALSE" | "false" | "False") => false,
            Some(_) => true,
        }
    }

    /// The passphrase of root keys, from its variable or the file its `_FILE` form names.
    pub fn root_passphrase(&self) -> Result<Option<Zeroizing<String>>, ConfigError> {
        passphrase(
            self.root_passphrase.as_ref(),
            self.root_passphrase_file.as_deref(),
            ROOT_PASSPHRASE_FILE,
        )
    }

    /// The passphrase of all other keys, from its variable or the file its `_FILE` form names.
    pub fn repository_passphrase(&self) -> Result<Option<Zeroizing<String>>, ConfigError> {
        passphrase(
            self.repository_passphrase.as_ref(),
            self.repository_passphrase_file.as_deref(),
            REPOSITORY_PASSPHRASE_FILE,
        )
    }

    /// The passphrase of backups of keys, from its variable or the file its `_FILE` form names.
    pub fn backup_passphrase(&self) -> Result<Option<Zeroizing<String>>, ConfigError> {
        passphrase(
            self.backup_passphrase.as_ref(),
            self.backup_passphrase_file.as_deref(),
            BACKUP_PASSPHRASE_FILE,
        )
    }
}

/// The passphrase in a file; one line end at its end belongs to the editor and is dropped.
pub fn passphrase_from_file(path: &Path) -> Result<Zeroizing<String>, ConfigError> {
    let unreadable = |kind, words| ConfigError::Unreadable {
        path: path.to_owned(),
        source: std::io::Error::new(kind, words),
    };
    let bytes = read_bounded(path, MAX_PASSPHRASE_FILE)?
        .map(Zeroizing::new)
        .ok_or_else(|| unreadable(ErrorKind::NotFound, "no such file"))?;
    let text = str::from_utf8(&bytes)
        .map_err(|_| unreadable(ErrorKind::InvalidData, "a passphrase is text in UTF-8"))?;
    let line = text.strip_suffix('\n').unwrap_or(text);
    match line.strip_suffix('\r').unwrap_or(line) {
        "" => Err(unreadable(
            ErrorKind::InvalidData,
            "there is no passphrase in it",
        )),
        passphrase => Ok(Zeroizing::new(passphrase.to_owned())),
    }
}

fn passphrase(
    value: Option<&Zeroizing<String>>,
    file: Option<&Path>,
    variable: &'static str,
) -> Result<Option<Zeroizing<String>>, ConfigError> {
    match (value, file) {
        (Some(value), _) => Ok(Some(value.clone())),
        (None, Some(path)) => {
            passphrase_from_file(path)
                .map(Some)
                .map_err(|source| ConfigError::Variable {
                    variable,
                    source: Box::new(source),
                })
        }
        (None, None) => Ok(None),
    }
}

fn text(variable: &str) -> Option<String> {
    let value = std::env::var_os(variable).filter(|value| !value.is_empty())?;
    Some(
        value
            .into_string()
            .unwrap_or_else(|value| value.to_string_lossy().into_owned()),
    )
}

/// The parts between the colons.
fn list(variable: &str) -> impl Iterator<Item = String> {
    let value = text(variable).unwrap_or_default();
    let parts = value.split(':').filter(|part| !part.is_empty());
    parts.map(str::to_owned).collect::<Vec<_>>().into_iter()
}

fn beginning_with(prefix: &str) -> BTreeMap<String, String> {
    std::env::vars_os()
        .filter_map(|(name, value)| {
            let name = name.to_str()?.strip_prefix(prefix)?.to_owned();
            Some((name, value.into_string().ok()?))
        })
        .collect()
}

fn path(variable: &str) -> Option<PathBuf> {
    std::env::var_os(variable)
        .filter(|value| !value.is_empty())
        .map(PathBuf::from)
}

const ROOT_PASSPHRASE: &str = "DOCKER_CONTENT_TRUST_ROOT_PASSPHRASE";
const ROOT_PASSPHRASE_FILE: &str = "DOCKER_CONTENT_TRUST_ROOT_PASSPHRASE_FILE";
const REPOSITORY_PASSPHRASE: &str = "DOCKER_CONTENT_TRUST_REPOSITORY_PASSPHRASE";
const REPOSITORY_PASSPHRASE_FILE: &str = "DOCKER_CONTENT_TRUST_REPOSITORY_PASSPHRASE_FILE";
const BACKUP_PASSPHRASE: &str = "TRUST_BACKUP_PASSPHRASE";
const BACKUP_PASSPHRASE_FILE: &str = "TRUST_BACKUP_PASSPHRASE_FILE";
/// Bytes; a passphrase is a line, not a document.
const MAX_PASSPHRASE_FILE: u64 = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn content_trust_is_on_unless_clearly_off() {
        for (value, on) in [
            ("", false),
            ("0", false),
            ("f", false),
            ("False", false),
            ("FALSE", false),
            ("1", true),
            ("true", true),
            ("yes", true),
            ("fAlse", true),
            (" 0", true),
        ] {
            let environment = Environment {
                content_trust: Some(value.to_owned()),
                ..Environment::default()
            };
            assert_eq!(environment.content_trust(), on, "{value:?}");
        }
        assert!(!Environment::default().content_trust());
    }

    #[test]
    fn the_configuration_folder_has_dockers_order() {
        let home = || Some(PathBuf::from("/home/me"));
        let environment = Environment {
            home: home(),
            ..Environment::default()
        };
        assert_eq!(
            environment.docker_config_dir().unwrap(),
            Path::new("/home/me/.docker")
        );
        let environment = Environment {
            home: home(),
            docker_config: Some("/etc/d".into()),
            ..Environment::default()
        };
        assert_eq!(
            environment.docker_config_dir().unwrap(),
            Path::new("/etc/d")
        );
        assert!(Environment::default().docker_config_dir().is_err());
    }

    #[test]
    fn passphrases_come_from_the_variable_or_its_file() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(b" secret \r\n").unwrap();
        let mut environment = Environment {
            root_passphrase_file: Some(file.path().into()),
            ..Environment::default()
        };
        assert_eq!(
            environment.root_passphrase().unwrap().unwrap().as_str(),
            " secret "
        );
        environment.root_passphrase = Some(Zeroizing::new("direct".to_owned()));
        assert_eq!(
            environment.root_passphrase().unwrap().unwrap().as_str(),
            "direct"
        );
        assert!(environment.repository_passphrase().unwrap().is_none());
    }

    #[test]
    fn an_unusable_passphrase_file_is_named_with_its_variable() {
        let large = tempfile::NamedTempFile::new().unwrap();
        large.as_file().set_len(70_000).unwrap();
        for (path, words) in [
            (PathBuf::from("/absent/file"), "cannot read /absent/file"),
            (large.path().into(), "is larger than"),
        ] {
            let environment = Environment {
                repository_passphrase_file: Some(path),
                ..Environment::default()
            };
            let error = environment.repository_passphrase().unwrap_err().to_string();
            assert!(
                error.starts_with(REPOSITORY_PASSPHRASE_FILE) && error.contains(words),
                "{error}"
            );
        }
    }
}
