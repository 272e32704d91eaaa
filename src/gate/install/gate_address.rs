//! How an engine reaches the gate's proxy.

use super::{Files, Refusal, State, Wanted};
use std::path::PathBuf;
use url::{Host, Url};

/// Where the proxy listens and what an engine shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GateAddress {
    /// Its address
    pub url: Url,
    /// Authority of its certificate
    pub ca: Option<PathBuf>,
    /// Certificate and key of this engine
    pub client: Option<(PathBuf, PathBuf)>,
    /// Name and value of a header only engines know
    pub header: Option<(String, String)>,
}

impl GateAddress {
    /// A gate at this address.
    ///
    /// # Errors
    /// It is no address of a gate: plain HTTP beyond this machine, or more than a host and a port.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let unfit = |why: &str| Refusal::Option(format!("{text} is no address of a gate: {why}"));
        let url = Url::parse(text).map_err(|error| unfit(&error.to_string()))?;
        match url.scheme() {
            "https" => {}
            "http" if is_loopback(&url) => {}
            "http" => return Err(unfit("plain HTTP is for this machine only")),
            _ => return Err(unfit("it begins with https://")),
        }
        let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
        if !bare || !url.username().is_empty() || url.password().is_some() {
            return Err(unfit("it is a host and a port, nothing else"));
        }
        Ok(Self {
            url,
            ca: None,
            client: None,
            header: None,
        })
    }

    /// Files that have to be there.
    pub fn wanted(&self) -> Vec<Wanted> {
        let client = self
            .client
            .iter()
            .flat_map(|(certificate, key)| [certificate, key]);
        let files = self.ca.iter().chain(client);
        files.cloned().map(Wanted::Content).collect()
    }

    /// The files that engines need to reach the gate are there.
    ///
    /// # Errors
    /// Without one of them no image could be pulled at all.
    pub(super) fn check_files(&self, files: &Files) -> Result<(), Refusal> {
        for wanted in self.wanted() {
            let Wanted::Content(path) = wanted else {
                continue;
            };
            if *files.state(&files.behind(&path)) == State::Absent {
                let why = "engines need it to reach the gate".into();
                return Err(Refusal::Missing { path, why });
            }
        }
        Ok(())
    }

    /// The address without a slash at its end, as configuration files have it.
    pub fn server(&self) -> &str {
        self.url.as_str().trim_end_matches('/')
    }

    /// Host and port, as in the names of images.
    pub fn host(&self) -> String {
        let host = self.url.host_str().unwrap_or_default();
        match self.url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        }
    }

    /// Whether the gate runs on the machine of its engine.
    pub fn is_on_this_machine(&self) -> bool {
        is_loopback(&self.url)
    }

    /// What a gate on this machine listens on.
    pub fn listen(&self) -> Option<String> {
        let host = match self.url.host_str()? {
            "localhost" => "127.0.0.1",
            host => host,
        };
        Some(format!("{host}:{}", self.url.port_or_known_default()?))
    }

    /// Whether an address in a configuration file is this gate's.
    pub fn is(&self, other: &str) -> bool {
        let other = if other.contains("://") {
            other.to_owned()
        } else {
            format!("https://{other}")
        };
        Url::parse(&other).is_ok_and(|other| {
            let port = |url: &Url| url.port_or_known_default();
            other.host_str() == self.url.host_str() && port(&other) == port(&self.url)
        })
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_hosts_and_ports_are_gates() {
        for (text, good) in [
            ("https://127.0.0.1:8443", true),
            ("https://gate.example/", true),
            ("http://localhost:8080", true),
            ("http://[::1]:8080", true),
            ("http://gate.example", false),
            ("https://gate.example/v2/", false),
            ("https://me@gate.example", false),
            ("gate.example:8443", false),
            ("", false),
        ] {
            assert_eq!(GateAddress::parse(text).is_ok(), good, "{text}");
        }
    }

    #[test]
    fn the_gate_is_known_by_host_and_port() {
        let gate = GateAddress::parse("https://gate:8443").unwrap();
        for (text, same) in [
            ("https://gate:8443", true),
            ("https://gate:8443/v2", true),
            ("gate:8443", true),
            ("https://gate", false),
            ("https://gate:8443.evil.test", false),
        ] {
            assert_eq!(gate.is(text), same, "{text}");
        }
    }
}
