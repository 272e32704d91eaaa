//! One run of the program: global options and environment, turned into what commands work with.

use super::failure::Failure;
use super::globals::Globals;
use super::interrupt::Interrupt;
use super::output::Output;
use super::shared::Shared;
use jiff::Timestamp;
use reqwest::Client;
use std::{
    path::{Path, PathBuf},
    sync::OnceLock,
};
use trust::{
    config::{Credentials, DockerConfig, Environment, engine_endpoint, trust_server_for},
    engine::Engine,
    reference::ImageReference,
    registry::Registry,
    remote::{Actions, Notary},
    repository::{Error, Repository},
    tls::{TlsFiles, http_client},
};
use trust_store::{keys::KeyStore, metadata::Cache};
use url::Url;

/// What the commands of one run share; files are read when they are first needed.
pub(crate) struct Session {
    /// The global options
    pub(crate) globals: Globals,
    /// The environment
    pub(crate) environment: Environment,
    /// Where everything that is printed goes
    pub(crate) out: Output,
    /// Ctrl-C, while somebody is asked
    pub(crate) interrupt: Interrupt,
    docker: OnceLock<DockerConfig>,
    credentials: Shared<Credentials>,
    server_clients: Shared<Client>,
    registry_clients: Shared<Client>,
    now: Timestamp,
}

impl Session {
    /// A session that begins now.
    pub(crate) fn begin(globals: Globals, environment: Environment, plugin: bool) -> Self {
        let out = Output::new(&globals, plugin, environment.no_color);
        Self {
            globals,
            environment,
            out,
            interrupt: Interrupt::default(),
            docker: OnceLock::new(),
            credentials: Shared::default(),
            server_clients: Shared::default(),
            registry_clients: Shared::default(),
            now: read_clock(),
        }
    }

    /// The moment at which this run began; nothing changes its age while it is looked at.
    pub(crate) fn now(&self) -> Timestamp {
        self.now
    }

    /// Where keys and metadata are kept.
    pub(crate) fn trust_dir(&self) -> Result<PathBuf, Failure> {
        match &self.globals.trust_dir {
            Some(dir) => Ok(dir.clone()),
            None => Ok(self.environment.docker_config_dir()?.join("trust")),
        }
    }

    /// The private keys of this machine.
    pub(crate) fn keys(&self) -> Result<KeyStore, Failure> {
        Ok(KeyStore::at(&self.trust_dir()?))
    }

    /// What this machine keeps of repositories.
    pub(crate) fn cache(&self) -> Result<Cache, Failure> {
        Ok(Cache::at(&self.trust_dir()?))
    }

    /// The repository of an image and, unless offline, the server that publishes it.
    pub(crate) async fn repository(
        &self,
        image: &ImageReference,
        actions: Actions,
    ) -> Result<Repository, Failure> {
        let cache = self.cache()?.repository(image.gun())?;
        let remote = if self.globals.offline {
            None
        } else {
            Some(self.notary(image, actions).await?)
        };
        Ok(Repository::new(image.gun(), cache, remote))
    }

    /// The trust server that speaks for an image.
    pub(crate) fn server(&self, image: &ImageReference) -> Result<Url, Failure> {
        let given = self.globals.server.as_deref();
        let chosen = given.or(self.environment.trust_server.as_deref());
        Ok(trust_server_for(image.registry(), chosen)?)
    }

    async fn notary(&self, image: &ImageReference, actions: Actions) -> Result<Notary, Failure> {
        let server = self.server(image)?;
        let host = match (server.host_str().unwrap_or_default(), server.port()) {
            (host, Some(port)) => format!("{host}:{port}"),
            (host, None) => host.to_owned(),
        };
        let http = self.server_clients.of_or(&host, || {
            Ok::<_, Failure>(http_client(&self.tls_files(&host)?, &host)?)
        })?;
        tracing::debug!(%server, gun = image.gun(), "trust server");
        let credentials = self.credentials(image).await?;
        Ok(Notary::new(
            http,
            &server,
            image.gun(),
            actions,
            credentials,
        ))
    }

    /// The registry of an image.
    pub(crate) async fn registry(&self, image: &ImageReference) -> Result<Registry, Failure> {
        self.online()?;
        let host = image.registry();
        let http = self.registry_clients.of_or(host, || {
            let engines = Path::new(ENGINE_CERTIFICATES).join(host);
            let files = self.tls_files(host)?.and(TlsFiles::from_folder(&engines)?);
            Ok::<_, Failure>(http_client(&files, host)?)
        })?;
        Ok(Registry::new(http, host, self.credentials(image).await?))
    }

    /// The Docker Engine.
    pub(crate) async fn engine(&self) -> Result<Engine, Failure> {
        self.online()?;
        let endpoint = engine_endpoint(&self.environment, self.docker_config()?)?;
        Ok(Engine::connect(&endpoint).await?)
    }

    /// Who we are to the registry of an image and the trust server that speaks for it.
    pub(crate) async fn credentials(&self, image: &ImageReference) -> Result<Credentials, Failure> {
        let host = image.registry();
        if let Some(known) = self.credentials.of(host) {
            return Ok(known);
        }
        let asked = self.docker_config()?.credentials(host).await?;
        tracing::debug!(registry = host, credentials = ?asked, "who we are");
        Ok(self.credentials.keep(host, asked))
    }

    fn online(&self) -> Result<(), Failure> {
        if self.globals.offline {
            return Err(Error::Offline.into());
        }
        Ok(())
    }

    fn tls_files(&self, host: &str) -> Result<TlsFiles, Failure> {
        match &self.globals.tls_ca {
            Some(file) => Ok(TlsFiles::from_ca_file(file)?),
            None => Ok(TlsFiles::from_folder(&self.docker_config()?.tls_dir(host))?),
        }
    }

    fn docker_config(&self) -> Result<&DockerConfig, Failure> {
        if let Some(config) = self.docker.get() {
            return Ok(config);
        }
        let config = self.environment.docker_config()?;
        Ok(self.docker.get_or_init(|| config))
    }
}

#[allow(
    clippy::disallowed_methods,
    reason = "the one place where the door reads the clock"
)]
fn read_clock() -> Timestamp {
    Timestamp::now()
}

/// Where Docker keeps the authorities of registries, one folder a host.
const ENGINE_CERTIFICATES: &str = "/etc/docker/certs.d";
