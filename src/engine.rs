//! The Docker Engine: push, pull, tag and inspect, in the daemon's own words.
//!
//! Requests carry no API version, so every daemon answers in the one it speaks best.

use crate::{
    config::{Credentials, EngineEndpoint},
    reference::{Digest, ImageReference},
    tls,
};
use bollard::{
    API_DEFAULT_VERSION, BollardRequest, Docker,
    auth::DockerCredentials,
    errors::Error,
    models::ProgressDetail,
    query_parameters::{
        CreateImageOptionsBuilder, PushImageOptionsBuilder, TagImageOptionsBuilder,
    },
};
use futures_util::TryStreamExt;
use hyper::{body::Body, header::CONTENT_TYPE};

mod inspect;

pub use inspect::{LocalContainer, LocalImage};

/// A connection to one engine.
pub struct Engine {
    docker: Docker,
    host: String,
}

/// One line of what the engine is doing.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Progress {
    /// The layer it is about; none for the whole image.
    pub layer: Option<String>,
    /// Such as `Downloading` or `Pull complete`.
    pub status: String,
    /// Bytes done so far.
    pub current: Option<u64>,
    /// Bytes to do.
    pub total: Option<u64>,
}

/// What the engine says it pushed; the registry's bytes have the last word.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Pushed {
    /// Digest of the manifest.
    pub digest: Digest,
    /// Length of the manifest in bytes.
    pub size: u64,
}

/// Why the engine did not do it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// The daemon answered with an error.
    #[error("Error response from daemon: {message}")]
    Daemon {
        /// HTTP status, if the error was not met half way.
        status: Option<u16>,
        /// The daemon's words.
        message: String,
    },
    /// A push that ended without saying what was pushed.
    #[error("the daemon did not say which digest it pushed for {image}")]
    NoDigest {
        /// The image.
        image: String,
    },
    /// An image to push that names no tag.
    #[error("{image} names no tag")]
    NoTag {
        /// The image.
        image: String,
    },
    /// Anything else between us and the daemon.
    #[error("talking to the Docker daemon at {host}: {source}")]
    Transport {
        /// The daemon's address.
        host: String,
        /// What happened.
        source: Error,
    },
    /// Nobody listens there, in Docker's words.
    #[error("Cannot connect to the Docker daemon at {host}. Is the docker daemon running?")]
    Unreachable {
        /// The daemon's address.
        host: String,
    },
    /// An address of a kind this program does not speak.
    #[error("cannot use Docker host {host}: only unix://, tcp:// and npipe:// are supported")]
    UnsupportedHost {
        /// The daemon's address.
        host: String,
    },
}

impl Engine {
    /// An engine that answered; TLS is always verified.
    pub async fn connect(endpoint: &EngineEndpoint) -> Result<Self, EngineError> {
        let host = endpoint.host.clone();
        let docker = open(endpoint)?.with_request_modifier(in_plain_form);
        let engine = Self { docker, host };
        engine
            .docker
            .ping()
            .await
            .map_err(|error| engine.fault(error))?;
        Ok(engine)
    }

    /// Whether the engine has this image.
    pub async fn has(&self, image: &ImageReference) -> Result<bool, EngineError> {
        match self.docker.inspect_image(&image.familiar_reference()).await {
            Ok(_) => Ok(true),
            Err(Error::DockerResponseServerError {
                status_code: 404, ..
            }) => Ok(false),
            Err(error) => Err(self.fault(error)),
        }
    }

    /// Pushes a tagged image and says what the daemon says it pushed.
    pub async fn push(
        &self,
        image: &ImageReference,
        credentials: &Credentials,
        progress: &mut (dyn FnMut(Progress) + Send),
    ) -> Result<Pushed, EngineError> {
        let tag = image.tag().ok_or_else(|| EngineError::NoTag {
            image: image.to_string(),
        })?;
        let options = PushImageOptionsBuilder::default().tag(tag).build();
        let shown = Some(registry_auth(credentials, image.registry()));
        let mut stream = self
            .docker
            .push_image(image.familiar(), Some(options), shown);
        let mut pushed = None;
        while let Some(line) = stream.try_next().await.map_err(|error| self.fault(error))? {
            let status = line.status.unwrap_or_default();
            pushed = read_pushed(&status).or(pushed);
            // The last message carries no words, only what the client library drops.
            if !status.is_empty() {
                progress(Progress::new(None, status, line.progress_detail));
            }
        }
        pushed.ok_or_else(|| EngineError::NoDigest {
            image: image.familiar_reference(),
        })
    }

    /// Pulls exactly this digest of the image's repository, for a platform if one is named.
    pub async fn pull(
        &self,
        image: &ImageReference,
        digest: &Digest,
        platform: Option<&str>,
        credentials: &Credentials,
        progress: &mut (dyn FnMut(Progress) + Send),
    ) -> Result<(), EngineError> {
        let options = CreateImageOptionsBuilder::default()
            .from_image(image.familiar())
            .tag(digest.as_str())
            .platform(platform.unwrap_or_default())
            .build();
        let shown = Some(registry_auth(credentials, image.registry()));
        let mut stream = self.docker.create_image(Some(options), None, shown);
        while let Some(line) = stream.try_next().await.map_err(|error| self.fault(error))? {
            let status = line.status.unwrap_or_default();
            progress(Progress::new(line.id, status, line.progress_detail));
        }
        Ok(())
    }

