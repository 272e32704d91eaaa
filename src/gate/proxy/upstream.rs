//! The registries behind the gate, asked with the gate's own credentials and authorities.

use crate::config::{ConfigError, DockerConfig};
use crate::reference::ImageReference;
use crate::registry::{Registry, RegistryError};
use crate::tls::{StreamingClient, TlsFiles};
use quick_cache::sync::Cache;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

/// Registries and other hosts that were spoken to. Clones are the same.
#[derive(Clone)]
pub(super) struct Upstreams(Arc<Shared>);

/// Reads Docker's configuration as it is now.
pub type ReadDocker = Box<dyn Fn() -> Result<DockerConfig, ConfigError> + Send + Sync>;

struct Shared {
    docker: ReadDocker,
    tls_ca: Option<PathBuf>,
    /// Connections stay with the thread that made them, which is the one that uses them
    clients: Cache<(ThreadId, String), StreamingClient>,
    registries: Cache<String, Opened>,
}

#[derive(Clone)]
struct Opened {
    registry: Arc<Registry>,
    since: Instant,
}

impl Upstreams {
    /// Registries as Docker's configuration describes them, and this authority if there is one.
    pub(super) fn new(docker: ReadDocker, tls_ca: Option<PathBuf>) -> Self {
        Self(Arc::new(Shared {
            docker,
            tls_ca,
            clients: Cache::new(MAX_HOSTS),
            registries: Cache::new(MAX_HOSTS),
        }))
    }

    /// What the registry of the image answers; who we are is looked up again when that is refused.
    pub(super) async fn ask<T, F>(
        &self,
        image: &ImageReference,
        question: impl Fn(Arc<Registry>) -> F,
    ) -> Result<T, RegistryError>
    where
        F: Future<Output = Result<T, RegistryError>>,
    {
        let opened = self.registry(image.registry()).await?;
        let answer = question(opened.registry).await;
        // Somebody may have logged in, or the password of a cloud's helper has run out.
        let is_refused = matches!(answer, Err(RegistryError::Unauthorized { .. }));
        if !is_refused || opened.since.elapsed() < PATIENCE {
            return answer;
        }
        self.0.registries.remove(image.registry());
        let opened = self.registry(image.registry()).await?;
        question(opened.registry).await
    }

    /// An HTTP client for the host: a registry, or one that a registry named.
    pub(super) fn client(&self, host: &str) -> Result<StreamingClient, RegistryError> {
        let unusable = |reason: String| RegistryError::Unreachable {
            host: host.to_owned(),
            reason,
        };
        let place = (thread::current().id(), host.to_owned());
        self.0.clients.get_or_insert_with(&place, || {
            let docker = (self.0.docker)().map_err(|error| unusable(error.to_string()))?;
            let folder = docker.tls_dir(host);
            let files = TlsFiles::for_registry(host, self.0.tls_ca.as_deref(), &folder);
            let files = files.map_err(|error| unusable(error.to_string()))?;
            StreamingClient::new(&files, host).map_err(|error| unusable(error.to_string()))
        })
    }

    async fn registry(&self, host: &str) -> Result<Opened, RegistryError> {
        let known = self.0.registries.get(host);
        if known.is_some_and(|known| known.since.elapsed() > LIFETIME) {
            self.0.registries.remove(host);
        }
        self.0
            .registries
            .get_or_insert_async(host, self.open(host))
            .await
    }

    async fn open(&self, host: &str) -> Result<Opened, RegistryError> {
        let unknown = |reason: String| RegistryError::Unauthorized {
            host: host.to_owned(),
            reason,
        };
        let docker = (self.0.docker)().map_err(|error| unknown(error.to_string()))?;
        let credentials = docker.credentials(host).await;
        let credentials = credentials.map_err(|error| unknown(error.to_string()))?;
        let http = self.client(host)?.usual().clone();
        Ok(Opened {
            registry: Arc::new(Registry::new(http, host, credentials)),
            since: Instant::now(),
        })
    }
}

/// Hosts whose connections are kept.
const MAX_HOSTS: usize = 256;
/// How long credentials are used before they are looked up again.
const LIFETIME: Duration = Duration::from_mins(15);
/// Credentials younger than this are not looked up again because they were refused.
const PATIENCE: Duration = Duration::from_secs(10);
