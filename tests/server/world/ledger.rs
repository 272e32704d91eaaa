//! What was sent to a repository and how that was answered: what has to be there afterwards.

use super::api::{Api, Upload, version};
use bytes::Bytes;
use reqwest::StatusCode;
use std::collections::BTreeMap;

/// Everything that was published to one repository, or tried.
#[derive(Default)]
pub struct Ledger {
    by_version: BTreeMap<u64, Vec<Sent>>,
    /// Versions up to this one were looked at
    checked: u64,
}

struct Sent {
    targets: Bytes,
    releases: Bytes,
    acknowledged: bool,
}

impl Ledger {
    /// Before it is sent; gives what to name when it is answered.
    pub fn send(&mut self, upload: &Upload) -> (u64, usize) {
        let file = |role: &str| {
            let found = upload.iter().find(|(name, _)| *name == role);
            found.unwrap().1.clone()
        };
        let (targets, releases) = (file("targets"), file("targets/releases"));
        let version = version(&targets);
        let sent = self.by_version.entry(version).or_default();
        sent.push(Sent {
            targets,
            releases,
            acknowledged: false,
        });
        (version, sent.len() - 1)
    }

    /// It was answered 200.
    pub fn acknowledge(&mut self, (version, place): (u64, usize)) {
        let sent = self.by_version.get_mut(&version).unwrap();
        let before = sent.iter().filter(|sent| sent.acknowledged).count();
        assert_eq!(before, 0, "version {version} was given twice");
        sent[place].acknowledged = true;
    }

    /// It was answered, and was not taken.
    pub fn refuse(&mut self, (version, place): (u64, usize)) {
        let sent = &mut self.by_version.get_mut(&version).unwrap()[place];
        (sent.targets, sent.releases) = (Bytes::new(), Bytes::new());
    }

    /// The newest version that was answered 200.
    pub fn acknowledged(&self) -> u64 {
        let acknowledged = |sent: &Vec<Sent>| sent.iter().any(|sent| sent.acknowledged);
        let versions = self.by_version.iter().rev();
        let found = versions.map(|(v, sent)| (v, acknowledged(sent)));
        found
            .filter(|(_, yes)| *yes)
            .map(|(v, _)| *v)
            .next()
            .unwrap_or(0)
    }

    /// How many publishes were answered 200.
    pub fn count(&self) -> usize {
        let all = self.by_version.values().flatten();
        all.filter(|sent| sent.acknowledged).count()
    }

    /// Everything from the first version is looked at again by the next check.
    pub fn check_all_again(&mut self) {
        self.checked = 0;
    }

    /// The repository is whole: a stranger believes it, what was acknowledged is there, what is
    /// there was sent, both files of it, and no version is missing. Gives the newest version.
    pub async fn check(&mut self, api: &Api, gun: &str) -> u64 {
        let Some(newest) = newest(api, gun).await else {
            assert_eq!(self.acknowledged(), 0, "{gun} is lost");
            return 0;
        };
        assert!(
            newest >= self.acknowledged(),
            "{gun} is older than promised"
        );
        for version in self.checked + 1..=newest {
            let targets = api.there(gun, &format!("{version}.targets.json")).await;
            let releases = format!("{version}.targets/releases.json");
            let releases = api.there(gun, &releases).await;
            let sent = self.by_version.get(&version).into_iter().flatten();
            let (mut promised, mut found) = (false, None);
            for sent in sent {
                promised |= sent.acknowledged;
                if sent.targets == targets && sent.releases == releases {
                    // The same person may have sent the same twice, and been answered once.
                    found = Some(found == Some(true) || sent.acknowledged);
                }
            }
            assert!(found.is_some(), "{gun}: nobody sent this {version}");
            assert!(!promised || found == Some(true), "{gun}: another {version}");
        }
        for role in ["targets", "targets/releases", "snapshot", "timestamp"] {
            let name = format!("{}.{role}.json", newest + 1);
            let reply = api.file(gun, &name).await.unwrap();
            assert_eq!(reply.status, StatusCode::NOT_FOUND, "{gun}: half of {name}");
        }
        self.checked = newest;
        newest
    }
}

/// The newest version; timestamp, snapshot and both targets files agree about it.
async fn newest(api: &Api, gun: &str) -> Option<u64> {
    let state = api.state(gun).await.unwrap()?;
    let newest = version(&state.timestamp);
    let roles = api.believed(gun).await;
    for role in roles.iter().filter(|role| role.role != "root") {
        assert_eq!(role.version, Some(newest), "{gun}: {role:?}");
    }
    assert_eq!(version(&state.releases), newest);
    let versions: Vec<u64> = (1..=newest).collect();
    assert_eq!(api.feed(gun).await, versions, "{gun}: the change feed");
    Some(newest)
}