    /// Gives an image the engine has another name; `target` needs a tag.
    pub async fn tag(
        &self,
        source: &ImageReference,
        target: &ImageReference,
    ) -> Result<(), EngineError> {
        let tag = target.tag().ok_or_else(|| EngineError::NoTag {
            image: target.to_string(),
        })?;
        let options = TagImageOptionsBuilder::default()
            .repo(target.familiar())
            .tag(tag)
            .build();
        let tagged = self
            .docker
            .tag_image(&source.familiar_reference(), Some(options))
            .await;
        tagged.map_err(|error| self.fault(error))
    }

    fn fault(&self, error: Error) -> EngineError {
        fault(error, &self.host)
    }
}

impl Progress {
    fn new(layer: Option<String>, status: String, detail: Option<ProgressDetail>) -> Self {
        let bytes = |count: Option<i64>| count.and_then(|n| n.try_into().ok());
        let detail = detail.unwrap_or_default();
        Self {
            layer,
            status,
            current: bytes(detail.current),
            total: bytes(detail.total),
        }
    }
}

fn open(endpoint: &EngineEndpoint) -> Result<Docker, EngineError> {
    let host = endpoint.host.as_str();
    let scheme = host.split_once("://").map_or("", |(scheme, _)| scheme);
    let opened = match (scheme, &endpoint.tls) {
        ("unix" | "npipe", _) => Docker::connect_with_local(host, PATIENCE, API_DEFAULT_VERSION),
        ("tcp" | "http" | "https", Some(files)) => {
            // The engine's client takes the provider of the process and panics without one.
            tls::install_provider();
            let (key, certificate) = (&files.key, &files.certificate);
            let ca = &files.ca;
            Docker::connect_with_ssl(host, key, certificate, ca, PATIENCE, API_DEFAULT_VERSION)
        }
        ("tcp" | "http", None) => Docker::connect_with_http(host, PATIENCE, API_DEFAULT_VERSION),
        _ => {
            return Err(EngineError::UnsupportedHost {
                host: host.to_owned(),
            });
        }
    };
    opened.map_err(|error| fault(error, host))
}

fn fault(error: Error, host: &str) -> EngineError {
    match error {
        Error::DockerResponseServerError {
            status_code,
            message,
        } => EngineError::Daemon {
            status: Some(status_code),
            message,
        },
        Error::DockerStreamError { error } => EngineError::Daemon {
            status: None,
            message: error,
        },
        Error::SocketNotFoundError(_) => EngineError::Unreachable {
            host: host.to_owned(),
        },
        Error::HyperLegacyError { ref err }
            if err.is_connect() && tls::tls_cause(err).is_none() =>
        {
            EngineError::Unreachable {
                host: host.to_owned(),
            }
        }
        source => EngineError::Transport {
            host: host.to_owned(),
            source,
        },
    }
}

/// The daemon's last status line, `TAG: digest: DIGEST size: SIZE`, carries what it pushed.
fn read_pushed(status: &str) -> Option<Pushed> {
    let (_, rest) = status.split_once(": digest: ")?;
    let (digest, size) = rest.split_once(" size: ")?;
    Some(Pushed {
        digest: Digest::parse(digest).ok()?,
        size: size.trim().parse().ok()?,
    })
}

fn registry_auth(credentials: &Credentials, registry: &str) -> DockerCredentials {
    let serveraddress = Some(match registry {
        "docker.io" => "https://index.docker.io/v1/".to_owned(),
        other => other.to_owned(),
    });
    match credentials {
        Credentials::Anonymous => DockerCredentials::default(),
        Credentials::Basic { username, password } => DockerCredentials {
            username: Some(username.clone()),
            password: Some(password.as_str().to_owned()),
            serveraddress,
            ..DockerCredentials::default()
        },
        Credentials::IdentityToken(token) => DockerCredentials {
            identitytoken: Some(token.as_str().to_owned()),
            serveraddress,
            ..DockerCredentials::default()
        },
    }
}

/// Puts a request into the form that daemons and their authorization plugins read.
///
/// `X-Registry-Auth` is URL-safe base64; a daemon ignores what it cannot read. A type of a body that
/// is not there might announce a form that nobody sees, which `trust gate authz` refuses.
fn in_plain_form(mut request: BollardRequest) -> BollardRequest {
    if request.body().is_end_stream() {
        request.headers_mut().remove(CONTENT_TYPE);
    }
    if let Some(value) = request.headers_mut().get_mut("x-registry-auth") {
        let safe = value
            .to_str()
            .map(|text| text.replace('+', "-").replace('/', "_"));
        if let Some(safe) = safe.ok().and_then(|text| text.parse().ok()) {
            *value = safe;
            value.set_sensitive(true);
        }
    }
    request
}

/// Seconds until the daemon has to begin its answer; what streams after that may take longer.
const PATIENCE: u64 = 120;

#[cfg(test)]
mod tests;
