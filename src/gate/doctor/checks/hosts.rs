//! `hosts.toml` folders, which dockerd and containerd share the form of.

use crate::gate::doctor::host::Host;
use crate::gate::install::hosts::HostsFile;
use std::path::{Path, PathBuf};

/// What a folder of registries' settings holds.
pub(super) struct Folder<'h> {
    host: &'h Host,
    path: PathBuf,
}

impl<'h> Folder<'h> {
    pub(super) fn of(host: &'h Host, path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        Self { host, path }
    }

    /// Registries with a folder of their own, in order.
    fn own(&self) -> Vec<PathBuf> {
        let folders = self.host.files.folders_in(&self.path);
        folders.map(Path::to_owned).collect()
    }

    fn parsed(&self, folder: &Path) -> Option<(PathBuf, Result<HostsFile, String>)> {
        let file = folder.join("hosts.toml");
        let text = match self.host.files.text(&file) {
            Ok(text) => text?,
            Err(why) => return Some((file, Err(why.to_string()))),
        };
        let parsed = HostsFile::parse(text).map_err(|why| why.to_string());
        Some((file, parsed))
    }

    /// Whether any file is there.
    pub(super) fn is_used(&self) -> bool {
        self.own()
            .iter()
            .any(|folder| self.parsed(folder).is_some())
    }

    /// Files that the engine ignores, and so goes to the registry itself.
    ///
    /// `strict`: as containerd 1 does, which wants a table of hosts.
    pub(super) fn unparsable(&self, strict: bool) -> Vec<String> {
        let files = self.own();
        let files = files.iter().filter_map(|folder| self.parsed(folder));
        files
            .filter_map(|(file, parsed)| {
                let why = match parsed {
                    Err(why) => why,
                    Ok(hosts) if strict && !hosts.has_host_table => {
                        "containerd 1 wants a table [host] in it, if an empty one".into()
                    }
                    Ok(_) => return None,
                };
                Some(format!("{} is ignored: {why}", file.display()))
            })
            .collect()
    }

    /// Registries whose own folder wins over the default one and leads elsewhere.
    pub(super) fn overriding(&self) -> Vec<String> {
        let default = self.path.join("_default");
        let Some((_, Ok(general))) = self.parsed(&default) else {
            return Vec::new();
        };
        let own = self.own();
        let own = own.iter().filter(|folder| **folder != default);
        own.filter_map(|folder| match self.parsed(folder) {
            None => Some(format!(
                "{} wins over _default and has no hosts.toml",
                folder.display()
            )),
            Some((file, Ok(own))) if own.server != general.server => {
                let server = own.server.unwrap_or_else(|| "the registry itself".into());
                Some(format!(
                    "{} wins over _default and leads to {server}",
                    file.display()
                ))
            }
            Some(_) => None,
        })
        .collect()
    }

    /// Files in which a refusal is followed by a question to somebody else.
    pub(super) fn falling_through(&self) -> Vec<String> {
        let files = self.own();
        let files = files.iter().filter_map(|folder| self.parsed(folder));
        files
            .filter_map(|(file, parsed)| {
                let why = parsed.ok()?.falls_through()?;
                Some(format!("{}: {why}", file.display()))
            })
            .collect()
    }

    /// Files that do not have the server's certificate checked.
    pub(super) fn unchecked(&self) -> Vec<String> {
        let files = self.own();
        let files = files.iter().filter_map(|folder| self.parsed(folder));
        files
            .filter(|(_, parsed)| parsed.as_ref().is_ok_and(|it| it.skip_verify))
            .map(|(file, _)| format!("{} has skip_verify", file.display()))
            .collect()
    }
}

/// How to mend a layout that falls through.
pub(super) const MEND_FALL: &str =
    "put the gate into `server`, and no other [host] beside it: trust hook install writes it so";
/// How to mend a file that is ignored.
pub(super) const MEND_PARSE: &str = "mend it, or have trust hook install write it";
/// How to mend what wins over the default.
pub(super) const MEND_OWN: &str =
    "trust hook install routes every folder that is there; run it again";
