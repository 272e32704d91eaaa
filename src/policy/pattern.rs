//! Which repositories a rule is for: a pattern of host and path, and which of two comes first.
//!
//! A `*` stands for characters within one part: a label of the host, its port, a component of the
//! path. So no pattern can be met by a name on a host it does not mean (Portieris matched
//! `*.example.com` inside the path of a hostile registry until 0.14.2).
//!
//! **Order.** Two patterns are compared part by part: the labels of the host from the right, as
//! domains are read, the port, then the path from the left. The first part in which they differ
//! decides: whichever stands for less comes first. Where both can match one name and neither part
//! stands for less, nobody could say which was meant: [`Precedence::Unclear`].

mod host;
mod part;

use crate::reference::{ImageReference, ReferenceError};
use host::{HUB, Host, OFFICIAL};
use part::Part;
use std::cmp::{Ordering, Reverse};
use std::fmt;

pub(super) use host::Name;

/// Repositories: one, or those with names of one form.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Pattern {
    host: Host<Part>,
    path: Vec<Part>,
    below: bool,
}

impl Pattern {
    /// Reads a pattern; names on Docker Hub may be short, as everywhere: `alpine`, `team/*`.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        let (host, path) = split(text)?;
        let (above, below) = match path.strip_suffix("**") {
            Some("") => (None, true),
            Some(above) if above.ends_with('/') => (above.strip_suffix('/'), true),
            _ => (Some(path), false),
        };
        let host = Host::split(host).try_map(Part::parse)?;
        let components = above.into_iter().flat_map(|path| path.split('/'));
        let mut path: Vec<_> = components.map(Part::parse).collect::<Result<_, _>>()?;
        if host.is_docker_hub() && !below && path.len() == 1 {
            path.insert(0, Part::Exact(OFFICIAL.to_owned()));
        }
        let pattern = Self { host, path, below };
        pattern.can_match()?;
        Ok(pattern)
    }

    /// Whether a repository is meant; its tag and digest do not matter.
    pub fn matches(&self, image: &ImageReference) -> bool {
        self.matches_name(&Name::of(image))
    }

    /// The same for a name that is asked about many times.
    pub(super) fn matches_name(&self, name: &Name<'_>) -> bool {
        let components = name.path.len();
        let fits = if self.below {
            components > self.path.len()
        } else {
            components == self.path.len()
        };
        let mut pairs = self.path.iter().zip(&name.path);
        fits && self.host.is_matched_by(&name.host)
            && pairs.all(|(part, component)| part.matches(component))
    }

    /// Which of two patterns is asked first about a name that both match.
    pub fn precedence(&self, other: &Self) -> Precedence {
        if !self.overlaps(other) {
            return Precedence::Apart;
        }
        let pairs = self.parts().zip(other.parts());
        let Some((mine, theirs)) = pairs.into_iter().find(|(mine, theirs)| mine != theirs) else {
            return match self.length().cmp(&other.length()) {
                Ordering::Greater => Precedence::Before,
                Ordering::Less => Precedence::After,
                Ordering::Equal => Precedence::Same,
            };
        };
        match (theirs.contains(mine), mine.contains(theirs)) {
            (true, _) => Precedence::Before,
            (_, true) => Precedence::After,
            _ => Precedence::Unclear,
        }
    }

    /// The first parts in which two patterns differ, as they are written.
    pub fn difference(&self, other: &Self) -> Option<(String, String)> {
        let pairs = self.parts().zip(other.parts());
        let differ = pairs.into_iter().find(|(mine, theirs)| mine != theirs);
        if let Some((mine, theirs)) = differ {
            return Some((mine.to_string(), theirs.to_string()));
        }
        let end = |longer: &Self, shorter: &Self| {
            let part = longer.path.get(shorter.path.len());
            part.map_or_else(|| "**".to_owned(), Part::to_string)
        };
        (self != other).then(|| (end(self, other), end(other, self)))
    }

    /// An order in which, of two patterns that match one name, the one to be asked comes first.
    pub fn order(&self, other: &Self) -> Ordering {
        let rank = |pattern: &Self| {
            let parts: Vec<_> = pattern.parts().map(Part::rank).collect();
            let below = pattern.below.then_some((u8::MAX, Reverse(0)));
            parts.into_iter().chain(below).collect::<Vec<_>>()
        };
        let hosts = self
            .host
            .labels
            .len()
            .cmp(&other.host.labels.len())
            .reverse();
        hosts
            .then_with(|| other.host.port.is_some().cmp(&self.host.port.is_some()))
            .then_with(|| rank(self).cmp(&rank(other)))
            .then_with(|| self.to_string().cmp(&other.to_string()))
    }

    /// The name this name has in another place, where the ends of both patterns stand for the same.
    pub(super) fn carry(&self, image: &ImageReference, to: &Self) -> Option<String> {
        if !self.matches(image) {
            return None;
        }
        let name = Name::of(image);
        let mut path: Vec<String> = to.path.iter().map(Part::to_string).collect();
        if self.below {
            let rest = name.path.iter().skip(self.path.len());
            path.extend(rest.map(|component| (*component).to_owned()));
        } else if let Some(Part::Around { before, after }) = self.path.last() {
            let last = name.path.last()?;
            let within = last
                .strip_prefix(before.as_str())?
                .strip_suffix(after.as_str())?;
            let end = path.last_mut()?;
            *end = end.replace('*', within);
        }
        Some(format!("{}/{}", to.host, path.join("/")))
    }

    /// Why names that match cannot be judged under names of another pattern; nothing if they can.
    pub(super) fn carries_to(&self, to: &Self) -> Result<(), String> {
        let inner = |pattern: &Self| {
            let last = usize::from(!pattern.below);
            let inner = pattern.path.iter().rev().skip(last);
            inner.into_iter().any(|part| !part.is_exact())
        };
        let end = |pattern: &Self| match pattern.path.last() {
            _ if pattern.below => "`**`",
            Some(Part::Around { .. }) => "`*`",
            _ => "no `*`",
        };
        if to.host.parts().any(|part| !part.is_exact()) {
            return Err(format!("`{to}` names no single host"));
        }
        if inner(self) || inner(to) {
            return Err("a `*` before the end of the path cannot be carried over".to_owned());
        }
        if end(self) != end(to) {
            return Err(format!(
                "`{self}` ends with {}, `{to}` with {}",
                end(self),
                end(to)
            ));
        }
        Ok(())
    }

    /// Whether some name matches both.
    fn overlaps(&self, other: &Self) -> bool {
        let lengths = match (self.below, other.below) {
            (true, true) => true,
            (true, false) => other.path.len() > self.path.len(),
            (false, true) => self.path.len() > other.path.len(),
            (false, false) => self.path.len() == other.path.len(),
        };
        lengths
            && self.host.overlaps(&other.host)
            && self
                .path
                .iter()
                .zip(&other.path)
                .all(|(mine, theirs)| mine.overlaps(theirs))
    }

    /// Parts in the order in which they are compared.
    fn parts(&self) -> impl Iterator<Item = &Part> {
        self.host.parts().chain(&self.path)
    }

    /// Of two patterns with the same parts, the longer stands for less.
    fn length(&self) -> (usize, bool) {
        (self.path.len(), !self.below)
    }

    /// Refuses what no name can match, in the words for such a name.
    fn can_match(&self) -> Result<(), PatternError> {
        let mut sample = format!("{}/", self.host.sample());
        let mut components: Vec<_> = self.path.iter().map(|part| part.filled("x")).collect();
        components.extend(self.below.then(|| "x".to_owned()));
        sample.push_str(&components.join("/"));
        let image = ImageReference::parse(&sample).map_err(PatternError::Name)?;
        if image.tag().is_some() || image.digest().is_some() {
            return Err(PatternError::Tag);
        }
        Ok(())
    }
}

