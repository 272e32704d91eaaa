//! What is said when a command fails, and how the program ends then.

use super::output::Output;
use std::{io, process::ExitCode};
use trust::{
    config::ConfigError,
    engine::EngineError,
    policy::{Judgement, Reason, Verdict},
    reference::ReferenceError,
    registry::RegistryError,
    repository::{Error, Kind, OpenError, keyring::KeyringError},
    tls::TlsError,
};
use trust_store::{keys::KeyError, metadata::CacheError};

/// Why a command did not do what was asked.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    kind: Kind,
    doing: Doing,
    wrong: String,
    reason: Option<Reason>,
    hint: Option<String>,
}

/// What was being done.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Doing {
    /// Nobody has said yet
    Unsaid,
    /// In our words, which Docker's users do not expect
    Ours(String),
    /// In Docker's words
    Dockers(String),
}

impl Failure {
    /// Something in the command, or a file it names, is wrong.
    pub(crate) fn wrong(words: impl Into<String>) -> Self {
        Self::of(Kind::Wrong, words)
    }

    /// The answer is no.
    pub(crate) fn refused(words: impl Into<String>) -> Self {
        Self::of(Kind::Refused, words)
    }

    /// Network, server or disk did not let it happen.
    pub(crate) fn unfinished(words: impl Into<String>) -> Self {
        Self::of(Kind::Unfinished, words)
    }

    /// The end of a command that has said already what failed.
    pub(crate) fn told(kind: Kind) -> Self {
        Self::of(kind, "")
    }

    /// A failure of this kind.
    pub(crate) fn of(kind: Kind, words: impl Into<String>) -> Self {
        Self {
            kind,
            doing: Doing::Unsaid,
            wrong: words.into(),
            reason: None,
            hint: None,
        }
    }

    /// Names what was being done, unless that is known more exactly already.
    #[must_use]
    pub(crate) fn doing(mut self, doing: impl Into<String>) -> Self {
        if self.doing == Doing::Unsaid {
            self.doing = Doing::Ours(doing.into());
        }
        self
    }

    /// Names what was being done in Docker's words, around those that are there already.
    #[must_use]
    pub(crate) fn after(mut self, words: &str) -> Self {
        if let Doing::Dockers(inner) = &self.doing {
            self.wrong = format!("{inner}: {}", self.wrong);
        }
        self.doing = Doing::Dockers(words.to_owned());
        self
    }

    /// Says it in other words.
    #[must_use]
    pub(crate) fn saying(mut self, words: impl Into<String>) -> Self {
        self.wrong = words.into();
        self
    }

    /// Says what to do about it.
    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds the code programs go by.
    #[must_use]
    pub(crate) fn because(mut self, reason: Reason) -> Self {
        self.reason = Some(reason);
        self
    }

    /// What kind of no this is.
    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    /// The code programs go by.
    pub(crate) fn reason(&self) -> Option<Reason> {
        self.reason
    }

    /// What is wrong, without what was being done.
    pub(crate) fn words(&self) -> &str {
        &self.wrong
    }

    /// Prints the failure; Docker's users get Docker's bare words.
    pub(crate) fn tell(&self, out: &Output) {
        if self.wrong.is_empty() {
            return;
        }
        let wrong = without_innards(&self.wrong);
        let line = match &self.doing {
            Doing::Ours(doing) if !out.is_plugin() => format!("{doing}: {wrong}"),
            Doing::Dockers(doing) => format!("{doing}: {wrong}"),
            _ => wrong,
        };
        match self.reason {
            _ if out.is_plugin() => out.complain(&line),
            Some(reason) => out.complain_as("trust:", &format!("{line} [{reason}]")),
            None => out.complain_as("trust:", &line),
        }
        if let Some(hint) = &self.hint {
            out.complain_as("hint:", hint);
        }
    }

    /// How the program ends.
    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(code_of(self.kind))
    }
}

/// The kind of several failures together: a refusal outweighs a mistake, a mistake an accident.
pub(crate) fn worst(kinds: impl IntoIterator<Item = Kind>) -> Option<Kind> {
    kinds.into_iter().min_by_key(|kind| code_of(*kind))
}

fn code_of(kind: Kind) -> u8 {
    match kind {
        Kind::Refused => 1,
        Kind::Wrong => 2,
        Kind::Unfinished => 3,
    }
}

/// Words without the numbers of the system's errors and the names of temporary files.
fn without_innards(words: &str) -> String {
    INNARDS.iter().fold(words.to_owned(), |words, (from, to)| {
        let mut parts = words.split(from);
        let first = parts.next().unwrap_or_default().to_owned();
        parts.fold(first, |text, part| {
            text + part.split_once(to).map_or(part, |(_, rest)| rest)
        })
    })
}

