//! One run of the program: global options and environment, turned into what commands work with.

use super::failure::Failure;
use super::globals::Globals;
use super::interrupt::Interrupt;
use super::output::Output;
use jiff::Timestamp;
use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Arc, Mutex, OnceLock},
};
use trust::{
    config::{
        Credentials, DockerConfig, EngineEndpoint, Environment, engine_endpoint, trust_server_for,
    },
    engine::Engine,
    reference::ImageReference,
    registry::Registry,
    remote::Actions,
    repository::{Decider, Error, Reach, Repository},
    tls::{TlsFiles, http_client},
};
use trust_store::{
    keys::{KeyStore, Tokens},
    metadata::Cache,
};
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
    docker: OnceLock<Arc<DockerConfig>>,
    tokens: OnceLock<Tokens>,
    credentials: Mutex<BTreeMap<String, Credentials>>,
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
            tokens: OnceLock::new(),
            credentials: Mutex::default(),
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

    /// The private keys of this machine, and those on its tokens.
    pub(crate) fn keys(&self) -> Result<KeyStore, Failure> {
        let tokens = self.tokens()?.clone();
        Ok(KeyStore::at(&self.trust_dir()?).with_tokens(tokens))
    }

    /// The tokens of the modules that are named; nothing is loaded where none is.
    fn tokens(&self) -> Result<&Tokens, Failure> {
        if let Some(tokens) = self.tokens.get() {
            return Ok(tokens);
        }
        let modules = match self.globals.pkcs11_module.as_slice() {
            [] => self.environment.pkcs11_modules.as_slice(),
            named => named,
        };
        let tokens = Tokens::load(modules)?;
        Ok(self.tokens.get_or_init(|| tokens))
    }

    /// What this machine keeps of repositories.
    pub(crate) fn cache(&self) -> Result<Cache, Failure> {
        Ok(Cache::at(&self.trust_dir()?))
    }

    /// The repository of an image; unless offline, with the server that publishes it.
    pub(crate) async fn repository(
        &self,
        image: &ImageReference,
        actions: Actions,
    ) -> Result<Repository, Failure> {
        if !self.globals.offline {
            tracing::debug!(gun = image.gun(), server = %self.server(image)?, "repository");
        }
        Ok(self.reach()?.repository(image, actions).await?)
    }

    /// Decides on images.
    pub(crate) fn decider(&self) -> Result<Decider, Failure> {
        Ok(Decider::new(self.reach()?))
    }

    fn reach(&self) -> Result<Reach, Failure> {
        Ok(Reach {
            docker: Arc::clone(self.docker_config()?),
            trust_dir: self.trust_dir()?,
            server: self.chosen_server().map(str::to_owned),
            tls_ca: self.globals.tls_ca.clone(),
            offline: self.globals.offline,
        })
    }

    /// The trust server that speaks for an image.
    pub(crate) fn server(&self, image: &ImageReference) -> Result<Url, Failure> {
        Ok(trust_server_for(image.registry(), self.chosen_server())?)
    }

    fn chosen_server(&self) -> Option<&str> {
        let given = self.globals.server.as_deref();
        given.or(self.environment.trust_server.as_deref())
    }

    /// The registry of an image.
    pub(crate) async fn registry(&self, image: &ImageReference) -> Result<Registry, Failure> {
        self.online()?;
        let host = image.registry();
        let own = self.docker_config()?.tls_dir(host);
        let files = TlsFiles::for_registry(host, self.globals.tls_ca.as_deref(), &own)?;
        let http = http_client(&files, host)?;
        Ok(Registry::new(http, host, self.credentials(image).await?))
    }

    /// The Docker Engine.
    pub(crate) async fn engine(&self) -> Result<Engine, Failure> {
        self.online()?;
        Ok(Engine::connect(&self.engine_endpoint()?).await?)
    }

    /// Where the Docker Engine is.
    pub(crate) fn engine_endpoint(&self) -> Result<EngineEndpoint, Failure> {
        Ok(engine_endpoint(&self.environment, self.docker_config()?)?)
    }

    /// Docker's configuration.
    pub(crate) fn docker(&self) -> Result<Arc<DockerConfig>, Failure> {
        Ok(Arc::clone(self.docker_config()?))
    }

    /// Who we are to the registry of an image and the trust server that speaks for it.
    pub(crate) async fn credentials(&self, image: &ImageReference) -> Result<Credentials, Failure> {
        let host = image.registry();
        let known = |known: &BTreeMap<_, Credentials>| known.get(host).cloned();
        if let Some(known) = self.credentials.lock().ok().and_then(|it| known(&it)) {
            return Ok(known);
        }
        let asked = self.docker_config()?.credentials(host).await?;
        tracing::debug!(registry = host, credentials = ?asked, "who we are");
        if let Ok(mut known) = self.credentials.lock() {
            known.insert(host.to_owned(), asked.clone());
        }
        Ok(asked)
    }

    fn online(&self) -> Result<(), Failure> {
        if self.globals.offline {
            return Err(Error::Offline.into());
        }
        Ok(())
    }

    fn docker_config(&self) -> Result<&Arc<DockerConfig>, Failure> {
        if let Some(config) = self.docker.get() {
            return Ok(config);
        }
        let config = self.environment.docker_config()?;
        Ok(self.docker.get_or_init(|| Arc::new(config)))
    }
}

#[allow(
    clippy::disallowed_methods,
    reason = "the one place where the door reads the clock"
)]
pub(crate) fn read_clock() -> Timestamp {
    Timestamp::now()
}
