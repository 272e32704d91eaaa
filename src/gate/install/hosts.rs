//! `hosts.toml`: which host answers for a registry (containerd, and dockerd with its image store).

use super::GateAddress;
use std::fmt::Write;
use toml_edit::{DocumentMut, Item, TableLike, Value};

/// A `hosts.toml` as containerd understands it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HostsFile {
    /// The host in place of the registry; none: the registry itself comes last
    pub server: Option<String>,
    /// Hosts asked first, in order
    pub hosts: Vec<String>,
    /// Whether the certificate of `server` is not checked
    pub skip_verify: bool,
    /// Whether there is a table of hosts, without which containerd 1 ignores the file
    pub has_host_table: bool,
}

/// Why a file is ignored by the engine, which then asks the registry itself.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Ignored(String);

impl HostsFile {
    /// Reads a file as strictly as containerd does.
    ///
    /// # Errors
    /// The engine would ignore the file, which fails open.
    pub fn parse(text: &str) -> Result<Self, Ignored> {
        let document: DocumentMut = text
            .parse()
            .map_err(|error: toml_edit::TomlError| Ignored(error.message().to_owned()))?;
        let table = document.as_table();
        let server = match table.get("server") {
            None => None,
            Some(item) => Some(item.as_str().ok_or_else(|| kind("server", "a text"))?),
        };
        check(table)?;
        let mut hosts = Vec::new();
        if let Some(item) = table.get("host") {
            let below = item
                .as_table_like()
                .ok_or_else(|| kind("host", "a table"))?;
            for (url, item) in below.iter() {
                let host = item
                    .as_table_like()
                    .ok_or_else(|| kind("host", "tables of hosts"))?;
                check(host)?;
                hosts.push(url.to_owned());
            }
        }
        Ok(Self {
            server: server.filter(|it| !it.is_empty()).map(str::to_owned),
            hosts,
            has_host_table: table.contains_key("host"),
            skip_verify: table.get("skip_verify").and_then(Item::as_bool) == Some(true),
        })
    }

    /// How images get by the gate with this file; none if they do not.
    pub fn leak(&self, gate: &GateAddress) -> Option<String> {
        if let Some(other) = self.hosts.iter().find(|host| !gate.is(host)) {
            return Some(format!("{other} is asked first"));
        }
        match &self.server {
            None => Some("without `server` the registry itself is asked in the end".into()),
            Some(server) if !gate.is(server) => Some(format!("{server} answers")),
            Some(_) => None,
        }
    }

    /// How a refusal is followed by a question to somebody else, whoever the gate is.
    pub fn falls_through(&self) -> Option<String> {
        match (&self.server, self.hosts.as_slice()) {
            (_, []) => None,
            (None, [host, ..]) => Some(format!(
                "after {host} says no, the registry itself is asked, for there is no `server`"
            )),
            (Some(server), [host, ..]) => (host.trim_end_matches('/')
                != server.trim_end_matches('/'))
            .then(|| format!("after {host} says no, {server} is asked")),
        }
    }
}

/// The file that makes the gate answer for a registry.
pub fn text(gate: &GateAddress, engine: &str) -> String {
    let mut text = format!(
        "# Written by `trust hook install {engine}`; `trust hook remove {engine}` puts back what was here.\n\
         server = {}\n",
        quoted(gate.server())
    );
    // Writing to a text does not fail.
    if let Some(ca) = &gate.ca {
        let _ = writeln!(text, "ca = {}", quoted(&ca.display().to_string()));
    }
    if let Some((certificate, key)) = &gate.client {
        let (certificate, key) = (certificate.display(), key.display());
        let pair = (quoted(&certificate.to_string()), quoted(&key.to_string()));
        let _ = writeln!(text, "client = [[{}, {}]]", pair.0, pair.1);
    }
    if let Some((name, value)) = &gate.header {
        let _ = write!(text, "\n[header]\n{} = {}\n", quoted(name), quoted(value));
    }
    text.push_str(
        "\n# Nobody else is asked. Without this table containerd 1 ignores the file.\n[host]\n",
    );
    text
}

