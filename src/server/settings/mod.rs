//! The configuration of a trust server: one TOML file, or notary-server's JSON.
//!
//! Every key has a default, an unknown one is refused, and `docs/server.md` describes them all.

pub mod access;
mod limits;
mod notary;
mod problem;
mod sections;

#[cfg(test)]
mod tests;

pub use limits::LimitSettings;
pub use problem::SettingsError;
pub use sections::{
    CacheSettings, LogFormat, LogLevel, LogSettings, PageSettings, RenewSettings,
    RepositorySettings, SealSettings, StoreSettings, TlsSettings,
};

use crate::hosting::Options;
use crate::quantity::Period;
use crate::tuf::accept::{Bounds, Margins};
use access::AccessSettings;
use jiff::SignedDuration;
use problem::MAX_FILE;
use serde::Deserialize;
use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, ErrorKind, Read},
    path::Path,
    time::Duration,
};

/// How a trust server is configured.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Address and port to listen on; without an address, on all of them.
    pub listen: String,
    /// Where repositories, sealed keys and users are kept.
    pub store: StoreSettings,
    /// The secret under which online keys are kept.
    pub seal: SealSettings,
    /// The certificate of the server, and whether clients need one.
    pub tls: TlsSettings,
    /// Who may do what.
    pub access: AccessSettings,
    /// Which names repositories may have.
    pub repositories: RepositorySettings,
    /// What a request and a connection may cost.
    pub limits: LimitSettings,
    /// How long others may keep metadata, and how much is kept in memory here.
    pub cache: CacheSettings,
    /// When the server signs anew what it signs itself.
    pub renew: RenewSettings,
    /// What is written to standard error.
    pub log: LogSettings,
    /// What people see with a browser.
    pub pages: PageSettings,
}

impl Settings {
    /// The settings of a server whose files are in `folder` and that has no configuration.
    pub fn in_folder(folder: &Path) -> Self {
        let mut settings = Self::default();
        settings.resolve(folder);
        settings
    }

    /// What this file says, and warnings about what it says in vain.
    ///
    /// A name ending in `.json`, or a `{` at the beginning, makes it a configuration of
    /// notary-server; `notary` holds the variables `NOTARY_SERVER_…`, which count for that only.
    pub fn read(
        file: &Path,
        notary: &BTreeMap<String, String>,
    ) -> Result<(Self, Vec<String>), SettingsError> {
        let text = read(file)?;
        let is_json = file
            .extension()
            .is_some_and(|extension| extension == "json");
        let (mut settings, warnings) = if is_json || text.trim_start().starts_with('{') {
            notary::read(file, &text, notary)?
        } else {
            let settings = toml::from_str(&text)
                .map_err(|error| SettingsError::of_toml(file, &text, &error))?;
            (settings, Vec::new())
        };
        settings
            .check()
            .map_err(|reason| SettingsError::value(file, reason))?;
        settings.resolve(file.parent().unwrap_or(Path::new("")));
        Ok((settings, warnings))
    }

    /// What of this concerns the repositories themselves.
    pub fn of_hosting(&self) -> Options {
        let limits = &self.limits;
        Options {
            bounds: Bounds {
                delegations: limits.delegations,
                delegation_depth: limits.delegation_depth,
                json_depth: limits.json_depth,
            },
            margins: Margins {
                snapshot: margin(self.renew.snapshot),
                timestamp: margin(self.renew.timestamp),
            },
            memory: self.cache.memory.bytes() as u64,
        }
    }

    /// What no single value can be blamed for.
    fn check(&self) -> Result<(), String> {
        check_address(&self.listen)?;
        check_store(&self.store.url)?;
        for prefix in &self.repositories.prefixes {
            check_prefix(prefix)?;
        }
        let seal = &self.seal;
        if seal.key_file.is_some() && seal.passphrase_file.is_some() {
            return Err("seal.key_file and seal.passphrase_file are both given".to_owned());
        }
        let tls = &self.tls;
        if tls.certificate.is_some() != tls.key.is_some() {
            return Err("tls.certificate and tls.key go together".to_owned());
        }
        let given = tls.certificate.is_some() || tls.client_ca.is_some();
        if given && !tls.enabled {
            return Err("tls.enabled is false, but certificates are given".to_owned());
        }
        if self.access.certificates && tls.client_ca.is_none() {
            return Err("access.certificates needs tls.client_ca".to_owned());
        }
        Ok(())
    }

    /// Files named relatively are those in this folder.
    fn resolve(&mut self, folder: &Path) {
        let tls = &mut self.tls;
        let seal = &mut self.seal;
        let files = [
            &mut tls.certificate,
            &mut tls.key,
            &mut tls.client_ca,
            &mut seal.key_file,
            &mut seal.passphrase_file,
        ];
        for file in files.into_iter().flatten() {
            *file = folder.join(&file);
        }
        self.access.relative_to(folder);
        if let Some(path) = sqlite_path(&self.store.url) {
            self.store.url = format!("sqlite:{}", folder.join(path).display());
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:4443".to_owned(),
            store: StoreSettings::default(),
            seal: SealSettings::default(),
            tls: TlsSettings::default(),
            access: AccessSettings::default(),
            repositories: RepositorySettings::default(),
            limits: LimitSettings::default(),
            cache: CacheSettings::default(),
            renew: RenewSettings::default(),
            log: LogSettings::default(),
            pages: PageSettings::default(),
        }
    }
}

fn margin(period: Period) -> SignedDuration {
    SignedDuration::try_from(Duration::from(period)).unwrap_or(SignedDuration::MAX)
}

fn check_address(address: &str) -> Result<(), String> {
    let port = address.rsplit_once(':').map(|(_, port)| port);
    match port.map(str::parse::<u16>) {
        Some(Ok(_)) => Ok(()),
        _ => Err(format!("listen: {address:?} is no ADDRESS:PORT")),
    }
}

/// Never the address itself: it may hold a password.
fn check_store(url: &str) -> Result<(), String> {
    let known = ["sqlite:", "postgres://", "postgresql://"];
    if known.iter().any(|scheme| url.starts_with(scheme)) {
        return Ok(());
    }
    Err("store.url is neither sqlite:PATH nor postgres://USER@HOST/DATABASE".to_owned())
}

fn sqlite_path(url: &str) -> Option<&str> {
    let path = url.strip_prefix("sqlite:")?;
    Some(path.strip_prefix("//").unwrap_or(path))
}

/// As notary-server wants it, in its words (notary, cmd/notary-server/config.go).
fn check_prefix(prefix: &str) -> Result<(), String> {
    let clean = prefix.strip_suffix('/').is_some_and(|path| {
        let mut parts = path.split('/');
        path.trim() == path && parts.all(|part| !["", ".", ".."].contains(&part))
    });
    if clean {
        return Ok(());
    }
    Err(format!("invalid GUN prefix {prefix}"))
}

fn read(file: &Path) -> Result<String, SettingsError> {
    let unreadable = |source| SettingsError::Unreadable {
        file: file.to_owned(),
        source,
    };
    let mut bytes = Vec::new();
    File::open(file)
        .and_then(|file| file.take(MAX_FILE + 1).read_to_end(&mut bytes))
        .map_err(unreadable)?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > MAX_FILE) {
        let file = file.to_owned();
        return Err(SettingsError::TooLarge { file });
    }
    String::from_utf8(bytes)
        .map_err(|_| unreadable(io::Error::new(ErrorKind::InvalidData, "it is not UTF-8")))
}