/// The pattern with all that may be left out.
impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.host)?;
        for part in &self.path {
            write!(f, "/{part}")?;
        }
        f.write_str(if self.below { "/**" } else { "" })
    }
}

/// Which of two patterns is asked first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precedence {
    /// The second
    After,
    /// No name matches both
    Apart,
    /// The first
    Before,
    /// They are the same
    Same,
    /// Neither stands for less
    Unclear,
}

/// Why a text is no pattern.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PatternError {
    /// A `*` for all there is.
    #[error("`{0}` is every image: what no rule matches is for [default]")]
    Everything(String),
    /// No name looks like this.
    #[error("{0}")]
    Name(ReferenceError),
    /// A `*` where the host should be.
    #[error("`{0}` names no host: write `docker.io/{0}`, or a host such as `*.example.com`")]
    NoHost(String),
    /// A host, or a repository of Docker Hub.
    #[error("`{0}` may be a host or a repository: write `{0}/**`, or `docker.io/library/{0}`")]
    NoRepository(String),
    /// `**` that is not the end.
    #[error("`**` stands at the end only, after a `/`")]
    StarsInside,
    /// Something behind the name.
    #[error("a pattern is for repositories: it has no tag and no digest")]
    Tag,
    /// Two `*` in one part.
    #[error("`{0}` has more than one `*` between two separators")]
    TwoStars(String),
}

/// Host and path; a first part that looks like no host is a path on Docker Hub, as in names.
fn split(text: &str) -> Result<(&str, &str), PatternError> {
    let whole = || text.to_owned();
    if ["", "*", "**"].contains(&text) {
        return Err(PatternError::Everything(whole()));
    }
    match text.split_once('/') {
        Some((host, _)) if host.contains("**") => Err(PatternError::StarsInside),
        Some(("*", _)) => Err(PatternError::NoHost(whole())),
        Some((host, path)) if looks_like_host(host) => Ok((host, path)),
        None if text.contains('@') => Err(PatternError::Tag),
        None if text.contains(':') && !text.contains('.') && !text.starts_with("localhost:") => {
            Err(PatternError::Tag)
        }
        None if looks_like_host(text) => Err(PatternError::NoRepository(whole())),
        _ => Ok((HUB, text)),
    }
}

/// As Docker decides it (distribution/reference).
fn looks_like_host(first: &str) -> bool {
    first.contains(['.', ':']) || first == "localhost" || first.to_lowercase() != first
}

#[cfg(test)]
mod tests;