/// Permissions of that file: a secret is for the engine only.
pub(super) fn mode(gate: &GateAddress) -> u32 {
    if gate.header.is_some() { 0o600 } else { 0o644 }
}

fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

fn kind(key: &str, wanted: &str) -> Ignored {
    Ignored(format!("`{key}` is not {wanted}"))
}

/// What containerd refuses in the settings of a host.
fn check(host: &dyn TableLike) -> Result<(), Ignored> {
    for (key, item) in host.iter() {
        let fits = match key {
            "capabilities" => known_capabilities(item)?,
            "ca" => item.is_str() || texts(item).is_some(),
            "client" => item.is_str() || item.is_array(),
            "skip_verify" | "override_path" => item.is_bool(),
            "dial_timeout" => item.is_str(),
            "header" => item.is_table_like(),
            _ => true,
        };
        if !fits {
            return Err(Ignored(format!("`{key}` is of the wrong kind")));
        }
    }
    Ok(())
}

fn known_capabilities(item: &Item) -> Result<bool, Ignored> {
    let Some(texts) = texts(item) else {
        return Ok(false);
    };
    match texts.iter().find(|it| !CAPABILITIES.contains(&it.as_str())) {
        Some(other) => Err(Ignored(format!("unknown capability {other}"))),
        None => Ok(true),
    }
}

fn texts(item: &Item) -> Option<Vec<String>> {
    let texts = item.as_array()?.iter();
    texts
        .map(|value| value.as_str().map(str::to_owned))
        .collect()
}

/// Known to every version of containerd; `referrers` since 2.2 only.
const CAPABILITIES: [&str; 4] = ["pull", "push", "resolve", "referrers"];

#[cfg(test)]
mod tests {
    use super::*;

    fn gate() -> GateAddress {
        GateAddress::parse("https://127.0.0.1:8443").unwrap()
    }

    #[test]
    fn what_we_write_is_read_back_and_leaks_nothing() {
        let mut gate = gate();
        for full in [false, true] {
            if full {
                gate.ca = Some("/etc/a \"b\".crt".into());
                gate.client = Some(("/c.crt".into(), "/c.key".into()));
                gate.header = Some(("X-Gate".into(), "s3\\cret".into()));
            }
            let file = HostsFile::parse(&text(&gate, "docker")).unwrap();
            assert!(file.has_host_table);
            assert_eq!(file.leak(&gate), None);
            assert_eq!(file.falls_through(), None);
            assert_eq!(file.server.as_deref(), Some("https://127.0.0.1:8443"));
        }
    }

    #[test]
    fn leaks_are_seen() {
        for (text, leaks, falls) in [
            ("", true, false),
            ("server = \"\"", true, false),
            ("server = 'https://docker.io'", true, false),
            ("[host.'https://127.0.0.1:8443']", true, true),
            (
                "server = 'https://docker.io'\n[host.'https://127.0.0.1:8443']",
                true,
                true,
            ),
            (
                "server = 'https://127.0.0.1:8443'\n[host.'https://mirror.local']",
                true,
                true,
            ),
            ("server = 'https://127.0.0.1:8443'", false, false),
            (
                "server = 'https://127.0.0.1:8443'\n[host.'https://127.0.0.1:8443']",
                false,
                false,
            ),
        ] {
            let file = HostsFile::parse(text).unwrap();
            assert_eq!(file.leak(&gate()).is_some(), leaks, "{text}");
            assert_eq!(file.falls_through().is_some(), falls, "{text}");
        }
    }

    /// Bypass 2: the engine ignores such a file and asks the registry itself.
    #[test]
    fn what_the_engine_ignores_is_seen() {
        for text in [
            "server = https://127.0.0.1:8443",
            "server = 'a'\nserver = 'b'",
            "server = 1",
            "capabilities = ['pull', 'fly']",
            "[host]\n'https://a' = 1",
            "[host.'https://a']\nskip_verify = 'yes'",
            "ca = 1",
        ] {
            assert!(HostsFile::parse(text).is_err(), "{text}");
        }
    }
}
