//! Why a registry gave no manifest.

use crate::{
    reference::{Digest, ImageReference},
    remote::{RemoteError, TlsFault},
};

/// Why there is no manifest to look at.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RegistryError {
    /// The bytes served are no manifest this program understands.
    #[error("the registry served no usable manifest: {reason}")]
    BadManifest {
        /// What is wrong with them.
        reason: String,
    },
    /// The registry answered outside its protocol.
    #[error("registry {host} returned a bad response: {reason}")]
    BadResponse {
        /// The registry.
        host: String,
        /// What is wrong.
        reason: String,
    },
    /// A digest was asked for, other bytes were served.
    #[error("the registry served {served} when asked for {asked}")]
    Mismatch {
        /// What was asked for.
        asked: Digest,
        /// What the bytes are.
        served: Digest,
    },
    /// The index has no image for this platform.
    #[error("no image for platform {platform}, only for {available}")]
    NoPlatform {
        /// What was asked for.
        platform: String,
        /// What there is, in the order of the index.
        available: String,
    },
    /// The registry does not have the image.
    #[error("manifest for {image} not found")]
    NotFound {
        /// The image, as people write it.
        image: String,
    },
    /// The registry's TLS cannot be trusted.
    #[error("cannot trust registry {host}: {fault}")]
    Tls {
        /// The registry.
        host: String,
        /// What is wrong.
        fault: TlsFault,
    },
    /// The manifest is larger than any registry should accept.
    #[error("the manifest of {image} is larger than {limit} bytes")]
    TooLarge {
        /// The image.
        image: String,
        /// The limit in bytes.
        limit: u64,
    },
    /// The registry wants to know who is asking, or does not let them.
    #[error("registry {host}: {reason}")]
    Unauthorized {
        /// The registry.
        host: String,
        /// Its words, or what is missing.
        reason: String,
    },
    /// No answer, or one that says: not now.
    #[error("unable to reach the registry: {reason}")]
    Unreachable {
        /// The registry.
        host: String,
        /// What happened.
        reason: String,
    },
}

impl RegistryError {
    pub(super) fn from_remote(
        error: RemoteError,
        host: &str,
        image: &ImageReference,
        version: &str,
    ) -> Self {
        let joint = if version.contains(':') { '@' } else { ':' };
        let image = format!("{}{joint}{version}", image.familiar());
        let host = host.to_owned();
        match error {
            RemoteError::NotFound { .. } => Self::NotFound { image },
            RemoteError::TooLarge { limit, .. } => Self::TooLarge { image, limit },
            RemoteError::Tls { fault, .. } => Self::Tls { host, fault },
            RemoteError::Unauthorized { reason, .. } => Self::Unauthorized { host, reason },
            RemoteError::Unreachable { reason, .. } => Self::Unreachable { host, reason },
            RemoteError::BadResponse { reason, .. } => Self::BadResponse { host, reason },
            RemoteError::InsecureRealm { .. } => Self::Unauthorized {
                reason: error.to_string(),
                host,
            },
            RemoteError::Conflict { message, .. } => Self::BadResponse {
                host,
                reason: message,
            },
            RemoteError::Rejected {
                status, message, ..
            } => Self::BadResponse {
                host,
                reason: format!("{status} {message}").trim_end().to_owned(),
            },
        }
    }
}