/// What the system said, as Docker's language words it.
pub(crate) fn in_gos_words(error: &io::Error) -> String {
    let words = error.to_string();
    let words = words.split(" (os error").next().unwrap_or_default();
    let mut letters = words.chars();
    let first = letters.next().map(|first| first.to_ascii_lowercase());
    first.into_iter().chain(letters).collect()
}

/// A judgement against an image as a failure; none if it is trusted.
pub(crate) fn verdict(judgement: &Judgement, hint: Option<&String>) -> Option<Failure> {
    let kind = match judgement.verdict {
        Verdict::Trusted => return None,
        Verdict::Refused => Kind::Refused,
        Verdict::Undecided => Kind::Unfinished,
    };
    Some(Failure {
        kind,
        doing: Doing::Unsaid,
        wrong: judgement.message.clone(),
        reason: judgement.reason,
        hint: hint.cloned(),
    })
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let kind = match error {
            Error::Keyring(KeyringError::Key(key)) => return key.into(),
            Error::AlreadyInitialized(_) | Error::NoSuchSigner { .. } => Kind::Wrong,
            _ => error.kind(),
        };
        Self {
            kind,
            doing: Doing::Unsaid,
            wrong: error.to_string(),
            reason: error.reason(),
            hint: error.hint(),
        }
    }
}

impl From<KeyringError> for Failure {
    fn from(error: KeyringError) -> Self {
        Error::from(error).into()
    }
}

impl From<KeyError> for Failure {
    fn from(error: KeyError) -> Self {
        match &error {
            // Docker ends this sentence with a full stop.
            KeyError::WrongPassphrase => Self::wrong(format!("{error}.")),
            KeyError::CannotWrite { .. } => {
                Self::unfinished(error.to_string()).hint(WRITABLE_FOLDER)
            }
            KeyError::CannotRead { .. } => {
                Self::unfinished(error.to_string()).hint(READABLE_FOLDER)
            }
            KeyError::Randomness => Self::unfinished(error.to_string()),
            KeyError::UnsupportedEncryption { .. } => Self::wrong(error.to_string())
                .hint("encrypt it anew, as with `openssl pkcs8 -topk8 -in KEYFILE -out NEWFILE`"),
            _ => Self::wrong(error.to_string()),
        }
    }
}

impl From<CacheError> for Failure {
    fn from(error: CacheError) -> Self {
        match &error {
            CacheError::BadGun { .. } | CacheError::BadRole { .. } => {
                Self::wrong(error.to_string())
            }
            _ => Self::unfinished(error.to_string()).hint(WRITABLE_FOLDER),
        }
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        match &error {
            ConfigError::Helper { .. } => Self::unfinished(error.to_string())
                .hint("credential helpers are named by credsStore and credHelpers in config.json"),
            _ => Self::wrong(error.to_string()),
        }
    }
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Cache(error) => error.into(),
            OpenError::Config(error) => error.into(),
            OpenError::Tls(error) => error.into(),
            other => Self::wrong(other.to_string()),
        }
    }
}

impl From<TlsError> for Failure {
    fn from(error: TlsError) -> Self {
        Self::wrong(error.to_string())
    }
}

impl From<ReferenceError> for Failure {
    fn from(error: ReferenceError) -> Self {
        let failure = Self::wrong(error.to_string());
        match error {
            ReferenceError::InvalidFormat => failure
                .hint("an image is named [HOST[:PORT]/]PATH[:TAG][@sha256:HEX], without a scheme"),
            _ => failure,
        }
    }
}

impl From<RegistryError> for Failure {
    fn from(error: RegistryError) -> Self {
        let words = error.to_string();
        match &error {
            RegistryError::NotFound { .. } | RegistryError::NoPlatform { .. } => Self::wrong(words),
            RegistryError::Mismatch { .. } => Self::refused(words).because(Reason::DigestNotSigned),
            RegistryError::BadManifest { .. } | RegistryError::TooLarge { .. } => {
                Self::refused(words).because(Reason::Malformed)
            }
            RegistryError::Unauthorized { host, .. } => Self::unfinished(words)
                .because(Reason::Unreachable)
                .hint(format!("log in to {host} first, as with `docker login`")),
            _ => Self::unfinished(words).because(Reason::Unreachable),
        }
    }
}

impl From<EngineError> for Failure {
    fn from(error: EngineError) -> Self {
        match &error {
            EngineError::Daemon {
                status: Some(404), ..
            }
            | EngineError::NoTag { .. }
            | EngineError::UnsupportedHost { .. } => Self::wrong(error.to_string()),
            _ => Self::unfinished(error.to_string()),
        }
    }
}

/// How such words begin and end.
const INNARDS: [(&str, &str); 2] = [(" (os error ", ")"), (" at path \"", "\"")];
const READABLE_FOLDER: &str = "name a folder of your own with --trust-dir";
const WRITABLE_FOLDER: &str = "name a folder with --trust-dir that can be written and has room";
