//! One JSON line for each decision.

use super::{Answer, Denial, Door};
use crate::policy::{Policy, Rule};
use crate::reference::ImageReference;
use crate::repository::Decision;
use jiff::Timestamp;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Where decisions are written down. Clones share the file.
#[derive(Clone, Debug)]
pub struct Log {
    rolled: Option<Arc<Mutex<Rolled>>>,
}

/// The log cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write the decision log {}: {source}", path.display())]
pub struct LogError {
    path: PathBuf,
    source: io::Error,
}

/// A file that is set aside when it is full.
#[derive(Debug)]
struct Rolled {
    path: PathBuf,
    file: File,
    length: u64,
    /// Bytes
    limit: u64,
    /// How many full files are kept
    keep: usize,
}

/// What is written of a decision.
pub(super) struct Record<'r> {
    pub(super) at: Timestamp,
    pub(super) door: Door,
    pub(super) who: &'r str,
    pub(super) image: &'r ImageReference,
    pub(super) rule: &'r Rule,
    pub(super) policy: &'r Policy,
    pub(super) decision: &'r Decision,
    pub(super) answer: &'r Answer,
    pub(super) took: Duration,
}

/// A line of the log.
#[derive(Serialize)]
pub(super) struct Line<'r> {
    time: Timestamp,
    door: &'static str,
    who: &'r str,
    asked: &'r str,
    resolved: Option<String>,
    rule: &'r str,
    policy: &'r str,
    verdict: &'static str,
    reason: Option<&'static str>,
    message: &'r str,
    role: Option<&'r str>,
    signers: &'r [String],
    key_ids: &'r [String],
    versions: Option<&'r BTreeMap<String, u64>>,
    expires: Option<Timestamp>,
    cache_age_ms: Option<u128>,
    latency_us: u128,
}

impl Log {
    /// Decisions are not written down.
    pub fn none() -> Self {
        Self { rolled: None }
    }

    /// Appends to this file; when it would exceed `limit` bytes it becomes `PATH.1`, and so on.
    ///
    /// # Errors
    /// The file cannot be opened.
    pub fn to(path: &Path, limit: u64, keep: usize) -> Result<Self, LogError> {
        let rolled = Rolled::open(path, limit, keep).map_err(|source| LogError {
            path: path.to_owned(),
            source,
        })?;
        Ok(Self {
            rolled: Some(Arc::new(Mutex::new(rolled))),
        })
    }

    /// Writes a decision down; what cannot be written is said once on standard error.
    pub(super) fn write(&self, line: &Line<'_>) {
        let Some(rolled) = &self.rolled else { return };
        let Ok(mut line) = serde_json::to_vec(line) else {
            return;
        };
        line.push(b'\n');
        let mut rolled = rolled.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = rolled.append(&line) {
            tracing::error!(path = %rolled.path.display(), %error, "cannot write the decision log");
        }
    }
}

impl<'r> Line<'r> {
    /// A refusal for which no image had to be decided on.
    pub(super) fn refusal(
        at: Timestamp,
        door: Door,
        who: &'r str,
        policy: &'r Policy,
        denial: &'r Denial,
        took: Duration,
    ) -> Self {
        Self {
            time: at,
            door: door.as_str(),
            who,
            asked: &denial.image,
            resolved: None,
            rule: &denial.rule,
            policy: &policy.hash,
            verdict: if denial.undecided {
                "undecided"
            } else {
                "refused"
            },
            reason: Some(denial.reason.code()),
            message: &denial.message,
            role: None,
            signers: &[],
            key_ids: &[],
            versions: None,
            expires: None,
            cache_age_ms: None,
            latency_us: took.as_micros(),
        }
    }

    /// A decision.
    pub(super) fn of(record: &'r Record<'_>) -> Self {
        let decision = record.decision;
        let judgement = &decision.judgement;
        let statement = judgement.decided_by.as_ref();
        let (verdict, _) = record.answer.words();
        Self {
            time: record.at,
            door: record.door.as_str(),
            who: record.who,
            asked: record.image.typed(),
            resolved: statement.map(|statement| format!("sha256:{}", statement.digest)),
            rule: &record.rule.name,
            policy: &record.policy.hash,
            verdict,
            reason: judgement.reason.map(crate::policy::Reason::code),
            message: &judgement.message,
            role: statement.map(|statement| statement.role.as_str()),
            signers: &judgement.signers,
            key_ids: statement.map_or(&[], |statement| &statement.key_ids),
            versions: decision.state.as_ref().map(|state| &state.versions),
            expires: decision.state.as_ref().map(|state| state.valid_until),
            cache_age_ms: decision.age.map(|age| age.as_millis()),
            latency_us: record.took.as_micros(),
        }
    }
}

impl Rolled {
    fn open(path: &Path, limit: u64, keep: usize) -> io::Result<Self> {
        let file = appended(path)?;
        let length = file.metadata()?.len();
        Ok(Self {
            path: path.to_owned(),
            file,
            length,
            limit,
            keep,
        })
    }

    fn append(&mut self, line: &[u8]) -> io::Result<()> {
        let length = line.len() as u64;
        if self.length > 0 && self.length.saturating_add(length) > self.limit {
            self.roll()?;
        }
        // One write a line: whoever reads along never sees half of one.
        self.file.write_all(line)?;
        self.length = self.length.saturating_add(length);
        Ok(())
    }

    fn roll(&mut self) -> io::Result<()> {
        for number in (1..self.keep).rev() {
            let (from, to) = (self.aside(number), self.aside(number + 1));
            match std::fs::rename(from, to) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        std::fs::rename(&self.path, self.aside(1))?;
        self.file = appended(&self.path)?;
        self.length = 0;
        Ok(())
    }

    fn aside(&self, number: usize) -> PathBuf {
        let mut name = self.path.clone().into_os_string();
        name.push(format!(".{number}"));
        name.into()
    }
}

fn appended(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o640)
        .open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_file_is_set_aside_and_the_oldest_goes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("decisions.log");
        let mut rolled = Rolled::open(&path, 10, 2).unwrap();
        for line in [b"one....\n", b"two....\n", b"three..\n", b"four...\n"] {
            rolled.append(line).unwrap();
        }
        let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).ok();
        assert_eq!(read("decisions.log").unwrap(), "four...\n");
        assert_eq!(read("decisions.log.1").unwrap(), "three..\n");
        assert_eq!(read("decisions.log.2").unwrap(), "two....\n");
        assert_eq!(read("decisions.log.3"), None);
        let mut again = Rolled::open(&path, 10, 2).unwrap();
        again.append(b"five...\n").unwrap();
        assert_eq!(read("decisions.log.1").unwrap(), "four...\n");
    }
}
