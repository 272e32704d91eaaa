//! Image names as Docker reads them: registry, repository, tag and digest.
//!
//! The rules and the words of refusal are those of Docker's `distribution/reference`; nothing here
//! touches disk, network or environment. One deliberate difference: a host that is no host name
//! (`foo_bar.com/x`) is refused, where Docker silently takes it for a path with an empty registry.

use std::{fmt, str::FromStr};

/// An image name, split and normalised the way Docker does it.
///
/// ```
/// # use trust::reference::ImageReference;
/// let image = ImageReference::parse("alpine:3").unwrap();
/// assert_eq!(image.gun(), "docker.io/library/alpine");
/// assert_eq!(image.familiar(), "alpine");
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ImageReference {
    typed: String,
    gun: String,
    registry_length: usize,
    tag: Option<String>,
    digest: Option<Digest>,
}

impl ImageReference {
    /// Reads a name as typed by a person; `alpine` means `docker.io/library/alpine`.
    pub fn parse(typed: &str) -> Result<Self, ReferenceError> {
        if typed.len() == 64 && typed.bytes().all(is_lower_hex) {
            return Err(ReferenceError::LooksLikeId {
                name: typed.to_owned(),
            });
        }
        let (registry, remainder) = split_registry(typed);
        let before_colon = remainder
            .split_once(':')
            .map_or(&*remainder, |(name, _)| name);
        if before_colon.to_lowercase() != before_colon {
            return Err(ReferenceError::Uppercase {
                name: before_colon.to_owned(),
            });
        }
        let (tagged, digest) = split_optional(&remainder, '@');
        let (path, tag) = split_optional(tagged, ':');
        let well_formed = is_registry(registry)
            && path.split('/').all(is_path_component)
            && tag.is_none_or(is_tag)
            && digest.is_none_or(looks_like_digest);
        if !well_formed {
            return Err(ReferenceError::InvalidFormat);
        }
        if path.len() > MAX_PATH {
            return Err(ReferenceError::NameTooLong);
        }
        Ok(Self {
            typed: typed.to_owned(),
            gun: format!("{registry}/{path}"),
            registry_length: registry.len(),
            tag: tag.map(str::to_owned),
            digest: digest.map(Digest::parse).transpose()?,
        })
    }

    /// The name exactly as it was given.
    pub fn typed(&self) -> &str {
        &self.typed
    }

    /// Host and optional port of the registry; `docker.io` where none was named.
    pub fn registry(&self) -> &str {
        self.gun
            .split_at_checked(self.registry_length)
            .map_or("", |(registry, _)| registry)
    }

    /// The repository inside its registry, such as `library/alpine`.
    pub fn path(&self) -> &str {
        self.gun.get(self.registry_length + 1..).unwrap_or_default()
    }

    /// The globally unique name trust data are kept under: registry and repository.
    pub fn gun(&self) -> &str {
        &self.gun
    }

    /// The shortest name Docker shows people: no `docker.io`, no `library`.
    pub fn familiar(&self) -> &str {
        if self.registry() != DEFAULT_REGISTRY {
            return &self.gun;
        }
        match self.path().strip_prefix(OFFICIAL) {
            Some(official) if !official.contains('/') => official,
            _ => self.path(),
        }
    }

    /// The familiar name with its tag and digest, as Docker prints it.
    pub fn familiar_reference(&self) -> String {
        self.suffixed(self.familiar())
    }

    /// The tag, if one was named.
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// The digest, if one was named.
    pub fn digest(&self) -> Option<&Digest> {
        self.digest.as_ref()
    }

    /// The same repository at another tag, without a digest.
    pub fn with_tag(&self, tag: &str) -> Result<Self, ReferenceError> {
        if !is_tag(tag) {
            return Err(ReferenceError::InvalidTag {
                tag: tag.to_owned(),
            });
        }
        Ok(self.at(Some(tag.to_owned()), None))
    }

    /// The same repository at exactly this digest, without a tag.
    #[must_use]
    pub fn with_digest(&self, digest: &Digest) -> Self {
        self.at(None, Some(digest.clone()))
    }

