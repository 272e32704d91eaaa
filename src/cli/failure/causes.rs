//! What each room's errors mean for a command.

use super::{Doing, Failure};
use std::path::Path;
use trust::{
    config::ConfigError,
    engine::EngineError,
    listen::CertificateProblem,
    policy::Reason,
    reference::ReferenceError,
    registry::RegistryError,
    repository::{Error, OpenError, keyring::KeyringError},
    tls::TlsError,
};
use trust_store::{
    keys::{BackupError, KeyError, TokenError},
    metadata::CacheError,
    server::{SealError, StoreError},
};

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        if let Error::Keyring(KeyringError::Key(key)) = error {
            return key.into();
        }
        Self {
            kind: error.kind(),
            doing: Doing::Unsaid,
            wrong: error.to_string(),
            reason: error.reason(),
            hint: error.hint(),
            code: None,
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
            KeyError::Token(token) => of_token(token, &error.to_string()),
            KeyError::OldForm { .. } => Self::wrong(error.to_string()).hint(
                "`trust key migrate` puts a copy into the form of today, which can be changed",
            ),
            KeyError::Randomness => Self::unfinished(error.to_string()),
            KeyError::UnsupportedEncryption { .. } => Self::wrong(error.to_string())
                .hint("encrypt it anew, as with `openssl pkcs8 -topk8 -in KEYFILE -out NEWFILE`"),
            _ => Self::wrong(error.to_string()),
        }
    }
}

/// What a token's fault means; what it says of itself, the hardware decides.
fn of_token(error: &TokenError, words: &str) -> Failure {
    match error {
        TokenError::Ambiguous { serials, .. } => {
            let serials = serials.join(", ");
            Failure::wrong(words).hint(format!("name one by its serial number: {serials}"))
        }
        TokenError::Gone { token, .. } => Failure::unfinished(words)
            .hint(format!("put token {token} back and repeat the command")),
        TokenError::Locked { .. } => Failure::unfinished(words)
            .hint("only its security officer's PIN or PUK unlocks it, with its maker's tools"),
        TokenError::NoToken { .. } => Failure::unfinished(words)
            .hint("put in the token that holds the key, or leave out the PKCS#11 module"),
        TokenError::NotHere { others, .. } => {
            let hint = match others.as_slice() {
                [] => "there is no token; name its module with --pkcs11-module".to_owned(),
                others => format!("those that are here: {}", others.join(", ")),
            };
            Failure::unfinished(words).hint(hint)
        }
        TokenError::Failed { .. } | TokenError::PinNeeded { .. } => Failure::unfinished(words),
        _ => Failure::wrong(words),
    }
}

impl From<BackupError> for Failure {
    fn from(error: BackupError) -> Self {
        match error {
            BackupError::Key(error) => error.into(),
            BackupError::NoRoom(_) => Self::unfinished(error.to_string()),
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

const READABLE_FOLDER: &str = "name a folder of your own with --trust-dir";
const WRITABLE_FOLDER: &str = "name a folder with --trust-dir that can be written and has room";

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        match &error {
            StoreError::BadName { .. } | StoreError::BadUrl { .. } | StoreError::NotEmpty => {
                Self::wrong(error.to_string())
            }
            _ => Self::unfinished(error.to_string()),
        }
    }
}

impl From<SealError> for Failure {
    fn from(error: SealError) -> Self {
        match error {
            SealError::Store(error) => error.into(),
            SealError::WrongKeyFile { ref path } => {
                let mut new = path.as_os_str().to_owned();
                new.push(".new");
                let new = Path::new(&new);
                let failure = Self::wrong(error.to_string());
                if !new.exists() {
                    return failure;
                }
                failure.hint(format!(
                    "{} may be the one: `trust server rekey` makes it, and gives it the name of the \
                     old one in the end",
                    new.display()
                ))
            }
            other => Self::wrong(other.to_string()),
        }
    }
}

impl From<CertificateProblem> for Failure {
    fn from(error: CertificateProblem) -> Self {
        Self::wrong(error.to_string())
    }
}
