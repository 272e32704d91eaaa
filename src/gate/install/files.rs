//! Files of a host as values.

use super::Refusal;
use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

/// What stands at a path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum State {
    /// Nothing
    #[default]
    Absent,
    /// A regular file with its bytes and permissions
    File {
        /// The content
        bytes: Vec<u8>,
        /// Permission bits
        mode: u32,
    },
    /// A symbolic link
    Link {
        /// What it says, which need not exist
        to: PathBuf,
    },
    /// A folder
    Folder {
        /// Permission bits
        mode: u32,
    },
    /// Something that cannot be read, and why
    Unreadable(String),
}

/// What was found on a host, by absolute path as the host itself names it.
///
/// A path that was not looked at counts as absent; who makes plans says beforehand what to look at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Files {
    found: BTreeMap<PathBuf, State>,
}

impl Files {
    /// Notes what stands at a path.
    pub fn put(&mut self, path: impl Into<PathBuf>, state: State) {
        match state {
            State::Absent => self.found.remove(&path.into()),
            state => self.found.insert(path.into(), state),
        };
    }

    /// The same files with a readable file of mode 644.
    #[must_use]
    pub fn with(mut self, path: &str, text: &str) -> Self {
        let bytes = text.as_bytes().to_vec();
        self.put(path, State::File { bytes, mode: 0o644 });
        self
    }

    /// What stands at a path.
    pub fn state(&self, path: &Path) -> &State {
        self.found.get(path).unwrap_or(&State::Absent)
    }

    /// Where the content of a path really is, behind links.
    pub fn behind(&self, path: &Path) -> PathBuf {
        let mut path = path.to_owned();
        for _ in 0..MAX_LINKS {
            let State::Link { to } = self.state(&path) else {
                break;
            };
            path = joined(path.parent().unwrap_or(Path::new("/")), to);
        }
        path
    }

    /// The bytes of a file, behind links; none if there is no readable file.
    pub fn bytes(&self, path: &Path) -> Option<&[u8]> {
        match self.state(&self.behind(path)) {
            State::File { bytes, .. } => Some(bytes),
            _ => None,
        }
    }

    /// The text of a file, behind links; none if there is no file.
    ///
    /// # Errors
    /// There is something, but it is no text that can be read.
    pub fn text(&self, path: &Path) -> Result<Option<&str>, Refusal> {
        let unusable = |why: String| Refusal::Unreadable {
            path: path.to_owned(),
            why,
        };
        match self.state(&self.behind(path)) {
            State::Absent => Ok(None),
            State::File { bytes, .. } => str::from_utf8(bytes)
                .map(Some)
                .map_err(|_| unusable("it is not UTF-8".into())),
            State::Unreadable(why) => Err(unusable(why.clone())),
            State::Link { .. } => Err(unusable("too many symbolic links".into())),
            State::Folder { .. } => Err(unusable("it is a folder".into())),
        }
    }

    /// Everything directly in a folder, in the order of names.
    pub fn within<'a>(&'a self, folder: &'a Path) -> impl Iterator<Item = (&'a Path, &'a State)> {
        let below = self
            .found
            .range(folder.to_owned()..)
            .take_while(move |(path, _)| path.starts_with(folder));
        below
            .filter(move |(path, _)| path.parent() == Some(folder))
            .map(|(path, state)| (path.as_path(), state))
    }

    /// Folders directly in a folder, also through links, in the order of names.
    pub fn folders_in<'a>(&'a self, folder: &'a Path) -> impl Iterator<Item = &'a Path> {
        let is_folder =
            |path: &Path| matches!(self.state(&self.behind(path)), State::Folder { .. });
        self.within(folder)
            .map(|(path, _)| path)
            .filter(move |path| is_folder(path))
    }

    /// Everything that was found.
    pub fn all(&self) -> impl Iterator<Item = (&Path, &State)> {
        self.found
            .iter()
            .map(|(path, state)| (path.as_path(), state))
    }
}

/// A path from a folder, or from the top where it is absolute, without `.` and `..`.
pub(super) fn joined(folder: &Path, path: &Path) -> PathBuf {
    let mut joined = PathBuf::from("/");
    for part in folder.join(path).components() {
        match part {
            Component::Normal(name) => joined.push(name),
            Component::ParentDir => {
                joined.pop();
            }
            _ => {}
        }
    }
    joined
}

/// Links followed before a path counts as a circle.
pub(super) const MAX_LINKS: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_followed_as_the_host_would() {
        let mut files = Files::default().with("/srv/dot/bashrc", "x");
        let link = |to: &str| State::Link { to: to.into() };
        files.put("/home/a/.bashrc", link("../../srv/dot/bashrc"));
        files.put("/round", link("/round"));
        let path = Path::new("/home/a/.bashrc");
        assert_eq!(files.behind(path), Path::new("/srv/dot/bashrc"));
        assert_eq!(files.text(path).unwrap(), Some("x"));
        assert!(files.text(Path::new("/round")).is_err());
        assert_eq!(files.text(Path::new("/nowhere")).unwrap(), None);
    }

    #[test]
    fn only_what_is_directly_in_a_folder_is_within() {
        let mut files = Files::default()
            .with("/c/a/hosts.toml", "")
            .with("/c/b", "")
            .with("/c-d/x", "");
        files.put("/c/a", State::Folder { mode: 0o755 });
        let within: Vec<_> = files.within(Path::new("/c")).map(|it| it.0).collect();
        assert_eq!(within, [Path::new("/c/a"), Path::new("/c/b")]);
        let folders: Vec<_> = files.folders_in(Path::new("/c")).collect();
        assert_eq!(folders, [Path::new("/c/a")]);
    }
}
