//! What is wrong with a configuration, in one line.

use crate::place::Place;
use std::{
    io,
    path::{Path, PathBuf},
};

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// Something at a place in the file.
    #[error("{}, line {line}, column {column}: {reason}", file.display())]
    AtPlace {
        /// The file.
        file: PathBuf,
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// What is wrong there.
        reason: String,
    },
    /// The file is larger than any honest one.
    #[error("{} is larger than {MAX_FILE} bytes", file.display())]
    TooLarge {
        /// The file.
        file: PathBuf,
    },
    /// The file cannot be read.
    #[error("cannot read {}: {source}", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A value that cannot be.
    #[error("{}: {reason}", file.display())]
    WrongValue {
        /// The file.
        file: PathBuf,
        /// Which value, and what is wrong with it.
        reason: String,
    },
}

impl SettingsError {
    /// What a TOML library says, without the picture it draws of it.
    pub(super) fn of_toml(file: &Path, text: &str, error: &toml::de::Error) -> Self {
        let place = Place::of(text, error.span().map_or(0, |span| span.start));
        Self::AtPlace {
            file: file.to_owned(),
            line: place.line,
            column: place.column,
            reason: error.message().trim().replace('\n', ", "),
        }
    }

    /// What a JSON library says; the place at the end of its sentence comes first here.
    pub(super) fn of_json(file: &Path, error: &serde_json::Error) -> Self {
        let words = error.to_string();
        let reason = words.split_once(" at line ");
        Self::AtPlace {
            file: file.to_owned(),
            line: error.line(),
            column: error.column(),
            reason: reason.map_or(words.clone(), |(reason, _)| reason.to_owned()),
        }
    }

    /// A value that cannot be.
    pub(super) fn value(file: &Path, reason: impl Into<String>) -> Self {
        Self::WrongValue {
            file: file.to_owned(),
            reason: reason.into(),
        }
    }
}

/// Bytes; a configuration has a few thousand.
pub(super) const MAX_FILE: u64 = 1024 * 1024;