    /// The same repository and tag, at exactly this digest.
    #[must_use]
    pub fn pinned(&self, digest: &Digest) -> Self {
        self.at(self.tag.clone(), Some(digest.clone()))
    }

    /// The same image, at tag `latest` if neither tag nor digest was named.
    #[must_use]
    pub fn or_latest(self) -> Self {
        match (&self.tag, &self.digest) {
            (None, None) => Self {
                tag: Some("latest".to_owned()),
                ..self
            },
            _ => self,
        }
    }

    fn at(&self, tag: Option<String>, digest: Option<Digest>) -> Self {
        let mut image = Self {
            tag,
            digest,
            ..self.clone()
        };
        image.typed = image.familiar_reference();
        image
    }

    fn suffixed(&self, name: &str) -> String {
        let mut text = name.to_owned();
        if let Some(tag) = &self.tag {
            text.push(':');
            text.push_str(tag);
        }
        if let Some(digest) = &self.digest {
            text.push('@');
            text.push_str(digest.as_str());
        }
        text
    }
}

/// Prints the whole normalised name: registry, repository, tag and digest.
impl fmt::Display for ImageReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.suffixed(&self.gun))
    }
}

impl FromStr for ImageReference {
    type Err = ReferenceError;

    fn from_str(typed: &str) -> Result<Self, ReferenceError> {
        Self::parse(typed)
    }
}

/// The digest of a manifest, such as `sha256:…` with 64 lower-case hex digits.
///
/// `sha384` and `sha512` are well-formed names too, as they are for Docker; trust data only ever
/// answer for `sha256`, which is why [`Digest::sha256_hex`] is an option.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Digest(String);

impl Digest {
    /// Reads `algorithm:hex`; refuses unknown algorithms, wrong lengths and upper case.
    pub fn parse(text: &str) -> Result<Self, ReferenceError> {
        let (algorithm, hex) = text.split_once(':').ok_or(ReferenceError::InvalidDigest)?;
        let length = match algorithm {
            "sha256" => 64,
            "sha384" => 96,
            "sha512" => 128,
            _ if is_algorithm(algorithm) && !hex.is_empty() => {
                return Err(ReferenceError::UnsupportedDigest);
            }
            _ => return Err(ReferenceError::InvalidDigest),
        };
        if hex.len() != length {
            return Err(ReferenceError::DigestLength);
        }
        if !hex.bytes().all(is_lower_hex) {
            return Err(ReferenceError::InvalidDigest);
        }
        Ok(Self(text.to_owned()))
    }

    /// The SHA-256 digest of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        let hash = ring::digest::digest(&ring::digest::SHA256, bytes);
        Self(format!("sha256:{}", hex::encode(hash)))
    }

    /// The digest as text, algorithm included.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The 64 hex digits, if the algorithm is SHA-256.
    pub fn sha256_hex(&self) -> Option<&str> {
        self.0.strip_prefix("sha256:")
    }

    /// Whether these bytes have this digest.
    pub fn matches(&self, bytes: &[u8]) -> bool {
        let algorithm = match self.0.split_once(':') {
            Some(("sha384", _)) => &ring::digest::SHA384,
            Some(("sha512", _)) => &ring::digest::SHA512,
            _ => &ring::digest::SHA256,
        };
        let found = hex::encode(ring::digest::digest(algorithm, bytes));
        self.0
            .split_once(':')
            .is_some_and(|(_, wanted)| wanted == found)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a name is no image name, in Docker's words.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ReferenceError {
    /// A digest of the wrong length for its algorithm.
    #[error("invalid checksum digest length")]
    DigestLength,
    /// A digest that is not `algorithm:hex`.
    #[error("invalid checksum digest format")]
    InvalidDigest,
    /// The name has no meaning at all.
    #[error("invalid reference format")]
    InvalidFormat,
    /// A tag with characters or a length no tag can have.
    #[error("invalid tag format: {tag:?}")]
    InvalidTag {
        /// What was given.
        tag: String,
    },
    /// 64 hex digits are an image id, never a name.
    #[error("invalid repository name ({name}), cannot specify 64-byte hexadecimal strings")]
    LooksLikeId {
        /// What was given.
        name: String,
    },
    /// The repository is longer than 255 bytes.
    #[error("repository name must not be more than 255 characters")]
    NameTooLong,
    /// A digest algorithm nobody here can compute.
    #[error("unsupported digest algorithm")]
    UnsupportedDigest,
    /// Capital letters outside the host and the tag.
    #[error("invalid reference format: repository name ({name}) must be lowercase")]
    Uppercase {
        /// The repository as it was understood.
        name: String,
    },
}

