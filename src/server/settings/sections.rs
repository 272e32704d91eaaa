//! The smaller sections of the configuration.

use crate::quantity::{DAY, GIB, Period, Size, period, size};
use serde::Deserialize;
use std::path::PathBuf;

/// `[store]`: where repositories, sealed keys and users are kept.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StoreSettings {
    /// `sqlite:PATH`, or `postgres://USER:PASSWORD@HOST/DATABASE`.
    pub url: String,
}

/// `[seal]`: the secret under which online keys are kept; one of the two, or neither.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SealSettings {
    /// A file of 32 to 4096 random bytes.
    pub key_file: Option<PathBuf>,
    /// A file with a passphrase.
    pub passphrase_file: Option<PathBuf>,
}

/// `[tls]`: the certificate of the server, and whether clients need one.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TlsSettings {
    /// Whether TLS is spoken; without it, only something in front of the server may reach it.
    pub enabled: bool,
    /// The certificate, then those that vouch for it.
    pub certificate: Option<PathBuf>,
    /// The private key of the certificate.
    pub key: Option<PathBuf>,
    /// Authorities of clients: whoever shows no certificate of theirs is turned away.
    pub client_ca: Option<PathBuf>,
}

/// `[repositories]`: which names repositories may have.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RepositorySettings {
    /// How the names of repositories must begin, each ending in `/`; none: as they like.
    pub prefixes: Vec<String>,
}

/// `[cache]`: how long others may keep metadata, and how much is kept in memory here.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CacheSettings {
    /// How long caches may keep current metadata.
    #[serde(deserialize_with = "period::<0, YEAR, _>")]
    pub current_max_age: Period,
    /// How long caches may keep metadata named by hash or version.
    #[serde(deserialize_with = "period::<0, YEAR, _>")]
    pub consistent_max_age: Period,
    /// Metadata kept in memory.
    #[serde(deserialize_with = "size::<0, { 64 * GIB }, _>")]
    pub memory: Size,
}

/// `[renew]`: when the server signs anew what it signs itself.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RenewSettings {
    /// A timestamp is signed anew when less than this is left of its 14 days.
    #[serde(deserialize_with = "period::<0, LONGEST_TIMESTAMP, _>")]
    pub timestamp: Period,
    /// A snapshot is signed anew when less than this is left of its three years.
    #[serde(deserialize_with = "period::<0, LONGEST_SNAPSHOT, _>")]
    pub snapshot: Period,
    /// How often the server looks.
    #[serde(deserialize_with = "period::<1, DAY, _>")]
    pub every: Period,
}

/// `[log]`: what is written to standard error.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogSettings {
    /// `text` for people, `json` for programs.
    pub format: LogFormat,
    /// `error`, `warn`, `info`, `debug` or `trace`.
    pub level: LogLevel,
}

/// The form of the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// One JSON object a line
    Json,
    /// For people
    #[default]
    Text,
}

/// How much is logged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// What failed
    Error,
    /// What may fail soon as well
    Warn,
    /// Who did what as well
    #[default]
    Info,
    /// What was going on as well
    Debug,
    /// Everything
    Trace,
}

impl LogLevel {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }
}

/// `[pages]`: what people see with a browser.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PageSettings {
    /// Whether there are pages at all.
    pub enabled: bool,
}

impl Default for StoreSettings {
    fn default() -> Self {
        Self {
            url: "sqlite:store.db".to_owned(),
        }
    }
}

impl Default for TlsSettings {
    fn default() -> Self {
        Self {
            enabled: true,
            certificate: None,
            key: None,
            client_ca: None,
        }
    }
}

impl Default for CacheSettings {
    fn default() -> Self {
        Self {
            current_max_age: Period::seconds(300),
            consistent_max_age: Period::days(30),
            memory: Size::of(64 << 20),
        }
    }
}

impl Default for RenewSettings {
    fn default() -> Self {
        Self {
            timestamp: Period::days(7),
            snapshot: Period::days(90),
            every: Period::seconds(3600),
        }
    }
}

impl Default for PageSettings {
    fn default() -> Self {
        Self { enabled: true }
    }
}

/// As long as Notary lets caches keep anything.
pub(super) const YEAR: u64 = 365 * DAY;
/// More would sign a new one at every look.
const LONGEST_TIMESTAMP: u64 = 13 * DAY;
const LONGEST_SNAPSHOT: u64 = 3 * YEAR - DAY;
