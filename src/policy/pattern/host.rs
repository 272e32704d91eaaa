//! Hosts, label by label, and names with Docker Hub's short forms written out.

use super::part::Part;
use crate::reference::ImageReference;
use std::fmt;

/// A host: its labels from the right, and its port.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Host<T> {
    pub(super) labels: Vec<T>,
    pub(super) port: Option<T>,
}

impl Host<String> {
    /// The parts of a host; capitals, `:443`, zeros before a port and other names of Docker Hub do
    /// not matter.
    pub(super) fn split(text: &str) -> Self {
        let lower = text.to_ascii_lowercase();
        let (name, port) = match lower.rsplit_once(':') {
            Some((name, port)) if !port.ends_with(']') => (name, Some(without_zeros(port))),
            _ => (lower.as_str(), None),
        };
        // The port every registry has unless it says otherwise names no other place.
        let port = port.filter(|port| *port != HTTPS).map(str::to_owned);
        let name = match name {
            alias if HUB_ALIASES.contains(&alias) => HUB,
            name => name,
        };
        // An IPv6 address is one label.
        let labels = name.rsplit('.').map(str::to_owned).collect();
        Self { labels, port }
    }

    pub(super) fn is_docker_hub(&self) -> bool {
        self.port.is_none() && self.labels.iter().rev().eq(HUB.split('.'))
    }

    pub(super) fn try_map<T, E>(self, part: impl Fn(&str) -> Result<T, E>) -> Result<Host<T>, E> {
        let labels = self.labels.iter().map(|label| part(label));
        Ok(Host {
            labels: labels.collect::<Result<_, _>>()?,
            port: self.port.as_deref().map(part).transpose()?,
        })
    }
}

impl Host<Part> {
    pub(super) fn is_docker_hub(&self) -> bool {
        Host::split(&self.to_string()).is_docker_hub()
    }

    pub(super) fn parts(&self) -> impl Iterator<Item = &Part> {
        self.labels.iter().chain(&self.port)
    }

    pub(super) fn is_matched_by(&self, host: &Host<String>) -> bool {
        let parts = host.labels.iter().chain(&host.port);
        self.labels.len() == host.labels.len()
            && self.port.is_some() == host.port.is_some()
            && self
                .parts()
                .zip(parts)
                .all(|(part, text)| part.matches(text))
    }

    pub(super) fn overlaps(&self, other: &Self) -> bool {
        self.labels.len() == other.labels.len()
            && self.port.is_some() == other.port.is_some()
            && self
                .parts()
                .zip(other.parts())
                .all(|(mine, theirs)| mine.overlaps(theirs))
    }

    /// Some host this stands for.
    pub(super) fn sample(&self) -> String {
        let fill = |part: &Part, filling: &str| Part::Exact(part.filled(filling));
        let labels = self.labels.iter().map(|label| fill(label, "x")).collect();
        let port = self.port.as_ref().map(|port| fill(port, "1"));
        Self { labels, port }.to_string()
    }
}

impl<T: fmt::Display> fmt::Display for Host<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, label) in self.labels.iter().rev().enumerate() {
            f.write_str(if index > 0 { "." } else { "" })?;
            write!(f, "{label}")?;
        }
        self.port.iter().try_for_each(|port| write!(f, ":{port}"))
    }
}

/// A repository as patterns see it.
pub(in crate::policy) struct Name<'n> {
    pub(super) host: Host<String>,
    pub(super) path: Vec<&'n str>,
}

impl<'n> Name<'n> {
    pub(in crate::policy) fn of(image: &'n ImageReference) -> Self {
        let host = Host::split(image.registry());
        let mut path: Vec<_> = image.path().split('/').collect();
        if host.is_docker_hub() && path.len() == 1 {
            path.insert(0, OFFICIAL);
        }
        Self { host, path }
    }
}

/// As Go's resolver reads ports; `0` itself is left to whoever tries it.
fn without_zeros(port: &str) -> &str {
    match port.trim_start_matches('0') {
        "" => port,
        significant => significant,
    }
}

/// The port of a registry whose name has none.
const HTTPS: &str = "443";
pub(super) const HUB: &str = "docker.io";
/// Other names of Docker Hub (distribution/reference; Docker Engine's registry service).
const HUB_ALIASES: [&str; 2] = ["index.docker.io", "registry-1.docker.io"];
pub(super) const OFFICIAL: &str = "library";
