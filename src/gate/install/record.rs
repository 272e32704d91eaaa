//! What a hook found and wrote, kept so that the way back is exact.

use super::files::State;
use super::plan::Change;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// What one hook found and wrote.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// What it is wired into: `docker`, `containerd`, `podman`, `shell`
    pub engine: String,
    /// Every path that was changed, with what was there and what was written
    pub changes: Vec<Change>,
    /// Folders that were made, those above first
    pub folders: Vec<PathBuf>,
    /// What an earlier installation had written, while it is being replaced
    pub earlier: Vec<Change>,
}

/// Why a record cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// It is not what we write
    #[error("it is not a record of a hook: {0}")]
    Malformed(String),
    /// It was written by a newer program
    #[error("it is of version {0}, which this program does not know")]
    Version(u64),
}

impl Record {
    /// Where the record of an engine's hook is kept below a folder of state.
    pub fn path(state_dir: &Path, engine: &str) -> PathBuf {
        state_dir.join("hooks").join(format!("{engine}.json"))
    }

    /// The record as it is written.
    pub fn bytes(&self) -> Vec<u8> {
        let written = Written {
            version: VERSION,
            engine: self.engine.clone(),
            folders: self.folders.clone(),
            changes: self.changes.iter().map(WrittenChange::from).collect(),
            earlier: self.earlier.iter().map(WrittenChange::from).collect(),
        };
        // A struct of texts and numbers has a JSON form.
        let mut bytes = serde_json::to_vec_pretty(&written).unwrap_or_default();
        bytes.push(b'\n');
        bytes
    }

    /// Every path that was changed, with what was there and all that may be there of ours.
    ///
    /// There is more than one state of ours only where one installation was replacing another and
    /// did not come to its end.
    pub(super) fn ours(&self) -> Vec<(&Change, Option<&Change>)> {
        let find = |list: &'_ [Change], path: &Path| list.iter().position(|it| it.path == path);
        let both = self.changes.iter().map(|change| {
            let earlier = find(&self.earlier, &change.path);
            (change, earlier.and_then(|at| self.earlier.get(at)))
        });
        let gone = self.earlier.iter();
        let gone = gone.filter(|it| find(&self.changes, &it.path).is_none());
        both.chain(gone.map(|change| (change, None))).collect()
    }

    /// The paths that were changed.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        let changes = self.changes.iter().chain(&self.earlier);
        changes.map(|change| change.path.as_path())
    }

    /// Reads what [`Record::bytes`] wrote.
    pub fn parse(bytes: &[u8]) -> Result<Self, RecordError> {
        let malformed = |error: serde_json::Error| RecordError::Malformed(error.to_string());
        let value: serde_json::Value = serde_json::from_slice(bytes).map_err(malformed)?;
        match value.get("version").and_then(serde_json::Value::as_u64) {
            Some(VERSION) => {}
            Some(other) => return Err(RecordError::Version(other)),
            None => return Err(RecordError::Malformed("it has no version".into())),
        }
        let written: Written = serde_json::from_value(value).map_err(malformed)?;
        let changes = written.changes.into_iter().map(Change::try_from);
        let earlier = written.earlier.into_iter().map(Change::try_from);
        Ok(Self {
            engine: written.engine,
            folders: written.folders,
            changes: changes.collect::<Result<_, _>>()?,
            earlier: earlier.collect::<Result<_, _>>()?,
        })
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    version: u64,
    engine: String,
    folders: Vec<PathBuf>,
    changes: Vec<WrittenChange>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    earlier: Vec<WrittenChange>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenChange {
    path: PathBuf,
    before: WrittenState,
    after: WrittenState,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
enum WrittenState {
    Absent,
    File { mode: u32, base64: String },
    Link(PathBuf),
}

impl From<&Change> for WrittenChange {
    fn from(change: &Change) -> Self {
        Self {
            path: change.path.clone(),
            before: (&change.before).into(),
            after: (&change.after).into(),
        }
    }
}

impl TryFrom<WrittenChange> for Change {
    type Error = RecordError;

    fn try_from(written: WrittenChange) -> Result<Self, RecordError> {
        if !written.path.is_absolute() {
            let path = written.path.display();
            return Err(RecordError::Malformed(format!("{path} is not absolute")));
        }
        Ok(Self {
            path: written.path,
            before: written.before.try_into()?,
            after: written.after.try_into()?,
        })
    }
}

impl From<&State> for WrittenState {
    fn from(state: &State) -> Self {
        match state {
            State::File { bytes, mode } => Self::File {
                mode: *mode,
                base64: BASE64_STANDARD.encode(bytes),
            },
            State::Link { to } => Self::Link(to.clone()),
            // Neither a folder nor what cannot be read is ever changed.
            State::Absent | State::Folder { .. } | State::Unreadable(_) => Self::Absent,
        }
    }
}

impl TryFrom<WrittenState> for State {
    type Error = RecordError;

    fn try_from(written: WrittenState) -> Result<Self, RecordError> {
        Ok(match written {
            WrittenState::Absent => Self::Absent,
            WrittenState::Link(to) => Self::Link { to },
            WrittenState::File { mode, base64 } => Self::File {
                mode,
                bytes: BASE64_STANDARD
                    .decode(base64)
                    .map_err(|error| RecordError::Malformed(error.to_string()))?,
            },
        })
    }
}

const VERSION: u64 = 1;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_reads_as_it_was_written() {
        let mut record = Record {
            engine: "docker".into(),
            earlier: vec![],
            folders: vec!["/etc/docker".into()],
            changes: vec![
                Change {
                    path: "/etc/docker/daemon.json".into(),
                    before: State::Absent,
                    after: State::File {
                        bytes: vec![0, 255],
                        mode: 0o600,
                    },
                },
                Change {
                    path: "/l".into(),
                    before: State::Link { to: "x".into() },
                    after: State::Absent,
                },
            ],
        };
        assert_eq!(Record::parse(&record.bytes()).unwrap(), record);
        record.earlier.clone_from(&record.changes);
        assert_eq!(Record::parse(&record.bytes()).unwrap(), record);
    }

    #[test]
    fn what_is_no_record_is_refused() {
        for text in [
            "",
            "{}",
            r#"{"version":2}"#,
            r#"{"version":1,"engine":"x","folders":[],"changes":[],"more":1}"#,
            r#"{"version":1,"engine":"x","folders":[],"changes":[{"path":"etc","before":"absent","after":"absent"}]}"#,
        ] {
            assert!(Record::parse(text.as_bytes()).is_err(), "{text}");
        }
    }
}
