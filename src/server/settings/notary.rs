//! A notary-server's JSON configuration, read as one of ours (notary, cmd/notary-server/config.go).
//!
//! What means nothing here any more is named in a warning each. What would lose somebody's data
//! or open a door is refused.

use super::{
    LogLevel, Settings, SettingsError,
    access::{Everybody, TokenSettings},
    sections::YEAR,
};
use crate::quantity::Period;
use serde_json::Value;
use std::{collections::BTreeMap, path::Path};

/// The settings in this text, with variables over them, and warnings.
///
/// The variables are without `NOTARY_SERVER_`; an empty one counts as unset.
pub(super) fn read(
    file: &Path,
    text: &str,
    variables: &BTreeMap<String, String>,
) -> Result<(Settings, Vec<String>), SettingsError> {
    let document = serde_json::from_str(text.trim_start_matches('\u{feff}'))
        .map_err(|error| SettingsError::of_json(file, &error))?;
    let mut given = Given::default();
    given.add(String::new(), document);
    given.override_with(variables);
    given.warn();
    let mut settings = Settings::default();
    given
        .settle(&mut settings)
        .map_err(|reason| SettingsError::value(file, reason))?;
    Ok((settings, given.warnings))
}

/// Values by their path in lower case, as notary-server finds them.
#[derive(Default)]
struct Given {
    values: BTreeMap<String, Value>,
    warnings: Vec<String>,
}

impl Given {
    fn add(&mut self, path: String, value: Value) {
        let Value::Object(members) = value else {
            self.values.insert(path, value);
            return;
        };
        for (name, value) in members {
            let name = name.to_lowercase();
            let path = if path.is_empty() {
                name
            } else {
                format!("{path}.{name}")
            };
            self.add(path, value);
        }
    }

    fn override_with(&mut self, variables: &BTreeMap<String, String>) {
        for (name, value) in variables {
            // Kubernetes sets the latter two for every service of that name.
            if value.is_empty() || name.starts_with("SERVICE_") || name.starts_with("PORT") {
                continue;
            }
            let is_it = |key: &&&str| key.to_uppercase().replace('.', "_") == *name;
            match KEYS
                .iter()
                .chain(&VAIN_KEYS.map(|(key, _)| key))
                .find(is_it)
            {
                Some(key) => {
                    let value = Value::String(value.clone());
                    self.values.insert((*key).to_owned(), value);
                }
                None => self.warnings.push(format!(
                    "NOTARY_SERVER_{name} names no key of a configuration and means nothing"
                )),
            }
        }
    }

    /// Names every key that changes nothing.
    fn warn(&mut self) {
        for key in self.values.keys() {
            if KEYS.contains(&key.as_str()) {
                continue;
            }
            let vain = VAIN_KEYS.iter().find(|(vain, _)| vain == key);
            let why = vain.map_or("this key is not known", |(_, why)| why);
            self.warnings
                .push(format!("{key} means nothing here: {why}"));
        }
    }

    fn settle(&mut self, settings: &mut Settings) -> Result<(), String> {
        settings.listen = self
            .text("server.http_addr")?
            .ok_or("http listen address required for server")?;
        self.settle_tls(settings)?;
        self.settle_store(settings)?;
        self.settle_access(settings)?;
        let cache = &mut settings.cache;
        for (key, age) in [
            (CURRENT, &mut cache.current_max_age),
            (CONSISTENT, &mut cache.consistent_max_age),
        ] {
            *age = self.max_age(key)?.unwrap_or(*age);
        }
        settings.repositories.prefixes = self.list("repositories.gun_prefixes")?;
        if let Some(level) = self.text("logging.level")? {
            settings.log.level = level_of(&level)?;
        }
        Ok(())
    }

    fn settle_tls(&self, settings: &mut Settings) -> Result<(), String> {
        let tls = &mut settings.tls;
        tls.certificate = self.text("server.tls_cert_file")?.map(Into::into);
        tls.key = self.text("server.tls_key_file")?.map(Into::into);
        tls.client_ca = self.text("server.client_ca_file")?.map(Into::into);
        tls.enabled = tls.certificate.is_some();
        if tls.certificate.is_some() != tls.key.is_some()
            || (tls.client_ca.is_some() && !tls.enabled)
        {
            return Err(
                "either include both a cert and key file, or no TLS information at all \
                        to disable TLS"
                    .to_owned(),
            );
        }
        Ok(())
    }

    fn settle_store(&mut self, settings: &mut Settings) -> Result<(), String> {
        let Some(backend) = self.text("storage.backend")? else {
            return Ok(());
        };
        let url = self.text("storage.db_url")?;
        match (backend.as_str(), url) {
            ("postgres", Some(url)) if url.contains("://") => settings.store.url = url,
            ("postgres", Some(_)) => {
                return Err("storage.db_url must be written postgres://USER@HOST/DATABASE".into());
            }
            ("postgres", None) => {
                return Err("must provide a non-empty database source for postgres".to_owned());
            }
            ("memory", _) => self.warnings.push(
                "storage.backend memory: repositories are kept in store.db beside this file, and \
                 are still there after a restart"
                    .to_owned(),
            ),
            ("sqlite3", _) => self.warnings.push(
                "storage.backend sqlite3: repositories are kept in store.db beside this file; \
                 Notary's own database is not touched"
                    .to_owned(),
            ),
            (other, _) => {
                return Err(format!(
                    "storage.backend {other} does not exist here: choose postgres, or leave out \
                     storage to keep repositories in store.db beside this file"
                ));
            }
        }
        Ok(())
    }

