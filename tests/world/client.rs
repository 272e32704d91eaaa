//! A machine that decides: its trust directory and its clock.

use super::{GUN, Server, deciding, image, now};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use trust::config::Credentials;
use trust::policy::{Policy, Reason};
use trust::remote::{Actions, Notary};
use trust::repository::{Decider, Decision, Event, Repository};
use trust_store::metadata::Cache;

/// A machine with an empty trust directory.
pub struct Client {
    folder: tempfile::TempDir,
    /// What it was told on the way
    pub events: Vec<Event>,
}

impl Client {
    pub fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            events: Vec::new(),
        }
    }

    pub fn trust_dir(&self) -> &Path {
        self.folder.path()
    }

    /// The repository as this machine reaches it; without a server it is offline.
    pub fn repository(&self, server: Option<&Server>) -> Repository {
        open(self.trust_dir(), server.map(|server| &server.url))
    }

    /// A process on this machine that goes on deciding.
    pub fn decider(&self, server: &Server) -> Decider {
        let (trust_dir, url) = (self.trust_dir().to_owned(), server.url.clone());
        Decider::opening(move |_, _| {
            let repository = open(&trust_dir, Some(&url));
            Box::pin(async { Ok(repository) })
        })
    }

    /// Decides on [`TAG`] now.
    pub async fn decide(&mut self, server: &Server) -> Decision {
        self.decide_at(Some(server), now()).await
    }

    /// Decides on [`TAG`] at a moment.
    pub async fn decide_at(&mut self, server: Option<&Server>, now: jiff::Timestamp) -> Decision {
        let decider = deciding(self.repository(server));
        let events = &mut self.events;
        let mut watch = |event| events.push(event);
        let rule = Policy::signed().default;
        decider
            .decide(&image(), &rule, now, &mut watch)
            .await
            .unwrap()
    }

    /// The reason for which [`TAG`] is refused; none if it is trusted.
    pub async fn reason(&mut self, server: &Server) -> Option<Reason> {
        self.decide(server).await.judgement.reason
    }

    /// Every file below the repository's folder, for comparing.
    pub fn kept(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut files = BTreeMap::new();
        collect(&self.folder.path().join("tuf"), &mut files);
        files
    }
}

fn open(trust_dir: &Path, server: Option<&reqwest::Url>) -> Repository {
    let http = trust::tls::http_client(&trust::tls::TlsFiles::default(), "127.0.0.1").unwrap();
    let remote =
        server.map(|url| Notary::new(http, url, GUN, Actions::Pull, Credentials::Anonymous));
    let cache = Cache::at(trust_dir).repository(GUN).unwrap();
    Repository::new(GUN, cache, remote)
}

fn collect(folder: &Path, files: &mut BTreeMap<PathBuf, Vec<u8>>) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else {
            files.insert(path.clone(), fs::read(&path).unwrap());
        }
    }
}
