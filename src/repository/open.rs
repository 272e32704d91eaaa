//! From an image's name to its repository: which server, whose credentials, which authorities.

use super::Repository;
use crate::config::{ConfigError, DockerConfig, trust_server_for};
use crate::reference::ImageReference;
use crate::remote::{Actions, Notary};
use crate::tls::{TlsError, TlsFiles, http_client};
use std::path::PathBuf;
use std::sync::Arc;
use trust_store::metadata::{Cache, CacheError};

/// How this machine reaches repositories.
#[derive(Clone, Debug)]
pub struct Reach {
    /// Docker's configuration: credentials and authorities
    pub docker: Arc<DockerConfig>,
    /// Where metadata are kept
    pub trust_dir: PathBuf,
    /// The trust server, if it does not follow from the registry
    pub server: Option<String>,
    /// The authority of the trust server, instead of Docker's folder
    pub tls_ca: Option<PathBuf>,
    /// Whether the network is not to be used
    pub offline: bool,
}

/// Why a repository cannot even be asked for.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The folder of kept metadata
    #[error(transparent)]
    Cache(#[from] CacheError),
    /// Docker's configuration, or the server's address
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Files of authorities or client certificates
    #[error(transparent)]
    Tls(#[from] TlsError),
}

impl Reach {
    /// The same, with this trust server unless that is none.
    #[must_use]
    pub fn at(&self, server: Option<&str>) -> Self {
        let mut reach = self.clone();
        if let Some(server) = server {
            reach.server = Some(server.to_owned());
        }
        reach
    }

    /// The repository of an image; nothing is sent yet.
    ///
    /// # Errors
    /// Files of the configuration are wrong, or the server's address is.
    pub async fn repository(
        &self,
        image: &ImageReference,
        actions: Actions,
    ) -> Result<Repository, OpenError> {
        if self.offline {
            return self.kept(image);
        }
        let remote = self.remote(image, actions).await?;
        Ok(Repository {
            remote: Some(remote),
            ..self.kept(image)?
        })
    }

    /// The repository of an image as far as it was kept; never touches the network.
    ///
    /// # Errors
    /// [`OpenError::Cache`]
    fn kept(&self, image: &ImageReference) -> Result<Repository, OpenError> {
        let cache = Cache::at(&self.trust_dir).repository(image.gun())?;
        Ok(Repository::new(image.gun(), cache, None))
    }

    async fn remote(&self, image: &ImageReference, actions: Actions) -> Result<Notary, OpenError> {
        let server = trust_server_for(image.registry(), self.server.as_deref())?;
        let host = match (server.host_str().unwrap_or_default(), server.port()) {
            (host, Some(port)) => format!("{host}:{port}"),
            (host, None) => host.to_owned(),
        };
        let files =
            TlsFiles::for_trust_server(self.tls_ca.as_deref(), &self.docker.tls_dir(&host))?;
        let http = http_client(&files, &host)?;
        let credentials = self.docker.credentials(image.registry()).await?;
        Ok(Notary::new(
            http,
            &server,
            image.gun(),
            actions,
            credentials,
        ))
    }
}