    fn settle_access(&mut self, settings: &mut Settings) -> Result<(), String> {
        let access = &mut settings.access;
        if self.text("auth.type")?.as_deref() != Some("token") {
            access.anonymous = Some(Everybody::All);
            return Ok(());
        }
        let option = |name: &str| {
            let text = self.text(&format!("auth.options.{name}"))?;
            text.ok_or_else(|| format!("token auth requires a valid option string: {name:?}"))
        };
        access.anonymous = Some(Everybody::None);
        access.token = Some(TokenSettings {
            realm: option("realm")?,
            service: option("service")?,
            issuer: option("issuer")?,
            certificates: vec![option("rootcertbundle")?.into()],
            ..TokenSettings::default()
        });
        if self.text(AUTOREDIRECT)?.as_deref() == Some("true") {
            let words = "means nothing here: clients are sent to auth.options.realm";
            self.warnings.push(format!("{AUTOREDIRECT} {words}"));
        }
        Ok(())
    }

    /// Text, or what stands for it; an empty one was not given.
    fn text(&self, key: &str) -> Result<Option<String>, String> {
        match self.values.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone()).filter(|text| !text.is_empty())),
            Some(Value::Number(number)) => Ok(Some(number.to_string())),
            Some(Value::Bool(truth)) => Ok(Some(truth.to_string())),
            Some(_) => Err(format!("{key} must be text")),
        }
    }

    fn list(&self, key: &str) -> Result<Vec<String>, String> {
        let wrong = || format!("{key} must be a list of texts");
        match self.values.get(key) {
            None | Some(Value::Null) => Ok(Vec::new()),
            Some(Value::String(words)) => {
                Ok(words.split_whitespace().map(ToOwned::to_owned).collect())
            }
            Some(Value::Array(items)) => items
                .iter()
                .map(|item| item.as_str().map(ToOwned::to_owned).ok_or_else(wrong))
                .collect(),
            Some(_) => Err(wrong()),
        }
    }

    fn max_age(&self, key: &str) -> Result<Option<Period>, String> {
        let Some(text) = self.text(key)? else {
            return Ok(None);
        };
        let seconds = text.parse().ok().filter(|seconds| *seconds <= YEAR);
        let wrong = || {
            format!("{key}: must specify a cache-control max-age between 0 and {YEAR}, not {text}")
        };
        seconds.map(Period::seconds).map(Some).ok_or_else(wrong)
    }
}

fn level_of(word: &str) -> Result<LogLevel, String> {
    match word.to_lowercase().as_str() {
        "panic" | "fatal" | "error" => Ok(LogLevel::Error),
        "warn" | "warning" => Ok(LogLevel::Warn),
        "info" => Ok(LogLevel::Info),
        "debug" => Ok(LogLevel::Debug),
        "trace" => Ok(LogLevel::Trace),
        _ => Err(format!("logging.level: not a valid log level: {word:?}")),
    }
}

const AUTOREDIRECT: &str = "auth.options.autoredirect";
const CONSISTENT: &str = "caching.max_age.consistent_metadata";
const CURRENT: &str = "caching.max_age.current_metadata";

/// Keys that have a meaning here.
const KEYS: [&str; 16] = [
    "auth.options.issuer",
    "auth.options.realm",
    "auth.options.rootcertbundle",
    "auth.options.service",
    "auth.type",
    AUTOREDIRECT,
    CONSISTENT,
    CURRENT,
    "logging.level",
    "repositories.gun_prefixes",
    "server.client_ca_file",
    "server.http_addr",
    "server.tls_cert_file",
    "server.tls_key_file",
    "storage.backend",
    "storage.db_url",
];

/// Keys that had a meaning for notary-server.
const VAIN_KEYS: [(&str, &str); 16] = [
    ("reporting.bugsnag.api_key", NO_REPORTS),
    ("reporting.bugsnag.endpoint", NO_REPORTS),
    ("reporting.bugsnag.release_stage", NO_REPORTS),
    ("storage.client_cert_file", RETHINK),
    ("storage.client_key_file", RETHINK),
    ("storage.database", RETHINK),
    ("storage.password", RETHINK),
    ("storage.tls_ca_file", RETHINK),
    ("storage.username", RETHINK),
    ("trust_service.hostname", NO_SIGNER),
    ("trust_service.key_algorithm", NO_SIGNER),
    ("trust_service.port", NO_SIGNER),
    ("trust_service.tls_ca_file", NO_SIGNER),
    ("trust_service.tls_client_cert", NO_SIGNER),
    ("trust_service.tls_client_key", NO_SIGNER),
    ("trust_service.type", NO_SIGNER),
];

const NO_REPORTS: &str = "errors go to the log and nowhere else";
const NO_SIGNER: &str = "the server signs by itself, with keys sealed in its store";
const RETHINK: &str = "there is no RethinkDB";
