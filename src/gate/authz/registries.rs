//! What registries serve for a tag, asked under this machine's own name.

use crate::{
    config::{ConfigError, DockerConfig},
    reference::{Digest, ImageReference},
    registry::{Registry, RegistryError},
    tls::{TlsError, TlsFiles, http_client},
};
use quick_cache::sync::Cache;
use std::{path::PathBuf, sync::Arc};

/// Connections to registries, by host.
pub struct Registries {
    docker: Arc<DockerConfig>,
    tls_ca: Option<PathBuf>,
    known: Cache<String, Arc<Registry>>,
}

/// A registry that cannot be asked, or does not answer as it has to.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServedError {
    /// Docker's configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The registry.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// Files of authorities or client certificates.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

impl Registries {
    /// Registries with the credentials of this configuration; `tls_ca` instead of Docker's folder.
    pub fn new(docker: Arc<DockerConfig>, tls_ca: Option<PathBuf>) -> Self {
        let known = Cache::new(MOST);
        Self {
            docker,
            tls_ca,
            known,
        }
    }

    /// The digest of what the registry serves for the image now.
    pub(super) async fn served(&self, image: &ImageReference) -> Result<Digest, ServedError> {
        let registry = self.registry(image.registry()).await?;
        let manifest = registry.manifest(image).await.inspect_err(|_| {
            // Its credentials may have changed.
            self.known.remove(image.registry());
        })?;
        Ok(manifest.digest)
    }

    async fn registry(&self, host: &str) -> Result<Arc<Registry>, ServedError> {
        if let Some(known) = self.known.get(host) {
            return Ok(known);
        }
        let files =
            TlsFiles::for_registry(host, self.tls_ca.as_deref(), &self.docker.tls_dir(host))?;
        let http = http_client(&files, host)?;
        let credentials = self.docker.credentials(host).await?;
        let registry = Arc::new(Registry::new(http, host, credentials));
        self.known.insert(host.to_owned(), Arc::clone(&registry));
        Ok(registry)
    }
}

/// Hosts whose connections are kept.
const MOST: usize = 64;
