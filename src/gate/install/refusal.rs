//! Why a hook is not installed or removed.

use std::path::PathBuf;

/// Why nothing is written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// A file holds both our change and somebody else's on the same lines
    #[error("{} was changed by somebody else where the hook is", path.display())]
    Changed {
        /// The file
        path: PathBuf,
    },
    /// The plugin is named by a flag as well, with which dockerd does not start
    #[error("{} gives dockerd --authorization-plugin; the same in daemon.json would stop it from starting", path.display())]
    FlagAndFile {
        /// The unit or defaults file
        path: PathBuf,
    },
    /// An option does not fit
    #[error("{0}")]
    Option(String),
    /// The layout would let images by
    #[error("{what}: {why}")]
    Leaky {
        /// The setting
        what: String,
        /// What comes of it
        why: String,
        /// What to do
        hint: String,
    },
    /// A file that has to be there is not
    #[error("there is no {} ({why})", path.display())]
    Missing {
        /// The file
        path: PathBuf,
        /// What needs it
        why: String,
    },
    /// A file cannot be understood
    #[error("{}: {why}", path.display())]
    Unreadable {
        /// The file
        path: PathBuf,
        /// What is wrong
        why: String,
    },
}

impl Refusal {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Changed { path } => Some(format!(
                "take the lines of trust out of {} by hand, then try again",
                path.display()
            )),
            Self::FlagAndFile { .. } => {
                Some("take the flag away there; the hook writes daemon.json".into())
            }
            Self::Leaky { hint, .. } => Some(hint.clone()),
            Self::Missing { .. } | Self::Option(_) | Self::Unreadable { .. } => None,
        }
    }
}