/// Separates the registry from the rest; a first part without `.`, `:` or capitals is no host.
fn split_registry(typed: &str) -> (&str, String) {
    let (registry, remainder) = match typed.split_once('/') {
        Some((first, rest)) if is_host_like(first) => (first, rest),
        _ => (DEFAULT_REGISTRY, typed),
    };
    let registry = if registry == LEGACY_REGISTRY {
        DEFAULT_REGISTRY
    } else {
        registry
    };
    if registry == DEFAULT_REGISTRY && !remainder.contains('/') {
        return (registry, format!("{OFFICIAL}{remainder}"));
    }
    (registry, remainder.to_owned())
}

fn is_host_like(first: &str) -> bool {
    first.contains(['.', ':']) || first == "localhost" || first.to_lowercase() != first
}

fn split_optional(text: &str, separator: char) -> (&str, Option<&str>) {
    match text.split_once(separator) {
        Some((before, after)) => (before, Some(after)),
        None => (text, None),
    }
}

fn is_registry(registry: &str) -> bool {
    let (host, port) = match registry.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (registry, None),
    };
    let address = host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    let host_is_good = match address {
        Some(address) => {
            !address.is_empty() && address.bytes().all(|b| b.is_ascii_hexdigit() || b == b':')
        }
        None => host.split('.').all(is_host_component),
    };
    host_is_good
        && port.is_none_or(|port| !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()))
}

fn is_host_component(component: &str) -> bool {
    !component.is_empty()
        && !component.starts_with('-')
        && !component.ends_with('-')
        && component
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

/// Lower-case words joined by one dot, one or two underscores, or any number of dashes.
fn is_path_component(component: &str) -> bool {
    let is_word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = component.as_bytes();
    let ends_are_words =
        bytes.first().copied().is_some_and(is_word) && bytes.last().copied().is_some_and(is_word);
    ends_are_words
        && component
            .split(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
            .all(|joint| matches!(joint, "" | "." | "_" | "__") || joint.bytes().all(|b| b == b'-'))
}

fn is_tag(tag: &str) -> bool {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    tag.len() <= MAX_TAG
        && tag.bytes().next().is_some_and(is_word)
        && tag
            .bytes()
            .all(|byte| is_word(byte) || matches!(byte, b'.' | b'-'))
}

/// What the reference grammar calls a digest, before its algorithm is looked at.
fn looks_like_digest(digest: &str) -> bool {
    digest.split_once(':').is_some_and(|(algorithm, hex)| {
        algorithm.split(['-', '_', '+', '.']).all(|word| {
            word.starts_with(|c: char| c.is_ascii_alphabetic())
                && word.bytes().all(|b| b.is_ascii_alphanumeric())
        }) && hex.len() >= 32
            && hex.bytes().all(|byte| byte.is_ascii_hexdigit())
    })
}

fn is_algorithm(text: &str) -> bool {
    text.split(['.', '+', '_', '-']).all(|word| {
        !word.is_empty()
            && word
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
    })
}

fn is_lower_hex(byte: u8) -> bool {
    byte.is_ascii_digit() || matches!(byte, b'a'..=b'f')
}

const DEFAULT_REGISTRY: &str = "docker.io";
const LEGACY_REGISTRY: &str = "index.docker.io";
const OFFICIAL: &str = "library/";
/// Longest repository path, in bytes (distribution/reference, `RepositoryNameTotalLengthMax`).
const MAX_PATH: usize = 255;
/// Longest tag, in bytes.
const MAX_TAG: usize = 128;

#[cfg(test)]
mod tests;
