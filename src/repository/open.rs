//! From an image's name to its repository: which server, whose credentials, which authorities.

use super::Repository;
use crate::config::{ConfigError, DockerConfig, trust_server_for};
use crate::reference::ImageReference;
use crate::remote::{Actions, Notary};
use crate::tls::{TlsError, TlsFiles, http_client};
use std::path::Path;
use trust_store::metadata::{Cache, CacheError};

/// How this machine reaches repositories.
#[derive(Clone, Copy)]
pub struct Reach<'a> {
    /// Docker's configuration: credentials and authorities
    pub docker: &'a DockerConfig,
    /// Where metadata are kept
    pub trust_dir: &'a Path,
    /// The trust server, if it does not follow from the registry
    pub server: Option<&'a str>,
    /// The authority of the trust server, instead of Docker's folder
    pub tls_ca: Option<&'a Path>,
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

impl Reach<'_> {
    /// The repository of an image; nothing is sent yet.
    ///
    /// # Errors
    /// Files of the configuration are wrong, or the server's address is.
    pub async fn repository(
        &self,
        image: &ImageReference,
        actions: Actions,
    ) -> Result<Repository, OpenError> {
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
    pub fn kept(&self, image: &ImageReference) -> Result<Repository, OpenError> {
        let cache = Cache::at(self.trust_dir).repository(image.gun())?;
        Ok(Repository::new(image.gun(), cache, None))
    }

    async fn remote(&self, image: &ImageReference, actions: Actions) -> Result<Notary, OpenError> {
        let server = trust_server_for(image.registry(), self.server)?;
        let host = match (server.host_str().unwrap_or_default(), server.port()) {
            (host, Some(port)) => format!("{host}:{port}"),
            (host, None) => host.to_owned(),
        };
        let files = TlsFiles::for_trust_server(self.tls_ca, &self.docker.tls_dir(&host))?;
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
